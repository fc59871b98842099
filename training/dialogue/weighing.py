"""Findings with what is to be chosen of them, drawn by chance: what a language model learns to weigh by."""

from __future__ import annotations

import random
from typing import NamedTuple

from ...advice.findings import Finding
from ...advice.language.choosing import GRADES, choices, grades
from ...advice.sayings import SAYINGS, sayings

_LEAST = 0.15
_LOOKS = ("high key", "night", "coloured light", "black and white")
_NUMBERS = ("bright end (EV under white)", "middle tone (EV)", "light (K)", "spread (EV)", "chroma")


class Weighing(NamedTuple):
    """Findings, those that are meant to be so, and the phrases that say what to mend of the others."""

    findings: tuple[Finding, ...]
    kept: tuple[Finding, ...]
    said: tuple[str, ...]


def weighing(draw: random.Random) -> Weighing:
    """What matters most (severity times confidence) comes first; what hardly matters is left, doubt is mended by less."""
    groups = draw.sample(SAYINGS, draw.choices((1, 2, 3, 4), (30, 35, 25, 10))[0])
    findings = tuple(_finding(draw, draw.choice(group[:2])) for group in groups)
    kept = tuple(Finding(name, "", 0.9, keep=True) for name in draw.sample(_LOOKS, draw.choices((0, 1), (80, 20))[0]))
    order = sorted((one for one in findings if _weight(one) >= _LEAST), key=_weight, reverse=True)
    return Weighing(findings, kept, tuple(_phrase(draw, one) for one in order))


def _finding(draw: random.Random, name: str) -> Finding:
    measured = {number: round(draw.uniform(-4.0, 4.0), 2) for number in draw.sample(_NUMBERS, draw.randint(0, 3))}
    return Finding(name, "", draw.uniform(0.3, 1.0), draw.uniform(0.02, 1.0), evidence=measured)


def _weight(finding: Finding) -> float:
    """How much a finding matters, by the numbers that are told."""
    return round(finding.severity, 1) * round(finding.confidence, 1)


def _phrase(draw: random.Random, finding: Finding) -> str:
    wanted = "fully" if finding.confidence >= 0.65 else "mostly" if finding.confidence >= 0.45 else "by half"
    grade = wanted if wanted in grades(finding) else min(grades(finding), key=lambda name: abs(GRADES[name] - GRADES[wanted]))
    phrase = f"{draw.choice(sayings(finding.what))}, {grade}"
    assert phrase in choices([finding])
    return phrase

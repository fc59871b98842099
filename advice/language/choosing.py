"""What a language model may choose of findings: which are mended, in which order, how far, and in which of our words.

The findings are the facts, with all that was measured; the numbers stay theirs. A phrase is a finding in one of our sayings and
a grade that it allows, so whatever is decoded is a plan that the advisor itself could have made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..findings import Finding
from ..sayings import sayings
from .grammar import Encode, Grammar

GRADES = {"fully": 1.0, "mostly": 0.75, "by half": 0.5}
"""How far a finding is mended, as a share of what its advisor would do. No further: it has weighed its doubt already."""
_SURE = 0.8


class Choice(NamedTuple):
    """A finding that is to be mended, by its number, a share of what mends it, and the words for it."""

    number: int
    share: float
    words: str


def grades(finding: Finding) -> dict[str, float]:
    """How far a finding may be mended: what is sure at least mostly."""
    least = GRADES["mostly"] if finding.confidence >= _SURE else GRADES["by half"]
    return {grade: share for grade, share in GRADES.items() if share >= least}


def choices(findings: Sequence[Finding]) -> dict[str, Choice | None]:
    """Every phrase about some findings with what it means. Of two that are called the same the first is meant."""
    found: dict[str, Choice | None] = {}
    for number, finding in enumerate(findings):
        for words in sayings(finding.what):
            for grade, share in grades(finding).items():
                found.setdefault(f"{words}, {grade}", Choice(number, share, words))
    return found


def graded(findings: Sequence[Finding]) -> dict[str, dict[str, str]]:
    """The same phrases by their words and grades."""
    found: dict[str, dict[str, str]] = {}
    for phrase in choices(findings):
        words, _, grade = phrase.rpartition(", ")
        found.setdefault(words, {})[grade] = phrase
    return found


def grammar_of(findings: Sequence[Finding], encode: Encode) -> Grammar[Choice]:
    """Lists of what to mend, every finding once at most."""
    return Grammar(choices(findings), encode, lambda choice: choice.number)


def facts_of(findings: Sequence[Finding], kept: Sequence[Finding] = ()) -> str:
    """What a language model is told: every finding in a line, with what was measured, and what is meant to be so."""
    return "\n".join([*map(_fact, findings), *(f"Meant: {finding.what}" for finding in kept), "Mends:"])


def _fact(finding: Finding) -> str:
    return "; ".join([f"Sees: {finding.what}", *_numbers(finding)])


def _numbers(finding: Finding) -> Iterator[str]:
    yield f"severity {finding.severity:.1f}"
    yield f"sure {finding.confidence:.1f}"
    for name, value in finding.evidence.items():
        yield f"{name} {value:.1f}"

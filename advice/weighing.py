"""Findings weighed against each other by a language model, where one was taught to: its order, its grades, our words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from .findings import Finding
from .language.choosing import GRADES, Choice
from .language.deciding import chosen
from .language.files import NoLanguage

_DONE = {
    GRADES["fully"]: "",
    GRADES["mostly"]: " Three quarters of that are done.",
    GRADES["by half"]: " Half of that is done.",
}
_LEFT = " Beside the others it is left as it is."


class Weighed(NamedTuple):
    """A finding as it is said now, the number that it had, and the share of what mends it that is to be done."""

    number: int
    finding: Finding
    share: float = 1.0


def weighed(findings: Sequence[Finding], mendable: Collection[int], picture: Tensor) -> tuple[list[Weighed], str]:
    """Findings in the order in which they matter, and a line of the language model, or about it where it cannot be used.

    mendable: the numbers of those that sliders mend. picture: what was looked at, as light (1,3,h,w). Without a language model
    that was taught to weigh, or where it is not sure, all stay as they are.
    """
    numbers = sorted(mendable)
    try:
        told = chosen([findings[number] for number in numbers], [finding for finding in findings if finding.keep], picture)
    except NoLanguage as error:
        return [Weighed(*entry) for entry in enumerate(findings)], f"Weighed by its numbers alone: {error}."
    if told is None:
        return [Weighed(*entry) for entry in enumerate(findings)], ""
    return list(ordered(findings, numbers, told.choices)), told.words


def ordered(findings: Sequence[Finding], numbers: Sequence[int], choices: Sequence[Choice]) -> Iterator[Weighed]:
    """Findings as they were chosen, then the others; those of `numbers` that were not chosen are left."""
    for choice in choices:
        number = numbers[choice.number]
        why = findings[number].why + _DONE[choice.share]
        yield Weighed(number, replace(findings[number], what=choice.words, why=why), choice.share)
    picked = {numbers[choice.number] for choice in choices}
    for number, finding in enumerate(findings):
        if number in numbers and number not in picked:
            yield Weighed(number, replace(finding, why=finding.why + _LEFT, keep=True), 0.0)
        elif number not in picked:
            yield Weighed(number, finding)

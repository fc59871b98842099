"""Wishes: what a sentence, a table or a language model asks for, before it becomes moves of sliders.

A wish in short is `[PART.]ASPECT` with + or -, one for a hint, two for much: `warmth+`, `sky.cyan-`, `contrast--`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

SLIGHT, PLAIN, STRONG = 0.5, 1.0, 2.0
DEGREES = {"slightly": SLIGHT, "": PLAIN, "much": STRONG}
"""What a degree in words is worth; a wish without one is worth 1."""


class Wish(NamedTuple):
    """What shall change, and which way. part: of the picture; empty for all of it. sign: 1 or -1. strength: above 0."""

    aspect: str
    sign: int
    strength: float = PLAIN
    part: str = ""

    @property
    def name(self) -> str:
        """What is meant, without the direction."""
        return f"{self.part}.{self.aspect}" if self.part else self.aspect

    @property
    def short(self) -> str:
        return f"{self.name}{'+' if self.sign > 0 else '-'}"


class Heard(NamedTuple):
    """What was understood of a sentence: wishes, and the pieces of it that nothing here can do."""

    wishes: tuple[Wish, ...] = ()
    unknown: tuple[str, ...] = ()


_SHORT = re.compile(r"(?:([a-z_]+)\.)?([a-z_]+)([+-])")


def wish_of(short: str) -> Wish:
    """A wish from its short form. Raises ValueError where it is none."""
    found = _SHORT.fullmatch(short)
    if found is None:
        raise ValueError(f"expected [PART.]ASPECT+ or -; got {short[:40]!r}")
    part, aspect, sign = found.groups()
    return Wish(aspect, 1 if sign == "+" else -1, PLAIN, part or "")


def together(wishes: Iterable[Wish]) -> tuple[Wish, ...]:
    """Every aspect of a part once, as it was last wished for; the order is that of the first mention."""
    found: dict[str, Wish] = {}
    for wish in wishes:
        found[wish.name] = wish
    return tuple(found.values())

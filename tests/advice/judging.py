"""Sentences with what they wish, and whether that was understood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from luxgrad.advice.wishes import Heard

FOLDER = Path(__file__).parent / "sentences"


class Sentence(NamedTuple):
    """A sentence and its readings that are right: each a set of short wishes, `?` for one that is not known."""

    text: str
    readings: tuple[frozenset[str], ...]

    @property
    def unknown(self) -> bool:
        """Whether it wishes nothing that can be done."""
        return self.readings == (frozenset("?"),)


def sentences(name: str) -> Iterator[Sentence]:
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        if not line.startswith("#"):
            text, _, truth = line.partition(" |")
            yield Sentence(text.strip(), tuple(frozenset(reading.split()) for reading in truth.split(" or ")))


def said(heard: Heard) -> frozenset[str]:
    """What was understood, in the form of a reading."""
    return frozenset([*(wish.short for wish in heard.wishes), *("?" for _ in heard.unknown[:1])])


def right(sentence: Sentence, heard: Heard) -> bool:
    """Whether every wish was understood with its direction, and no other; what is beyond is said to be."""
    return said(heard) in sentence.readings

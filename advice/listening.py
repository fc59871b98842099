"""Listening: what is said becomes wishes. The reader goes first; what it does not know, a language model is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .language.deciding import meant
from .language.files import NoLanguage
from .reading import heard
from .wishes import Wish, together

MOST_ASKED = 6
"""So many pieces of a sentence a language model is asked about; what is said beyond is not known."""


class Listened(NamedTuple):
    """wishes: what was understood. unknown: pieces that nothing here can do. note: a line about the language model."""

    wishes: tuple[Wish, ...]
    unknown: tuple[str, ...] = ()
    note: str = ""


def listened(said: str, possible: Sequence[Wish]) -> Listened:
    """What is wished. possible: what could be done, for the language model to choose from."""
    first = heard(said)
    if not first.unknown:
        return Listened(first.wishes)
    wishes, unknown = list(first.wishes), list[str]()
    try:
        for number, piece in enumerate(first.unknown):
            found = meant(piece, possible) if number < MOST_ASKED else ()
            wishes += [wish for wish in found if wish.name not in {known.name for known in wishes}]
            unknown += [] if found else [piece]
    except NoLanguage as error:
        return Listened(first.wishes, first.unknown, f"Read by its words alone: {error}.")
    return Listened(together(wishes), tuple(unknown))

"""The reader: what a sentence wishes, by the words it is made of. It knows a small language and says what it does not know.

A sentence falls into clauses. In each, the things named (aspects, adjectives, colours, verbs) get a direction from the words
around them: more and less, too and not enough, negations, complaints. A word that is nearly one it knows is taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import lexicon
from .aspects import BANDS, COLOURS, known
from .directions import sign_of, towards
from .wishes import PLAIN, SLIGHT, STRONG, Heard, Wish, together
from .words import Kind, Word, plain, words_of

ENDS = re.compile(r"[,;:.!?\n]+(?!\d)|\b(?:and|but|then|while|plus)\b|(?<=\s)[-\u2013](?=\s)")
_THINGS = (Kind.THING, Kind.LIKE, Kind.DO, Kind.COMPARED, Kind.COLOUR)
_TONAL = ("brightness", "fade", "blacks")
_REGIONS = {"shadows": 1, "highlights": 1, "blacks": 1, "vignette": -1}
"""Aspects that are places, and which way they go where these become brighter."""


class Clause(NamedTuple):
    """A piece of a sentence: its words, as they stand, and whether it goes on from the piece before by `and`."""

    text: str
    words: tuple[Word, ...]
    joined: bool

    def has(self, *kinds: Kind) -> bool:
        return any(word.kind in kinds for word in self.words)

    @property
    def part(self) -> str:
        return next((word.meaning for word in self.words if word.kind is Kind.PART), "")

    @property
    def strength(self) -> float:
        if any(word.degree < 0 for word in self.words):
            return SLIGHT
        return STRONG if any(word.degree > 0 for word in self.words) else PLAIN


def heard(sentence: str) -> Heard:
    """What a sentence wishes. What it says beyond that is given back as unknown."""
    wishes: list[Wish] = []
    unknown: list[str] = []
    part, direction, kept = "", 0, False
    for clause in clauses(sentence):
        own = clause.part
        goes_on = not own and (clause.joined or clause.has(Kind.COLOUR)) and not clause.has(Kind.WHOLE, Kind.THING, Kind.DO)
        part = own or (part if goes_on else "")
        found = [wish for wish in _wishes(clause, part, direction if clause.joined else 0) if known(wish)]
        wishes += found
        kept = kept or clause.has(Kind.KEEP, Kind.NOT)
        if _beyond(clause, found):
            unknown.append(clause.text)
        direction = found[-1].sign if found and clause.has(Kind.UP, Kind.DOWN) else 0
    if not wishes and not unknown and not kept and sentence.strip():
        unknown.append(" ".join(sentence.split()))
    return Heard(together(wishes), tuple(unknown))


def clauses(sentence: str) -> Iterator[Clause]:
    """The pieces of a sentence, in their order; one that only names things goes on in the next: `grass and trees darker`."""
    text = plain(sentence)
    start, joined, waiting = 0, False, ""
    for end, stop, mark in [
        *((found.start(), found.end(), found.group()) for found in ENDS.finditer(text)),
        (len(text),) * 2 + ("",),
    ]:
        piece = " ".join(f"{waiting} {text[start:end]}".split())
        start, waiting = stop, ""
        if not piece:
            joined = joined or mark == "and"
            continue
        clause = Clause(piece, tuple(words_of(piece)), joined)
        if mark == "and" and not clause.has(
            *_THINGS, Kind.REMOVE, Kind.ACT, Kind.UP, Kind.DOWN, Kind.DEGREE, Kind.KEEP, Kind.NOT
        ):
            waiting = piece
            continue
        yield clause
        joined = mark == "and"


# The things of a clause -------------------------------------------------------------------------------------------


def _wishes(clause: Clause, part: str, direction: int) -> Iterator[Wish]:
    words = clause.words
    if clause.has(Kind.KEEP) and not clause.has(Kind.UP, Kind.DOWN, Kind.DO, Kind.COMPARED):
        return
    acted = clause.has(Kind.REMOVE, Kind.ACT) and clause.has(Kind.STRANGE)
    named = [place for place, word in enumerate(words) if word.kind in _THINGS]
    things = [place for place in named if not _described(words, named, place) and not (acted and _only_like(words[place]))]
    if not named and part and not acted:
        yield from _of_part_alone(clause, part)
        return
    region = next((words[place].meaning for place in named if words[place].meaning in _REGIONS), "")
    behind = _directions_come_behind(words, things)
    for number, place in enumerate(things):
        word = words[place]
        left = words[things[number - 1] + 1 if number else 0 : place]
        right = words[place + 1 : things[number + 1] if number + 1 < len(things) else len(words)]
        if word.kind is Kind.COLOUR and _of_a_strange_thing(clause, part):
            continue
        sign = sign_of(word, left, right, words, direction, behind)
        if sign:
            where, aspect, turned = _in_region(word, region) if region else _meant(word, part)
            yield Wish(aspect, sign * turned, clause.strength, where)


def _only_like(word: Word) -> bool:
    return word.kind in (Kind.LIKE, Kind.COLOUR)


def _of_a_strange_thing(clause: Clause, part: str) -> bool:
    """`Make the car blue` is no wish for blue light; `the snow looks blue` and `a blue cast` are."""
    return not part and clause.has(Kind.STRANGE) and not clause.has(Kind.STATE, Kind.TOO, Kind.CAST)


def _described(words: Sequence[Word], things: list[int], place: int) -> bool:
    """Whether another word of the clause says how this thing shall be: `shadows darker`, `colder light`."""
    word = words[place]
    if word.kind is not Kind.THING:
        return False
    others = [words[other] for other in things if other != place and words[other].kind in (Kind.LIKE, Kind.COMPARED, Kind.DO)]
    if word.meaning in _REGIONS:
        return any(other.meaning in _TONAL for other in others)
    general = word.text in lexicon.GENERAL.split()
    return any(other.meaning == word.meaning or (general and other.meaning in lexicon.OF_GENERAL.split()) for other in others)


def _directions_come_behind(words: Sequence[Word], things: list[int]) -> bool:
    """Whether the clause says `saturation down contrast up`."""
    first = next((place for place in things if words[place].kind is Kind.THING), None)
    if first is None or towards(words[:first]):
        return False
    return any(word.kind in (Kind.UP, Kind.DOWN) for word in words[first + 1 : first + 3])


def _in_region(word: Word, region: str) -> tuple[str, str, int]:
    """What a word means of the shadows, the highlights, the corners: brighter and darker are of that place."""
    if word.kind is not Kind.THING and word.meaning in _TONAL:
        return "", region, word.sign * _REGIONS[region]
    return _meant(word, "")


def _meant(word: Word, part: str) -> tuple[str, str, int]:
    """(part, aspect, its sign for more of what the word says)."""
    if word.meaning in lexicon.COLOURS:
        if part in BANDS and COLOURS[word.meaning] == 45 * BANDS.index(part):
            return part, "saturation", 1
        if part:
            return part, word.meaning, 1
        if word.meaning in lexicon.BANDS:
            return lexicon.BANDS[word.meaning], "saturation", 1
        return "", *lexicon.CASTS[word.meaning]
    of_part = {
        "warmth": ("yellow", 1),
        "fade": ("saturation", -1),
        "brightness": ("brightness", 1),
        "saturation": ("saturation", 1),
    }
    if part == "sky":
        of_part |= {"mood": ("brightness", -1)}
    if part and word.meaning in of_part:
        aspect, turned = of_part[word.meaning]
        return part, aspect, turned * word.sign
    return "", word.meaning, word.sign


def _of_part_alone(clause: Clause, part: str) -> Iterator[Wish]:
    """`Lift her face`, `boost the reds`, `the greens are too strong`: a part and a direction."""
    sign = towards(clause.words)
    if sign and not clause.has(Kind.REMOVE, Kind.ACT):
        yield Wish("saturation" if part in BANDS else "brightness", sign, clause.strength, part)


# What is not known ------------------------------------------------------------------------------------------------


def _beyond(clause: Clause, found: Sequence[Wish]) -> bool:
    """Whether a clause asks for something that is not among its wishes."""
    strange, acts = clause.has(Kind.STRANGE), clause.has(Kind.REMOVE, Kind.ACT)
    if found or clause.has(Kind.KEEP):
        return strange and acts
    return strange or (not clause.has(Kind.NOT) and (acts or clause.has(Kind.COLOUR)))

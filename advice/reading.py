"""The reader: what a sentence wishes, by the words it is made of. It knows a small language well and says what it does not know.

A sentence falls into clauses. In each, the things named (aspects, adjectives, colours, verbs) get a direction from the words
around them: more and less, too and not enough, negations, complaints. A word that is nearly one it knows is taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .aspects import BANDS, COLOURS, known
from .words import Kind, Word, words_of
from .wishes import PLAIN, SLIGHT, STRONG, Heard, Wish, together
from . import lexicon

_CLAUSES = re.compile(r"[,;:.!?\n]+(?!\d)|\b(?:and|but|then|while|plus)\b|(?<=\s)[-\u2013](?=\s)")


class Clause(NamedTuple):
    """A piece of a sentence: its words, as they stand, and whether it goes on from the piece before by `and`."""

    text: str
    words: tuple[Word, ...]
    joined: bool

    def has(self, kind: Kind) -> bool:
        return any(word.kind is kind for word in self.words)


def heard(sentence: str) -> Heard:
    """What a sentence wishes. What it says beyond that is given back as unknown."""
    wishes: list[Wish] = []
    unknown: list[str] = []
    part, direction = "", 0
    for clause in clauses(sentence):
        own = next((word.meaning for word in clause.words if word.kind is Kind.PART), "")
        alone = not own and not _moves_on(clause) and (clause.joined or clause.has(Kind.COLOUR))
        found = list(_wishes(clause, own or (part if alone else ""), direction if clause.joined else 0))
        wishes += found
        if _beyond(clause, found):
            unknown.append(clause.text)
        part = own or (part if alone else "")
        direction = found[-1].sign if found and any(w.kind in (Kind.UP, Kind.DOWN) for w in clause.words) else 0
    wanted = [wish for wish in wishes if known(wish)]
    return Heard(together(wanted), tuple(unknown))


def clauses(sentence: str) -> Iterator[Clause]:
    """The pieces of a sentence, in their order; a verb or a remark without a thing of its own goes to the next one."""
    ends = [found.span() for found in _CLAUSES.finditer(sentence.lower())]
    starts = [0, *(end for _, end in ends)]
    stops = [*(start for start, _ in ends), len(sentence)]
    before = ""
    for start, stop, mark in zip(starts, stops, ["", *(sentence.lower()[a:b] for a, b in ends)]):
        text = " ".join(sentence[start:stop].split())
        if not text:
            before = before or mark
            continue
        yield Clause(text, tuple(words_of(text)), (before or mark).strip() == "and")
        before = ""


def _moves_on(clause: Clause) -> bool:
    """Whether a clause speaks of something else than the part before."""
    return clause.has(Kind.WHOLE) or clause.has(Kind.THING) or clause.has(Kind.DO)


# The things of a clause -------------------------------------------------------------------------------------------


def _wishes(clause: Clause, part: str, direction: int) -> Iterator[Wish]:
    words = clause.words
    if clause.has(Kind.KEEP) and not any(word.kind in (Kind.UP, Kind.DOWN, Kind.DO, Kind.COMPARED) for word in words):
        return
    things = [place for place, word in enumerate(words) if word.kind in _THINGS]
    if not things and part:
        yield from _of_part_alone(clause, part)
        return
    region = next((words[place].meaning for place in things if words[place].meaning in _REGIONS), "")
    for number, place in enumerate(things):
        word = words[place]
        if word.kind is Kind.THING and word.meaning in _REGIONS and _described(words, things, place):
            continue
        left = words[things[number - 1] + 1 if number else 0 : place]
        right = words[place + 1 : things[number + 1] if number + 1 < len(things) else len(words)]
        sign = _sign(word, left, right, words, direction)
        if sign == 0:
            continue
        where, name, turned = _in_region(word, region) if region else _meant(word, part)
        yield Wish(name, sign * turned, _strength(words), where)


_THINGS = (Kind.THING, Kind.LIKE, Kind.DO, Kind.COMPARED, Kind.COLOUR)
_REGIONS = {"shadows": 1, "highlights": 1, "blacks": 1, "vignette": -1}
"""Aspects that are places, and which way they go where these become brighter."""
_TONAL = {"brightness": 1, "fade": 1}


def _described(words: tuple[Word, ...], things: list[int], place: int) -> bool:
    """Whether another word of the clause says how the shadows or the highlights shall be: `shadows darker`."""
    return any(other != place and words[other].meaning in _TONAL and words[other].kind is not Kind.THING for other in things)


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
    if part == "sky" and word.meaning == "mood":
        return part, "brightness", -word.sign
    if part and word.meaning == "warmth":
        return part, "yellow", word.sign
    return part if word.meaning in ("brightness", "saturation") else "", word.meaning, word.sign


def _of_part_alone(clause: Clause, part: str) -> Iterator[Wish]:
    """`Lift her face`, `boost the reds`, `the greens are too strong`: a part and a direction."""
    sign = _towards(clause.words, 0)
    if sign and not clause.has(Kind.REMOVE):
        yield Wish("saturation" if part in BANDS else "brightness", sign, _strength(clause.words), part)


# Directions -------------------------------------------------------------------------------------------------------


def _sign(word: Word, left: tuple[Word, ...], right: tuple[Word, ...], words: tuple[Word, ...], direction: int) -> int:
    """Which way a thing is wished to go: 1 for more of what the word says, -1 for less, 0 for no wish."""
    if word.kind is Kind.THING or (word.kind is Kind.COLOUR and any(w.kind is Kind.CAST for w in words)):
        return _of_noun(word, left, right, words, direction)
    before = _last_of(left, Kind.NOT)
    if word.kind is Kind.DO:
        return 0 if before else 1
    if word.kind is Kind.COMPARED:
        if _last_of(left, Kind.DOWN):
            return -1
        return 0 if before else 1
    lack = any(w.kind is Kind.LACK for w in (*left, *right))
    if lack:
        return 1
    if before:
        return -1 if _so(left) or _last_of(left, Kind.WANT) else 1
    if word.complains or any(w.kind is Kind.TOO for w in left):
        return -1
    if _last_of(left, Kind.REMOVE):
        return -1
    last = next((w for w in reversed(left) if w.kind in (Kind.UP, Kind.DOWN, Kind.STATE, Kind.WANT)), None)
    if last is None and any(w.kind is Kind.DOWN for w in right[:2]):
        return -1
    if last is None:
        return 1 if not word.sour else -1
    if last.kind is Kind.DOWN:
        return -1
    return -1 if last.kind is Kind.STATE or (last.kind is not Kind.WANT and word.sour) else 1


def _so(left: tuple[Word, ...]) -> bool:
    """`Not so bright`, `not too bright`, `how dark it is`."""
    return any(w.text in ("so", "too", "that", "how", "quite", "like", "overly") for w in left)


def _of_noun(word: Word, left: tuple[Word, ...], right: tuple[Word, ...], words: tuple[Word, ...], direction: int) -> int:
    if any(w.kind is Kind.LACK for w in left) and not _last_of(right, Kind.TOO):
        return 1
    cast = word.kind is Kind.COLOUR
    if _last_of(left, Kind.REMOVE):
        return -1
    near = (word, *left, *right)
    towards = _towards(near, 0) or _towards(words, 0)
    if any(w.kind is Kind.NOT for w in left):
        return _towards_of(left, right) if any(w.kind is Kind.NOT for w in left[:-2]) and _last_of(left, Kind.UP) else (-1 if _bare_no(left) else 0)
    if towards:
        return towards
    if cast:
        return -1
    if _last_of(left, Kind.TOO):
        return -1
    return direction or 1


def _bare_no(left: tuple[Word, ...]) -> bool:
    """`No vignette`: there shall be none. (`Not the contrast` wishes nothing.)"""
    return bool(left) and left[-1].text == "no"


def _towards_of(left: tuple[Word, ...], right: tuple[Word, ...]) -> int:
    return -_towards((*left, *right), 0)


def _towards(words: tuple[Word, ...], default: int) -> int:
    """Up or down, as words say it: `up`, `less`, `too strong`, `not enough`, `too little`."""
    sign = default
    region = any(word.meaning in _REGIONS for word in words)
    for place, word in enumerate(words):
        deep = region and word.text in lexicon.DEEP.split()
        if deep or word.kind in (Kind.UP, Kind.DOWN):
            sign = 1 if word.kind is Kind.UP and not deep else -1
            if any(w.kind is Kind.TOO for w in words[:place]):
                sign = -sign
        elif word.kind is Kind.GRADE:
            too = any(w.kind is Kind.TOO for w in words[:place])
            state = any(w.kind is Kind.STATE for w in words[:place])
            if too or state:
                sign = -word.sign
            elif not sign:
                sign = word.sign
        elif word.kind is Kind.LACK:
            return 1
    return sign


def _last_of(words: tuple[Word, ...], kind: Kind) -> bool:
    return any(word.kind is kind for word in words)


def _strength(words: tuple[Word, ...]) -> float:
    if any(word.degree < 0 for word in words):
        return SLIGHT
    return STRONG if any(word.degree > 0 for word in words) else PLAIN


# What is not known ------------------------------------------------------------------------------------------------


def _beyond(clause: Clause, found: list[Wish]) -> bool:
    """Whether a clause asks for something that is not in it as a wish."""
    strange = any(word.kind is Kind.STRANGE for word in clause.words)
    if found:
        return strange and clause.has(Kind.REMOVE)
    if clause.has(Kind.KEEP) or clause.has(Kind.NOT):
        return strange and not clause.has(Kind.KEEP)
    return strange or clause.has(Kind.REMOVE) or clause.has(Kind.COLOUR)

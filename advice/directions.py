"""Which way a thing named in a sentence is wished to go, by the words on its left and right."""

from __future__ import annotations

from collections.abc import Sequence

from . import lexicon
from .words import Kind, Word


def sign_of(
    word: Word, left: Sequence[Word], right: Sequence[Word], clause: Sequence[Word], direction: int, behind: bool
) -> int:
    """1 for more of what a word says, -1 for less, 0 for no wish.

    left, right: up to the things beside it. clause: all its words. direction: that of the clause before, for one that has
    none. behind: whether directions of this clause stand behind what they are about.
    """
    if word.kind is Kind.THING or (word.kind is Kind.COLOUR and _has(clause, Kind.CAST)):
        return _of_noun(word, left, right, clause, direction, behind)
    if word.kind is Kind.DO:
        return 0 if _has(left, Kind.NOT) else 1
    if word.kind is Kind.COMPARED:
        return -1 if _has(left, Kind.DOWN) else 0 if _has(left, Kind.NOT) else 1
    return _of_adjective(word, left, right)


def towards(words: Sequence[Word]) -> int:
    """Up or down, as words say it: `up`, `less`, `too strong`, `not enough`, `too little`; 0 where they do not."""
    sign = 0
    region = any(word.meaning in lexicon.PLACES.split() for word in words)
    for place, word in enumerate(words):
        before = words[:place]
        deep = region and word.text in lexicon.DEEP.split()
        if deep or word.kind in (Kind.UP, Kind.DOWN):
            sign = 1 if word.kind is Kind.UP and not deep else -1
            if _has(before, Kind.TOO):
                sign = -sign
        elif word.kind is Kind.GRADE and (_has(before, Kind.TOO, Kind.STATE) or not sign):
            sign = -word.sign if _has(before, Kind.TOO, Kind.STATE) else word.sign
        elif word.kind is Kind.LACK:
            return 1
    return sign


def _of_adjective(word: Word, left: Sequence[Word], right: Sequence[Word]) -> int:
    """Of `dark`, `too dark`, `not dark enough`, `it looks dark`."""
    if _has((*left, *right), Kind.LACK):
        return 1
    if _has(left, Kind.NOT):
        plainly = not _so(left) and not _has(left, Kind.WANT) and left[-1].text != "no"
        return 1 if plainly else -1
    if word.complains or _has(left, Kind.TOO, Kind.REMOVE) or _so(left):
        return -1
    last = next((w for w in reversed(left) if w.kind in (Kind.UP, Kind.DOWN, Kind.STATE, Kind.WANT)), None)
    if last is None:
        return -1 if word.sour or _has(right[:2], Kind.DOWN) else 1
    if last.kind is Kind.DOWN or last.kind is Kind.STATE:
        return -1
    return -1 if word.sour and last.kind is not Kind.WANT else 1


def _of_noun(
    word: Word, left: Sequence[Word], right: Sequence[Word], clause: Sequence[Word], direction: int, behind: bool
) -> int:
    """Of `more contrast`, `contrast down`, `the contrast is too strong`, `no vignette`."""
    if _has(left, Kind.LACK):
        return 1
    if _has(left, Kind.REMOVE):
        return -1
    if _has(left, Kind.NOT):
        if _has(right, Kind.ACT):
            return 0
        if _has(left, Kind.STATE) and left[-1].text == "no":
            return 1
        return -towards((*left, *right)) or (-1 if left[-1].text == "no" else 0)
    first, second = (right, left) if behind else (left, right)
    found = towards((word, *first)) or towards((word, *second)) or towards(clause)
    if found:
        return found
    return -1 if word.kind is Kind.COLOUR or _has(left, Kind.TOO) else direction or 1


def _so(left: Sequence[Word]) -> bool:
    """`Not so bright`, `not as bright`, `how dark it is`."""
    return any(word.text in ("so", "too", "that", "how", "quite", "overly", "as") for word in left)


def _has(words: Sequence[Word], *kinds: Kind) -> bool:
    return any(word.kind in kinds for word in words)

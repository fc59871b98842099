"""Which imperfections are meant: what a piece of a sentence says of them, and those that fit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from . import flaw_lexicon as lexicon
from .flaw_lexicon import Noun
from .imperfections import Imperfection
from .words import Kind, lexicon_words, slips, word_of

_HALF, _THIRD = 0.5, 1.0 / 6.0
_OUT = {"left": (0.0, -1.0), "right": (0.0, 1.0), "top": (-1.0, 0.0), "bottom": (1.0, 0.0)}


class Pick(NamedTuple):
    """What is said of those meant. noun: None goes by what was spoken of before.

    group: by a part named (the cheek: skin); else that of the noun. number: how many, 0 is all. others: those not meant before.
    notes: what cannot be honoured, in words.
    """

    noun: Noun | None = None
    group: str = ""
    sides: frozenset[str] = frozenset()
    extreme: str = ""
    size: str = ""
    number: int = 0
    others: bool = False
    dark: int = 0
    notes: tuple[str, ...] = ()

    def named(self, count: int) -> str:
        """So many of them, in words."""
        noun = self.noun or Noun("place", "places", ())
        return f"{count} {noun.one if count == 1 else noun.many}"


def noun_of(tokens: Sequence[str]) -> Noun | None:
    """The first flaw that a piece names."""
    return next((_nouns()[token] for token in tokens if token in _nouns()), None)


def righted(tokens: Sequence[str], nouns: bool) -> list[str]:
    """Words with their slips of the hand taken back: to words for flaws only where `nouns` allows it."""
    return [_righted(token, nouns) for token in tokens]


@cache
def _righted(token: str, nouns: bool) -> str:
    if len(token) < 4 or token in _all_words() or token in lexicon_words() or not token.isalpha():
        return token
    known = [*sorted(_other_words()), *(_nouns() if nouns else ())]
    near = (word for word in known if len(word) >= 4 and max(len(word), len(token)) >= 5 and slips(token, word, 1) == 1)
    return next(near, token)


def pick_of(tokens: Sequence[str]) -> Pick:
    """What a piece says of those meant."""
    noun = noun_of(tokens)
    sides = frozenset(side for side, words in _SIDES.items() if words.intersection(tokens))
    extreme = next((name for name, words in _EXTREMES.items() if words.intersection(tokens)), "")
    size = next((name for name, words in _SIZES.items() if words.intersection(tokens)), "")
    number = next((lexicon.NUMBERS.get(token) or int(token) for token in _counts(tokens)), 0)
    alone = bool(set(lexicon.SINGULAR.split()).intersection(tokens))
    plural = bool(_plural().intersection(tokens)) or any(word in tokens for word in ("every", "each", "all", "any", "both"))
    number = number or int(bool(extreme and not plural) or (alone and not plural))
    group, notes = "", []
    for token in tokens:
        part = next((name for name, words in _PARTS.items() if token in words), "")
        if part and (noun is None or noun.groups != ("dust",)):
            group = part
        if part and token not in lexicon.GENERAL.split():
            whole = {"skin": "all of the skin", "cloth": "all cloth", "dust": "dust anywhere"}[group or part]
            notes.append(f"{token!r} is no place that is known here: {whole} is meant")
        elif token in lexicon.UNSEEN.split():
            notes.append(f"{token!r} is no place that is known here, and narrows nothing")
        elif token not in _all_words() and word_of(token).kind is Kind.STRANGE:
            notes.append(f"{token[:40]!r} is not known, and narrows nothing")
    dark = int("dark" in tokens) - int("light" in tokens or "bright" in tokens)
    others = bool(set(lexicon.OTHERS.split()).intersection(tokens))
    return Pick(noun, group, sides, extreme, size, number, others, dark, tuple(notes[:6]))


def picked(pick: Pick, places: Sequence[Imperfection], among: Sequence[int] | None = None) -> tuple[list[int], list[str]]:
    """The numbers of the imperfections that fit, and how a choice was made that the words left open."""
    fit = list(range(len(places)) if among is None else among)
    if pick.noun is not None:
        groups = (pick.group,) if pick.group else pick.noun.groups
        fit = [n for n in fit if places[n].group in groups]
        if pick.noun.slender is not None:
            fit = [n for n in fit if places[n].slender is pick.noun.slender]
    elif pick.group:
        fit = [n for n in fit if places[n].group == pick.group]
    tone = pick.dark or (pick.noun.tone if pick.noun else 0)
    if tone:
        fit = [n for n in fit if (places[n].dark if tone > 0 else places[n].darker < 0.0)]
    if pick.size and len(fit) > 1:
        sizes = [places[n].long for n in fit]
        middle = (min(sizes) * max(sizes)) ** 0.5
        fit = [n for n in fit if (places[n].long >= middle) is (pick.size == "big")]
    if pick.number != 1 or pick.extreme:
        fit = [n for n in fit if all(_lies(places[n], side) for side in pick.sides)]
    if not pick.number or len(fit) <= pick.number:
        return fit, []
    return _best(pick, places, fit)


def _best(pick: Pick, places: Sequence[Imperfection], fit: list[int]) -> tuple[list[int], list[str]]:
    ways = {
        "biggest": lambda n: -places[n].long, "smallest": lambda n: places[n].long,
        "darkest": lambda n: -places[n].darker, "lightest": lambda n: places[n].darker,
    }  # fmt: skip
    if pick.extreme:
        return sorted(sorted(fit, key=ways[pick.extreme])[: pick.number]), []
    if pick.sides:
        return sorted(sorted(fit, key=lambda n: _outward(places[n], pick.sides))[: pick.number]), []
    way = "darkest" if pick.noun is not None and pick.noun.tone > 0 else "biggest"
    return sorted(sorted(fit, key=ways[way])[: pick.number]), [f"of {len(fit)} that it may be, the {way}"]


def _outward(place: Imperfection, sides: frozenset[str]) -> float:
    """The smaller, the farther out on these sides (the nearer to the middle)."""
    if "middle" in sides:
        return (place.y - _HALF) ** 2 + (place.x - _HALF) ** 2
    return -sum(_OUT[side][0] * place.y + _OUT[side][1] * place.x for side in sides)


def _lies(place: Imperfection, side: str) -> bool:
    if side == "middle":
        return abs(place.y - _HALF) <= _THIRD and abs(place.x - _HALF) <= _THIRD
    down, right = _OUT[side]
    return down * (place.y - _HALF) + right * (place.x - _HALF) > 0.0


def _counts(tokens: Sequence[str]) -> list[str]:
    """The numbers of a piece that are no shares."""
    after = [*tokens[1:], ""]
    return [token for token, then in zip(tokens, after) if _is_number(token) and then not in ("%", "percent", "per")]


def _is_number(token: str) -> bool:
    return token in lexicon.NUMBERS or (token.isascii() and token.isdecimal() and 0 < len(token) < 3 and int(token) > 0)


@cache
def _nouns() -> dict[str, Noun]:
    return {word: noun for noun, words in lexicon.NOUNS.items() for word in words.split()}


@cache
def _plural() -> frozenset[str]:
    return frozenset(_nouns()) - set(lexicon.SINGULAR.split()) | {"ones", "others"}


_SIDES = {name: frozenset(words.split()) for name, words in lexicon.SIDES.items()}
_EXTREMES = {name: frozenset(words.split()) for name, words in lexicon.EXTREMES.items()}
_SIZES = {name: frozenset(words.split()) for name, words in lexicon.SIZES.items()}
_PARTS = {name: frozenset(words.split()) for name, words in lexicon.PARTS.items()}


@cache
def _other_words() -> frozenset[str]:
    """What this lexicon knows beside flaws."""
    tables = (lexicon.SIDES, lexicon.EXTREMES, lexicon.SIZES, lexicon.PARTS)
    deeds = (lexicon.REMOVE, lexicon.SOFTEN, lexicon.KEEP, lexicon.NOT, lexicon.ONLY, lexicon.ALSO)
    others = (lexicon.UNSEEN, lexicon.ONES, lexicon.OTHERS, lexicon.THEM, lexicon.WHOLE, lexicon.AFTER)
    texts = [*deeds, *others, *lexicon.NUMBERS, *lexicon.FRACTIONS, *(words for table in tables for words in table.values())]
    return frozenset(word for text in texts for word in text.split())


@cache
def _all_words() -> frozenset[str]:
    return _other_words() | frozenset(_nouns())

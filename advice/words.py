"""The words of a sentence and what each of them is, by the lexicon; a typing error is taken for the word it is near."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import NamedTuple

from . import lexicon


class Kind(Enum):
    """What a word does in a sentence."""

    THING = "names an aspect"
    LIKE = "says what the picture is like"
    COMPARED = "says that it shall be more so"
    COLOUR = "names a colour"
    DO = "says what to do"
    PART = "names a part of the picture"
    UP = "more"
    DOWN = "less"
    GRADE = "strong or weak"
    TOO = "too"
    LACK = "not enough"
    WANT = "wishes"
    NOT = "negates"
    KEEP = "leaves as it is"
    STATE = "describes"
    REMOVE = "takes away"
    ACT = "does something to a thing"
    CAST = "calls a colour a cast"
    WHOLE = "means all of the picture"
    DEGREE = "how much"
    PLAIN = "carries nothing"
    STRANGE = "is not known"


class Word(NamedTuple):
    """A word. sign: for more of the aspect, or less. degree: -1 a little, 1 much. sour: a fault by itself (flat, dull)."""

    text: str
    kind: Kind
    meaning: str = ""
    sign: int = 1
    degree: int = 0
    sour: bool = False
    complains: bool = False


_SOUR = frozenset(lexicon.SOUR.split())
_COMPLAINING = frozenset(lexicon.COMPLAINING.split())


def plain(sentence: str) -> str:
    """A sentence in small letters, with the lexicon's phrases as the one word that they stand for."""
    text = sentence.lower().replace("\u2019", "'")
    text = re.sub(r"\b(it|there|that|what)'s\b", r"\1 is", text)
    text = re.sub(r"'s\b", "", text)
    for phrase, word in lexicon.PHRASES.items():
        text = re.sub(rf"\b{re.escape(phrase)}\b", word, text)
    for word, means in lexicon.BRIGHT_ONES.items():
        text = re.sub(rf"\b{word}(?:er|est)? (?:{'|'.join(lexicon.TONES.split())})\b", means, text)
    text = re.sub(r"\b(\w+) (?:tones|colours|colors|hues)\b", _of_band, text)
    text = re.sub(r"(^|\b(?:is|are|looks|it) )to (?=(\w+))", _too, text)
    return re.sub(r"([+-])\s*\d+(?:[.,]\d+)?\s*%?", lambda found: " up " if found.group(1) == "+" else " down ", text)


def _too(found: re.Match[str]) -> str:
    """`Is to dark` is a slip of `too`."""
    word = lexicon_words().get(found.group(2))
    return f"{found.group(1)}too " if word is not None and word.kind in (Kind.LIKE, Kind.COLOUR) else found.group()


def words_of(clause: str) -> Iterator[Word]:
    """The words of a piece of a plain sentence."""
    for token in re.findall(r"[a-z0-9&'-]+|[+]", clause):
        yield word_of(token.strip("'"))


def _of_band(found: re.Match[str]) -> str:
    band = f"{found.group(1)}s"
    return band if band in lexicon_words() and lexicon_words()[band].kind is Kind.PART else found.group()


@cache
def word_of(token: str) -> Word:
    """What a word is."""
    entries = lexicon_words()
    if token in entries:
        return entries[token]._replace(text=token)
    compared = _compared(token)
    if compared is not None:
        return compared
    if token in ("-", "--"):
        return Word(token, Kind.DOWN)
    if token == "+":
        return Word(token, Kind.UP)
    if not any(letter.isalpha() for letter in token):
        return Word(token, Kind.PLAIN)
    near = nearest(token)
    if near:
        return word_of(near)._replace(text=token)
    return Word(token, Kind.STRANGE)


def _compared(token: str) -> Word | None:
    """`Brighter`, `moodiest`, `yellowish`: an adjective that the lexicon has, with an ending."""
    entries = lexicon_words()
    if token in lexicon.COMPARED:
        return Word(token, Kind.COMPARED, lexicon.COMPARED[token])
    for ending in ("er", "est", "ier", "iest"):
        stem = token.removesuffix(ending)
        if stem == token:
            continue
        for base in (stem, stem + "e", stem + "y", stem[:-1] if stem[-2:-1] == stem[-1:] else stem):
            word = entries.get(base)
            if word is not None and word.kind in (Kind.LIKE, Kind.COLOUR):
                return Word(token, Kind.COMPARED, word.meaning, word.sign)
            if word is not None and word.kind in (Kind.UP, Kind.DOWN, Kind.GRADE):
                return word._replace(text=token)
    for ending in ("ing", "ed", "s", "es", "ening", "ly"):
        word = entries.get(token.removesuffix(ending)) or entries.get(token.removesuffix(ending) + "e")
        if token.endswith(ending) and word is not None and word.kind in (Kind.DO, Kind.UP, Kind.DOWN, Kind.REMOVE):
            return word._replace(text=token)
    return None


@cache
def lexicon_words() -> dict[str, Word]:
    """Every word of the lexicon; where a word stands on several lines, the first one counts."""
    found: dict[str, Word] = {}
    for word in _all():
        found.setdefault(word.text, word)
    return found


def _all() -> Iterator[Word]:
    for aspect, texts in lexicon.THINGS.items():
        yield from (Word(text, Kind.THING, aspect) for text in texts.split())
    for part, texts in lexicon.PARTS.items():
        yield from (Word(text, Kind.PART, part) for text in texts.split())
    for colour, texts in lexicon.COLOURS.items():
        yield from (Word(text, Kind.COLOUR, colour, complains=text.endswith("ish")) for text in texts.split())
    for kind, sign, table in ((Kind.LIKE, 1, lexicon.MORE), (Kind.LIKE, -1, lexicon.LITTLE), (Kind.DO, 1, lexicon.DO),
                              (Kind.DO, -1, lexicon.UNDO)):  # fmt: skip
        for aspect, texts in table.items():
            for text in texts.split():
                yield Word(text, kind, aspect, sign, 0, text in _SOUR, text in _COMPLAINING)
    for text in lexicon.OVEREXPOSED.split():
        yield Word(text, Kind.LIKE, "brightness", 1, 0, True, True)
    yield from (Word(text, Kind.THING, "rotation", 1) for text in lexicon.CLOCKWISE.split())
    yield from (Word(text, Kind.THING, "rotation", -1) for text in lexicon.ANTICLOCKWISE.split())
    yield from _small()


def _small() -> Iterator[Word]:
    """Words that do not name anything, those that weigh most first."""
    for kind in (Kind.NOT, Kind.TOO, Kind.LACK, Kind.REMOVE, Kind.ACT, Kind.KEEP, Kind.UP, Kind.DOWN, Kind.CAST, Kind.STATE):
        texts: str = getattr(lexicon, kind.name)
        yield from (Word(text, kind, degree=_degree(text)) for text in texts.split())
    yield from (Word(text, Kind.GRADE, sign=1, degree=_degree(text)) for text in lexicon.STRONG.split())
    yield from (Word(text, Kind.GRADE, sign=-1, degree=_degree(text)) for text in lexicon.WEAK.split())
    for degree, texts in ((-1, lexicon.SLIGHTLY), (1, lexicon.MUCH)):
        yield from (Word(text, Kind.DEGREE, degree=degree) for text in texts.split())
    yield from (Word(text, Kind.WANT) for text in lexicon.WANT.split())
    yield from (Word(text, Kind.WHOLE) for text in ["overall", "rest", "whole", "everything"])
    yield from (Word(text, Kind.PLAIN) for text in (*lexicon.PLAIN.split(), *lexicon.TONES.split(), *lexicon.TURN.split()))


def _degree(text: str) -> int:
    return -1 if text in lexicon.SLIGHTLY.split() else 1 if text in lexicon.MUCH.split() else 0


def nearest(token: str) -> str:
    """The word of the lexicon that a mistyped one is; empty where none is near. One slip, in long words two."""
    if len(token) < 4:
        return ""
    most = 1 if len(token) < 8 else 2
    found = ((slips(token, word, most), word) for word in _worth_a_guess() if abs(len(word) - len(token)) <= most)
    best = min(((count, word) for count, word in found if count <= most), default=(0, ""))
    return best[1]


@cache
def _worth_a_guess() -> tuple[str, ...]:
    """The words that name something, with their endings, of four letters and more."""
    meant = (Kind.THING, Kind.LIKE, Kind.COLOUR, Kind.DO, Kind.PART)
    words = [word for word in lexicon_words().values() if word.kind in meant]
    ends = [f"{word.text}{end}" for word in words if word.kind in (Kind.LIKE, Kind.COLOUR) for end in ("er", "r")]
    real = (text for text in (*(word.text for word in words), *ends) if text in lexicon_words() or _compared(text))
    return tuple(text for text in real if len(text) >= (5 if word_of(text).kind in (Kind.COLOUR, Kind.PART) else 4))


def slips(one: str, other: str, most: int) -> int:
    """How many letters are wrong, missing, too many or swapped (optimal string alignment); more than `most` is not counted."""
    if one[:1] != other[:1]:
        return most + 1
    older: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        fresh = [i]
        for j, wanted in enumerate(other, start=1):
            least = min(row[j] + 1, fresh[j - 1] + 1, row[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                least = min(least, older[j - 2] + 1)
            fresh.append(least)
        if min(fresh) > most:
            return most + 1
        older, row = row, fresh
    return row[-1]

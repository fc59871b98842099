"""What a sentence asks of imperfections, and of what was done before; the rest of it is left to the reader of wishes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from . import flaw_lexicon as lexicon, lexicon as wishes
from .picking import Pick, noun_of, pick_of, righted
from .reading import ENDS

SET, KEEP, LESS, MORE, SCALE, ONLY, ALSO = "set", "keep", "less", "more", "scale", "only", "also"
UNDO, REDO, AFRESH = "undo", "redo", "afresh"

MOST = 40
"""Requests of one sentence that are followed."""
_SHARES = {"slight": 0.25, "plain": 0.5, "strong": 0.75}
_PERCENT = re.compile(r"(\d{1,3})(?:[.,]\d+)?\s*(?:%|percent\b|per cent\b)")


@dataclass(frozen=True)
class Request:
    """One thing asked for. deed: what to do; amount: how far, as a share (None: as is usual); pick: of those meant.

    text: the words.
    """

    deed: str
    amount: float | None = None
    pick: Pick = Pick()  # noqa: RUF009
    text: str = ""


class Read(NamedTuple):
    """A sentence: commands (undo, redo, afresh), requests, and the rest as text. last: whether the rest came last. beyond: how
    many requests more there were than are followed."""

    commands: tuple[str, ...] = ()
    requests: tuple[Request, ...] = ()
    rest: str = ""
    last: bool = False
    beyond: int = 0


def read(sentence: str) -> Read:
    """The parts of a sentence."""
    commands: list[str] = []
    asked: list[Request] = []
    rest: list[str] = []
    last, beyond = False, 0
    waiting: list[str] = []
    for text, mark in _pieces(sentence):
        command = _command(text)
        if command:
            commands.append(command)
            last = False
            continue
        before = asked[-1] if asked and not last else None
        found = None if rest and _bare(text) else _request(text, before)
        if found is not None and len(asked) >= MOST:
            beyond += 1
            continue
        if found is None and before is None and _names_only(text):
            waiting.append(text)
            continue
        if found is not None:
            asked += [replace(found, pick=pick_of(_tokens(other)), text=other) for other in waiting]
            asked.append(found)
        else:
            rest += [*(f"{other} and" for other in waiting), f"{text}{mark}"]
        waiting = []
        last = found is None
    rest += waiting
    if all(re.fullmatch(rf"(?:{lexicon.POLITE})\W*", piece.lower()) for piece in rest) and (commands or asked):
        rest, last = [], False
    return Read(tuple(commands), tuple(asked), _joined(rest), last, beyond)


def _joined(rest: Sequence[str]) -> str:
    return re.sub(r"(?:\s*\b(?:and|but|then|plus)\b|[\s,;:])+$", "", " ".join(rest)).strip()


def _pieces(sentence: str) -> Iterator[tuple[str, str]]:
    """The pieces of a sentence as they are written, each with what ends it."""
    text = re.sub(lexicon.EXCEPT, ", keep", sentence.replace("\u2019", "'"), flags=re.IGNORECASE)
    start = 0
    for end in [*ENDS.finditer(text), None]:
        piece = text[start : end.start() if end else len(text)].strip()
        mark = end.group() if end else ""
        start = end.end() if end else len(text)
        if piece:
            yield piece, f" {mark}" if mark.isalpha() else mark


def _tokens(piece: str) -> list[str]:
    return re.findall(r"[a-z0-9'-]+%?|%", piece.lower())


def _command(piece: str) -> str:
    """Undo, redo or all of it, where that is all that a piece says."""
    text = " ".join(re.findall(r"[\w']+", piece.lower()))
    text = re.sub(rf"^(?:(?:{lexicon.POLITE})\b\s*)+", "", text)
    for name, pattern in ((AFRESH, lexicon.AFRESH), (UNDO, lexicon.BACK), (REDO, lexicon.FORTH)):
        if re.fullmatch(rf"(?:{pattern})(?:\s+(?:{lexicon.LAST}|{lexicon.POLITE}))*", text):
            return name
    return ""


def _names_only(piece: str) -> bool:
    """Whether a piece names flaws and says nothing of them: `the spots` of `the spots and the stains should go`."""
    tokens = _tokens(piece)
    return noun_of(tokens) is not None and not _deeds(tokens)


def _bare(piece: str) -> bool:
    """Whether a piece names no flaw: after a wish for the whole picture, `a bit less` is about that."""
    return noun_of(_tokens(piece)) is None


def _request(piece: str, before: Request | None) -> Request | None:
    """What a piece asks for; None where it is nothing of this kind. before: the request that it may go on from."""
    tokens = _tokens(piece)
    deeds = _deeds(righted(tokens, nouns=False))
    tokens = righted(tokens, nouns=bool(deeds))
    pick, text = pick_of(tokens), " ".join(piece.split())
    if pick.noun is None:
        return _going_back(tokens, pick, text)
    if pick.dark < 0 and not deeds & {"remove", "keep"}:
        return None
    deed, amount = _deed(tokens, deeds, piece)
    if not deed and before is not None and before.deed in (SET, KEEP):
        deed, amount = (KEEP, None) if "not" in deeds else (before.deed, before.amount if amount is None else amount)
    if not deed and {"too", "many", "visible", "annoying", "ugly", "distracting"}.intersection(tokens):
        deed, amount = SET, None
    return Request(deed, amount, pick, text) if deed else None


def _deeds(tokens: Sequence[str]) -> set[str]:
    """The kinds of words in a piece that say what to do."""
    kinds = {"remove": lexicon.REMOVE, "soften": lexicon.SOFTEN, "keep": lexicon.KEEP, "not": lexicon.NOT}
    return {name for name, words in kinds.items() if set(words.split()).intersection(tokens)}


def _deed(tokens: Sequence[str], deeds: set[str], piece: str) -> tuple[str, float | None]:
    """What is to be done with flaws that a piece names, and how far."""
    share = _share(tokens, piece)
    touched = "touch" in tokens or "change" in tokens
    if "not" in deeds and (touched or deeds & {"remove", "soften"}):
        return KEEP, None
    if "keep" in deeds and not deeds & {"remove"}:
        return (SET, 1.0) if "not" in deeds else (KEEP, None)
    if "keep" in deeds and {"alone", "untouched"}.intersection(tokens):
        return KEEP, None
    if "soften" in deeds and not ("smooth" in tokens and "away" in tokens):
        return SET, share if share is not None else _graded(tokens)
    if "remove" in deeds or "smooth" in tokens:
        return SET, share if share is not None else 0.25 if _degree(tokens) == "slight" else 1.0
    if "no" in tokens or "without" in tokens:
        return SET, 1.0
    if "not" in deeds:
        return KEEP, None
    return "", share


def _graded(tokens: Sequence[str]) -> float:
    return _SHARES[_degree(tokens)]


def _degree(tokens: Sequence[str]) -> str:
    if any(token in wishes.SLIGHTLY.split() and token not in lexicon.FRACTIONS and token != "tiny" for token in tokens):
        return "slight"
    return "strong" if any(token in wishes.MUCH.split() for token in tokens) else "plain"


def _share(tokens: Sequence[str], piece: str) -> float | None:
    """A fraction that a piece says: by half, 30 %, a third, two thirds."""
    found = _PERCENT.search(piece)
    if found:
        return min(1.0, int(found.group(1)) / 100.0)
    if {"thirds", "quarters"}.intersection(tokens) and not {"two", "three"}.intersection(tokens):
        return None
    return next((lexicon.FRACTIONS[token] for token in tokens if token in lexicon.FRACTIONS), None)


# What goes back to what was said before -----------------------------------------------------------------------------

_CHANGES = frozenset(["halve", "halved", "double"])
_STRONG = frozenset(["much", "strong", "heavy", "far"])


def _going_back(tokens: Sequence[str], pick: Pick, text: str) -> Request | None:
    """`A bit less`, `more of that`, `only the left one`, `the other one too`, `not the big ones`, `remove them as well`."""
    words = set(tokens)
    pointing = bool(words & {*lexicon.ONES.split(), *lexicon.OTHERS.split()}) or bool(pick.extreme)
    sided = bool(pick.sides) and not words - _sided_words()
    deeds = _deeds(tokens)
    if pointing or sided or (words & {"them", "those"} and deeds & {"remove", "soften"}):
        if any(note.endswith("narrows nothing") for note in pick.notes):
            return None
        if "keep" in deeds or ("not" in deeds and "keep" not in deeds):
            return Request(KEEP, None, pick, text)
        share = _share(tokens, text.lower())
        if words & set(lexicon.ONLY.split()):
            return Request(ONLY, share, pick, text)
        if words & {"more", "stronger"}:
            return Request(MORE, _graded(tokens), pick, text)
        if words & {"less", "weaker"} and not deeds & {"remove"}:
            return Request(LESS, _graded(tokens), pick, text)
        if "soften" in deeds:
            return Request(SET, share if share is not None else _graded(tokens), pick, text)
        if "remove" in deeds:
            return Request(SET, share if share is not None else 1.0, pick, text)
        return Request(ALSO, share, pick, text)
    if not words or words - _after_words() or len(tokens) > 8:
        return None
    if words & {"less", "weaker"} or ("too" in words and words & _STRONG) or ("not" in words and "so" in words):
        return (
            Request(SCALE, 0.5, Pick(), text) if "half" in words else Request(LESS, _graded(_without_too(tokens)), Pick(), text)
        )
    if words & {"more", "stronger", "again"} or {"not", "enough"} <= words or {"the", "same"} == words:
        return Request(MORE, _graded(_without_too(tokens)), Pick(), text)
    if "halve" in words or ("half" in words and len(words) > 1):
        return Request(SCALE, 0.5, Pick(), text)
    return None


def _without_too(tokens: Sequence[str]) -> list[str]:
    """`Too much` and `not so much` say no degree."""
    return [token for token in tokens if token != "much" or not {"too", "so"}.intersection(tokens)]


def _after_words() -> set[str]:
    return {*lexicon.AFTER.split(), *lexicon.LESS.split(), *lexicon.MORE.split(), *_CHANGES, *_STRONG}


def _sided_words() -> set[str]:
    """What stands beside a side where nothing else is named: `only on the left`."""
    texts = (
        *lexicon.SIDES.values(),
        lexicon.ONLY,
        lexicon.ALSO,
        "on the at in side half of picture photo not please but and a to",
    )
    return {word for text in texts for word in text.split()}

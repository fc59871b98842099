"""A talk: what a conversation has come to, turn by turn, so that the next sentence may go back to what was said before.

Which imperfections were meant, which are to be kept, and which turns stand is told again from the turns' words; how far
everything goes is read from the workflow, so that what somebody moved by hand since counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .conversation import Turn
from .imperfections import Imperfection
from .picking import Pick, picked
from .spoken import ALSO, KEEP, LESS, MORE, ONLY, REDO, SCALE, SET, UNDO, Read, Request, read

STYLE = "style"


@dataclass(frozen=True)
class Meant:
    """Imperfections that were spoken of: all of the kind, those chosen of them, how far they were to go, and the words."""

    kind: tuple[int, ...] = ()
    chosen: tuple[int, ...] = ()
    amount: float = 1.0
    pick: Pick = Pick()  # noqa: RUF009


@dataclass(frozen=True)
class Talk:
    """Where a conversation stands. kept: imperfections that are to stay. meant: what was last spoken of; sliders: the turn
    that last moved sliders, where that is what was last spoken of. done: turns that stand and changed something, each with
    the talk before it; undone: turns taken back at once, with the talk that they had come to."""

    kept: frozenset[int] = frozenset()
    meant: Meant | None = None
    sliders: Turn | None = None
    done: tuple[tuple[Turn, Talk], ...] = ()
    undone: tuple[tuple[tuple[Turn, ...], Talk], ...] = ()


@dataclass(frozen=True)
class Deed:
    """A request understood: which imperfections it is about, and how that was found.

    amount: how far they are to go. before: what was spoken of until then. spared: those that fit, but are to be kept.
    """

    request: Request
    numbers: tuple[int, ...]
    amount: float
    before: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    spared: tuple[int, ...] = ()

    def wanted(self, now: Sequence[float]) -> dict[int, float]:
        """How far each goes, by its number; now: how far they all stand."""
        deed, amount = self.request.deed, self.amount
        ways = {
            SET: lambda n: amount, KEEP: lambda n: 0.0, MORE: lambda n: now[n] + (1.0 - now[n]) * amount,
            LESS: lambda n: now[n] * (1.0 - amount), SCALE: lambda n: now[n] * amount, ONLY: lambda n: now[n] or amount,
            ALSO: lambda n: self.request.amount or max((now[m] for m in self.before), default=0.0) or amount,
        }  # fmt: skip
        wanted = {n: ways[deed](n) for n in self.numbers}
        return {**{n: 0.0 for n in self.before if n not in wanted}, **wanted} if deed == ONLY and wanted else wanted


def told(history: Sequence[Turn], places: Sequence[Imperfection]) -> Talk:
    """The talk that a conversation has come to."""
    talk = Talk()
    for turn in history:
        talk = _after(talk, turn, places)
    return talk


def needs_places(sentences: Sequence[str]) -> bool:
    """Whether any of some sentences speaks of imperfections; only then are they looked for."""
    return any(request.pick.noun is not None for sentence in sentences for request in read(sentence).requests)


def _after(talk: Talk, turn: Turn, places: Sequence[Imperfection]) -> Talk:
    """The talk after a turn that was had."""
    said = read(turn.say) if turn.advisor == STYLE else Read(rest=turn.say, last=True)
    for command in said.commands if turn.patch else ():
        talk = taken_back(talk, command)[0]
    before = talk
    talk, deeds = understood(talk, said.requests, places)
    if turn.patch and (deeds or said.rest or said.requests or not said.commands):
        talk = replace(talk, done=(*talk.done, (turn, before)), undone=())
    if turn.patch and said.last:
        talk = replace(talk, sliders=turn, meant=None)
    return talk


def taken_back(talk: Talk, command: str) -> tuple[Talk, tuple[Turn, ...]]:
    """The talk after undo (the last turn that stands), afresh (all of them) or redo, and the turns that this is about."""
    if command == REDO:
        if not talk.undone:
            return talk, ()
        turns, after = talk.undone[-1]
        return replace(after, undone=talk.undone[:-1]), turns
    gone = talk.done[-1:] if command == UNDO else talk.done
    if not gone:
        return talk, ()
    turns = tuple(turn for turn, _ in gone)
    return replace(gone[0][1], undone=(*talk.undone, (turns, talk))), turns


def understood(talk: Talk, requests: Sequence[Request], places: Sequence[Imperfection]) -> tuple[Talk, list[Deed]]:
    """What some requests of one sentence mean, and the talk after them. What is to be kept counts for all of them."""
    deeds: list[Deed] = []
    kept = (request.pick for request in requests if request.deed == KEEP and request.pick.noun is not None)
    fresh = frozenset(n for pick in kept for n in picked(pick, places)[0])
    talk = replace(talk, kept=talk.kept | fresh)
    for request in requests:
        talk, deed = _deed(talk, request, places, fresh)
        if deed is not None:
            deeds.append(deed)
    return talk, deeds


def _deed(talk: Talk, request: Request, places: Sequence[Imperfection], fresh: frozenset[int]) -> tuple[Talk, Deed | None]:
    """One request understood. fresh: what this sentence says is to be kept."""
    pick, meant = request.pick, talk.meant
    if pick.noun is None and meant is None:
        return talk, None
    known = meant or Meant()
    if pick.noun is not None:
        kind = tuple(picked(Pick(pick.noun, pick.group), places)[0])
        among: Sequence[int] = kind
    else:
        kind = known.kind
        among = kind if _says_which(pick) else known.chosen
        if pick.others or request.deed == ALSO:
            among = [n for n in kind if n not in known.chosen]
    numbers, notes = picked(pick, places, among)
    amount = request.amount if request.amount is not None else known.amount if pick.noun is None else 1.0
    if request.deed in (LESS, MORE, SCALE) and request.amount is None:
        amount = 0.5
    pick = pick._replace(noun=pick.noun or known.pick.noun)
    deed = Deed(replace(request, pick=pick), tuple(numbers), amount, known.chosen, tuple(notes))
    if request.deed == KEEP:
        return replace(talk, kept=talk.kept | set(numbers)), deed
    live = tuple(n for n in numbers if n not in talk.kept)
    if numbers and not live and not fresh.issuperset(numbers):
        live, talk = tuple(numbers), replace(talk, kept=talk.kept.difference(numbers))
    if live:
        chosen = tuple(sorted({*known.chosen, *live})) if request.deed == ALSO else live
        talk = replace(talk, sliders=None, meant=Meant(kind, chosen, amount if request.deed == SET else known.amount, pick))
    return talk, replace(deed, numbers=live, spared=tuple(n for n in numbers if n not in live))


def _says_which(pick: Pick) -> bool:
    return bool(pick.sides or pick.extreme or pick.size or pick.others or pick.number)


def numbers_of(turn: Turn) -> dict[str, dict[str, tuple[Any, Any]]]:
    """The sliders that a turn moved, by step and name: from where (None: from the default), and to where."""
    was = {edit["path"]: edit["value"] for edit in turn.undo if edit["edit"] == "set"}
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for edit in turn.patch:
        if edit["edit"] == "add":
            found[edit["step"]] = {name: (None, value) for name, value in edit.get("values", {}).items()}
        elif edit["edit"] == "set" and edit["path"] in was:
            step, _, name = edit["path"].rpartition(".")
            found.setdefault(step, {})[name] = (was[edit["path"]], edit["value"])
    return found

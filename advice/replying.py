"""Replying to a sentence in a conversation: what is taken back, what is retouched how far, which sliders move, in one patch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..graph.errors import WorkflowError
from ..graph.model import Graph
from ..graph.patch import Patch, apply
from ..graph.undo import undo
from ..ops.params import Slider
from .aspects import every_wish, worded
from .conversation import Turn
from .findings import Advice, Finding
from .fulfilling import fulfilled, possible
from .imperfections import Found, imperfections
from .listening import listened
from .moves import comfortable
from .retouching import OVAL, plain, retouched, strengths
from .spoken import AFRESH, LESS, MORE, MOST, REDO, SCALE, UNDO, Read, Request, read
from .talk import STYLE, Deed, Talk, needs_places, numbers_of, taken_back, told, understood
from .telling import finding_of, reshaped, told_of
from .view import RETOUCH, View

_GONE = {UNDO: "There is nothing to take back.", REDO: "Nothing was taken back.", AFRESH: "There is nothing to take back."}
_DONE = {UNDO: "Taken back", REDO: "Done again", AFRESH: "Taken back"}


class Reply:
    """A reply as it grows: the view as the edits so far leave it, what is said, and what was found."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.edits: list[Any] = []
        self.lines: list[str] = []
        self.findings: list[Finding] = []

    def edit(self, patch: Patch) -> None:
        """More edits. Raises WorkflowError where they do not fit, and then nothing is changed."""
        if patch:
            self.view = self.view.after(patch)
            self.edits += patch

    def advice(self) -> Advice:
        return Advice(self.findings, self.edits, "\n".join(self.lines))


def replied(view: View) -> Advice:
    """What fulfils a sentence, in the light of what was said before."""
    reply = Reply(view)
    said = read(view.say)
    spoken = [turn.say for turn in view.history if turn.advisor == STYLE]
    looked = bool(said.requests) and needs_places([*spoken, view.say])
    found = imperfections(view) if looked else None
    talk = told(view.history, found.places if found else ())
    for command in said.commands:
        talk = _take_back(reply, talk, command)
    said, lost = _settled(said, talk)
    reply.lines += [f"Nothing was said before that it could go back to, so nothing is done for: {text!r}" for text in lost]
    if said.beyond:
        reply.lines.append(f"Only the first {MOST} requests of a sentence are followed; {said.beyond} more are not.")
    talk, deeds = understood(talk, said.requests, found.places if found else ())
    if found is not None and deeds:
        _retouch(reply, found, deeds)
    if talk.sliders is not None:
        for request in said.requests:
            if request.pick.noun is None:
                _again(reply, talk.sliders, request)
    if said.rest or not (said.commands or said.requests or lost):
        _wish(reply, said.rest)
    return reply.advice()


def _settled(said: Read, talk: Talk) -> tuple[Read, list[str]]:
    """A sentence less the pieces that could only go back to what was said before, where nothing was: these apart.

    A side by itself (`left`) is then left to the reader of wishes.
    """
    if talk.meant is not None:
        return said, []
    kept: list[Request] = []
    words: list[str] = []
    lost: list[str] = []
    for request in said.requests:
        scales = talk.sliders is not None and request.deed in (LESS, MORE, SCALE) and not request.pick.sides
        if request.pick.noun is not None or kept or scales:
            kept.append(request)
        elif request.pick.sides and request.pick.number == 0:
            words.append(request.text)
        else:
            lost.append(request.text)
    rest = ", ".join([said.rest, *words] if said.rest else words)
    return said._replace(requests=tuple(kept), rest=rest), lost


# Taken back ---------------------------------------------------------------------------------------------------------


def _take_back(reply: Reply, talk: Talk, command: str) -> Talk:
    after, turns = taken_back(talk, command)
    if not turns:
        reply.lines.append(_GONE[command])
        return talk
    before = reply.view
    try:
        graph = before.graph
        for turn in turns if command == REDO else reversed(turns):
            graph = apply(graph, named(graph, turn.patch if command == REDO else turn.undo, turn))
        reply.edit([plain(edit) for edit in undo(graph, before.graph)])
    except WorkflowError as error:
        reply.lines.append(f"That cannot be taken back, for the workflow has been changed since: {error}")
        return talk
    reply.lines += [f"{_DONE[command]}: {turn.say or turn.advisor}" for turn in turns]
    return after


def named(graph: Graph, patch: Patch, turn: Turn) -> Patch:
    """A patch of an earlier turn in the names that its steps have now: an editor gives new nodes ids of its own."""
    ids = {}
    for edit in (*turn.patch, *turn.undo):
        if edit["edit"] == "add" and edit["step"] not in graph.steps:
            titled = [step.id for step in graph if step.title and step.title == edit.get("title")]
            if len(titled) == 1:
                ids[edit["step"]] = titled[0]
    return [_renamed(edit, ids) for edit in patch] if ids else [dict(edit) for edit in patch]


def _renamed(edit: Any, ids: dict[str, str]) -> dict[str, Any]:
    edit = dict(edit)
    if "path" in edit:
        step, _, name = edit["path"].rpartition(".")
        edit["path"] = f"{ids.get(step, step)}.{name}"
    if "step" in edit and edit["edit"] != "add":
        edit["step"] = ids.get(edit["step"], edit["step"])
    if edit.get("from"):
        edit["from"] = [ids.get(edit["from"][0], edit["from"][0]), edit["from"][1]]
    if "links" in edit:
        edit["links"] = {name: [ids.get(link[0], link[0]), link[1]] for name, link in edit["links"].items()}
    return edit


# Retouched ----------------------------------------------------------------------------------------------------------


def _retouch(reply: Reply, found: Found, deeds: Sequence[Deed]) -> None:
    start = strengths(reply.view, found)
    now, reasons = list(start), dict[int, str]()
    for deed in deeds:
        wanted = deed.wanted(now)
        reply.lines += told_of(deed, found, now, wanted)
        for number, share in wanted.items():
            now[number] = share
            reasons[number] = f"asked for: {deed.request.text}"
        if deed.numbers:
            reply.findings.append(finding_of(reply.view, deed, found))
    reasons = {number: text[:500] for number, text in reasons.items()}
    reply.edit(retouched(reply.view, found, {number: now[number] for number in reasons}, reasons))
    if reply.findings and reshaped(reply.view):
        reply.lines.append("Left, right, top and bottom are those of the photo before it is cropped or turned.")


# Sliders ------------------------------------------------------------------------------------------------------------


def _again(reply: Reply, turn: Turn, request: Request) -> None:
    """The sliders of an earlier turn a share farther, or back."""
    amount = 0.5 if request.amount is None else request.amount
    by = amount if request.deed == MORE else amount - 1.0 if request.deed == SCALE else -amount
    graph, edits = reply.view.graph, list[dict[str, Any]]()
    for name, moves in numbers_of(turn).items():
        step = next((step for step in graph if name in (step.id, step.title) or step.id == _now(graph, turn, name)), None)
        for slider, (start, end) in moves.items() if step is not None and step.spec.id not in (RETOUCH, OVAL) else ():
            assert step is not None
            param = step.spec.param(slider)
            if param is None or not isinstance(param.kind, Slider):
                continue
            kind, now = param.kind, float(step.value(slider))
            first, last = float(param.default if start is None else start), float(end)
            value = now * (last / first) ** by if kind.log else now + by * (last - first)
            value = comfortable(kind, value, now)
            if not math.isclose(value, now, abs_tol=1e-9):
                reason = f"asked for: {request.text} (of: {turn.say or turn.advisor})"[:500]
                edits.append({"edit": "set", "path": f"{step.id}.{slider}", "value": value, "reason": reason})
    reply.edit(edits)
    what = turn.say or turn.advisor
    if edits:
        reply.lines.append(f"{'More' if by > 0 else 'Less'} of: {what}")
    else:
        reply.lines.append(f"At its end, or no slider of it is left: {what}")


def _now(graph: Graph, turn: Turn, name: str) -> str:
    (edit,) = named(graph, [{"edit": "remove", "step": name}], turn)
    return str(edit["step"])


def _wish(reply: Reply, text: str) -> None:
    """What the words wish of light and colour."""
    said = listened(text, possible(reply.view, list(every_wish())))
    done = fulfilled(reply.view, said.wishes)
    lines = [f"Understood: {'; '.join(worded(wish) for wish in said.wishes)}."] if said.wishes else []
    lines += [f"Already at its end: {worded(wish)}." for wish in done.stuck]
    lines += [f"Not known, so nothing is done for it: {words!r}." for words in said.unknown]
    if not said.wishes and not said.unknown:
        lines.append("Nothing is to be changed.")
    reply.lines += [*lines, said.note] if said.note else lines
    reply.findings += done.findings
    reply.edit(done.patch)

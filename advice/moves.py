"""Moves of sliders as a patch: steps that are there are moved on from where they stand, missing ones are put in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..graph.model import Step
from ..graph.patch import Patch
from ..ops.params import Slider
from ..ops.reach import Port
from ..ops.spec import REGISTRY, OpSpec
from .view import View


class Move(NamedTuple):
    """How far to move a slider of an operation, and why: in its unit, for log sliders in log2."""

    op: str
    slider: str
    by: float
    reason: str


def moved(view: View, moves: Sequence[Move], by: str = "Auto", exactly: bool = False) -> Patch:
    """The patch that makes some moves to the whole picture.

    A step of the operation on the picture's way is moved on from its value; else a new one goes in behind the camera (and what
    is retouched right there), with a title that says by whom. Several moves of one slider are one. exactly: in the whole hard
    range, and not rounded.
    """
    edits: list[dict[str, Any]] = []
    missing: dict[str, list[Move]] = {}
    for move in summed(moves):
        spec = REGISTRY[move.op]
        step = next((step for step in view.way if step.spec is spec), None)
        value = _value(spec, move, step, exactly)
        if step is None:
            missing.setdefault(move.op, []).append(move)
        elif value != step.value(move.slider):
            edits.append({"edit": "set", "path": f"{step.id}.{move.slider}", "value": value, "reason": move.reason})
    return [*edits, *_inserted(view, missing, by, exactly)]


def summed(moves: Sequence[Move]) -> list[Move]:
    """Every slider once, moved as far as all its moves together, for all their reasons."""
    found: dict[tuple[str, str], Move] = {}
    for move in moves:
        there = found.get((move.op, move.slider))
        if there is not None:
            reason = there.reason if move.reason in there.reason else f"{there.reason}; {move.reason}"
            move = move._replace(by=there.by + move.by, reason=reason)
        found[move.op, move.slider] = move
    return list(found.values())


def _value(spec: OpSpec, move: Move, step: Step | None, exactly: bool) -> float:
    """Where a move ends: in its comfortable range, to the precision that its slider shows."""
    param = spec.param(move.slider)
    assert param is not None
    assert isinstance(param.kind, Slider)
    start = step.value(move.slider) if step is not None else param.default
    value = start * 2.0**move.by if param.kind.log else start + move.by
    if exactly:
        return param.kind.check(min(max(round(value, 6), param.kind.low), param.kind.high))
    return comfortable(param.kind, value, start)


def comfortable(kind: Slider, value: float, start: float) -> float:
    """A value in the comfortable range of a slider (or no farther out than where it started), as people read it."""
    low, high = kind.comfortable
    grain = _grain(high - low)
    value = min(max(value, min(low, start)), max(high, start))
    return kind.check(min(max(round(value / grain) * grain, kind.low), kind.high))


def _grain(width: float) -> float:
    """What people read of a slider: 50 K, 1 of a tint, 0.01 of a stop."""
    return 50.0 if width > 1000.0 else 1.0 if width > 100.0 else 0.01


def _inserted(view: View, missing: dict[str, list[Move]], by: str, exactly: bool) -> list[dict[str, Any]]:
    edits: list[dict[str, Any]] = []
    before = view.ground.id
    for op, moves in missing.items():
        spec = REGISTRY[op]
        values = {move.slider: _value(spec, move, None, exactly) for move in moves}
        if all(value == spec.param(name).default for name, value in values.items()):  # type: ignore[union-attr]
            continue
        step_id = f"{by.lower()}_{spec.name}"
        while step_id in view.graph.steps:
            step_id += "_"
        edits.append({"edit": "add", "step": step_id, "node": spec.node_id, "values": values,
                      "links": {"image": [before, 0]}, "title": f"{by} {spec.label.lower()}",
                      "reason": moves[0].reason})  # fmt: skip
        before = step_id
    if edits:
        ends = list(users(view, view.ground.id))
        edits += ({"edit": "link", "step": step, "input": name, "from": [before, 0]} for step, name in ends)
    return edits


def users(view: View, origin: str) -> Iterator[tuple[str, str]]:
    """The inputs that look at the picture of a step on the way to the place, and sinks and views that show it as it is."""
    for step in view.graph:
        shows = next((entry.name for entry in step.spec.inputs if entry.picture), None)
        for name, link in step.links.items():
            port = isinstance(step.spec.reach, Port)
            if link == (origin, 0) and (name == shows if port else step.id in view.needed):
                yield step.id, name

"""Parameter: a table of wishes in the words of the sliders, one a line, becomes a patch."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from ...graph.errors import nearest, one_line
from ...graph.patch import Patch
from ...ops.params import Slider
from ...ops.spec import REGISTRY, OpSpec
from ..advisor import advisor
from ..aspects import distance, slider
from ..findings import Advice
from ..fulfilling import BY
from ..moves import Move, moved
from ..view import View

_LINE = re.compile(r"([a-z_0-9. -]*?[a-z_0-9])\s*(=|:|\bto\b|\bby\b)?\s*([+-]?\d+(?:\.\d+)?)\s*(%|[a-z]+)?", re.IGNORECASE)
_MOST_LINES = 60


class _Target(NamedTuple):
    """A slider that a line means: of an operation on the whole picture, or of one step of the workflow."""

    op: str
    slider: str
    step: str = ""

    @property
    def kind(self) -> Slider:
        return slider(self.op, self.slider)[0]

    @property
    def default(self) -> float:
        return slider(self.op, self.slider)[1]


@advisor
def parameter(view: View) -> Advice:
    """Follows a table of wishes in slider words, one a line: exposure +0.5, saturation -20 %, white balance kelvin = 5600."""
    lines = [line.strip() for line in re.split(r"[\n;,]", view.say.strip().strip("{}")) if line.strip()]
    if not lines:
        return Advice(
            reply="Give a line for every slider, such as: exposure +0.5, saturation -20 %, white balance kelvin = 5600."
        )
    moves: list[Move] = []
    edits: list[dict[str, Any]] = []
    said: list[str] = []
    known = names(view)
    for line in lines[:_MOST_LINES]:
        found = _LINE.fullmatch(line.replace('"', "").replace("'", ""))
        target = known.get(_key(found.group(1))) if found else None
        if found is None:
            said.append(f"Expected a slider and a number; got {one_line(line, 60)!r}.")
        elif target is None:
            said.append(f"There is no slider {one_line(found.group(1), 40)!r} {nearest(_key(found.group(1)), known)}.")
        elif not _fits(target.kind, found.group(4)):
            said.append(
                f"{target.op} {target.slider}: expected {target.kind.unit or 'a plain number'} or %; got {found.group(4)!r}."
            )
        else:
            step = view.graph.steps[target.step] if target.step else None
            step = step or next((step for step in view.way if step.spec.id == target.op), None)
            start = float(step.value(target.slider)) if step is not None else target.default
            end, ends = _end(target, start, found)
            reason = one_line(f"asked for: {line}", 200)
            said += [
                f"{target.op} {target.slider} goes from {target.kind.low:g} to {target.kind.high:g}: it ends at {end:g}."
            ] * ends
            if target.step and end != start:
                edits.append({"edit": "set", "path": f"{target.step}.{target.slider}", "value": end, "reason": reason})
            elif not target.step:
                by = math.log2(end / start) if target.kind.log else end - start
                moves.append(Move(target.op, target.slider, by, reason))
    patch: Patch = [*edits, *moved(view, moves, BY, exactly=True)]
    return Advice((), patch, "\n".join(said) or ("" if patch else "The sliders stand like that already."))


def names(view: View) -> dict[str, _Target]:
    """Every slider by the names people give it: its operation's and its own, the operation's alone for its first, its path."""
    found: dict[str, _Target] = {}
    for spec in REGISTRY.values():
        if not _whole(spec):
            continue
        for number, param in enumerate(spec.sliders):
            target = _Target(spec.id, param.name)
            for name in (f"{spec.id}.{param.name}", f"{spec.name} {param.name}", *([spec.name] if number == 0 else [])):
                found.setdefault(_key(name), target)
            if param.name not in ("amount", "size", "radius", "strength", "feather", "black", "white", "middle"):
                found.setdefault(_key(param.name), target)
    for step in view.graph:
        for param in step.spec.sliders:
            if step.id in view.needed and step.spec.id in REGISTRY:
                for name in (step.id, step.title):
                    if name:
                        found[_key(f"{name}.{param.name}")] = _Target(step.spec.id, param.name, step.id)
    return found


def _whole(spec: OpSpec) -> bool:
    """Whether an operation changes a photo by itself: one picture in, one out, and at its defaults nothing."""
    pictures = [entry for entry in spec.inputs if entry.picture and entry.required]
    return bool(spec.neutral is not None and spec.makes_picture and len(pictures) == 1 and spec.sliders)


def _key(name: str) -> str:
    return " ".join(re.sub(r"[._-]+", " ", name.lower()).split())


def _fits(kind: Slider, unit: str | None) -> bool:
    return unit in (None, "%") or unit.lower() == kind.unit.lower() or (unit.lower() in ("stop", "stops") and kind.unit == "EV")


def _end(target: _Target, start: float, found: re.Match[str]) -> tuple[float, bool]:
    """Where a line puts a slider, and whether its range ends there.

    `= 5600` puts it there, `+0.5` moves it so far, `+20 %` by so much of its comfortable half range.
    """
    kind, number = target.kind, float(found.group(3))
    relative = found.group(3)[0] in "+-" and found.group(2) not in ("=", ":", "to")
    base = start if relative else target.default
    if found.group(4) == "%":
        step = distance(target.op, target.slider, number / 100.0)
        end = base * 2.0**step if kind.log else base + step
    else:
        end = start + number if relative else number
    return min(max(end, kind.low), kind.high), not kind.low <= end <= kind.high

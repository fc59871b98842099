"""Composite operations: small graphs of other operations, written as plain functions that place them.

    @operation(reach=COMPOSITE)
    def frequency_separation(image: Image, radius: ...) -> Frequencies:
        low = place(blur, image, radius=radius)
        return Frequencies(low, place(difference, image, low))

Called with pictures, it computes on them whole. Called with the `Wire`s of a planner, it says what it is made of, and the
executor runs the parts as it runs any steps: in tiles, with exact gradients, statistics, networks and other sizes included.
A `part` is an operation that only stands in composites.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ..light.rectangle import Region, Size
from .errors import DeclarationError
from .frame import Frame
from .params import Slider
from .reach import Geometry, Interval, Reach, ask, margin_of
from .spec import OpSpec, declare, measurer, spec_of
from .types import Metadata


@dataclass(frozen=True, eq=False)
class Wire:
    """A value on its way through a composite: an output of a part, or, where step is empty, what came in by `name`."""

    trace: _Trace
    step: str = ""
    slot: int = 0
    name: str = ""


@dataclass(frozen=True)
class Placed:
    """An operation placed in a composite. arguments: what it is given by name, as wires or plain values."""

    name: str
    spec: OpSpec
    arguments: Mapping[str, Any]


@dataclass
class _Trace:
    placed: dict[str, Placed] = field(default_factory=dict)

    def add(self, spec: OpSpec, arguments: Mapping[str, Any]) -> Any:
        number = 1 + sum(part.spec is spec for part in self.placed.values())
        name = spec.name if number == 1 else f"{spec.name} {number}"
        self.placed[name] = Placed(name, spec, dict(arguments))
        wires = tuple(Wire(self, name, slot) for slot in range(len(spec.outputs)))
        return wires if len(wires) > 1 else wires[0]


def part(reach: Reach) -> Callable[[Callable], Callable]:
    """Declare an operation that only stands in composites: no node, no help page; its tooltips may be left out."""

    def declare_part(function: Callable) -> Callable:
        family, _, file = function.__module__.rpartition(".")
        declare(function, reach, f"{family.rpartition('.')[2]}.{file}.{function.__name__}", hidden=True)
        return function

    return declare_part


def place(function: Callable, *given: Any, **named: Any) -> Any:
    """An operation at work in a composite: its outputs, as wires while the composite is opened, else computed at once."""
    spec = spec_of(function)
    arguments = inspect.signature(function).bind_partial(*given, **named).arguments
    trace = next((value.trace for value in arguments.values() if isinstance(value, Wire)), None)
    return by_hand(spec, arguments) if trace is None else trace.add(spec, arguments)


def opened(
    spec: OpSpec, values: Mapping[str, Any], wired: Collection[str], frame: Frame
) -> tuple[list[Placed], tuple[Wire, ...]]:
    """What a composite is made of, and where its outputs come from.

    values: of its parameters; sliders become wires, the rest may change what is placed. wired: the inputs that bring
    something. frame: of its picture, whole. Raises DeclarationError.
    """
    trace = _Trace()
    known: dict[str, Any] = {entry.name: Wire(trace, name=entry.name) if entry.name in wired else None for entry in spec.inputs}
    for param in spec.params:
        known[param.name] = Wire(trace, name=param.name) if isinstance(param.kind, Slider) else values[param.name]
    known.update({name: frame for name, kind in spec.injected.items() if kind == "frame"})
    result = spec.function(**known)
    outputs = result if len(spec.outputs) > 1 else (result,)
    if len(outputs) != len(spec.outputs) or not all(isinstance(wire, Wire) for wire in outputs):
        raise DeclarationError(f"{spec.id}: a composite returns what `place` gave, or its own inputs, once per output")
    return list(trace.placed.values()), tuple(outputs)


def by_hand(spec: OpSpec, known: Mapping[str, Any]) -> Any:
    """An operation on whole pictures, outside any graph; parameters not given have their defaults."""
    arguments: dict[str, Any] = {**{param.name: param.default for param in spec.params}, **known}
    first = next((arguments[entry.name] for entry in spec.inputs if entry.picture and entry.name in arguments), None)
    for entry in spec.inputs:
        if entry.measured and entry.name not in arguments:
            arguments[entry.name] = by_hand(measurer(entry.socket), {"image": first})
    for name, kind in spec.injected.items():
        if kind == "frame" and name not in arguments:
            arguments[name] = whole_frame(spec, first, arguments)
        elif kind == "metadata":
            arguments.setdefault(name, Metadata())
    return spec.function(**arguments)


def whole_frame(spec: OpSpec, image: Any, values: Mapping[str, Any]) -> Frame:
    """The frame of an operation that works on a whole picture at once."""
    size = Size(*image.shape[-2:])
    known = {param.name: _for_reach(param.kind, values[param.name]) for param in spec.params}
    if isinstance(spec.reach, Geometry):
        out = ask(spec.reach.size, {**known, "in_size": size})
        return Frame(out, Region.whole(out), out, input=Frame(size, Region.whole(size), size))
    return Frame(size, Region.whole(size), size, halo=margin_of(spec.reach, known, 1.0))


def _for_reach(kind: Any, value: Any) -> Any:
    if not isinstance(kind, Slider):
        return value
    most = value.detach().max().item() if isinstance(value, Tensor) else value
    return Interval(most, most)

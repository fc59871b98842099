"""Planning, once per edit: steps are sorted, composites opened, statistics and weights left unwired get steps of their own.

Every picture gets its size, every step a level (the number of reducers before it). What no output needs is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..graph.errors import WorkflowError
from ..graph.model import HIDDEN, Graph, Path, Ref, Step
from ..light.rectangle import Region, Size
from ..ops.composite import Wire, opened
from ..ops.frame import Frame
from ..ops.params import BadValue
from ..ops.reach import Composite, Geometry, Port, Reducer, ask, margin_of
from ..ops.spec import OpSpec, Param, interval_or_value, measurer
from .plan import Plan, Planned

MOST_PIXELS = 1_000_000_000


def make_plan(
    graph: Graph,
    outputs: Sequence[Ref],
    given: Mapping[Ref, Size | None],
    scale: float = 1.0,
    free: Collection[Path] = (),
) -> Plan:
    """Plan how to compute some outputs of a graph.

    given: the values at hand (sources, weights, cached values), with full sizes where they are pictures.
    free: sliders that will move while the plan is in use; reaches are then taken at their upper bounds.
    Raises WorkflowError where sizes do not fit.
    """
    wanted = [resolved(graph, ref) for ref in outputs]
    planner = _Planner(graph, given, scale, frozenset(free))
    for step_id in _order(graph, wanted, given):
        planner.add(graph.steps[step_id])
    made = [planner.aliases.get(ref, ref) for ref in wanted]
    known = {*given, *(ref for step in planner.steps for ref in step.outputs)}
    for ref in made:
        if ref not in known:
            raise WorkflowError(f"{graph.steps[_outer(ref)]} makes nothing to render")
    steps = _needed(planner.steps, made, given)
    return Plan(
        steps=tuple(steps),
        outputs=tuple(made),
        sliders=tuple(planner.sliders),
        slider_values=tuple(planner.slider_values),
        given=dict(given),
        scale=scale,
        composites=planner.composites,
        by_step={step.id: step for step in steps},
    )


def resolved(graph: Graph, ref: Ref) -> Ref:
    """Where a wire's value is made, looking through fits (a photo passes through them unchanged)."""
    while ref.step in graph.steps and getattr(graph.steps[ref.step].spec.reach, "role", None) == "fit":
        ref = graph.steps[ref.step].links["photo"]
    return ref


def _outer(ref: Ref) -> str:
    """The step of the graph that a value belongs to."""
    return ref.step.partition(HIDDEN)[0]


def _order(graph: Graph, wanted: Sequence[Ref], given: Mapping[Ref, Size | None]) -> list[str]:
    """Every step of the graph that is needed, inputs before users."""
    import networkx

    wires = networkx.DiGraph()
    todo = [_outer(ref) for ref in wanted if ref not in given]
    wires.add_nodes_from(todo)
    seen = set(todo)
    while todo:
        step = graph.steps[todo.pop()]
        for link in step.links.values():
            origin = resolved(graph, link)
            if origin in given:
                continue
            wires.add_edge(origin.step, step.id)
            if origin.step not in seen:
                seen.add(origin.step)
                todo.append(origin.step)
    return list(networkx.topological_sort(wires))


def _needed(steps: Sequence[Planned], outputs: Sequence[Ref], given: Mapping[Ref, Size | None]) -> list[Planned]:
    """The steps that some outputs depend on."""
    wanted = {ref for ref in outputs if ref not in given}
    kept = []
    for step in reversed(steps):
        if not wanted.isdisjoint(step.outputs):
            kept.append(step)
            wanted.update(ref for ref in step.inputs.values() if ref not in given)
    return kept[::-1]


@dataclass(frozen=True)
class _Slider:
    """A slider of a step in the graph, wherever its value goes: what it is set to, and how it is declared."""

    path: Path
    param: Param
    value: float


class _Planner:
    def __init__(self, graph: Graph, given: Mapping[Ref, Size | None], scale: float, free: frozenset[Path]) -> None:
        self.graph, self.given, self.scale, self.free = graph, given, scale, free
        self.steps: list[Planned] = []
        self.sliders: dict[Path, int] = {}
        self.slider_values: list[float] = []
        self.composites: dict[str, Ref] = {}
        self.aliases: dict[Ref, Ref] = {}
        self._full: dict[Ref, Size] = {ref: size for ref, size in given.items() if size is not None}
        self._level: dict[Ref, int] = {}
        self._origin: dict[Ref, Ref] = {ref: ref for ref in given}

    def add(self, step: Step) -> None:
        """A step of the graph, with all that it hides."""
        spec = step.spec
        if isinstance(spec.reach, Port) and spec.reach.role == "sheet":
            raise WorkflowError(f"{step}: a contact sheet is made in ComfyUI, or by luxgrad sheet")
        if isinstance(spec.reach, Port) and spec.makes_picture:
            raise WorkflowError(
                f"{step}: its photo is made where an advisor is asked: in ComfyUI, by luxgrad run, fit and bake, or in Python"
            )
        if isinstance(spec.reach, Port):
            raise WorkflowError(f"{step} is needed and has no {spec.outputs[0].socket if spec.outputs else 'output'} to give")
        links = {name: resolved(self.graph, link) for name, link in step.links.items()}
        sliders = {param.name: _Slider(Path(step.id, param.name), param, step.value(param.name)) for param in spec.sliders}
        self._place(step.id, str(step), spec, links, {**step.all_values(), **sliders})

    def _place(self, step_id: str, title: str, spec: OpSpec, links: Mapping[str, Ref], values: Mapping[str, Any]) -> None:
        """A step, of the graph or hidden. values: of all parameters; those of sliders as `_Slider`, or fixed numbers."""
        inputs = {name: self.aliases.get(ref, ref) for name, ref in links.items()}
        first = next((inputs[entry.name] for entry in spec.inputs if entry.picture and entry.name in inputs), None)
        for entry in spec.inputs:
            if entry.name in inputs:
                continue
            unwired = Ref(f"{step_id}{HIDDEN}{entry.name}")
            if entry.measured:
                if first is None:
                    raise WorkflowError(
                        f"{title}: its input {entry.name} is not wired, and it has no picture to measure it from"
                    )
                if unwired not in self.given:
                    measure = measurer(entry.socket)
                    own = {param.name: param.default for param in measure.params}
                    fixed = {p.name: _Slider(Path(unwired.step, p.name), p, p.default) for p in measure.sliders}
                    self._place(unwired.step, title, measure, {"image": first}, {**own, **fixed})
                inputs[entry.name] = unwired
            elif entry.weights:
                if unwired not in self.given:
                    raise WorkflowError(f"{title}, {entry.name}: expected the weights {entry.weights}; nobody brought them")
                inputs[entry.name] = unwired
        if isinstance(spec.reach, Composite):
            self._open(step_id, title, spec, inputs, values)
        else:
            self._append(step_id, title, spec, inputs, values)

    def _open(self, step_id: str, title: str, spec: OpSpec, inputs: Mapping[str, Ref], values: Mapping[str, Any]) -> None:
        """The steps that a composite is made of."""
        pictures = [inputs[entry.name] for entry in spec.inputs if entry.picture and entry.name in inputs]
        full = self._out_size(title, spec, pictures, {})
        size = full.scaled(self.scale)
        self.composites[step_id] = pictures[0]

        def value_of(wire: Any) -> Any:
            """What an argument of an inner step is, seen from outside: a value's place, a slider, or a plain value."""
            if not isinstance(wire, Wire):
                return wire
            if wire.step:
                ref = Ref(f"{step_id}{HIDDEN}{wire.step}", wire.slot)
                return self.aliases.get(ref, ref)
            return inputs[wire.name] if wire.name in inputs else values[wire.name]

        try:
            parts, outputs = opened(spec, values, inputs, Frame(size, Region.whole(size), full, self.scale))
        except BadValue as error:
            raise WorkflowError(f"{title}: {error}") from None
        for part in parts:
            known = {name: value_of(argument) for name, argument in part.arguments.items()}
            links = {name: value for name, value in known.items() if isinstance(value, Ref)}
            own = {param.name: known.get(param.name, param.default) for param in part.spec.params}
            self._place(f"{step_id}{HIDDEN}{part.name}", title, part.spec, links, own)
        for slot, wire in enumerate(outputs):
            ref = value_of(wire)
            self.aliases[Ref(step_id, slot)] = ref
            if not slot and spec.makes_picture and self._full[ref] != full:
                raise WorkflowError(f"{title}: expected its parts to give a picture of {full}; got {self._full[ref]}")

    def _append(self, step_id: str, title: str, spec: OpSpec, inputs: Mapping[str, Ref], values: Mapping[str, Any]) -> None:
        pictures = [inputs[entry.name] for entry in spec.inputs if entry.picture and entry.name in inputs]
        sliders: dict[str, int] = {}
        reach_values = {}
        for param in spec.params:
            value = values[param.name]
            if param in spec.sliders:
                slider = value if isinstance(value, _Slider) else _Slider(Path(step_id, param.name), param, float(value))
                if slider.path not in self.sliders:
                    self.sliders[slider.path] = len(self.sliders)
                    self.slider_values.append(slider.value)
                sliders[param.name] = self.sliders[slider.path]
                reach_values[param.name] = interval_or_value(slider.param, slider.value, slider.path in self.free)
            else:
                reach_values[param.name] = value
        full = self._out_size(title, spec, pictures, reach_values)
        level = max((self._level.get(origin, 0) for origin in inputs.values()), default=0)
        if isinstance(spec.reach, Reducer):
            level += 1
        step = Planned(
            id=step_id,
            title=title,
            spec=spec,
            inputs=inputs,
            values={param.name: values[param.name] for param in spec.params if param not in spec.sliders},
            sliders=sliders,
            size=full.scaled(self.scale),
            full=full,
            level=level,
            margin=margin_of(spec.reach, reach_values, self.scale),
            reach_values=reach_values,
            origin=self._origin.get(pictures[0]) if pictures else None,
        )
        for ref in step.outputs:
            self._level[ref] = level
            if ref not in self.given:
                self._full[ref] = full
            if step.origin is not None:
                self._origin[ref] = step.origin
        self.steps.append(step)

    def _out_size(self, title: str, spec: OpSpec, pictures: list[Ref], values: Mapping[str, Any]) -> Size:
        sizes = [self._full[ref] for ref in pictures]
        apart = isinstance(spec.reach, Composite) or (isinstance(spec.reach, Reducer) and spec.reach.apart)
        if not sizes:
            return Size(1, 1)
        if len(set(sizes)) > 1 and not apart:
            raise WorkflowError(
                f"{title}: expected pictures of one size; got {' and '.join(str(s) for s in dict.fromkeys(sizes))}"
            )
        if not isinstance(spec.reach, Geometry):
            return sizes[0]
        try:
            size = ask(spec.reach.size, {**values, "in_size": sizes[0]})
        except BadValue as error:
            raise WorkflowError(f"{title}: {error}") from None
        if size.pixels > MOST_PIXELS:
            raise WorkflowError(f"{title}: expected a picture of at most {MOST_PIXELS / 1e6:.0f} MP; got {size}")
        return size

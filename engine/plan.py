"""The plan: what to compute, in which order, at which sizes; pure data, made once per edit.

Steps are sorted; statistics left unwired get a step of their own; every picture gets its size; every step a level (the
number of reducers before it). Regions are then walked backwards from any rectangle of any output.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..graph.errors import WorkflowError
from ..graph.model import Graph, Path, Ref
from ..light.rectangle import Region, Size
from ..ops.params import BadValue
from ..ops.reach import Geometry, Port, Reducer, ask, margin_of
from ..ops.spec import OpSpec, interval_or_value, measurer

MOST_PIXELS = 1_000_000_000
_MEASURED = "\0"


@dataclass(frozen=True)
class Planned:
    """A step with all that its execution needs to know.

    inputs: where each wired socket's value comes from. sliders: slider -> its place in `Plan.sliders`.
    size and full: of its picture on this plan's scale and at full resolution. margin: px around an output rectangle.
    origin: the source its first picture comes from, whose metadata it may read.
    """

    ref: Ref
    title: str
    spec: OpSpec
    inputs: Mapping[str, Ref]
    values: Mapping[str, Any]
    sliders: Mapping[str, int]
    size: Size
    full: Size
    level: int
    margin: int
    reach_values: Mapping[str, Any]
    origin: Ref | None

    @property
    def pictures(self) -> list[tuple[str, Ref]]:
        return [
            (entry.name, self.inputs[entry.name]) for entry in self.spec.inputs if entry.picture and entry.name in self.inputs
        ]

    @property
    def reducer(self) -> Reducer | None:
        return self.spec.reach if isinstance(self.spec.reach, Reducer) else None


@dataclass(frozen=True)
class Plan:
    """Steps in the order of execution. given: values the executor is handed, with the full sizes of the pictures.

    sliders and slider_values: every slider of every step, and what it is set to.
    """

    steps: tuple[Planned, ...]
    outputs: tuple[Ref, ...]
    sliders: tuple[Path, ...]
    slider_values: tuple[float, ...]
    given: Mapping[Ref, Size | None]
    scale: float
    by_ref: Mapping[Ref, Planned] = field(repr=False)

    def size(self, ref: Ref) -> Size:
        """Size of a picture on this plan's scale."""
        given = self.given.get(ref)
        return given.scaled(self.scale) if given is not None else self.by_ref[ref].size

    def is_picture(self, ref: Ref) -> bool:
        if ref in self.given:
            return self.given[ref] is not None
        return self.by_ref[ref].spec.makes_picture

    @property
    def levels(self) -> int:
        return max((step.level for step in self.steps), default=0)

    def dependents(self, refs: Collection[Ref]) -> set[Ref]:
        """The values that change when these do (themselves included)."""
        moved = set(refs)
        for step in self.steps:
            if step.ref not in moved and any(ref in moved for ref in step.inputs.values()):
                moved.add(step.ref)
        return moved

    def regions(self, wanted: Iterable[tuple[Ref, Region]]) -> dict[Ref, Region]:
        """The rectangle of every picture that is needed to make the wanted rectangles."""
        regions: dict[Ref, Region] = {}

        def need(ref: Ref, region: Region) -> None:
            regions[ref] = regions[ref].union(region) if ref in regions else region

        for ref, region in wanted:
            need(ref, region)
        for step in reversed(self.steps):
            if step.ref in regions and step.ref not in self.given:
                for _, ref in step.pictures:
                    need(ref, self.input_region(step, regions[step.ref], ref))
        return regions

    def input_region(self, step: Planned, region: Region, ref: Ref) -> Region:
        """The rectangle of an input picture that a step needs for a rectangle of its own."""
        if isinstance(step.spec.reach, Geometry):
            known = {**step.reach_values, "out": region, "in_size": self.size(ref), "out_size": step.size}
            return ask(step.spec.reach.region, known)
        return region.grown(step.margin, self.size(ref)) if step.margin else region


def make_plan(
    graph: Graph,
    outputs: Sequence[Ref],
    given: Mapping[Ref, Size | None],
    scale: float = 1.0,
    free: Collection[Path] = (),
) -> Plan:
    """Plan how to compute some outputs of a graph.

    given: the values at hand (sources, cached steps), with full sizes where they are pictures.
    free: sliders that will move while the plan is in use; reaches are then taken at their upper bounds.
    Raises WorkflowError where sizes do not fit.
    """
    targets = [resolved(graph, link) for link in outputs]
    order = _order(graph, targets, given)
    planner = _Planner(graph, given, scale, frozenset(free))
    for ref in order:
        planner.add(ref)
    by_ref = {step.ref: step for step in planner.steps}
    for target in targets:
        if target not in by_ref and target not in given:
            raise WorkflowError(f"{graph.steps[target.step]} makes nothing to render")
    return Plan(
        steps=tuple(planner.steps),
        outputs=tuple(targets),
        sliders=tuple(planner.sliders),
        slider_values=tuple(planner.slider_values),
        given=dict(given),
        scale=scale,
        by_ref=by_ref,
    )


def resolved(graph: Graph, link: Ref) -> Ref:
    """Where a wire's value is made, looking through fits (a photo passes through them unchanged)."""
    seen = link
    while getattr(graph.steps[seen.step].spec.reach, "role", None) == "fit":
        seen = graph.steps[seen.step].links["photo"]
    return seen


def _inputs(graph: Graph, ref: Ref) -> dict[str, Ref]:
    """Where each socket of a step gets its value; an unwired statistic is measured from the first picture."""
    step_id, _, measured = ref.step.partition(_MEASURED)
    step = graph.steps[step_id]
    wired = {name: resolved(graph, link) for name, link in step.links.items()}
    first = next((wired[entry.name] for entry in step.spec.inputs if entry.picture and entry.name in wired), None)
    if measured:
        assert first is not None
        return {"image": first}
    for entry in step.spec.inputs:
        if entry.measured and entry.name not in wired:
            wired[entry.name] = Ref(f"{step_id}{_MEASURED}{entry.name}")
    return wired


def _order(graph: Graph, targets: list[Ref], given: Mapping[Ref, Size | None]) -> list[Ref]:
    """Every step needed, inputs before users."""
    import networkx

    wires = networkx.DiGraph()
    wires.add_nodes_from(Ref(target.step) for target in targets if target not in given)
    todo, seen = [target for target in targets if target not in given], set(targets)
    while todo:
        ref = todo.pop()
        wires.add_node(Ref(ref.step))
        for origin in _inputs(graph, ref).values():
            if origin in given:
                continue
            wires.add_edge(Ref(origin.step), Ref(ref.step))
            if origin not in seen:
                seen.add(origin)
                todo.append(origin)
    return list(networkx.topological_sort(wires))


class _Planner:
    def __init__(self, graph: Graph, given: Mapping[Ref, Size | None], scale: float, free: frozenset[Path]) -> None:
        self.graph, self.given, self.scale, self.free = graph, given, scale, free
        self.steps: list[Planned] = []
        self.sliders: list[Path] = []
        self.slider_values: list[float] = []
        self._full: dict[Ref, Size] = {ref: size for ref, size in given.items() if size is not None}
        self._level: dict[Ref, int] = {}
        self._origin: dict[Ref, Ref] = {ref: ref for ref in given}

    def add(self, ref: Ref) -> None:
        step_id, _, measured = ref.step.partition(_MEASURED)
        step = self.graph.steps[step_id]
        spec = step.spec if not measured else measurer(next(e.socket for e in step.spec.inputs if e.name == measured))
        if isinstance(spec.reach, Port) and spec.reach.role == "sheet":
            raise WorkflowError(f"{step}: a contact sheet is made in ComfyUI, or by luxgrad sheet")
        if isinstance(spec.reach, Port):
            raise WorkflowError(f"{step} is needed and has no {spec.outputs[0].socket if spec.outputs else 'output'} to give")
        inputs = _inputs(self.graph, ref)
        pictures = [inputs[entry.name] for entry in spec.inputs if entry.picture and entry.name in inputs]
        values = {p.name: p.default if measured else step.value(p.name) for p in spec.params}
        paths = {p.name: Path(ref.step, p.name) for p in spec.sliders}
        reach_values = {
            param.name: interval_or_value(param, values[param.name], paths.get(param.name) in self.free)
            for param in spec.params
        }
        full = self._out_size(step, spec, pictures, reach_values)
        level = max((self._level.get(origin, 0) for origin in inputs.values()), default=0)
        if isinstance(spec.reach, Reducer):
            level += 1
        first = len(self.sliders)
        self.sliders += paths.values()
        self.slider_values += (values[name] for name in paths)
        self._full[ref], self._level[ref] = full, level
        if pictures and pictures[0] in self._origin:
            self._origin[ref] = self._origin[pictures[0]]
        self.steps.append(
            Planned(
                ref=ref,
                title=str(step),
                spec=spec,
                inputs=inputs,
                values={p.name: values[p.name] for p in spec.params if p not in spec.sliders},
                sliders={name: first + index for index, name in enumerate(paths)},
                size=full.scaled(self.scale),
                full=full,
                level=level,
                margin=margin_of(spec.reach, reach_values, self.scale),
                reach_values=reach_values,
                origin=self._origin.get(ref),
            )
        )

    def _out_size(self, step: Any, spec: OpSpec, pictures: list[Ref], values: Mapping[str, Any]) -> Size:
        sizes = [self._full[ref] for ref in pictures]
        apart = isinstance(spec.reach, Reducer) and spec.reach.apart
        if not sizes:
            return Size(1, 1)
        if len(set(sizes)) > 1 and not apart:
            raise WorkflowError(
                f"{step}: expected pictures of one size; got {' and '.join(str(s) for s in dict.fromkeys(sizes))}"
            )
        if not isinstance(spec.reach, Geometry):
            return sizes[0]
        try:
            size = ask(spec.reach.size, {**values, "in_size": sizes[0]})
        except BadValue as error:
            raise WorkflowError(f"{step}: {error}") from None
        if size.pixels > MOST_PIXELS:
            raise WorkflowError(f"{step}: expected a picture of at most {MOST_PIXELS / 1e6:.0f} MP; got {size}")
        return size

"""The plan: what to compute, in which order, at which sizes; pure data.

Regions are walked backwards from any rectangle of any output. `planning` makes plans.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from types import MappingProxyType
from typing import Any

from ..graph.model import HIDDEN, Path, Ref
from ..light.rectangle import Region, Size
from ..ops.reach import Geometry, Pointwise, Reducer, ask
from ..ops.spec import OpSpec


@dataclass(frozen=True)
class Planned:
    """A step with all that its execution needs to know.

    inputs: where each wired socket's value comes from. sliders: slider -> its place in `Plan.sliders`.
    size and full: of its pictures on this plan's scale and at full resolution. margin: px around an output rectangle.
    origin: the source its first picture comes from, whose metadata it may read.
    """

    id: str
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
    def outputs(self) -> list[Ref]:
        return [Ref(self.id, slot) for slot in range(len(self.spec.outputs))]

    @property
    def pictures(self) -> list[tuple[str, Ref]]:
        return [
            (entry.name, self.inputs[entry.name]) for entry in self.spec.inputs if entry.picture and entry.name in self.inputs
        ]

    @property
    def masked(self) -> str:
        """The input that counts only where the step's mask selects; empty where there is none."""
        return self.spec.reach.masked if isinstance(self.spec.reach, Pointwise) else ""

    @property
    def reducer(self) -> Reducer | None:
        return self.spec.reach if isinstance(self.spec.reach, Reducer) else None


Selected = Mapping[str, Region | None]
"""By steps with a mask: the rectangle around all that it selects of what was looked at, None where that is nothing."""


def within(selected: Selected, step: Planned, region: Region) -> Region | None:
    """What a step's mask selects of a rectangle; all of it, where its mask was not looked at."""
    inner = selected.get(step.id, region)
    return region if inner is region else inner and inner.cut_to(region)


@dataclass(frozen=True)
class Plan:
    """Steps in the order of execution. given: values the executor is handed, with the full sizes of the pictures.

    sliders and slider_values: every slider of every step, and what it is set to. composites: by the ids of steps that are
    computed as smaller ones, the value that their first picture is.
    """

    steps: tuple[Planned, ...]
    outputs: tuple[Ref, ...]
    sliders: tuple[Path, ...]
    slider_values: tuple[float, ...]
    given: Mapping[Ref, Size | None]
    scale: float
    composites: Mapping[str, Ref]
    by_step: Mapping[str, Planned] = field(repr=False)

    def size(self, ref: Ref) -> Size:
        """Size of a picture on this plan's scale."""
        given = self.given.get(ref)
        return given.scaled(self.scale) if given is not None else self.by_step[ref.step].size

    def full(self, ref: Ref) -> Size:
        """Size of a picture at full resolution."""
        return self.given.get(ref) or self.by_step[ref.step].full

    def is_picture(self, ref: Ref) -> bool:
        if ref in self.given:
            return self.given[ref] is not None
        return self.by_step[ref.step].spec.outputs[ref.slot].picture

    def level(self, ref: Ref) -> int:
        """How many reducers come before a value, itself included."""
        return 0 if ref in self.given else self.by_step[ref.step].level

    @property
    def levels(self) -> int:
        return max((step.level for step in self.steps), default=0)

    def dependents(self, refs: Collection[Ref]) -> set[Ref]:
        """The values that change when these do (themselves included)."""
        moved = set(refs)
        for step in self.steps:
            if any(ref in moved for ref in step.inputs.values()):
                moved.update(step.outputs)
        return moved

    def moved_by(self, paths: Collection[Path]) -> set[Ref]:
        """The values that change when these parameters do."""
        places = {place for place, path in enumerate(self.sliders) if path in paths}
        others = {path.step for path in paths if path not in self.sliders}
        steps = (
            step for step in self.steps if places.intersection(step.sliders.values()) or step.id.partition(HIDDEN)[0] in others
        )
        return self.dependents({ref for step in steps for ref in step.outputs})

    def regions(self, wanted: Iterable[tuple[Ref, Region]], selected: Selected = MappingProxyType({})) -> dict[Ref, Region]:
        """The rectangle of every picture that is needed to make the wanted rectangles; one for all pictures of a step.

        Where masks were looked at, what their steps mix in is needed there alone.
        """
        regions: dict[Ref, Region] = {}

        def need(ref: Ref, region: Region) -> None:
            regions[ref] = regions[ref].union(region) if ref in regions else region

        for ref, region in wanted:
            need(ref, region)
        for step in reversed(self.steps):
            made = [ref for ref in step.outputs if ref in regions and ref not in self.given]
            if made:
                whole = reduce(Region.union, (regions[ref] for ref in made))
                regions.update(dict.fromkeys(made, whole))
                for name, ref in step.pictures:
                    inner = within(selected, step, whole) if name == step.masked else whole
                    if inner is not None:
                        need(ref, self.input_region(step, inner, ref))
        return regions

    def input_region(self, step: Planned, region: Region, ref: Ref) -> Region:
        """The rectangle of an input picture that a step needs for a rectangle of its own."""
        if isinstance(step.spec.reach, Geometry):
            known = {**step.reach_values, "out": region, "in_size": self.size(ref), "out_size": step.size}
            return ask(step.spec.reach.region, known)
        return region.grown(step.margin, self.size(ref)) if step.margin else region

"""One rectangle of pictures: what it needs is walked backwards, then computed forwards.

Where the mask of a step is 0 its first picture comes out as it is, and what it would mix in is not needed there. So masks
come first, and the work is in proportion to what they select: the same values, less of them. With gradients all is computed
(a mask's own gradient needs both pictures), and where reading a mask would make an accelerator wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..graph.errors import WorkflowError
from ..graph.model import Ref
from ..light.photo import Photo
from ..light.planes import Planes
from ..light.rectangle import Region
from ..ops.frame import Frame
from ..ops.params import BadValue
from ..ops.reach import Geometry, Pointwise, ask
from ..ops.types import Distances, Metadata
from .plan import Plan, Planned, Selected, within
from .sweep import DISTANCES, Inputs, Reads


class Rectangle:
    """A plan at work on some inputs and the statistics measured so far, one rectangle at a time.

    like: a number on the device and of the type of the arithmetic. reads: remembers the pixels that gradients go back to.
    """

    def __init__(
        self, plan: Plan, inputs: Inputs, measured: Mapping[Ref, Any], like: Tensor, reads: Reads | None = None
    ) -> None:
        self.plan, self.inputs, self.measured, self.like, self.reads = plan, inputs, measured, like, reads
        self._values: dict[Ref, Any] = {}
        self._held: dict[Ref, Region] = {}

    def evaluate(self, wanted: Sequence[tuple[Ref, Region]]) -> list[Any]:
        """Some rectangles of pictures; differentiable with respect to everything that they are computed from."""
        self._values, self._held = {}, {}
        selected = self._select(wanted) if self._may_select(wanted) else {}
        regions = self.plan.regions(wanted, selected)
        self._compute(regions, selected, [ref for ref, _ in wanted])
        return [cut(self._values[ref], self._held[ref], region) for ref, region in wanted]

    # Masks first -----------------------------------------------------------------------------------------------------

    def _may_select(self, wanted: Sequence[tuple[Ref, Region]]) -> bool:
        """Whether values may be read and left out: no gradients, on the CPU, one rectangle, pictures of one batch."""
        if torch.is_grad_enabled() or self.like.device.type != "cpu" or any(region.many for _, region in wanted):
            return False
        photos = {value.batch for value in self.inputs.given.values() if isinstance(value, Photo)}
        return len(photos) == 1 and {len(slider) for slider in self.inputs.sliders} <= {1, *photos}

    def _select(self, wanted: Sequence[tuple[Ref, Region]]) -> Selected:
        """What the masks of the steps that are needed select, each computed before anything that depends on it."""
        selected: dict[str, Region | None] = {}
        for step in self.plan.steps:
            if not isinstance(step.spec.reach, Pointwise) or step.spec.reach.mask not in step.inputs:
                continue
            regions = self.plan.regions(wanted, selected)
            whole, mask = regions.get(step.outputs[0]), step.inputs[step.spec.reach.mask]
            if whole is not None:
                before = self.plan.regions([(mask, whole)], selected)
                kept = {ref: regions[ref] for ref in before if ref not in self.plan.given or ref == mask}
                self._compute(self.plan.regions(kept.items(), selected), selected, [*kept, *self._values])
                selected[step.id] = around(self._taken(mask, whole), whole)
                for ref in self.plan.given:  # read again when it is known how much is needed
                    self._values.pop(ref, None)
        return selected

    # Forwards --------------------------------------------------------------------------------------------------------

    def _compute(self, regions: Mapping[Ref, Region], selected: Selected, kept: Iterable[Ref]) -> None:
        """The pictures that are not held yet; each goes as soon as nothing that comes uses it, unless it is to be kept."""
        to_come = [step for step in self.plan.steps if self._made(step, regions)]
        users = dict.fromkeys([*regions, *self._held], 0)
        for ref in [*kept, *(ref for step in to_come for _, ref in step.pictures)]:
            users[ref] = users.get(ref, 0) + 1
        for ref in regions.keys() & self.plan.given.keys() - self._values.keys():
            self._values[ref], self._held[ref] = self._read(ref, regions[ref]), regions[ref]
        for step in to_come:
            made = self._made(step, regions)
            found = self._apply(step, regions[made[0]], selected)
            for ref in made:
                self._values[ref], self._held[ref] = found[ref.slot], regions[ref]
            for _, ref in step.pictures:
                users[ref] -= 1
                if not users[ref]:
                    self._values.pop(ref, None)

    def _made(self, step: Planned, regions: Mapping[Ref, Region]) -> list[Ref]:
        return [ref for ref in step.outputs if ref in regions and ref not in self.plan.given and ref not in self._values]

    def _read(self, ref: Ref, region: Region) -> Any:
        pixels = self.inputs.given[ref].read(region).to(self.like)
        if self.reads is not None and ref in self.reads.wanted:
            pixels = pixels.detach().requires_grad_()
            self.reads.leaves.append((ref, region, pixels))
        return split(pixels)

    def _apply(self, step: Planned, region: Region, selected: Selected) -> list[Any]:
        """A rectangle of every picture that a step gives."""
        if (inner := within(selected, step, region)) != region:
            first = self._taken(step.pictures[0][1], region)
            return [first if inner is None else laid(self._apply(step, inner, {})[0], inner, first, region)]
        pictures = {name: self.plan.input_region(step, region, ref) for name, ref in step.pictures}
        held = next(iter(pictures.values()), region)
        known = {name: self._taken(ref, pictures[name]) for name, ref in step.pictures}
        known |= arguments(step, self.inputs, self.measured, self.like)
        if isinstance(step.spec.reach, Geometry):
            before = Frame(self.plan.size(step.pictures[0][1]), held, step.full, self.plan.scale)
            frame = Frame(step.size, region, step.full, self.plan.scale, input=before)
        else:
            frame = Frame(step.size, held, step.full, self.plan.scale, halo=step.margin)
        if "frame" in step.spec.injected.values():
            known["frame"] = frame
        result = called(step, step.spec.function, known)
        made = region if isinstance(step.spec.reach, Geometry) else held
        return [cut(split(picture), made, region) for picture in (result if len(step.spec.outputs) > 1 else (result,))]

    def _taken(self, ref: Ref, region: Region) -> Any:
        return cut(self._values[ref], self._held[ref], region)


def arguments(step: Planned, inputs: Inputs, measured: Mapping[Ref, Any], like: Tensor) -> dict[str, Any]:
    """What a step is called with beside pictures and frames."""
    known, pictures = dict(step.values), dict(step.pictures)
    for name, index in step.sliders.items():
        known[name] = inputs.sliders[index]
    for name, ref in step.inputs.items():
        if name not in pictures:
            known[name] = measured[ref] if ref in measured else inputs.given[ref]
    for name, kind in step.spec.injected.items():
        if kind == "metadata":
            source = inputs.given.get(step.origin) if step.origin else None
            known[name] = Metadata(source.metadata if isinstance(source, Photo) else {})
        elif kind == "distances":
            known[name] = inputs.given.get(DISTANCES) or Distances(like.new_zeros(1))
    return known


def called(step: Planned, function: Callable[..., Any], known: Mapping[str, Any]) -> Any:
    """What a function of a step gives. Raises WorkflowError naming the step, where what arrives is not for it."""
    try:
        return ask(function, known)
    except BadValue as error:
        raise WorkflowError(f"{step.title}: {error}") from None


def around(mask: Tensor, region: Region) -> Region | None:
    """The rectangle around all that a mask (B1hw) of a rectangle selects; None where that is nothing."""
    chosen = (mask != 0).any(dim=0)[0]
    rows, columns = (chosen.any(dim=axis).nonzero()[:, 0] for axis in (1, 0))
    if not len(rows):
        return None
    (top, bottom), (left, right) = ((int(places[0]), int(places[-1]) + 1) for places in (rows, columns))
    return Region(region.top + top, region.left + left, bottom - top, right - left)


def laid(part: Any, inner: Region, picture: Any, region: Region) -> Any:
    """A picture with a part of it in its place."""
    if isinstance(picture, Planes):
        return Planes(*(laid(above, inner, below, region) for above, below in zip(part, picture)))
    whole = picture.clone()
    rows, columns = inner.within(region)
    whole[..., rows, columns] = part
    return whole


def split(picture: Any) -> Any:
    """An image as planes, which is how operations hand it on; a mask as it is."""
    if isinstance(picture, Tensor) and picture.shape[1] == 3:
        return Planes(*picture.split(1, dim=1))
    return picture


def cut(value: Any, held: Region, wanted: Region) -> Any:
    """The wanted part of a picture of which a rectangle is held."""
    if (wanted.height, wanted.width) == (held.height, held.width):
        return value
    if isinstance(value, Planes):
        return value.map(lambda plane: wanted.out_of(held, plane))
    return wanted.out_of(held, value)

"""The executor: one way to compute any rectangle of any graph, in bounded memory.

The graph is cut at its reducers into levels; forward sweeps over tiles gather statistics level by level, then pictures
are rendered tile by tile. One tile is the whole-picture case of the same code. Gradients: `backward`. No process-wide
state; safe to run twice at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..graph.errors import WorkflowError
from ..graph.model import Ref
from ..light.photo import Photo
from ..light.planes import Planes, stack
from ..light.rectangle import Region, Size
from ..ops.frame import Frame
from ..ops.params import BadValue
from ..ops.reach import Geometry, ask
from ..ops.types import Distances, Metadata, rebuilt
from .memory import Memory
from .plan import Plan, Planned
from .sweep import Gather, Inputs, Reads, Sweep
from .tiles import halves, tiles

Value = TypeVar("Value")
Progress = Callable[[int, int], None]
"""progress(done, total), called after every tile; it may raise to stop."""

DISTANCES = Ref("\0distances")
"""The place among given values of a fit's `Distances`, for the losses that ask for them."""

OVERHEAD = 2.5
"""Resident memory of a tile with gradients, as a multiple of what autograd keeps for it."""

_LEAST_TILE = 1 << 12


class Execution:
    """A plan at work on given photos and slider values.

    tile_pixels: about how many output px are computed at once. gradient_bytes: what tiles may take with gradients.
    memory: makes tiles smaller where memory runs out.
    """

    def __init__(
        self,
        plan: Plan,
        inputs: Inputs,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        tile_pixels: int = 1 << 17,
        gradient_bytes: int = 256 << 20,
        progress: Progress | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.plan, self.device, self.dtype, self.tile_pixels = plan, torch.device(device), dtype, tile_pixels
        self.gradient_bytes = gradient_bytes
        self.progress = progress or (lambda done, total: None)
        self.memory = memory or Memory()
        self._done = self._total = 0
        self.inputs = inputs.at(self.device, dtype)
        self.totals: dict[str, list[Tensor | None]] = {}
        self.measured: dict[Ref, Any] = {}

    def _here(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype)

    def gradient_tile(self, saved_per_pixel: float) -> int:
        """About how many px fit into the memory for tiles with gradients."""
        return int(min(self.tile_pixels, max(_LEAST_TILE, self.gradient_bytes / (OVERHEAD * saved_per_pixel + 1))))

    # One rectangle ---------------------------------------------------------------------------------------------------

    def evaluate(
        self,
        wanted: Sequence[tuple[Ref, Region]],
        inputs: Inputs,
        measured: Mapping[Ref, Any],
        reads: Reads | None = None,
    ) -> list[Any]:
        """Some rectangles of pictures, from the values given; differentiable with respect to all of them."""
        regions = self.plan.regions(wanted)
        users = self._users(regions, [ref for ref, _ in wanted])
        values: dict[Ref, Any] = {}
        for ref in regions:
            if ref in self.plan.given:
                values[ref] = self._read(ref, inputs.given[ref], regions[ref], reads)
        for step in self.plan.steps:
            made = [ref for ref in step.outputs if ref in regions and ref not in self.plan.given]
            if made:
                found = self._apply(step, regions[made[0]], regions, values, inputs, measured)
                values.update((ref, found[ref.slot]) for ref in made)
                for _, ref in step.pictures:
                    users[ref] -= 1
                    if not users[ref]:
                        del values[ref]
        return [_cut(values[ref], regions[ref], region) for ref, region in wanted]

    def _users(self, regions: Mapping[Ref, Region], wanted: list[Ref]) -> dict[Ref, int]:
        users = dict.fromkeys(regions, 0)
        for step in self.plan.steps:
            if any(ref in regions and ref not in self.plan.given for ref in step.outputs):
                for _, ref in step.pictures:
                    users[ref] += 1
        for ref in wanted:
            users[ref] += 1
        return users

    def _read(self, ref: Ref, photo: Photo, region: Region, reads: Reads | None) -> Any:
        pixels = self._here(photo.read(region))
        if reads is not None and ref in reads.wanted:
            pixels = pixels.detach().requires_grad_()
            reads.leaves.append((ref, region, pixels))
        return _split(pixels)

    def _apply(
        self,
        step: Planned,
        region: Region,
        regions: Mapping[Ref, Region],
        values: Mapping[Ref, Any],
        inputs: Inputs,
        measured: Mapping[Ref, Any],
    ) -> list[Any]:
        """A rectangle of every picture that a step gives."""
        held, pictures = region, {}
        for name, ref in step.pictures:
            held = self.plan.input_region(step, region, ref)
            pictures[name] = _cut(values[ref], regions[ref], held)
        known = {**pictures, **self._arguments(step, inputs, measured)}
        if isinstance(step.spec.reach, Geometry):
            source = step.pictures[0][1]
            before = Frame(self.plan.size(source), held, step.full, self.plan.scale)
            frame = Frame(step.size, region, step.full, self.plan.scale, input=before)
        else:
            frame = Frame(step.size, held, step.full, self.plan.scale, halo=step.margin)
        if "frame" in step.spec.injected.values():
            known["frame"] = frame
        result = _called(step, step.spec.function, known)
        made = region if isinstance(step.spec.reach, Geometry) else held
        return [_cut(_split(picture), made, region) for picture in (result if len(step.spec.outputs) > 1 else (result,))]

    def _arguments(self, step: Planned, inputs: Inputs, measured: Mapping[Ref, Any]) -> dict[str, Any]:
        known = dict(step.values)
        for name, index in step.sliders.items():
            known[name] = inputs.sliders[index]
        for name, ref in step.inputs.items():
            if not self.plan.is_picture(ref):
                known[name] = measured[ref] if ref in measured else inputs.given[ref]
        for name, kind in step.spec.injected.items():
            if kind == "metadata":
                source = inputs.given.get(step.origin) if step.origin else None
                known[name] = Metadata(source.metadata if isinstance(source, Photo) else {})
            elif kind == "distances":
                known[name] = inputs.given.get(DISTANCES) or Distances(torch.zeros(1, dtype=self.dtype, device=self.device))
        return known

    # Statistics ------------------------------------------------------------------------------------------------------

    def measure(self) -> Mapping[Ref, Any]:
        """Every statistic and loss: forward sweeps over tiles, level by level, and the arithmetic after each."""
        sweeps = [sweep for level in range(1, self.plan.levels + 1) for sweep in self.sweeps(level)]
        self.expect(sum(len(self.grid(sweep)) for sweep in sweeps))
        with torch.no_grad():
            for level in range(self.plan.levels + 1):
                for sweep in sweeps:
                    if sweep.level == level:
                        self._gather(sweep)
                self.measured.update(self.finish(level, self.inputs, self.measured, self.totals))
        return self.measured

    def sweeps(self, level: int) -> list[Sweep]:
        """The passes that gather one level's reducers; pictures of one size share a pass."""
        groups: dict[Size, list[Gather]] = {}
        for step in self.plan.steps:
            if step.reducer and step.level == level:
                parts = [[picture] for picture in step.pictures] if step.reducer.apart else [step.pictures]
                for part, pictures in enumerate(parts):
                    groups.setdefault(self.plan.size(pictures[0][1]), []).append(Gather(step, part, pictures))
        return [Sweep(level, size, tuple(gathers)) for size, gathers in groups.items()]

    def grid(self, sweep: Sweep) -> list[Region]:
        """The tiles of a pass: full rows while nothing before its pictures looks at neighbours, else near squares."""
        needed = self.plan.regions([(ref, Region(0, 0, 1, 1)) for ref in sweep.pictures])
        steps = [self.plan.by_step[ref.step] for ref in needed if ref not in self.plan.given]
        margins = [gather.step.margin for gather in sweep.gathers] + [step.margin for step in steps]
        square = any(margins) or any(isinstance(step.spec.reach, Geometry) for step in steps)
        return tiles(sweep.size, self.tile_pixels, square)

    def _gather(self, sweep: Sweep) -> None:
        def shares(region: Region) -> list[Tensor]:
            return self.contributions(sweep, region, self.inputs, self.measured)

        for _, found in self.each(self.grid(sweep), shares):
            for gather, share in zip(sweep.gathers, found):
                parts = self.totals.setdefault(gather.step.id, [None] * len(gather.step.pictures))
                before = parts[gather.part]
                parts[gather.part] = share.double() if before is None else before + share.double()

    def contributions(
        self,
        sweep: Sweep,
        region: Region,
        inputs: Inputs,
        measured: Mapping[Ref, Any],
        reads: Reads | None = None,
    ) -> list[Tensor]:
        """What a tile adds to each of a pass's gathers."""
        margins = [region.grown(gather.step.margin, sweep.size) for gather in sweep.gathers]
        wanted = [(ref, held) for gather, held in zip(sweep.gathers, margins) for _, ref in gather.pictures]
        pictures = iter(self.evaluate(wanted, inputs, measured, reads))
        shares = []
        for gather, held in zip(sweep.gathers, margins):
            step, reducer = gather.step, gather.step.reducer
            assert reducer is not None
            known = self._arguments(step, inputs, measured)
            for name, _ in gather.pictures:
                known["image" if reducer.apart else name] = next(pictures)
            frame = Frame(sweep.size, held, step.full, self.plan.scale, halo=step.margin, core=region)
            shares.append(_called(step, reducer.contribute, {**known, "frame": frame}))
        return shares

    def finish(self, level: int, inputs: Inputs, measured: Mapping[Ref, Any], totals: Mapping[str, Any]) -> dict[Ref, Any]:
        """The values without pixels of one level: reducers from their totals, and what is made of them without pixels."""
        made: dict[Ref, Any] = {}
        for step in self.plan.steps:
            if step.level != level or step.spec.makes_picture:
                continue
            known = self._arguments(step, inputs, {**measured, **made})
            if step.reducer:
                parts = totals[step.id]
                known["total"] = tuple(parts) if step.reducer.apart else parts[0]
                value = _called(step, step.reducer.finish, {**known, "size": step.size})
            else:
                value = _called(step, step.spec.function, known)
            for ref, output in zip(step.outputs, value if len(step.outputs) > 1 else (value,)):
                made[ref] = rebuilt(output, self._here)
        return made

    # Pictures --------------------------------------------------------------------------------------------------------

    def render(self, ref: Ref, put: Callable[[Region, Tensor], None]) -> None:
        """Hand every tile of a picture (B3hw or B1hw) to `put`, in order; statistics must have been measured."""
        grid = self.grid(Sweep(0, self.plan.size(ref), outputs=(ref,)))
        self.expect(len(grid))

        def picture(region: Region) -> Tensor:
            return stack(self.evaluate([(ref, region)], self.inputs, self.measured)[0])

        with torch.no_grad():
            for region, pixels in self.each(grid, picture):
                put(region, pixels)

    # Tiles -----------------------------------------------------------------------------------------------------------

    def each(self, grid: Sequence[Region], compute: Callable[[Region], Value]) -> Iterator[tuple[Region, Value]]:
        """Every tile with what is computed of it; where memory runs out, in smaller tiles from there on."""

        def smaller(region: Region) -> list[Region]:
            if region.pixels <= _LEAST_TILE:
                return []
            self.expect(1)
            return halves(region)

        for region, value in self.memory.each(grid, lambda tile: tile.pixels, smaller, compute):
            yield region, value
            self.tick()

    def expect(self, tiles_to_come: int) -> None:
        self._total += tiles_to_come

    def tick(self) -> None:
        self._done += 1
        self.progress(self._done, self._total)


def _called(step: Planned, function: Callable[..., Any], known: Mapping[str, Any]) -> Any:
    """What a function of a step gives. Raises WorkflowError naming the step, where what arrives is not for it."""
    try:
        return ask(function, known)
    except BadValue as error:
        raise WorkflowError(f"{step.title}: {error}") from None


def _split(picture: Any) -> Any:
    """An image as planes, which is how operations hand it on; a mask as it is."""
    if isinstance(picture, Tensor) and picture.shape[1] == 3:
        return Planes(*picture.split(1, dim=1))
    return picture


def _cut(value: Any, held: Region, wanted: Region) -> Any:
    """The wanted part of a picture of which a rectangle is held."""
    if (wanted.height, wanted.width) == (held.height, held.width):
        return value
    if isinstance(value, Planes):
        return value.map(lambda plane: wanted.out_of(held, plane))
    return wanted.out_of(held, value)

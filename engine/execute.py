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

from ..graph.model import Ref
from ..light.planes import stack
from ..light.rectangle import Region, Size
from ..ops.frame import Frame
from ..ops.reach import Geometry
from ..ops.types import rebuilt
from .memory import Memory
from .plan import Plan
from .rectangle import Rectangle, arguments, called
from .sweep import Gather, Inputs, Reads, Sweep
from .tiles import halves, tiles

Value = TypeVar("Value")
Progress = Callable[[int, int], None]
"""progress(done, total), called after every tile; it may raise to stop."""

OVERHEAD = 2.5
"""Resident memory of a tile with gradients, as a multiple of what autograd keeps for it."""

_LEAST_TILE = 1 << 12
_READ = 4
"""Px of a larger picture that a tile is made of, as a multiple of the px of a tile."""


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
        self._read_pixels = _READ * tile_pixels
        self._like = torch.zeros(1, device=self.device, dtype=dtype)
        self.inputs = inputs.at(self.device, dtype)
        self.totals: dict[str, list[Tensor | None]] = {}
        self.measured: dict[Ref, Any] = {}

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
        return Rectangle(self.plan, inputs, measured, self._like, reads).evaluate(wanted)

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
        """The tiles of a pass: full rows while nothing before its pictures looks at neighbours, else near squares.

        Where they are made of a larger picture, they are as much smaller.
        """
        needed = self.plan.regions([(ref, Region.whole(sweep.size)) for ref in sweep.pictures])
        pixels = min(self.tile_pixels, self._read_pixels * sweep.size.pixels // max(held.pixels for held in needed.values()))
        steps = [self.plan.by_step[ref.step] for ref in needed if ref not in self.plan.given]
        margins = [gather.step.margin for gather in sweep.gathers] + [step.margin for step in steps]
        square = any(margins) or any(isinstance(step.spec.reach, Geometry) for step in steps)
        return tiles(sweep.size, pixels, square)

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
            known = arguments(step, inputs, measured, self._like)
            for name, _ in gather.pictures:
                known["image" if reducer.apart else name] = next(pictures)
            frame = Frame(sweep.size, held, step.full, self.plan.scale, halo=step.margin, core=region)
            shares.append(called(step, reducer.contribute, {**known, "frame": frame}))
        return shares

    def finish(self, level: int, inputs: Inputs, measured: Mapping[Ref, Any], totals: Mapping[str, Any]) -> dict[Ref, Any]:
        """The values without pixels of one level: reducers from their totals, and what is made of them without pixels."""
        made: dict[Ref, Any] = {}
        for step in self.plan.steps:
            if step.level != level or step.spec.makes_picture:
                continue
            known = arguments(step, inputs, {**measured, **made}, self._like)
            if step.reducer:
                parts = totals[step.id]
                known["total"] = tuple(parts) if step.reducer.apart else parts[0]
                value = called(step, step.reducer.finish, {**known, "size": step.size})
            else:
                value = called(step, step.spec.function, known)
            for ref, output in zip(step.outputs, value if len(step.outputs) > 1 else (value,)):
                made[ref] = rebuilt(output, lambda tensor: tensor.to(self._like))
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

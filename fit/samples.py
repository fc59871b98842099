"""A photo and its target at some pixels: residuals and exact Jacobians at a cost that does not grow with the picture.

Each sampled pixel gets its own copy of the sliders and just the neighbourhood it needs, as one element of a batch; three
backward passes, one per channel, then give every column of the Jacobian. Statistics come from a small proxy of the
picture, corrected by what the full picture measured last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..engine.cache import Cache
from ..engine.execute import Execution
from ..engine.plan import Plan
from ..engine.planning import make_plan
from ..engine.render import Job, Settings
from ..engine.sweep import Inputs
from ..graph.errors import WorkflowError
from ..graph.model import Graph, Path, Ref
from ..light.gamut import fit_gamut
from ..light.photo import Photo
from ..light.primaries import REC2020_TO_SRGB, mix
from ..light.rectangle import Region, Size
from ..light.transfer import srgb_encode
from ..ops.types import leaves, rebuilt
from .free import Space

PROXY_PIXELS = 1 << 16
_CHUNK_PIXELS = 1 << 18
_CLIPPED = 1e-4
_DOUBT, _LEAST_DOUBT = 3.0, 0.004
_STEP = 1e-3


class Pair:
    """One photo, the graph that shall make it look like its target, and the free sliders that it sees.

    border: px at the edges that the target does not show.
    """

    def __init__(
        self,
        graph: Graph,
        link: Ref,
        given: Mapping[Ref, Any],
        target: Photo,
        space: Space,
        settings: Settings,
        border: int = 0,
    ) -> None:
        self.space, self.target, self.settings, self.border = space, target, settings, border
        free = [path for unknown in space.unknowns for path in unknown.paths]
        self.job = Job(graph, [link], given, {}, 1.0, settings, Cache())
        self.job.keep_before(free)
        self.plan: Plan = make_plan(graph, [link], self.job.full, 1.0, free)
        scale = min(1.0, (PROXY_PIXELS / self.job.plan.size(self.plan.outputs[0]).pixels) ** 0.5)
        statistics = any(step.reducer for step in self.plan.steps)
        self.proxy = Job(graph, [link], given, {}, scale, settings) if statistics else None
        self.correction: dict[Ref, list[Tensor]] = {}

    def measured(self, values: Mapping[Path, Tensor]) -> dict[Ref, Any]:
        """The statistics that these slider values lead to, from the proxy."""
        if self.proxy is None:
            return {}
        measured = _measure(self.proxy, values)
        return {ref: _corrected(value, self.correction.get(ref)) for ref, value in measured.items()}

    def correct(self, values: Mapping[Path, Tensor]) -> None:
        """Measure the full picture too, and remember how far the proxy is off."""
        if self.proxy is None:
            return
        full, proxy = _measure(self.job, values), _measure(self.proxy, values)
        self.correction = {ref: [a - b for a, b in zip(leaves(full[ref]), leaves(proxy[ref]))] for ref in proxy}

    def execution(self) -> Execution:
        return self.settings.execution(self.plan, self.job.inputs())


def _measure(job: Job, values: Mapping[Path, Tensor]) -> Mapping[Ref, Any]:
    job.tensors = dict(values)
    return job.settings.execution(job.plan, job.inputs()).measure()


def _corrected(value: Any, correction: list[Tensor] | None) -> Any:
    if correction is None:
        return value
    queue = iter(correction)
    return rebuilt(value, lambda tensor: tensor + next(queue))


@dataclass(frozen=True, eq=False)
class _Held(Photo):
    """The pixels that some samples need of a photo, read once."""

    def read(self, region: Region) -> Tensor:
        assert isinstance(self.raster, Tensor)
        return self.raster


class Samples:
    """Some pixels of a pair.

    shown: compare what a display shows, out-of-gamut colours fitted: just what a fit is judged by, but blind beyond the
    gamut. Otherwise light is compared unbounded, and of a pixel whose target is clipped only the clipped channels count, on
    the side that the target knows: white says `at least this bright`, black `at most this bright`.
    doubt: residual of clipped pixels above which they count less and less.
    """

    def __init__(self, pair: Pair, count: int, generator: torch.Generator, shown: bool = False) -> None:
        self.pair, self.execution, self.shown, self.doubt = pair, pair.execution(), shown, math.inf
        self.output = pair.plan.outputs[0]
        regions, rows, columns = _places(pair.plan, self.output, count, generator, pair.border)
        target = self._codes(*pair.target.read(Region(rows, columns, 1, 1)).split(1, dim=1))
        clipped = ((target <= _CLIPPED) | (target >= 1.0 - _CLIPPED)).any(1)
        sure, vague = (~clipped).nonzero()[:, 0], clipped.nonzero()[:, 0]
        kept = torch.cat([sure[:count], vague[: max(count // (4 if shown else 8), count - len(sure))]])
        self.region = regions.picked(kept)
        self.row, self.column = rows[kept] - self.region.top, columns[kept] - self.region.left
        self.target = target[kept].double()
        self._clipped = clipped[kept, None].expand(-1, 3)
        self._at_white, self._at_black = self.target >= 1.0 - _CLIPPED, self.target <= _CLIPPED
        needed = pair.plan.regions([(self.output, self.region)])
        given = self.execution.inputs.given
        self._held = {ref: given[ref].read(region) for ref, region in needed.items() if ref in given}
        each = max(region.pixels for region in needed.values())
        self._each = each
        self._chunks = torch.arange(len(self.target)).split(max(1, _CHUNK_PIXELS // each))

    def __len__(self) -> int:
        return len(self.target)

    def _predict(self, coordinates: Sequence[Tensor], measured: Mapping[Ref, Any], chunk: Tensor) -> Tensor:
        """(n, 3) sRGB codes at the pixels of a chunk."""
        values = self.pair.space.values(coordinates)
        inputs = self.execution.inputs
        sliders = tuple(
            values[path].to(self.execution.device, self.execution.dtype) if path in values else slider
            for path, slider in zip(self.pair.plan.sliders, inputs.sliders)
        )
        given = {
            ref: _Held(self._held[ref][chunk], metadata=value.metadata) if ref in self._held else value
            for ref, value in inputs.given.items()
        }
        region = self.region.picked(chunk)
        (picture,) = self.execution.evaluate([(self.output, region)], Inputs(sliders, given), measured)
        place = torch.arange(len(chunk)), 0, self.row[chunk], self.column[chunk]
        return self._codes(*(plane.expand(len(chunk), 1, region.height, region.width)[place] for plane in picture))

    def _in_chunks(self, compute: Callable[[Tensor], Any]) -> list[Any]:
        """What is computed of some samples at a time, for all of them in order."""

        def halves(chunk: Tensor) -> Sequence[Tensor]:
            return chunk.chunk(2) if len(chunk) > 1 else ()

        memory = self.pair.settings.memory
        return [found for _, found in memory.each(self._chunks, lambda chunk: len(chunk) * self._each, halves, compute)]

    def _codes(self, *planes: Tensor) -> Tensor:
        """(n, 3) sRGB codes of n pixels of light."""
        red, green, blue = (plane.flatten() for plane in planes)
        channels = fit_gamut(red, green, blue) if self.shown else mix(REC2020_TO_SRGB, red, green, blue)
        return torch.stack([srgb_encode(channel) for channel in channels], dim=1)

    def residuals(self, own: Tensor, measured: Mapping[Ref, Any]) -> Tensor:
        """(N, 3) predicted minus target codes in float64, at a pair's coordinates."""
        with torch.no_grad():
            parts = self._in_chunks(lambda chunk: self._predict(list(own), measured, chunk))
        return self._known(torch.cat(parts).double().cpu() - self.target)[0]

    def _known(self, residual: Tensor) -> tuple[Tensor, Tensor]:
        """What the target says of residuals, and the derivative of that. Doubt is the loss of Geman and McClure (1987)."""
        if self.shown:
            trust = (1.0 + (residual / self.doubt).square() * self._clipped).rsqrt()
            return residual * trust, trust**3
        counts = ~self._clipped | (self._at_white & (residual < 0.0)) | (self._at_black & (residual > 0.0))
        return residual * counts, counts.double()

    def doubts(self, own: Tensor, measured: Mapping[Ref, Any]) -> bool:
        """Set `doubt` by the residuals of unclipped pixels; whether clipped ones disagree more, as another program's would."""
        self.doubt = math.inf
        squares = self.residuals(own, measured).square()
        sure, vague = (squares[which].mean().sqrt().item() for which in (~self._clipped, self._clipped))
        self.doubt = max(_LEAST_DOUBT, _DOUBT * sure)
        return vague > max(_LEAST_DOUBT, 2.0 * sure)

    def jacobian(self, own: Tensor, measured: Mapping[Ref, Any]) -> tuple[Tensor, Tensor]:
        """Residuals (N, 3) and their derivatives (N, 3, n) with respect to a pair's coordinates; statistics held."""

        def rows(chunk: Tensor) -> tuple[Tensor, Tensor]:
            leaf = own[:, None].expand(-1, len(chunk)).clone().requires_grad_()
            with torch.enable_grad():
                codes = self._predict(list(leaf), measured, chunk)
                slopes = [torch.autograd.grad(codes[:, c].sum(), leaf, retain_graph=c < 2)[0].T for c in range(3)]
            return codes.detach(), torch.stack(slopes, dim=1)

        predicted, columns = zip(*self._in_chunks(rows))
        residual, slope = self._known(torch.cat(predicted).double().cpu() - self.target)
        return residual, torch.cat(columns).double().cpu() * slope[:, :, None]

    def through_statistics(self, own: Tensor, measured: Mapping[Ref, Any]) -> Tensor:
        """What `jacobian` leaves out: (N, 3, n) by way of the statistics, by differences on the proxy."""
        here, columns = self.residuals(own, measured), []
        for index in range(len(own)):
            nearby = own.clone()
            nearby[index] += _STEP
            moved = self.pair.measured(self.pair.space.values(list(nearby)))
            columns.append((self.residuals(own, moved) - here) / _STEP)
        return torch.stack(columns, dim=2)


def _places(plan: Plan, output: Ref, count: int, generator: torch.Generator, border: int) -> tuple[Region, Tensor, Tensor]:
    """Rectangles around some random pixels of an output, and the pixels' rows and columns.

    A rectangle is one pixel, unless the picture is so small that neighbourhoods always meet its edges: then it spans
    the picture in that direction. Pixels whose neighbourhood would leave a picture are left out.
    """
    size = plan.size(output)
    margin = sum(step.margin * size.long_edge / step.size.long_edge for step in plan.steps)
    many = min(4 * count, 4 * size.pixels)
    rows, columns = (
        torch.randint(border, max(edge - border, border + 1), (many,), generator=generator).clamp_max(edge - 1) for edge in size
    )
    spans = [edge <= 2 * margin + 8 and margin > 0 for edge in size]
    region = Region(
        torch.zeros_like(rows) if spans[0] else rows,
        torch.zeros_like(columns) if spans[1] else columns,
        size.height if spans[0] else 1,
        size.width if spans[1] else 1,
    )
    good = torch.ones(many, dtype=torch.bool)
    for ref, needed in plan.regions([(output, region)]).items():
        good &= _inside(needed, plan.size(ref))
    if not good.any():
        raise WorkflowError("the photo is too small for a fit with these operations")
    kept = good.nonzero()[:, 0]
    return region.picked(kept), rows[kept], columns[kept]


def _inside(region: Region, size: Size) -> Tensor:
    top, left = torch.as_tensor(region.top), torch.as_tensor(region.left)
    return (top >= 0) & (left >= 0) & (top + region.height <= size.height) & (left + region.width <= size.width)

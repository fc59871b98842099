"""Render a graph: values in, a picture out, as one autograd function."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..graph.errors import WorkflowError
from ..graph.model import HIDDEN, Graph, Path, Photos, Ref, Step, is_slider
from ..graph.outputs import full_sizes, gather_sources, output_of
from ..light.photo import Photo
from ..light.rectangle import Region
from ..ops.reach import Geometry
from ..ops.types import leaves, rebuilt
from .backward import backward
from .cache import Cache, content_keys
from .execute import Execution, Progress
from .memory import Memory
from .plan import Plan
from .planning import make_plan
from .sweep import Inputs

Put = Callable[[Region, Tensor], None]


@dataclass(frozen=True)
class Settings:
    """How to execute.

    device and dtype: of the arithmetic. tile_pixels: about how many px at once; gradient_bytes: memory for tiles with
    gradients; None chooses by the device.
    progress(done, total): called after each tile; it may raise to stop. memory: what happens where memory runs out.
    """

    device: torch.device | str = "cpu"
    dtype: torch.dtype | None = None
    tile_pixels: int | None = None
    gradient_bytes: int | None = None
    progress: Progress | None = None
    memory: Memory = field(default_factory=Memory, compare=False)

    def execution(self, plan: Plan, inputs: Inputs) -> Execution:
        device = torch.device(self.device)
        tile = self.tile_pixels or (1 << 17 if device.type == "cpu" else 1 << 22)
        most = self.gradient_bytes or (int(0.4 * torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else 256 << 20)
        return Execution(plan, inputs, device, self.dtype or _precision(inputs), tile, most, self.progress, self.memory)


def render(
    graph: Graph,
    photo: Photos,
    values: Mapping[str, Any] | None = None,
    *,
    sink: str | None = None,
    size: int | None = None,
    put: Put | None = None,
    cache: Cache | None = None,
    editing: Collection[str] = (),
    **settings: Any,
) -> Any:
    """The picture that a sink of the graph shows.

    photo: for the only photo source, or a mapping from source steps to photos, look-up tables and networks; sources
    not handed over are read from their files. values: parameters by path; tensors may require gradients.
    sink: a sink, or any step. size: long edge of the result in px, rendered from smaller sources; never enlarges.
    put: receives each tile instead of a whole picture being kept. cache: keeps statistics, and the pictures just before
    the sliders named in `editing`, for the next call. settings: fields of `Settings`.
    Returns a Photo (a tensor, if `photo` was a tensor; None with `put`). Raises WorkflowError.
    """
    graph, tensors = _split_values(graph, values or {})
    job = Job.of(graph, photo, sink, size, Settings(**settings), tensors, cache)
    if cache is not None:
        job.keep_before([graph.path(text) for text in editing])
    if put is not None:
        job.measured().render(job.plan.outputs[0], put)
        return None
    (pixels,) = job.outputs()
    return pixels if isinstance(photo, Tensor) else as_photo(job, pixels)


def _split_values(graph: Graph, values: Mapping[str, Any]) -> tuple[Graph, dict[Path, Tensor]]:
    """Plain values into the graph; tensors, which may carry gradients, beside it."""
    tensors, plain = {}, {}
    for text, value in values.items():
        path = graph.path(text)
        if isinstance(value, Tensor):
            if not is_slider(graph.param(path)) or value.ndim > 1:
                raise WorkflowError(f"{text}: expected a number for a slider, or one per picture; got a tensor")
            tensors[path] = value.reshape(-1, 1, 1, 1)
        else:
            plain[path] = value
    return graph.with_paths(plain), tensors


class Job:
    """One rendering: graph, given values and slider tensors brought together. scale: px of the proxies per full px."""

    def __init__(
        self,
        graph: Graph,
        links: Sequence[Ref],
        given: Mapping[Ref, Any],
        tensors: Mapping[Path, Tensor],
        scale: float = 1.0,
        settings: Settings | None = None,
        cache: Cache | None = None,
    ) -> None:
        self.graph, self.links, self.tensors, self.scale = graph, links, dict(tensors), scale
        self.settings, self.cache = settings or Settings(), cache
        self.full = full_sizes(given)
        self.plan = make_plan(graph, links, self.full, scale)
        read = {*self.plan.outputs, *(ref for step in self.plan.steps for ref in step.inputs.values())}
        self.given = {ref: _reduced(value, scale) if ref in read else value for ref, value in given.items()}
        if cache is not None:
            self._take({ref: value for ref, key in self._keys().items() if (value := cache.get(key)) is not None})

    @classmethod
    def of(
        cls,
        graph: Graph,
        photo: Photos,
        sink: str | None = None,
        size: int | None = None,
        settings: Settings | None = None,
        tensors: Mapping[Path, Tensor] | None = None,
        cache: Cache | None = None,
    ) -> Job:
        """The rendering of what a sink shows, with a long edge of at most `size` px; arguments as of `render`."""
        link = output_of(graph, sink)
        given = gather_sources(graph, photo, [link])
        scale = 1.0
        if size is not None:
            full = make_plan(graph, [link], full_sizes(given))
            scale = min(1.0, size / full.size(full.outputs[0]).long_edge)
        return cls(graph, [link], given, tensors or {}, scale, settings, cache)

    def part(self, graph: Graph, links: Sequence[Ref], given: Mapping[Ref, Any]) -> Job:
        """Another graph of the same steps, on the same scale, without cache."""
        other = copy.copy(self)
        other.graph, other.links, other.given, other.cache = graph, links, dict(given), None
        other.full = {ref: size for ref, size in self.full.items() if ref in given}
        other.plan = make_plan(graph, links, other.full, self.scale)
        return other

    def _take(self, values: Mapping[Ref, Any]) -> None:
        """Plan anew with more values at hand."""
        for ref, value in values.items():
            self.full[ref] = self.plan.full(ref) if self.plan.is_picture(ref) else None
            self.given[ref] = value
        self.plan = make_plan(self.graph, self.links, self.full, self.scale)

    def _keys(self) -> dict[Ref, str]:
        """The content keys of all steps that depend on no tensor with a gradient, or with several values."""
        numbers = [slider.flatten()[0].item() for slider in self.inputs().sliders]
        varying = {path for path, tensor in self.tensors.items() if tensor.requires_grad or tensor.numel() > 1}
        sliders = {
            step.id: [numbers[index] for index in step.sliders.values()]
            for step in self.plan.steps
            if not any(self.plan.sliders[index] in varying for index in step.sliders.values())
        }
        given = {ref: value for ref, value in self.given.items() if not _requires_grad(value)}
        keys = content_keys(self.plan, given, sliders)
        return {ref: keys[ref] for step in self.plan.steps for ref in step.outputs if ref in keys}

    def keep_before(self, paths: Collection[Path]) -> None:
        """Render and keep the pictures that feed the steps of these paths: the part of the graph that stays as it is."""
        assert self.cache is not None
        moved = self.plan.moved_by(paths)
        keys = self._keys()
        feeding = {ref for step in self.plan.steps if not moved.isdisjoint(step.outputs) for _, ref in step.pictures}
        for ref in feeding - moved - self.given.keys():
            if ref in keys and self.cache.fits(12 * self.plan.size(ref).pixels):
                kept = Photo(self.part(self.graph, [ref], self.given).outputs()[0].detach())
                self.cache.put(keys[ref], kept)
                self._take({ref: kept})

    def inputs(self) -> Inputs:
        """The slider values of the plan and the given values that it uses."""
        chosen = zip(self.plan.sliders, self.plan.slider_values)
        sliders = tuple(
            self.tensors[path] if path in self.tensors else torch.tensor(value, dtype=torch.float64).view(1, 1, 1, 1)
            for path, value in chosen
        )
        return Inputs(sliders, self.given)

    def measured(self) -> Execution:
        """An execution whose statistics and losses are known."""
        execution = self.settings.execution(self.plan, self.inputs())
        measured = execution.measure()
        if self.cache is not None:
            for ref, key in self._keys().items():
                if ref in measured:
                    self.cache.put(key, rebuilt(measured[ref], torch.Tensor.detach))
        return execution

    def outputs(self) -> tuple[Tensor, ...]:
        """The outputs of the plan, differentiable with respect to every tensor handed in that requires gradients."""
        inputs = self.inputs()
        pictures = [ref for ref, value in inputs.given.items() if isinstance(value, Photo) and _requires_grad(value)]
        rasters = [inputs.given[ref].raster for ref in pictures]
        return _Rendering.apply(self, pictures, *rasters, *inputs.tensors())


class _Rendering(torch.autograd.Function):
    """The executor as one function of all the tensors it was handed."""

    @staticmethod
    def forward(ctx: Any, job: Job, pictures: list[Ref], *tensors: Tensor) -> tuple[Tensor, ...]:
        execution = job.measured()
        ctx.execution, ctx.pictures, ctx.outputs = execution, pictures, job.plan.outputs
        ctx.save_for_backward(*tensors)
        results = []
        for ref in job.plan.outputs:
            if job.plan.is_picture(ref):
                results.append(_whole(execution, ref))
            else:
                results.append(leaves(execution.measured[ref])[0])
        return tuple(results)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        tensors = ctx.saved_tensors
        count = len(ctx.pictures)
        wanted = [ref for ref, needed in zip(ctx.pictures, ctx.needs_input_grad[2:]) if needed]
        wanted_tensors = [index for index, needed in enumerate(ctx.needs_input_grad[2 + count :]) if needed]
        given = {ref: gradient for ref, gradient in zip(ctx.outputs, gradients) if gradient is not None}
        found = backward(ctx.execution, given, wanted_tensors, wanted)
        results: list[Tensor | None] = [found.pictures.get(ref) for ref in ctx.pictures]
        for index, tensor in enumerate(tensors[count:]):
            gradient = found.tensors.get(index)
            results.append(None if gradient is None else gradient.sum_to_size(tensor.shape).to(tensor))
        return (None, None, *results)


def _whole(execution: Execution, ref: Ref) -> Tensor:
    size = execution.plan.size(ref)
    whole: list[Tensor] = []

    def put(region: Region, pixels: Tensor) -> None:
        if not whole:
            whole.append(pixels.new_empty(*pixels.shape[:2], *size))
        region.cut(whole[0]).copy_(pixels)

    execution.render(ref, put)
    return whole[0]


def as_photo(job: Job, pixels: Tensor) -> Photo:
    """A rendered output as a photo, with what travels beside its pixels."""
    beside = companions(job)
    return Photo(pixels, beside.alpha, beside.light, beside.metadata)


def companions(job: Job) -> Photo:
    """The source that an output came from, with its metadata, its alpha after all geometry, and the light that comes out."""
    ref, chain = _way(job)
    photo = origin(job)
    if photo is None:
        return Photo(torch.empty(0))
    light = "display" if any(step.spec.display_transform for step in chain) else photo.light
    return dataclasses.replace(photo, alpha=_moved_alpha(job, ref, chain), light=light)


def origin(job: Job) -> Photo | None:
    """The photo that an output came from, by the first picture of each step."""
    found = job.given.get(_way(job)[0])
    return found if isinstance(found, Photo) else None


def _way(job: Job) -> tuple[Ref, list[Step]]:
    """Where an output came from, and the steps of the graph between; a composite is one of them."""
    (ref,) = job.plan.outputs
    plan, chain = job.plan, list[Step]()
    while ref not in plan.given:
        outer = ref.step.partition(HIDDEN)[0]
        if outer in plan.composites:
            ref = plan.composites[outer]
        elif plan.by_step[outer].pictures:
            ref = plan.by_step[outer].pictures[0][1]
        else:
            break
        chain.insert(0, job.graph.steps[outer])
    return ref, chain


def _moved_alpha(job: Job, source: Ref, chain: list[Step]) -> Tensor | None:
    """The alpha of a source after the geometry of the steps that its picture went through."""
    alpha = job.given[source].alpha
    if alpha is None:
        return None
    steps, last = {source.step: job.graph.steps[source.step]}, source
    for move in chain:
        if isinstance(move.spec.reach, Geometry):
            picture = next(entry.name for entry in move.spec.inputs if entry.picture)
            steps[move.id] = dataclasses.replace(move, links={picture: last})
            last = Ref(move.id)
    (moved,) = job.part(Graph(steps), [last], {source: Photo(alpha)}).outputs()
    return moved.detach().clamp(0.0, 1.0)


def _reduced(value: Any, scale: float) -> Any:
    return value.reduced(value.size.scaled(scale)) if isinstance(value, Photo) and scale != 1.0 else value


def _requires_grad(value: Any) -> bool:
    if isinstance(value, Photo):
        return isinstance(value.raster, Tensor) and value.raster.requires_grad
    return any(tensor.requires_grad for tensor in leaves(value))


def _precision(inputs: Inputs) -> torch.dtype:
    """float64 where a picture is float64, else float32."""
    rasters = (value.raster for value in inputs.given.values() if isinstance(value, Photo))
    double = any(isinstance(raster, Tensor) and raster.dtype == torch.float64 for raster in rasters)
    return torch.float64 if double else torch.float32

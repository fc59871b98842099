"""For any operation: what to try it on, drawn from its declaration and from the example that it gives."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import luxgrad
from luxgrad.engine.render import Job, Settings
from luxgrad.graph.model import Graph, Ref
from luxgrad.graph.outputs import gather_sources
from luxgrad.graph.schema import from_data
from luxgrad.light.photo import Photo
from luxgrad.light.planes import Planes, stack
from luxgrad.ops.composite import by_hand
from luxgrad.ops.params import Slider
from luxgrad.ops.spec import OpSpec, measurer
from luxgrad.ops.types import Distances, Lut, leaves, rebuilt

SOURCES = {"LUXGRAD_LUT": "luxgrad.load_lut", "LUXGRAD_NETWORK": "luxgrad.load_network"}
"""Sockets of small inputs, and the node that a graph takes them from."""

MAKERS = {"LUXGRAD_LOSS": "luxgrad.loss.pull_to_default", "LUXGRAD_BLEND_CURVE": "luxgrad.blend.blend_curve"}
"""Sockets of values without pixels, and the node that makes one out of nothing."""


@dataclasses.dataclass(frozen=True)
class Case:
    """An operation with something at each of its inputs. values: of parameters that are no sliders."""

    spec: OpSpec
    pictures: Mapping[str, Any]
    sliders: Mapping[str, Tensor]
    others: Mapping[str, Any]
    values: Mapping[str, Any]

    def changed(self, **parts: Any) -> Case:
        return dataclasses.replace(self, **parts)

    def result(self) -> Any:
        """What the operation makes, called by hand on whole pictures."""
        known = {**self.values, **self.sliders, **self.pictures, **self.others}
        for name, kind in self.spec.injected.items():
            if kind == "distances":
                known[name] = Distances(torch.linspace(-1, 1, 5, dtype=torch.float64))
        return by_hand(self.spec, known)

    def results(self) -> list[Tensor]:
        """The same as tensors, pictures stacked."""
        return tensors(self.result())

    def numbers(self) -> Tensor:
        """All numbers of the result in one row."""
        return torch.cat([tensor.reshape(-1) for tensor in self.results()])

    def graph(self) -> Graph:
        unwired = [entry.name for entry in self.spec.inputs if entry.picture and entry.name not in self.pictures]
        return as_graph(self.spec, dict(self.values), unwired)

    def job(self, tile: int = 1 << 30, scale: float = 1.0, device: str = "cpu") -> Job:
        """The same as a rendering of a graph; unwired statistics are measured by the engine."""
        graph, refs = self.graph(), outputs(self.spec)
        given = gather_sources(graph, as_photos(self.spec, self.pictures, self.others), refs)
        tensors = {graph.path(f"op.{name}"): value for name, value in self.sliders.items()}
        return Job(graph, refs, given, tensors, scale, Settings(device=device, tile_pixels=tile))


def draw(
    spec: OpSpec,
    seed: int,
    height: int = 6,
    width: int = 7,
    batch: int = 1,
    dtype: torch.dtype = torch.float64,
    pictures: Mapping[str, Tensor] | None = None,
) -> Case:
    """An operation at work on random light of all kinds, or on the pictures given, sliders well inside their soft ranges."""
    if pictures is None:
        pictures = draw_pictures(spec, seed, height=height, width=width, batch=batch, dtype=dtype)
    sliders = {name: value.to(dtype) for name, value in draw_sliders(spec, seed, batch).items()}
    first = next(iter(pictures.values()), torch.zeros(()))
    return Case(spec, pictures, sliders, other_inputs(spec, dtype, first), spec.example.values)


def draw_sliders(spec: OpSpec, seed: int, batch: int = 1) -> dict[str, Tensor]:
    """Random slider values well inside the soft ranges, (batch,1,1,1) in float64."""
    generator = torch.Generator().manual_seed(seed)
    values = {}
    for param in spec.sliders:
        kind = param.kind
        assert isinstance(kind, Slider)
        low, high = (torch.tensor(v, dtype=torch.float64) for v in kind.comfortable)
        share = 0.15 + 0.7 * torch.rand(batch, 1, 1, 1, generator=generator, dtype=torch.float64)
        values[param.name] = (high / low) ** share * low if kind.log else low + share * (high - low)
    return values


def draw_picture(seed: int, height: int = 6, width: int = 7, batch: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    """Random light of all kinds: mostly between black and white, some above, (batch, 3, height, width)."""
    generator = torch.Generator().manual_seed(seed)
    light = torch.rand(batch, 3, height, width, generator=generator, dtype=torch.float64) ** 2
    return (light * 1.3 + 0.002).to(dtype)


def draw_pictures(spec: OpSpec, seed: int, height: int = 6, width: int = 7, **options: Any) -> dict[str, Tensor]:
    """A random picture or mask for every picture socket, of the kind and size that the operation's example asks for."""
    least = spec.example.size
    height, width = max(height, least.height), max(width, least.width)
    drawn = [draw_picture(seed + index, height, width, **options) for index in range(len(spec.inputs))]
    return shown_to(spec, drawn if spec.example.light is None else [spec.example.light(light) for light in drawn])


def shown_to(spec: OpSpec, light: Sequence[Tensor]) -> dict[str, Tensor]:
    """Some light for every picture socket; of a mask's, one channel in 0..1."""
    pairs = ((entry, picture) for entry, picture in zip(spec.inputs, light) if entry.picture)
    return {entry.name: light if entry.socket == "IMAGE" else light[:, :1].clamp(0, 1) for entry, light in pairs}


def other_inputs(spec: OpSpec, dtype: torch.dtype, image: Tensor) -> dict[str, Any]:
    """Statistics of a picture, tables, losses and what the operation's example gives, for sockets that take no picture."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        given = spec.example.sockets()
    made = {name: rebuilt(value, lambda tensor: tensor.detach().to(dtype)) for name, value in given.items()}
    for entry in spec.inputs:
        if entry.name in made or entry.picture:
            continue
        if entry.measured:
            made[entry.name] = draw_statistic(entry.socket, image)
        elif entry.socket == "LUXGRAD_LUT":
            made[entry.name] = rebuilt(_some_lut(), lambda tensor: tensor.to(dtype))
        elif entry.socket == "LUXGRAD_LOSS":
            made[entry.name] = torch.full((1, 1, 1, 1), 0.7, dtype=dtype)
        else:
            hint = f'example=Example(sockets=lambda: {{"{entry.name}": ...}})'
            raise AssertionError(f"{spec.id}: say what its laws shall wire to {entry.name} ({entry.socket}): {hint}")
    return made


def draw_statistic(socket: str, image: Tensor) -> Any:
    spec = measurer(socket)
    return Case(spec, {"image": image.detach()}, {}, {}, {}).result()


def _some_lut() -> Lut:
    generator = torch.Generator().manual_seed(5)
    unit = torch.tensor([[-0.05] * 3, [1.4] * 3])
    cube = torch.stack(torch.meshgrid(*[torch.linspace(0, 1, 5)] * 3, indexing="ij"), dim=-1)
    cube = cube + 0.1 * torch.rand(5, 5, 5, 3, generator=generator)
    curve = torch.linspace(0, 1, 9)[:, None] ** torch.tensor([0.9, 1.0, 1.1])
    return Lut(curve, unit, cube, unit)


@functools.cache
def real_photo() -> Tensor:
    """A (1, 3, 60, 90) crop of a real photo in float64."""
    photo = luxgrad.load(Path(__file__).resolve().parents[2] / "workflows" / "photos" / "spices.jpg")
    return photo.pixels[:, :, 300:360, 500:590].double()


def tensors(value: Any) -> list[Tensor]:
    """The tensors of a result; pictures as one tensor each."""
    if isinstance(value, Planes):
        return [stack(value)]
    if isinstance(value, tuple):
        return [tensor for entry in value for tensor in tensors(entry)]
    return leaves(value)


def measured(job: Job) -> list[Tensor]:
    """The tensors of all values without pixels that a rendering comes to."""
    found = job.measured().measured
    return [tensor for ref in job.plan.outputs for tensor in tensors(found[ref])]


def outputs(spec: OpSpec) -> list[Ref]:
    """The pictures that the step of `as_graph` makes, or what it makes instead."""
    pictures = [slot for slot, output in enumerate(spec.outputs) if output.picture]
    return [Ref("op", slot) for slot in pictures or range(len(spec.outputs))]


def as_graph(spec: OpSpec, values: dict[str, Any] | None = None, unwired: Collection[str] = ()) -> Graph:
    """A graph with one step of an operation, called `op`, behind sources called by its sockets, and a sink."""
    data: dict[str, Any] = {}
    links: dict[str, Any] = {}
    for entry in spec.inputs:
        if entry.name in unwired:
            continue
        if entry.picture:
            data[entry.name] = {"class_type": "luxgrad.load_photo", "inputs": {}}
            links[entry.name] = [entry.name, 0 if entry.socket == "IMAGE" else 1]
        elif entry.socket in SOURCES:
            data[entry.name] = {"class_type": SOURCES[entry.socket], "inputs": {}}
            links[entry.name] = [entry.name, 0]
        elif entry.socket in MAKERS:
            data[entry.name] = {"class_type": MAKERS[entry.socket], "inputs": {}}
            links[entry.name] = [entry.name, 0]
    data["op"] = {"class_type": spec.node_id, "inputs": {**links, **(values or {})}}
    return from_data(data)


def as_photos(spec: OpSpec, pictures: Mapping[str, Tensor], others: Mapping[str, Any]) -> dict[str, Any]:
    """Pictures and small inputs for the sources of `as_graph`; a mask travels as a photo's alpha."""
    sources = {entry.name for entry in spec.inputs if entry.socket in SOURCES}
    given: dict[str, Any] = {name: value for name, value in others.items() if name in sources}
    for name, picture in pictures.items():
        if picture.shape[1] == 1:
            given[name] = Photo(picture.expand(-1, 3, -1, -1), alpha=picture)
        else:
            given[name] = Photo(picture)
    return given

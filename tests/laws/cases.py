"""For every operation: inputs to try it on, drawn from its declaration."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from luxgrad.graph.model import Graph
from luxgrad.graph.schema import from_data
from luxgrad.light.photo import Photo
from luxgrad.light.planes import stack
from luxgrad.light.rectangle import Region, Size
from luxgrad.networks.mlp import PointwiseMLP
from luxgrad.ops.frame import Frame
from luxgrad.ops.params import Slider
from luxgrad.ops.reach import Geometry, Interval, ask, margin_of
from luxgrad.ops.spec import REGISTRY, OpSpec, measurer
from luxgrad.ops.types import Distances, Lut, Metadata, Network, leaves, rebuilt

ALL = sorted(REGISTRY)
PICTURES = [op for op in ALL if REGISTRY[op].makes_picture]
WITH_PICTURES = [op for op in ALL if any(entry.picture for entry in REGISTRY[op].inputs)]
WITH_SLIDERS = [op for op in ALL if REGISTRY[op].sliders]
NEUTRAL = [op for op in ALL if REGISTRY[op].neutral is not None]


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


def other_inputs(spec: OpSpec, dtype: torch.dtype, image: Tensor | None = None) -> dict[str, Any]:
    """Statistics, tables, networks and losses for the sockets of an operation."""
    generator = torch.Generator().manual_seed(5)
    made: dict[str, Any] = {}
    for entry in spec.inputs:
        if entry.measured:
            picture = draw_picture(9, dtype=dtype) if image is None else image
            made[entry.name] = call(measurer(entry.socket), {"image": picture.detach()}, {})
        elif entry.socket == "LUXGRAD_LUT":
            unit = torch.tensor([[-0.05] * 3, [1.4] * 3])
            cube = torch.stack(torch.meshgrid(*[torch.linspace(0, 1, 5)] * 3, indexing="ij"), dim=-1)
            cube = cube + 0.1 * torch.rand(5, 5, 5, 3, generator=generator)
            curve = torch.linspace(0, 1, 9)[:, None] ** torch.tensor([0.9, 1.0, 1.1])
            made[entry.name] = rebuilt(Lut(curve, unit, cube, unit), lambda tensor: tensor.to(dtype))
        elif entry.socket == "LUXGRAD_NETWORK":
            torch.manual_seed(0)
            made[entry.name] = rebuilt(Network(PointwiseMLP(6, 3)), lambda tensor: tensor.detach().to(dtype))
        elif entry.socket == "LUXGRAD_LOSS":
            made[entry.name] = torch.rand(1, 1, 1, 1, generator=generator, dtype=dtype)
    return made


def draw_pictures(spec: OpSpec, seed: int, **options: Any) -> dict[str, Tensor]:
    """A random picture or mask for every picture socket."""
    pictures = {}
    for index, entry in enumerate(spec.inputs):
        if entry.picture:
            picture = draw_picture(seed + index, **options)
            pictures[entry.name] = picture if entry.socket == "IMAGE" else picture[:, :1].clamp(0, 1)
    return pictures


def call(spec: OpSpec, pictures: dict[str, Any], sliders: dict[str, Any], others: dict[str, Any] | None = None) -> Any:
    """Call an operation by hand on whole pictures; parameters not given have their defaults."""
    values = {param.name: param.default for param in spec.params}
    known: dict[str, Any] = {**values, **sliders, **pictures, **(others or {})}
    first = next(iter(pictures.values()), None)
    for name, kind in spec.injected.items():
        if kind == "frame":
            known[name] = whole_frame(spec, first, known)
        elif kind == "metadata":
            known[name] = Metadata()
        elif kind == "distances":
            known[name] = sliders.get(name, Distances(torch.linspace(-1, 1, 5, dtype=torch.float64)))
    return ask(spec.function, known)


def whole_frame(spec: OpSpec, image: Any, known: dict[str, Any]) -> Frame:
    in_size = Size(*image.shape[-2:])
    reach_values = {param.name: _for_reach(param.kind, known[param.name]) for param in spec.params}
    if isinstance(spec.reach, Geometry):
        out = ask(spec.reach.size, {**reach_values, "in_size": in_size})
        source = Frame(in_size, Region.whole(in_size), in_size)
        return Frame(out, Region.whole(out), out, input=source)
    return Frame(in_size, Region.whole(in_size), in_size, halo=margin_of(spec.reach, reach_values, 1.0))


def _for_reach(kind: Any, value: Any) -> Any:
    if not isinstance(kind, Slider):
        return value
    most = torch.as_tensor(value).detach().max().item()
    return Interval(most, most)


def flat(value: Any) -> Tensor:
    """All numbers of a result in one row."""
    if hasattr(value, "map"):
        value = stack(value)
    return torch.cat([tensor.reshape(-1) for tensor in leaves(value)])


def as_graph(spec: OpSpec, values: dict[str, Any] | None = None) -> Graph:
    """A graph with one step of an operation, called `op`, behind sources called by its sockets, and a sink."""
    data: dict[str, Any] = {}
    links: dict[str, Any] = {}
    for entry in spec.inputs:
        if entry.picture:
            data[entry.name] = {"class_type": "luxgrad.load_photo", "inputs": {}}
            links[entry.name] = [entry.name, 0 if entry.socket == "IMAGE" else 1]
        elif entry.socket == "LUXGRAD_LUT":
            data[entry.name] = {"class_type": "luxgrad.load_lut", "inputs": {}}
            links[entry.name] = [entry.name, 0]
        elif entry.socket == "LUXGRAD_NETWORK":
            data[entry.name] = {"class_type": "luxgrad.load_network", "inputs": {}}
            links[entry.name] = [entry.name, 0]
        elif entry.socket == "LUXGRAD_LOSS":
            data[entry.name] = {"class_type": "luxgrad.loss.pull_to_default", "inputs": {}}
            links[entry.name] = [entry.name, 0]
    data["op"] = {"class_type": spec.node_id, "inputs": {**links, **(values or {})}}
    return from_data(data)


def as_photos(spec: OpSpec, pictures: dict[str, Tensor], others: dict[str, Any]) -> dict[str, Any]:
    """Pictures and small inputs for the sources of `as_graph`; a mask travels as a photo's alpha."""
    sources = {entry.name for entry in spec.inputs if entry.socket in ("LUXGRAD_LUT", "LUXGRAD_NETWORK")}
    given: dict[str, Any] = {name: value for name, value in others.items() if name in sources}
    for name, picture in pictures.items():
        if picture.shape[1] == 1:
            given[name] = Photo(picture.expand(-1, 3, -1, -1), alpha=picture)
        else:
            given[name] = Photo(picture)
    return given

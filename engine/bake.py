"""Bake a pointwise graph into a look-up table that any player can apply."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..graph.errors import WorkflowError
from ..graph.model import Graph, Step
from ..graph.outputs import output_of, upstream
from ..light.difference import Comparer
from ..light.gamut import to_display
from ..light.photo import Photo
from ..light.primaries import SRGB_TO_REC2020, mix
from ..light.rectangle import Region, Size
from ..light.transfer import srgb_decode
from ..ops.composite import opened
from ..ops.frame import Frame
from ..ops.reach import Composite, Geometry, Halo, Reducer
from ..ops.spec import REGISTRY, OpSpec
from ..ops.types import Lut
from .render import render

_PROBES = 1 << 16


@dataclass(frozen=True)
class Baked:
    """A table from sRGB codes to sRGB codes, and how far it is from the graph on random colours."""

    lut: Lut
    psnr: float
    delta_e: float
    delta_e_max: float


def bake(graph: Graph, points: int = 33, sink: str | None = None) -> Baked:
    """The look of a graph as a cube of `points` per edge. Raises WorkflowError naming the step that cannot be baked.

    A step at its neutral values may be of any kind, for it does nothing.
    """
    link = output_of(graph, sink)
    steps = [graph.steps[step_id] for step_id in upstream(graph, [link])]
    for step in sorted(steps, key=lambda step: step.id):
        reason = _obstacle(step)
        if reason:
            raise WorkflowError(f"{step} cannot be baked: {reason}")
    cameras = [step for step in graph.by_role("source") if step in steps and step.spec.makes_picture]
    if len(cameras) != 1:
        raise WorkflowError(f"expected one photo source to bake; got {len(cameras)}")
    axis = torch.linspace(0.0, 1.0, points)
    grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=0).reshape(1, 3, points * points, points)
    cube = _through(graph, grid, cameras[0], sink).reshape(3, points, points, points).permute(1, 2, 3, 0).contiguous()
    unit = torch.tensor([[0.0] * 3, [1.0] * 3])
    lut = Lut(None, unit, cube, unit)
    return Baked(lut, *_error(graph, lut, cameras[0], sink))


def _obstacle(step: Step) -> str | None:
    if step.spec.neutral and all(step.value(name) == value for name, value in step.spec.neutral.items()):
        return None
    specs = [step.spec]
    while specs:
        spec = specs.pop()
        if isinstance(spec.reach, Composite):
            size = Size(1, 1)
            parts, _ = opened(spec, step.all_values(), step.links, Frame(size, Region.whole(size), size))
            specs += [part.spec for part in parts]
        elif reason := _obstacle_of(spec):
            return reason
    return None


def _obstacle_of(spec: OpSpec) -> str | None:
    reach, injected = spec.reach, spec.injected.values()
    if isinstance(reach, Halo):
        return "it looks at neighbouring pixels"
    if isinstance(reach, Geometry):
        return "it moves pixels"
    if isinstance(reach, Reducer) or any(entry.measured for entry in spec.inputs):
        return "it depends on what the whole picture measures"
    if "frame" in injected:
        return "it depends on the place in the picture"
    return None


def _through(graph: Graph, codes: Tensor, camera: Step, sink: str | None) -> Tensor:
    """sRGB codes (B3HW) through the graph, as sRGB codes."""
    light = torch.cat(mix(SRGB_TO_REC2020, *(srgb_decode(plane) for plane in codes.split(1, dim=1))), dim=1)
    return to_display(render(graph, {camera.id: Photo(light)}, sink=sink).pixels)


def _error(graph: Graph, lut: Lut, camera: Step, sink: str | None) -> tuple[float, float, float]:
    codes = torch.rand(1, 3, 1, _PROBES, generator=torch.Generator().manual_seed(0))
    light = torch.cat(mix(SRGB_TO_REC2020, *(srgb_decode(plane) for plane in codes.split(1, dim=1))), dim=1)
    comparer = Comparer()
    ours, theirs = to_display(REGISTRY["colour.lut3d"].function(light, lut)), _through(graph, codes, camera, sink)
    comparer.add(Region.whole(Size(*ours.shape[-2:])), ours, theirs)
    result = comparer.result()
    return result.psnr, result.delta_e, comparer.worst

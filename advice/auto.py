"""A first guess by rules: percentiles for exposure and contrast, grey world for white balance, mean chroma for colour."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch

from ..graph.model import Graph, Step
from ..graph.outputs import output_of, upstream
from ..graph.patch import Patch, apply
from ..light.adaptation import illuminant_xyz
from ..light.photo import Photo
from ..light.planes import planes
from ..light.primaries import D65, REC2020_TO_XYZ, luminance, mix, white_xyz
from ..light.spaces import to_oklab
from ..light.transfer import MIDDLE_GREY
from ..ops.spec import REGISTRY, OpSpec

_PIXELS = 1 << 16
_USUAL_EV = 6.5
_USUAL_CHROMA = 0.065
_DAYLIGHT = 6500.0


class Measurement(NamedTuple):
    """What a picture says of itself: tones in EV about middle grey, mean OKLab chroma, its grey-world illuminant."""

    low: float
    middle: float
    high: float
    chroma: float
    kelvin: float
    tint: float


def measure(photo: Photo) -> Measurement:
    """The numbers that the rules look at, from a small copy of the photo."""
    small = photo.reduced(photo.size.scaled(min(1.0, (_PIXELS / photo.size.pixels) ** 0.5))).pixels
    stats = REGISTRY["measure.percentiles"].function(small)
    low, middle, high = (math.log2(value.mean().item() / MIDDLE_GREY) for value in stats)
    _, a, b = to_oklab(*planes(small))
    chroma = torch.sqrt(a * a + b * b)
    light = luminance(*planes(small))
    usual = (light > stats.low * 2.0) & (light < stats.high * 0.7) & (chroma < 2.0 * chroma.median() + 0.01)
    kelvin, tint = _grey_world(small, usual) if usual.float().mean() > 0.02 else (_DAYLIGHT, 0.0)
    return Measurement(low, middle, high, chroma.mean().item(), kelvin, tint)


def _grey_world(pixels: torch.Tensor, usual: torch.Tensor) -> tuple[float, float]:
    """The illuminant under which the mean of the usual pixels would be grey, as temperature and tint."""
    means = [plane[usual].mean() for plane in planes(pixels)]
    u, v = _uv(*(value.item() for value in mix(REC2020_TO_XYZ, *means)))
    white_u, white_v = _uv(*white_xyz(D65))
    day_u, day_v = _uv(*illuminant_xyz(_DAYLIGHT, 0.0))
    u, v = u - white_u + day_u, v - white_v + day_v
    temperatures = [2000.0 * 7.5 ** (step / 400) for step in range(401)]
    places = [_uv(*illuminant_xyz(kelvin, 0.0)) for kelvin in temperatures]
    kelvin, (near_u, near_v) = min(zip(temperatures, places), key=lambda e: (e[1][0] - u) ** 2 + (e[1][1] - v) ** 2)
    above_u, above_v = _uv(*illuminant_xyz(kelvin, 100.0))
    along = ((u - near_u) * (above_u - near_u) + (v - near_v) * (above_v - near_v)) * 900.0
    return kelvin, 100.0 * along


def _uv(x: float, y: float, z: float) -> tuple[float, float]:
    """CIE 1960 chromaticity of XYZ."""
    total = x + 15.0 * y + 3.0 * z
    return 4.0 * x / total, 6.0 * y / total


def suggest(seen: Measurement) -> dict[str, dict[str, float]]:
    """Slider values by operation. Every correction goes part of the way, and not far: a guess, not a verdict."""
    room = -math.log2(MIDDLE_GREY) - seen.high
    stops = _within(0.6 * (-0.3 - seen.middle), -1.5, 1.5)
    stops = min(stops, max(room + 0.15, 0.0)) if stops > 0 else stops
    spread = max(seen.high - seen.low, 0.5)
    colour = seen.chroma > 0.008
    return {
        "tone.exposure": {"stops": stops},
        "colour.white_balance": {
            "kelvin": _DAYLIGHT * (seen.kelvin / _DAYLIGHT) ** 0.5 if colour else _DAYLIGHT,
            "tint": _within(0.5 * seen.tint, -40.0, 40.0) if colour else 0.0,
        },
        "tone.contrast": {"amount": _within(0.35 * math.log2(_USUAL_EV / spread), -0.25, 0.4)},
        "colour.saturation": {
            "amount": 0.0,
            "vibrance": _within(0.5 * math.log2(_USUAL_CHROMA / max(seen.chroma, 1e-4)), -0.3, 0.5) if colour else 0.0,
        },
    }


def auto(graph: Graph, photo: Photo, sink: str | None = None) -> Patch:
    """A checked patch that gives the graph a first guess for a photo.

    Steps that the graph has already are set; the others are put between the photo and its first users.
    """
    needed = upstream(graph, [output_of(graph, sink)])
    camera = next(step for step in graph if step.id in needed and _is_camera(step))
    patch: list[dict[str, Any]] = []
    missing: list[tuple[OpSpec, dict[str, float]]] = []
    for op_id, raw in suggest(measure(photo)).items():
        values = {name: _rounded(REGISTRY[op_id], name, value) for name, value in raw.items()}
        step = next((s for s in graph if s.id in needed and s.spec.id == op_id), None)
        if step is None:
            missing.append((REGISTRY[op_id], values))
        else:
            patch += ({"edit": "set", "path": f"{step.id}.{name}", "value": v} for name, v in values.items())
    patch += _inserted(graph, camera, missing)
    apply(graph, patch)
    return patch


def _is_camera(step: Step) -> bool:
    return step.spec.makes_picture and getattr(step.spec.reach, "role", None) == "source"


def _inserted(graph: Graph, camera: Step, missing: list[tuple[OpSpec, dict[str, float]]]) -> list[dict[str, Any]]:
    edits: list[dict[str, Any]] = []
    before = camera.id
    for spec, values in missing:
        step_id = f"auto_{spec.name}"
        while step_id in graph.steps:
            step_id += "_"
        edits.append({"edit": "add", "step": step_id, "node": spec.node_id, "values": values,
                      "links": {"image": [before, 0]}, "title": f"Auto {spec.label.lower()}"})  # fmt: skip
        before = step_id
    if missing:
        edits += (
            {"edit": "link", "step": step.id, "input": name, "from": [before, 0]}
            for step in graph
            for name, link in step.links.items()
            if link == (camera.id, 0)
        )
    return edits


def _rounded(spec: OpSpec, name: str, value: float) -> float:
    """A value to the precision that its slider shows."""
    param = spec.param(name)
    assert param is not None
    step = 50.0 if name == "kelvin" else 0.01
    return min(max(round(value / step) * step, param.kind.low), param.kind.high)  # type: ignore[union-attr]


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)

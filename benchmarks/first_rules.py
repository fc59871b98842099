"""The rules that auto had before it weighed what it measures: grey world, percentiles, mean chroma. A peer, nothing more."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..light.adaptation import illuminant_xyz
from ..light.planes import planes
from ..light.primaries import D65, REC2020_TO_XYZ, luminance, mix, white_xyz
from ..light.spaces import to_oklab
from ..light.transfer import MIDDLE_GREY
from ..ops.spec import REGISTRY


def first_rules(light: Tensor) -> Tensor:
    """A picture as the first auto would have made it."""
    low, middle, high = (math.log2(v.mean().item() / MIDDLE_GREY) for v in REGISTRY["measure.percentiles"].function(light))
    _, a, b = to_oklab(*planes(light))
    chroma = torch.sqrt(a * a + b * b)
    mean = chroma.mean().item()
    stops = _within(0.6 * (-0.3 - middle), -1.5, 1.5)
    stops = min(stops, max(-math.log2(MIDDLE_GREY) - high + 0.15, 0.0)) if stops > 0 else stops
    lit = luminance(*planes(light))
    usual = (
        (lit > 2.0**low * MIDDLE_GREY * 2.0) & (lit < 2.0**high * MIDDLE_GREY * 0.7) & (chroma < 2.0 * chroma.median() + 0.01)
    )
    kelvin, tint = _grey_world(light, usual) if usual.float().mean() > 0.02 else (6500.0, 0.0)
    kelvin, tint = (6500.0 * (kelvin / 6500.0) ** 0.5, _within(0.5 * tint, -40.0, 40.0)) if mean > 0.008 else (6500.0, 0.0)
    vibrance = _within(0.5 * math.log2(0.065 / max(mean, 1e-4)), -0.3, 0.5) if mean > 0.008 else 0.0
    amount = _within(0.35 * math.log2(6.5 / max(high - low, 0.5)), -0.25, 0.4)
    light = REGISTRY["tone.exposure"].function(light, stops)
    light = REGISTRY["colour.white_balance"].function(light, kelvin, tint)
    light = REGISTRY["tone.contrast"].function(light, amount)
    return REGISTRY["colour.saturation"].function(light, 0.0, vibrance)


def _grey_world(light: Tensor, usual: Tensor) -> tuple[float, float]:
    u, v = _uv(*(value.item() for value in mix(REC2020_TO_XYZ, *(plane[usual].mean() for plane in planes(light)))))
    (white_u, white_v), (day_u, day_v) = _uv(*white_xyz(D65)), _uv(*illuminant_xyz(6500.0, 0.0))
    u, v = u - white_u + day_u, v - white_v + day_v
    places = {2000.0 * 7.5 ** (s / 400): _uv(*illuminant_xyz(2000.0 * 7.5 ** (s / 400), 0.0)) for s in range(401)}
    kelvin, (near_u, near_v) = min(places.items(), key=lambda e: (e[1][0] - u) ** 2 + (e[1][1] - v) ** 2)
    above_u, above_v = _uv(*illuminant_xyz(kelvin, 100.0))
    return kelvin, 100.0 * ((u - near_u) * (above_u - near_u) + (v - near_v) * (above_v - near_v)) * 900.0


def _uv(x: float, y: float, z: float) -> tuple[float, float]:
    total = x + 15.0 * y + 3.0 * z
    return 4.0 * x / total, 6.0 * y / total


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)

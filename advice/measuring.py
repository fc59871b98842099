"""What a picture says of itself, in numbers that rules, words and networks can share."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from ..light.adaptation import CONES_TO_REC2020, REC2020_TO_CONES
from ..light.planes import planes
from ..light.primaries import D65, REC2020_TO_SRGB, REC2020_TO_XYZ, luminance, mix, white_xyz
from ..light.spaces import to_oklab
from ..light.transfer import MIDDLE_GREY
from ..light.white import TINT_PER_UV, along_locus, locus
from ..ops.spec import REGISTRY

DAYLIGHT = 6500.0
GREY: tuple[float, ...] = mix(REC2020_TO_CONES, 1.0, 1.0, 1.0)  # type: ignore[arg-type,assignment]
"""The cone responses of grey."""

_PIXELS = 1 << 14
_DARKEST = 2.0**-10
_CLIPPED, _COLOURED = 0.97, 0.85
_LEAST_SHARE = 0.02
_CELLS = (16, 32)
_REACH = (0.16, 0.8)


class Cast(NamedTuple):
    """The colour of the light as the picture has it. The doubts say how far four ways to find it lie apart.

    cool: by how many mired it is cooler than 6500 K; above 0 the picture is bluish, below yellowish. tint: above 0 greenish.
    """

    cool: float
    tint: float
    cool_doubt: float
    tint_doubt: float

    @property
    def kelvin(self) -> float:
        return kelvin_of(self.cool)


class Measurement(NamedTuple):
    """Tones in EV about middle grey (white lies at 2.47), shares of the picture from 0 to 1, mean OKLab chroma.

    bright: where the brightest half percent begins, by its strongest channel. low: where the darkest half percent ends.
    middle: half of the picture is darker. spread: standard deviation of the tones. clipped: share of pixels at the limit of a
    channel that are coloured, also when the cast is taken away. white: share of pixels that are white.
    """

    bright: float
    low: float
    middle: float
    spread: float
    clipped: float
    white: float
    chroma: float
    cast: Cast


def measure(pixels: Tensor) -> Measurement:
    """The numbers of a picture (B3HW light, display-referred)."""
    height, width = pixels.shape[-2:]
    share = min(1.0, (_PIXELS / (height * width)) ** 0.5)
    if share < 1.0:
        pixels = interpolate(pixels, (max(1, round(height * share)), max(1, round(width * share))), mode="area")
    pixels = pixels.double()
    white_balance = REGISTRY["colour.white_balance"].function
    light = luminance(*planes(pixels)).flatten()
    tones = torch.log2(light.clamp_min(_DARKEST) / MIDDLE_GREY)
    channels = torch.cat(mix(REC2020_TO_SRGB, *planes(pixels)), dim=1)
    most, least = channels.amax(1).flatten(), channels.amin(1).flatten()
    cast = _cast(pixels)
    grey = torch.cat(mix(REC2020_TO_SRGB, *planes(white_balance(pixels, cast.kelvin, cast.tint))), dim=1)
    coloured = grey.amin(1).flatten() < _COLOURED * grey.amax(1).flatten()
    _, a, b = to_oklab(*planes(pixels))
    low, middle = tones.quantile(torch.tensor([0.005, 0.5], dtype=torch.float64)).tolist()
    return Measurement(
        bright=math.log2(max(most.quantile(0.995).item(), _DARKEST) / MIDDLE_GREY),
        low=low,
        middle=middle,
        spread=max(tones.std(correction=0).item(), 0.01),
        clipped=((most > _CLIPPED) & coloured).double().mean().item(),
        white=(least > _CLIPPED).double().mean().item(),
        chroma=torch.sqrt(a * a + b * b).mean().item(),
        cast=cast,
    )


def _cast(pixels: Tensor) -> Cast:
    """Four ways to find the colour of the light; where they agree, it is more likely the light than the things in it.

    Shades of grey with a sixth power (Finlayson, Trezzi 2004), grey edges with a third power (van de Weijer et al. 2007),
    the brightest tenth, and the fullest cell of the plane of cone ratios.
    """
    cones = [plane.clamp_min(1e-5) for plane in mix(REC2020_TO_CONES, *planes(pixels))]
    light, most = luminance(*planes(pixels)), pixels.amax(1, keepdim=True)
    usual = (light > 0.004) & (most < 0.95)
    if usual.double().mean() < _LEAST_SHARE:
        usual = light > 0.002
    if usual.double().mean() < _LEAST_SHARE:
        return Cast(0.0, 0.0, 100.0, 100.0)
    seen = torch.stack([cone[usual] for cone in cones])
    ratios = _ratios(seen)
    bright = light[usual] >= light[usual].quantile(0.9)
    ways = [
        _ratios(seen.pow(6).mean(1).pow(1.0 / 6.0)),
        _ratios(_edges(cones, usual)),
        ratios[:, bright].mean(1),
        _fullest(ratios),
    ]
    lights = [light_of(red, blue) for red, blue in torch.stack(ways).tolist()]
    found = torch.tensor([(1e6 / DAYLIGHT - 1e6 / kelvin, tint) for kelvin, tint in lights], dtype=torch.float64)
    return Cast(*found.quantile(0.5, dim=0).tolist(), *found.std(0).tolist())


def _ratios(cones: Tensor) -> Tensor:
    """Long and short against medium cones in log2, 0 on grey."""
    long, medium, short = (cone / grey for cone, grey in zip(cones, GREY))
    return torch.stack([torch.log2(long / medium), torch.log2(short / medium)])


def _edges(cones: list[Tensor], usual: Tensor) -> Tensor:
    inner = usual[..., 1:, 1:]
    strengths = []
    for cone in cones:
        soft = avg_pool2d(cone, 3, 1, 1)
        across, down = soft[..., 1:, :-1] - soft[..., 1:, 1:], soft[..., :-1, 1:] - soft[..., 1:, 1:]
        steps = torch.sqrt(across * across + down * down)[inner]
        strengths.append(steps.pow(3).mean() if steps.numel() else steps.new_zeros(()))
    return torch.stack(strengths).clamp_min(1e-18).pow(1.0 / 3.0)


def _fullest(ratios: Tensor) -> Tensor:
    """The middle of the fullest cell, among cells that are smoothed with their neighbours."""
    edges = [torch.linspace(-reach, reach, cells + 1).double() for reach, cells in zip(_REACH, _CELLS)]
    counts = torch.histogramdd(ratios.T.contiguous(), edges).hist
    smooth = avg_pool2d(counts[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
    row, column = divmod(int(smooth.argmax()), _CELLS[1])
    return torch.stack([0.5 * (edges[0][row] + edges[0][row + 1]), 0.5 * (edges[1][column] + edges[1][column + 1])])


def kelvin_of(cool: float) -> float:
    """The temperature that lies so many mired above daylight's."""
    return 1e6 / max(1e6 / DAYLIGHT - cool, 1.0)


def light_of(red: float, blue: float) -> tuple[float, float]:
    """The temperature in K and the tint of light whose cone responses lie so far from grey."""
    cones = [cone * 2.0**stops for cone, stops in zip(GREY, (red, 0.0, blue))]
    u, v = _uv(*mix(REC2020_TO_XYZ, *mix(CONES_TO_REC2020, *cones)))  # type: ignore[arg-type]
    white_u, white_v = _uv(*white_xyz(D65))
    day_u, day_v = locus(DAYLIGHT)
    u, v = u - white_u + day_u, v - white_v + day_v
    temperatures = [2000.0 * 7.5 ** (step / 400) for step in range(401)]
    kelvin = min(temperatures, key=lambda k: (locus(k)[0] - u) ** 2 + (locus(k)[1] - v) ** 2)
    (near_u, near_v), (du, dv) = locus(kelvin), along_locus(kelvin)
    return kelvin, TINT_PER_UV * ((u - near_u) * dv - (v - near_v) * du)


def _uv(x: float, y: float, z: float) -> tuple[float, float]:
    """CIE 1960 chromaticity of XYZ."""
    total = x + 15.0 * y + 3.0 * z
    return 4.0 * x / total, 6.0 * y / total

"""What the diagnoser is told beside the small picture: measurements, shares of tones and colours, and the finest detail."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from ..light.gamut import to_display
from ..light.planes import planes
from ..light.primaries import SRGB_TO_REC2020, mix
from ..light.spaces import to_oklab
from ..light.transfer import srgb_decode
from ..networks.diagnoser import LOOKED
from .measuring import measure

_TONES = (0.0, 0.005, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 0.995, 1.0)
_COLOURS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
_FIRST_HUE, _BANDS = 25.0, 8
_MEASURED = 11
STATISTICS = _MEASURED + 4 * len(_TONES) + 3 * len(_COLOURS) + 4 * _BANDS
"""How many numbers `statistics` gives."""

_FINE = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_SCALES = 3
_BLOCK = 8
FINE = 2 * _SCALES * len(_FINE) + _SCALES
"""How many numbers `fine_statistics` gives."""


def light_of(codes: Tensor) -> Tensor:
    """sRGB codes (B3HW) as linear Rec.2020 light."""
    return torch.cat(mix(SRGB_TO_REC2020, *(srgb_decode(plane) for plane in planes(codes))), dim=1)


def small_codes(light: Tensor) -> Tensor:
    """The small picture that the diagnoser looks at, (B,3,96,96) sRGB codes, of display-referred light."""
    return to_display(interpolate(light.float(), (LOOKED, LOOKED), mode="area"))


def statistics(codes: Tensor) -> Tensor:
    """The numbers of one small picture (1,3,h,w), as (1,STATISTICS)."""
    light = light_of(codes)
    seen = measure(light)
    cast = seen.cast
    measured = torch.tensor([
        seen.bright, seen.low, seen.middle, math.log2(seen.spread), math.log2(seen.clipped + 1e-3),
        math.log2(seen.white + 1e-3), math.log2(seen.chroma + 1e-3), cast.cool / 25.0, cast.tint / 25.0,
        math.log2(cast.cool_doubt + 1.0), math.log2(cast.tint_doubt + 1.0),
    ])  # fmt: skip
    lightness, a, b = to_oklab(*planes(light))
    tones = torch.cat([codes.flatten(2)[0], lightness.flatten()[None]])
    chroma = torch.sqrt(a * a + b * b)
    colours = torch.stack([a.flatten(), b.flatten(), chroma.flatten()])
    parts = [
        tones.quantile(torch.tensor(_TONES), dim=1).flatten(),
        8.0 * colours.quantile(torch.tensor(_COLOURS), dim=1).flatten(),
        _bands(lightness, a, b, chroma),
    ]
    return torch.cat([measured, *parts])[None].float()


def _bands(lightness: Tensor, a: Tensor, b: Tensor, chroma: Tensor) -> Tensor:
    """Of eight bands of hue: share of the chroma, mean chroma, where the hue lies about its middle, mean lightness."""
    found = []
    for band in range(_BANDS):
        centre = math.radians(_FIRST_HUE + 360.0 / _BANDS * band)
        along = (a * math.cos(centre) + b * math.sin(centre)) / (chroma + 1e-4)
        across = (b * math.cos(centre) - a * math.sin(centre)) / (chroma + 1e-4)
        weight = (0.5 + 0.5 * along) ** 7
        mass = (weight * chroma).mean()
        held = mass + 1e-4
        found += [torch.log2(held) + 8.0, 8.0 * (weight * chroma * chroma).mean() / held,
                  2.0 * (weight * chroma * across).mean() / held, (weight * chroma * lightness).mean() / held]  # fmt: skip
    return torch.stack(found)


def fine_statistics(crops: Tensor) -> Tensor:
    """Fine detail of one photo by some crops of it at full size, (N,3,h,w) sRGB codes, as (1,FINE).

    How strong the finest diagonal differences are in blocks, from the flattest blocks on, at three scales, for luma and for
    red against green: noise is as strong in flat blocks as elsewhere and fades from scale to scale, detail is not; what
    softness takes, it takes from the finest scale.
    """
    luma = (crops * torch.tensor([0.25, 0.6, 0.15]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    parts, whole = [], []
    for plane in (luma, crops[:, :1] - crops[:, 1:2]):
        for _ in range(_SCALES):
            corner = plane[..., 1::2, 1::2] - plane[..., :-1:2, 1::2] - plane[..., 1::2, :-1:2] + plane[..., :-1:2, :-1:2]
            energy = avg_pool2d(0.25 * corner * corner, _BLOCK // 2)
            parts.append(0.5 * torch.log2(energy.flatten().quantile(torch.tensor(_FINE)) + 1e-8))
            whole.append(0.5 * torch.log2(energy.mean() + 1e-8))
            plane = avg_pool2d(plane, 2)
    ratios = torch.stack([whole[1] - whole[0], whole[2] - whole[1], whole[4] - whole[3]])
    return torch.cat([*parts, ratios])[None]

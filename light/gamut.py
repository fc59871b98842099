"""From unbounded light to what a display can show."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .encodings import SRGB, Space
from .primaries import REC2020_TO_SRGB, Matrix, mix, product
from .spaces import LMS_TO_REC2020, OKLAB_TO_ROOTS, to_oklab

_TOLERANCE = 1e-6
_HALVINGS = 22
_COLOUR_KEPT = 0.5
_NUDGE = 1e-3
_TINY = 1e-14


def fit_gamut(r: Tensor, g: Tensor, b: Tensor, to_output: Matrix = REC2020_TO_SRGB) -> tuple[Tensor, Tensor, Tensor]:
    """Linear Rec.2020 light to linear output RGB in 0..1.

    Pixels inside the output gamut, up to and on its boundary, are not touched. The others keep their OKLab hue and move
    straight to the boundary, towards a grey whose lightness is near their own for muted colours and nearer to the middle
    for strong ones; so bright saturated light keeps its colour, and clipped neutral highlights become white. Differentiable.
    Source: B. Ottosson, sRGB gamut clipping (2021), adaptive L0 with alpha = 0.5.
    """
    channels = [plane.contiguous() for plane in mix(to_output, r, g, b)]
    least = torch.minimum(torch.minimum(channels[0], channels[1]), channels[2])
    most = torch.maximum(torch.maximum(channels[0], channels[1]), channels[2])
    outside = (least < -_TOLERANCE) | (most > 1.0 + _TOLERANCE)
    if outside.any():
        shape = least.shape
        red, green, blue = (plane.expand(shape)[outside] for plane in (r, g, b))
        for channel, moved in zip(channels, _pull_in(red, green, blue, to_output)):
            channel[outside] = moved
    return tuple(channel.clamp(0.0, 1.0) for channel in channels)  # type: ignore[return-value]


def _pull_in(r: Tensor, g: Tensor, b: Tensor, to_output: Matrix) -> tuple[Tensor, Tensor, Tensor]:
    lightness, green_red, blue_yellow = to_oklab(r, g, b)
    grey = _aim(lightness, torch.sqrt(green_red * green_red + blue_yellow * blue_yellow + _TINY))
    to_rgb = product(to_output, LMS_TO_REC2020)

    def at(share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        roots = mix(OKLAB_TO_ROOTS, grey + share * (lightness - grey), green_red * share, blue_yellow * share)
        return mix(to_rgb, *(root * root * root for root in roots))

    with torch.no_grad():
        share = _boundary(grey, mix(OKLAB_TO_ROOTS, lightness - grey, green_red, blue_yellow), to_rgb)
    return at(_following(share, at) if torch.is_grad_enabled() else share)


def _boundary(grey: Tensor, ways: tuple[Tensor, Tensor, Tensor], to_rgb: Matrix) -> Tensor:
    """How far from grey (0) to the colour (1) the gamut's boundary is met, by halving.

    Roots of cone light go straight, grey + share * way, so that each channel is a cubic of the share.
    """
    linear, square, cube = (mix(to_rgb, *(way**power for way in ways)) for power in (1, 2, 3))
    constant = grey * grey * grey
    cubics = [(3.0 * grey * grey * a, 3.0 * grey * b, c) for a, b, c in zip(linear, square, cube)]
    low, step = torch.zeros_like(grey), 1.0
    for _ in range(_HALVINGS):
        step *= 0.5
        share = low + step
        red, green, blue = (
            torch.addcmul(constant, share, torch.addcmul(a, share, torch.addcmul(b, share, c))) for a, b, c in cubics
        )
        inside = torch.minimum(torch.minimum(red, green), blue) >= -_TOLERANCE
        inside &= torch.maximum(torch.maximum(red, green), blue) <= 1.0 + _TOLERANCE
        low = torch.where(inside, share, low)
    return low


def _following(share: Tensor, at: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """The same shares, whose gradient keeps the channel that meets the boundary on it (implicit function theorem)."""
    here = torch.stack(at(share))
    with torch.no_grad():
        slopes = (torch.stack(at(share + _NUDGE)) - torch.stack(at(share - _NUDGE))) / (2.0 * _NUDGE)
        meeting = torch.minimum(here.abs(), (here - 1.0).abs()).argmin(0, keepdim=True)
        slope = slopes.gather(0, meeting)[0]
        rate = torch.where(slope.abs() > _NUDGE, 1.0 / slope, torch.zeros_like(slope))
    channel = here.gather(0, meeting)[0]
    return share - (channel - channel.detach()) * rate


def _aim(lightness: Tensor, chroma: Tensor) -> Tensor:
    """The lightness, 0 to 1, of the grey that a colour out of gamut moves towards."""
    off = lightness - 0.5
    size = off.abs()
    reach = 0.5 + size + _COLOUR_KEPT * chroma
    share = reach - torch.sqrt((reach * reach - 2.0 * size).clamp_min(_TINY))
    return (0.5 + 0.5 * torch.copysign(share, off)).clamp(0.0, 1.0)


def to_display(pixels: Tensor, space: Space = SRGB) -> Tensor:
    """Linear Rec.2020 light (B3HW) as code values in 0..1 of a space: gamut fitted, encoded, not yet rounded.

    These are the numbers every file sink rounds, and in sRGB the numbers PSNR and Delta E are measured on.
    """
    channels = fit_gamut(pixels[:, 0:1], pixels[:, 1:2], pixels[:, 2:3], space.from_rec2020)
    return torch.cat([space.encode(channel) for channel in channels], dim=1)

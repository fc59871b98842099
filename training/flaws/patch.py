"""The ground that one flaw is put on, and what a flaw does to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...light.primaries import luminance
from ...light.rectangle import Region, Size
from .draws import Draw, ramp

VEIL = 0.004
"""Light that lies over every picture we look at: a change far below it is not seen."""

Ink = tuple[float, float, float]
NEUTRAL: Ink = (1.0, 1.0, 1.0)
MELANIN: Ink = (0.72, 1.0, 1.35)
"""Absorption of red, green and blue beside that of green: brown, after the fall of melanin's absorption with wavelength."""
BLOOD: Ink = (0.3, 1.0, 0.85)
"""Haemoglobin takes green and blue and leaves red."""
VEINS: Ink = (0.95, 1.05, 0.84)
"""Blood in depth, under scattering skin: bluish."""


@dataclass(frozen=True)
class Change:
    """What a flaw does to light: `light * 2**stops + glow`. Both are (1, 3 or 1, h, w)."""

    stops: Tensor
    glow: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Patch:
    """A rectangle of the picture about a flaw.

    along, across: (1, 1, h, w) px from the flaw's middle, along its axis and across it. light: (1, 3, h, w) as it is there;
    base: its local mean, without texture. size, width: of the flaw in px. scale: px of this picture per px of one whose
    long edge is 1024. lamp: direction towards the light, (right, down). strength: see the kind.
    """

    region: Region
    along: Tensor
    across: Tensor
    light: Tensor
    base: Tensor
    size: float
    width: float
    angle: float
    scale: float
    strength: float
    lamp: tuple[float, float]
    draw: Draw

    @property
    def radius(self) -> Tensor:
        """1 on the ellipse of the flaw's size and width, 0 in its middle."""
        return torch.hypot(self.along * (2.0 / self.size), self.across * (2.0 / self.width))

    @property
    def brightness(self) -> Tensor:
        """(1, 1, h, w) luminance of the local mean."""
        return luminance(*self.base.split(1, dim=1))

    def noise(self, cell: float) -> Tensor:
        """Soft hills and dales, about -1..1, as wide as `cell` px."""
        return self.draw.smooth(self.region.height, self.region.width, cell, self.along)

    def soft(self, px: float) -> float:
        """A width of an edge in px at 1024, never below what pixels can show."""
        return max(1.0, px * self.scale)

    def bent(self, bow: float, waver: float) -> Tensor:
        """Px from a curve along the flaw's axis: bowed by a share of its size, and wavering by a share of it."""
        u = self.along * (2.0 / self.size)
        phase, turns = self.draw.uniform(0.0, 2.0 * math.pi), self.draw.uniform(0.6, 1.4)
        line = bow * self.size * (u * u - 0.3) + waver * self.size * torch.sin(math.pi * turns * u + phase)
        steep = (4.0 * bow * u + 2.0 * waver * math.pi * turns * torch.cos(math.pi * turns * u + phase)).square()
        return (self.across - line) * torch.rsqrt(1.0 + steep)

    def shading(self, height: Tensor) -> Tensor:
        """Stops by which a relief (px high) brightens where it faces the lamp and darkens where it turns away."""
        right, down = self.lamp
        wide = F.pad(height, (1, 1, 1, 1), mode="replicate")
        slope = wide[..., 1:-1, :-2] - wide[..., 1:-1, 2:], wide[..., :-2, 1:-1] - wide[..., 2:, 1:-1]
        facing = 0.5 * (slope[0] * right + slope[1] * down)
        # What faces the lamp gains less than what turns away loses: most light comes from elsewhere too.
        facing = torch.where(facing > 0.0, 0.65 * facing, facing)
        return facing * torch.rsqrt(1.0 + (0.8 * facing).square())


def inked(amount: Tensor, ink: Ink) -> Tensor:
    """Stops that a pigment takes away, (1, 3, h, w), of an amount in stops of green."""
    return torch.cat([amount * -share for share in ink], dim=1)


def material(under: Tensor, centre: Tensor, tolerance: float) -> Tensor:
    """1 where the picture has the colour it has in the middle of a flaw, 0 where another surface begins.

    under: (1, 3, h, w) OKLab. centre: (1, 3, 1, 1). Lightness counts half, for shading moves it along one surface.
    """
    step = (under - centre) * torch.tensor([0.6, 2.0, 2.0]).to(under).view(1, 3, 1, 1)
    return 1.0 - ramp(torch.linalg.vector_norm(step, dim=1, keepdim=True), 0.5 * tolerance, tolerance)


def rectangle(y: float, x: float, size: float, width: float, angle: float, size_of: Size) -> Region:
    """The part of the picture that a turned rectangle touches (at least one pixel)."""
    cosine, sine = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    half_height, half_width = 0.5 * (size * sine + width * cosine), 0.5 * (size * cosine + width * sine)
    top, left = (max(0, math.floor(place - half)) for place, half in ((y, half_height), (x, half_width)))
    bottom, right = (math.ceil(place + half) for place, half in ((y, half_height), (x, half_width)))
    top, left = min(top, size_of.height - 1), min(left, size_of.width - 1)
    return Region(top, left, max(1, min(bottom, size_of.height) - top), max(1, min(right, size_of.width) - left))


def axes(region: Region, y: float, x: float, angle: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """(1, 1, h, w) px from a place, along an angle and across it."""
    down = (region.rows(like.device) + (0.5 - y)).to(like)
    right = (region.columns(like.device) + (0.5 - x)).to(like)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return (right * cosine + down * sine)[None, None], (down * cosine - right * sine)[None, None]

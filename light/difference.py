"""How far two pictures are apart: CIEDE2000 per pixel, and PSNR and mean Delta E of whole pictures."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .gamut import to_display
from .photo import Photo
from .planes import planes
from .primaries import SRGB_TO_REC2020, mix
from .rectangle import Region, Size, strips
from .spaces import to_lab
from .transfer import srgb_decode

Lab = tuple[Tensor, Tensor, Tensor]

_CHROMA_FLOOR = 1e-10


def delta_e_2000(one: Lab, two: Lab) -> Tensor:
    """CIEDE2000 of two Lab pictures, plane by plane.

    Hue angles are written with dot and cross products instead of arc tangents, so that the gradient is finite on grey,
    black and equal pictures. Source: Sharma, Wu, Dalal (2005); agrees with their 34 pairs to 1e-4.
    """
    l1, a1, b1 = one
    l2, a2, b2 = two
    mean_chroma = 0.5 * (_length(a1, b1) + _length(a2, b2))
    stretch = 1.5 - 0.5 * _seventh(mean_chroma)
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = _length(a1, b1), _length(a2, b2)

    lightness_step, chroma_step = l2 - l1, c2 - c1
    hue_step = _hue_step(a1, b1, c1, a2, b2, c2)

    cos_h, sin_h = _mean_hue(a1 / c1, b1 / c1, a2 / c2, b2 / c2)
    cos_2h, sin_2h = cos_h * cos_h - sin_h * sin_h, 2.0 * sin_h * cos_h
    cos_3h, sin_3h = cos_2h * cos_h - sin_2h * sin_h, sin_2h * cos_h + cos_2h * sin_h
    cos_4h, sin_4h = cos_2h * cos_2h - sin_2h * sin_2h, 2.0 * sin_2h * cos_2h
    hue_weight = (
        1.0
        - 0.17 * _turned(cos_h, sin_h, 30.0)
        + 0.24 * cos_2h
        + 0.32 * _turned(cos_3h, sin_3h, -6.0)
        - 0.20 * _turned(cos_4h, sin_4h, 63.0)
    )
    from_blue = torch.rad2deg(torch.atan2(_turned(cos_h, sin_h, 365.0), _turned(cos_h, sin_h, 275.0)))
    rotation = torch.deg2rad(60.0 * torch.exp(-((from_blue / 25.0) ** 2)))

    mean_lightness, mean_chroma = 0.5 * (l1 + l2), 0.5 * (c1 + c2)
    from_middle = (mean_lightness - 50.0) ** 2
    lightness_step = lightness_step / (1.0 + 0.015 * from_middle / torch.sqrt(20.0 + from_middle))
    chroma_step = chroma_step / (1.0 + 0.045 * mean_chroma)
    hue_step = hue_step / (1.0 + 0.015 * mean_chroma * hue_weight)
    cross_term = -2.0 * torch.sin(rotation) * _seventh(mean_chroma) * chroma_step * hue_step
    total = lightness_step**2 + chroma_step**2 + hue_step**2 + cross_term
    return torch.sqrt(total.clamp_min(0.0) + 1e-12)


def _length(a: Tensor, b: Tensor) -> Tensor:
    return torch.sqrt(a * a + b * b + _CHROMA_FLOOR)


def _seventh(chroma: Tensor) -> Tensor:
    """sqrt(C^7 / (C^7 + 25^7))."""
    power = (chroma * (1.0 / 25.0)) ** 3.5
    return power / torch.sqrt(power * power + 1.0)


def _turned(cosine: Tensor, sine: Tensor, degrees: float) -> Tensor:
    """cos(angle - degrees) of an angle known by its cosine and sine."""
    turn = math.radians(degrees)
    return cosine * math.cos(turn) + sine * math.sin(turn)


def _sense(a1: Tensor, b1: Tensor, a2: Tensor, b2: Tensor) -> Tensor:
    """1 where the shorter way from the first hue to the second goes up, -1 where it goes down; opposite hues as counted
    from 0 to 360 degrees."""
    cross = a1 * b2 - b1 * a2
    first_is_lower = (b1 > 0.0) | ((b1 == 0.0) & (a1 > 0.0))
    return torch.where((cross > 0.0) | ((cross == 0.0) & first_is_lower), 1.0, -1.0).to(cross.dtype)


def _hue_step(a1: Tensor, b1: Tensor, c1: Tensor, a2: Tensor, b2: Tensor, c2: Tensor) -> Tensor:
    """2 sqrt(C1 C2) sin(dh / 2), from the form without cancellation on either side of a right angle."""
    product, dot, cross = c1 * c2, a1 * a2 + b1 * b2, a1 * b2 - b1 * a2
    near = cross * torch.sqrt(2.0 / (product + dot.clamp_min(0.0)))
    far = _sense(a1, b1, a2, b2) * torch.sqrt(2.0 * (product - dot.clamp_max(0.0)))
    return torch.where(dot >= 0.0, near, far)


def _mean_hue(x1: Tensor, y1: Tensor, x2: Tensor, y2: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the hue half way between two unit vectors (or grey), along their sum or across their difference."""
    near, sense = x1 * x2 + y1 * y2 >= 0.0, _sense(x1, y1, x2, y2)
    x, y = torch.where(near, x1 + x2, sense * (y2 - y1)), torch.where(near, y1 + y2, sense * (x1 - x2))
    scale = torch.rsqrt(x * x + y * y + 1e-12)
    return x * scale, y * scale


ALL_BELOW = 1 << 19
"""Of pictures of up to so many px every pixel is looked at for Delta E, unless asked otherwise."""


class Difference(NamedTuple):
    """PSNR in dB (peak 1, sRGB-encoded, gamut fitted, full picture) and CIEDE2000: mean and 95th percentile.

    one_in: Delta E is of one pixel in so many, in a square lattice over the full picture; 1 is all of them.
    """

    psnr: float
    delta_e: float
    delta_e_95: float
    one_in: int = 1


def lattice(size: Size) -> int:
    """Every how many rows and columns a pixel is enough for the Delta E of a picture; odd, to stay out of step with blocks."""
    return 1 if size.pixels <= ALL_BELOW else math.ceil(math.sqrt(size.pixels / ALL_BELOW)) | 1


def display_to_lab(codes: Tensor) -> Lab:
    """sRGB code values (B3HW) to Lab."""
    return to_lab(*mix(SRGB_TO_REC2020, *(srgb_decode(plane) for plane in planes(codes))))


class Comparer:
    """Gathers the difference of two pictures, tile by tile, in constant memory.

    every: look at the pixels of every so many rows and columns for Delta E, which costs more than all else.
    """

    _BINS, _WIDTH = 20_000, 0.01

    def __init__(self, every: int = 1) -> None:
        self.every = every
        self.squares = self.delta_e = self.worst = 0.0
        self.pixels = self.looked_at = 0
        self.histogram = torch.zeros(self._BINS, dtype=torch.float64)

    def add(self, region: Region, one: Tensor, two: Tensor) -> None:
        """Two tiles of the same place, as display codes (B3hw), before rounding."""
        self.squares += (one - two).double().square().sum().item()
        self.pixels += one[:, 0].numel()
        rows, columns = slice(-region.top % self.every, None, self.every), slice(-region.left % self.every, None, self.every)
        one, two = one[..., rows, columns], two[..., rows, columns]
        if one.numel():
            self._look(delta_e_2000(display_to_lab(one), display_to_lab(two)).flatten())

    def _look(self, delta: Tensor) -> None:
        self.looked_at += delta.numel()
        self.worst = max(self.worst, delta.max().item())
        self.delta_e += delta.sum(dtype=torch.float64).item()
        self.histogram += torch.histc(delta.cpu(), self._BINS, 0.0, self._BINS * self._WIDTH).double()

    def result(self) -> Difference:
        below = self.histogram.cumsum(0)
        place = int(torch.searchsorted(below, 0.95 * below[-1]))
        mean_square = self.squares / (3 * self.pixels)
        psnr = -10.0 * math.log10(max(mean_square, 1e-20))
        return Difference(psnr, self.delta_e / self.looked_at, place * self._WIDTH, self.every * self.every)


def compare(one: Photo, two: Photo) -> Difference:
    """How far two photos of one size are apart, as a viewer would see them: on display codes, before rounding.

    Raises ValueError with both sizes where they differ.
    """
    if one.size != two.size:
        raise ValueError(f"two photos to compare must have one size; got {one.size} and {two.size}")
    comparer = Comparer()
    for region in strips(one.size):
        comparer.add(region, to_display(one.read(region)).cpu(), to_display(two.read(region)).cpu())
    return comparer.result()

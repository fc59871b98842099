"""What the synthesiser sees of a picture: its materials, where flaws of a group would lie, and where its light comes from."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from ...light.planes import planes
from ...light.rectangle import Region, Size
from ...light.spaces import to_oklab
from ...ops.resampling import bilinear, needed
from .draws import Draw, ramp
from .flaw import GROUPS

_GUIDE_EDGE = 384
_LEAST_BLUR = 4.0
"""Px of the picture behind one of the guide, at least: texture and noise must not show in it."""
_CELLS_EDGE = 64
_DUST_PLACES = 12
_LEVELS = 15.0
"""Suitability is rounded to so many levels, so that two machines' last bits choose one place."""


@dataclass(frozen=True)
class Scene:
    """A picture reduced to what placing and shading need.

    size: of the picture. guide: (1, 7, h, w) mean light, OKLab and what may be skin, without texture. suited:
    (rows, columns) of whole numbers per group, 0 where a flaw of that group would look out of place. found: whether the picture
    has such places at all. lamp: the direction towards the light, (right, down), of length 1.
    """

    size: Size
    guide: Tensor
    suited: dict[str, Tensor]
    found: dict[str, bool]
    lamp: tuple[float, float]

    @classmethod
    def of(cls, light: Tensor, seed: int) -> Scene:
        size = Size(*light.shape[-2:])
        small = size.scaled(min(1.0 / _LEAST_BLUR, _GUIDE_EDGE / size.long_edge))
        # Light beyond ten times white, and below black, says nothing more about a material.
        mean = F.interpolate(light, tuple(small), mode="area").clamp(0.0, 10.0)
        lightness, a, b = to_oklab(*planes(mean))
        skin = _skin(lightness, a, b)
        guide = torch.cat([mean, lightness, a, b, skin], dim=1)
        cells = small.scaled(min(1.0, _CELLS_EDGE / small.long_edge))
        places = {
            group: _rounded(F.interpolate(map_, tuple(cells), mode="area"))
            for group, map_ in _suitability(lightness, skin).items()
        }
        smooth = places.pop("smooth")
        found = {group: bool((map_ > _LEVELS / 2).float().mean() > 0.02) for group, map_ in places.items()}
        suited = {group: map_ if found[group] else torch.maximum(map_, smooth) for group, map_ in places.items()}
        # Light falls from above more often than from below.
        turn = math.radians(Draw(seed, "lamp").uniform(-160.0, -20.0))
        return cls(size, guide, suited, found, (math.cos(turn), math.sin(turn)))

    def under(self, region: Region) -> Tensor:
        """The guide (1, 7, h, w) at the px of a rectangle of the picture."""
        size = Size(*self.guide.shape[-2:])
        held = needed(region, size, self.size)
        return bilinear(held.cut(self.guide), held, size, region, self.size)

    def place(self, group: str, size: float, draw: Draw) -> tuple[float, float]:
        """Where to put a flaw of a size in px: (y, x), by chance among the places that suit it."""
        if group == "dust":
            return self._on_sensor(draw)
        cells = self.suited[group]
        rows, columns = cells.shape
        reach = int(0.3 * size * rows / self.size.height)
        if reach and min(rows, columns) > 2 * reach:
            inner = (F.avg_pool2d(cells[None, None], 2 * reach + 1, 1, reach)[0, 0] - 0.4 * _LEVELS).clamp_min(0.0).round()
            cells = inner if inner.any() else cells
        sums = list(accumulate(cells.flatten().tolist()))
        share = draw.uniform(0.0, 1.0)
        index = bisect_right(sums, share * sums[-1]) if sums[-1] > 0.0 else int(share * rows * columns)
        row, column = divmod(min(index, rows * columns - 1), columns)
        y = (row + draw.uniform(0.0, 1.0)) * self.size.height / rows
        return y, (column + draw.uniform(0.0, 1.0)) * self.size.width / columns

    def _on_sensor(self, draw: Draw) -> tuple[float, float]:
        """Dust lies where it lies on the sensor, whatever the photo: the first place drawn where it shows, else the last."""
        y = x = 0.0
        for _ in range(_DUST_PLACES):
            y, x = draw.uniform(0.0, self.size.height), draw.uniform(0.0, self.size.width)
            if self.suits("dust", y, x):
                break
        return y, x

    def lightness(self, y: float, x: float, reach: float) -> float:
        """OKLab lightness about a place, over a square that reaches so many px."""
        return float(self._about(y, x, reach).mean())

    def grain(self, y: float, x: float, reach: float) -> float | None:
        """Degrees (right to down) of the direction in which the picture changes least about a place; None where it is even.

        The main axis of the structure tensor (Bigun, Granlund 1987).
        """
        ground = self._about(y, x, max(reach, 4.0 * self.size.long_edge / max(self.guide.shape[-2:])))
        if min(ground.shape) < 3:
            return None
        right = 0.5 * (ground[1:-1, 2:] - ground[1:-1, :-2])
        down = 0.5 * (ground[2:, 1:-1] - ground[:-2, 1:-1])
        along, cross = float((right * right - down * down).sum()), float((2.0 * right * down).sum())
        whole = float((right * right + down * down).sum())
        if math.hypot(along, cross) < 0.3 * whole or whole < 1e-5 * right.numel():
            return None
        return math.degrees(0.5 * math.atan2(cross, along)) + 90.0

    def _about(self, y: float, x: float, reach: float) -> Tensor:
        height, width = self.guide.shape[-2:]
        unit = height / self.size.height, width / self.size.width
        row, column = min(max(int(y * unit[0]), 0), height - 1), min(max(int(x * unit[1]), 0), width - 1)
        around = max(0, int(reach * min(unit)))
        return self.guide[0, 3, max(0, row - around) : row + around + 1, max(0, column - around) : column + around + 1]

    def suits(self, group: str, y: float, x: float) -> bool:
        """Whether a place lies in the picture and suits a group as well as most places do."""
        if not (0.0 <= y < self.size.height and 0.0 <= x < self.size.width):
            return False
        cells = self.suited[group]
        rows, columns = cells.shape
        return bool(cells[int(y * rows / self.size.height), int(x * columns / self.size.width)] > _LEVELS / 3)


def _rounded(share: Tensor) -> Tensor:
    return (share[0, 0] * _LEVELS).round().cpu()


def _skin(lightness: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """0..1: what has the hue and chroma of skin of any tone, in light enough to see it. Sand and pale wood pass too."""
    chroma, hue = torch.sqrt(a * a + b * b + 1e-12), torch.rad2deg(torch.atan2(b, a))
    tinted = ramp(chroma, 0.02, 0.04) * (1.0 - ramp(chroma, 0.14, 0.18))
    return tinted * ramp(hue, 15.0, 30.0) * (1.0 - ramp(hue, 70.0, 85.0)) * ramp(lightness, 0.12, 0.3)


def _suitability(lightness: Tensor, skin: Tensor) -> dict[str, Tensor]:
    """Heuristic maps in 0..1, for each group and `smooth`.

    Skin is what may be skin and has no hard edges, cloth any other surface without them, neither burnt out. Dust shows on
    smooth and bright places.
    """
    mean = F.avg_pool2d(lightness, 5, 1, 2, count_include_pad=False)
    square = F.avg_pool2d(lightness * lightness, 5, 1, 2, count_include_pad=False)
    rough = torch.sqrt((square - mean * mean).clamp_min(0.0) + 1e-8)
    smooth, unburnt = 1.0 - ramp(rough, 0.03, 0.09), 1.0 - ramp(lightness, 0.93, 0.99)
    maps = {
        "skin": skin * smooth * unburnt,
        "cloth": (1.0 - skin) * ramp(lightness, 0.12, 0.3) * (1.0 - ramp(rough, 0.03, 0.08)) * unburnt,
        "dust": smooth * ramp(lightness, 0.25, 0.7),
    }
    assert set(maps) == set(GROUPS)
    return {**maps, "smooth": smooth * ramp(lightness, 0.08, 0.2)}

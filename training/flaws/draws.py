"""Random numbers and random smooth fields that are the same on every machine."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

T = TypeVar("T")


class Draw:
    """A stream of random numbers of its own for each name: what one flaw draws never moves another."""

    def __init__(self, *names: int | str) -> None:
        self._random = random.Random(":".join(map(str, names)))

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self._random.random()

    def spread(self, low: float, high: float) -> float:
        """Between two positive numbers, as many below their geometric mean as above it."""
        return low * (high / low) ** self._random.random()

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def one(self, things: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of several things, by weight. At least one weight is positive."""
        if weights is None:
            return things[self.whole(0, len(things) - 1)]
        left = self._random.random() * sum(weights)
        for thing, weight in zip(things, weights):
            left -= weight
            if left < 0.0 and weight > 0.0:
                return thing
        return max(zip(weights, range(len(things)), things))[-1]

    def grains(self, height: int, width: int, like: Tensor) -> Tensor:
        """(1, 1, height, width) independent numbers in -1..1."""
        source = torch.Generator().manual_seed(self._random.getrandbits(62))
        return (2.0 * torch.rand(1, 1, height, width, generator=source) - 1.0).to(like)

    def smooth(self, height: int, width: int, cell: float, like: Tensor, across: float | None = None) -> Tensor:
        """(1, 1, height, width) soft hills and dales, about -1..1, as wide as `cell` px (and `across` px sideways)."""
        down, right = max(1.0, cell), max(1.0, cell if across is None else across)
        rows, columns = int(height / down) + 3, int(width / right) + 3
        size = (max(height, round(rows * down)), max(width, round(columns * right)))
        wide = F.interpolate(self.grains(rows, columns, like), size, mode="bicubic", align_corners=False)
        top, left = (size[0] - height) // 2, (size[1] - width) // 2
        return 1.3 * wide[..., top : top + height, left : left + width]

    def hills(self, u: Tensor, v: Tensor, span: int = 24) -> Tensor:
        """Soft hills and dales, about -1..1, one unit of the coordinates wide; they repeat mirrored after `span` units."""
        where = torch.cat([u, v], dim=1).permute(0, 2, 3, 1) * (2.0 / span)
        return 1.3 * F.grid_sample(
            self.grains(span, span, u), where, mode="bicubic", padding_mode="reflection", align_corners=False
        )


def ramp(x: Tensor, low: float, high: float) -> Tensor:
    """0 up to `low`, 1 from `high` on, smooth between."""
    t = ((x - low) * (1.0 / (high - low))).clamp(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(x: Tensor) -> Tensor:
    """1 at 0, soft, and exactly 0 from 1 on either side."""
    t = (1.0 - x * x).clamp_min(0.0)
    return t * t

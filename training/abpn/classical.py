"""The classical ways beside the network: frequencies are separated, the low ones made smooth, texture stays.

None of them learns anything. Their own mask is where smoothing moves the low frequencies by more than a threshold, so strong
edges pass for flaws; within another mask, they show what the smoothing alone can do.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from .evaluate import Found

Smooth = Callable[[Tensor], Tensor]
"""Codes at half the size -> the same without what is small or weak."""


def median(coarse: Tensor, radius: int = 7) -> Tensor:
    """Median of a square window: what is smaller than half of it is gone."""
    windows = _wide(coarse, radius).unfold(2, 2 * radius + 1, 1).unfold(3, 2 * radius + 1, 1)
    return torch.cat([rows.flatten(-2).median(dim=-1).values for rows in windows.split(32, dim=2)], dim=2)


def guided(coarse: Tensor, radius: int = 7, flat: float = 0.04) -> Tensor:
    """Guided filter (He, Sun, Tang 2010), each channel its own guide: windows that vary less than `flat` become their mean."""
    mean = _mean(coarse, radius)
    variance = (_mean(coarse * coarse, radius) - mean * mean).clamp_min(0.0)
    share = variance / (variance + flat * flat)
    return _mean(share, radius) * coarse + _mean((1.0 - share) * mean, radius)


SMOOTH: dict[str, Smooth] = {"median": median, "guided filter": guided}


def change(codes: Tensor, smooth: Smooth) -> Tensor:
    """(1,3,H,W): what smoothing adds to the low frequencies of codes; texture finer than about 6 px is not among them."""
    coarse = F.avg_pool2d(codes, 2, ceil_mode=True)
    return F.interpolate(smooth(coarse) - _mean(coarse, 1), codes.shape[2:], mode="bilinear")


def where_large(codes: Tensor, moved: Tensor, threshold: float = 0.02) -> Found:
    """The change where it is above a threshold, in full from twice that on; as sure as it is large, 0.3 at the threshold."""
    size = moved.abs().amax(1, keepdim=True) / threshold
    mask = (size - 1.0).clamp(0.0, 1.0)
    return Found(codes + mask * moved, mask, (0.3 * size).clamp_max(1.0))


def where_masked(codes: Tensor, moved: Tensor, mask: Tensor) -> Found:
    """The change within another way's mask (1,1,h,w)."""
    return Found(codes + F.interpolate(mask, codes.shape[2:], mode="bilinear") * moved, mask, mask)


def by_median(codes: Tensor) -> Found:
    return where_large(codes, change(codes, median))


def _mean(x: Tensor, radius: int) -> Tensor:
    return F.avg_pool2d(_wide(x, radius), 2 * radius + 1, 1)


def _wide(x: Tensor, radius: int) -> Tensor:
    return F.pad(x, (radius,) * 4, mode="replicate")

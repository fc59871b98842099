"""A photo moved by a few px, also by parts of one."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from .photo import Codes, Photo


def shifted(photo: Photo, down: float, right: float) -> Photo:
    """The photo moved by so many px; what comes in at the edges is the last row and column again.

    Between pixels by Catmull-Rom's cubic, on the codes as they are stored (and rounded to codes again); whole px exactly.
    """
    raster = photo.raster
    if not isinstance(raster, Codes):
        return replace(photo, raster=_moved(_moved(raster, down, -2), right, -1))
    values = torch.empty_like(raster.values)
    for channel in range(values.shape[2]):
        moved = _moved(_moved(raster.values[..., channel].float(), down, 0), right, 1)
        if not values.is_floating_point():
            levels = (1 << 8 * values.element_size()) - 1 if raster.curves is None else raster.curves.shape[1] - 1
            moved = moved.round_().clamp_(0, levels)
        values[..., channel] = moved.to(values.dtype)
    return replace(photo, raster=replace(raster, values=values))


def _moved(pixels: Tensor, by: float, axis: int) -> Tensor:
    whole = math.floor(by)
    places = torch.arange(pixels.shape[axis], device=pixels.device) - whole
    last = pixels.shape[axis] - 1
    total: Tensor | float = 0.0
    for step, weight in zip((1, 0, -1, -2), _cubic(by - whole)):
        if weight:
            total = total + weight * pixels.index_select(axis, (places + step).clamp(0, last))
    assert isinstance(total, Tensor)
    return total


def _cubic(share: float) -> tuple[float, float, float, float]:
    """Weights of the pixels one ahead, here, one and two behind, for a place `share` px behind (Catmull and Rom 1974)."""
    t = share
    return (
        0.5 * (-t + 2.0 * t**2 - t**3),
        0.5 * (2.0 - 5.0 * t**2 + 3.0 * t**3),
        0.5 * (t + 4.0 * t**2 - 3.0 * t**3),
        0.5 * (t**3 - t**2),
    )

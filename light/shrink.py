"""Smaller pictures: the mean of the area behind each new pixel, gathered as tiles come."""

from __future__ import annotations

import torch
from torch import Tensor

from .rectangle import Region, Size

_BLOCK = 32


class Shrinking:
    """A picture becoming smaller tile by tile, each tile once, in any order; the cost is that of reading it."""

    def __init__(self, old: Size, new: Size) -> None:
        self.old, self.new = old, new
        self._total: Tensor | None = None

    def add(self, region: Region, pixels: Tensor) -> None:
        """Take a tile (BChw)."""
        if self._total is None:
            self._total = pixels.new_zeros(*pixels.shape[:2], *self.new)
        (old_rows, old_columns), (new_rows, new_columns) = self.old, self.new
        rows, columns = range(region.top, region.top + region.height), range(region.left, region.left + region.width)
        down = _touched(old_rows, new_rows, rows)
        squeezed = _shares(old_rows, new_rows, down, rows, pixels) @ pixels
        for first in range(0, new_columns, _BLOCK):
            block = range(first, min(first + _BLOCK, new_columns))
            behind = _behind(old_columns, new_columns, block, columns)
            if behind:
                shares = _shares(old_columns, new_columns, block, behind, pixels)
                part = squeezed[..., behind.start - columns.start : behind.stop - columns.start] @ shares.T
                self._total[..., down.start : down.stop, block.start : block.stop] += part

    def result(self) -> Tensor:
        """The small picture, when every tile has come."""
        assert self._total is not None
        return self._total


def _touched(old: int, new: int, places: range) -> range:
    """The new places that some old ones fall into."""
    return range(places.start * new // old, -(-places.stop * new // old))


def _behind(old: int, new: int, wanted: range, places: range) -> range:
    """Which of some old places fall into some new ones."""
    return range(max(places.start, wanted.start * old // new), min(places.stop, -(-wanted.stop * old // new)))


def _shares(old: int, new: int, wanted: range, places: range, like: Tensor) -> Tensor:
    """(wanted, places) share of each old place in each new one."""
    edges = torch.arange(wanted.start, wanted.stop + 1, dtype=torch.float64) * (old / new)
    index = torch.arange(places.start, places.stop, dtype=torch.float64)
    low, high = torch.maximum(edges[:-1, None], index), torch.minimum(edges[1:, None], index + 1.0)
    return ((high - low).clamp_min(0.0) * (new / old)).to(like)

"""Sizes and rectangles of pictures, in whole pixels."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Size(NamedTuple):
    """Height and width in px."""

    height: int
    width: int

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def long_edge(self) -> int:
        return max(self)

    def scaled(self, scale: float) -> Size:
        """This size on a proxy, never below one pixel."""
        return Size(max(1, round(self.height * scale)), max(1, round(self.width * scale)))

    def __str__(self) -> str:
        return f"{self.width} x {self.height} px"


class Region(NamedTuple):
    """A rectangle of a picture. Top and left may be vectors (N,): N rectangles of one size, carried as a batch."""

    top: int | Tensor
    left: int | Tensor
    height: int
    width: int

    @classmethod
    def whole(cls, size: Size) -> Region:
        return cls(0, 0, size.height, size.width)

    @classmethod
    def around(cls, y, x, half_height: float, half_width: float, size: Size) -> Region:
        """The rectangle about a place in px, wide enough for the half sizes, moved and cut to lie in the picture."""
        height, width = (min(math.ceil(2 * half) + 1, edge) for half, edge in zip((half_height, half_width), size))
        return cls(
            _whole_number(y - half_height, size.height - height),
            _whole_number(x - half_width, size.width - width),
            height,
            width,
        )

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def many(self) -> bool:
        return isinstance(self.top, Tensor)

    def picked(self, numbers: Tensor) -> Region:
        """Some of many rectangles."""
        assert isinstance(self.top, Tensor)
        assert isinstance(self.left, Tensor)
        return self._replace(top=self.top[numbers], left=self.left[numbers])

    def grown(self, margin: int, size: Size) -> Region:
        """Grown by a margin on every side and cut at the edges of the picture.

        Many rectangles keep one size: they must lie that far inside the picture, or span it.
        """
        top, height = _grown(self.top, self.height, margin, size.height)
        left, width = _grown(self.left, self.width, margin, size.width)
        return Region(top, left, height, width)

    def moved(self, down: int, right: int) -> Region:
        return self._replace(top=self.top + down, left=self.left + right)

    def union(self, other: Region) -> Region:
        """The smallest rectangle around both; of many, of one size that is enough for all."""
        top, left = _least(self.top, other.top), _least(self.left, other.left)
        bottom = max(_most(self.top - top) + self.height, _most(other.top - top) + other.height)
        right = max(_most(self.left - left) + self.width, _most(other.left - left) + other.width)
        return Region(top, left, bottom, right)

    def cut_to(self, outer: Region) -> Region | None:
        """What of this rectangle lies in another; None where nothing does."""
        top, left = max(_most(self.top), _most(outer.top)), max(_most(self.left), _most(outer.left))
        height = min(_most(self.top) + self.height, _most(outer.top) + outer.height) - top
        width = min(_most(self.left) + self.width, _most(outer.left) + outer.width) - left
        return Region(top, left, height, width) if height > 0 and width > 0 else None

    def within(self, outer: Region) -> tuple[slice, slice]:
        """Where this rectangle lies in the pixels of an outer one, as slices; of many, where all lie alike."""
        top, left = _most(self.top - outer.top), _most(self.left - outer.left)
        return slice(top, top + self.height), slice(left, left + self.width)

    def out_of(self, outer: Region, pixels: Tensor) -> Tensor:
        """These pixels out of those (..., h, w) of an outer rectangle; of many, each may lie elsewhere in its own."""
        down, right = (torch.as_tensor(offset) for offset in (self.top - outer.top, self.left - outer.left))
        if all(bool((offset == offset.flatten()[0]).all()) for offset in (down, right)):
            rows, columns = self.within(outer)
            return pixels[..., rows, columns]
        pixels = pixels.expand(len(down), *pixels.shape[1:])
        inner = Region(down, right, self.height, self.width)
        numbers = torch.arange(len(down), device=pixels.device).view(-1, 1, 1)
        return pixels[numbers, :, inner.rows(pixels.device), inner.columns(pixels.device)].movedim(-1, 1)

    def cut(self, pixels: Tensor) -> Tensor:
        """These pixels of a whole picture (..., H, W); many rectangles of one picture become a batch."""
        if not self.many:
            return pixels[..., self.top : self.top + self.height, self.left : self.left + self.width]
        rows, columns = self.rows(pixels.device), self.columns(pixels.device)
        return pixels[0][:, rows, columns].transpose(0, 1)

    def rows(self, device: torch.device | None = None) -> Tensor:
        """Row numbers: (height, 1), or (N, height, 1) for many."""
        steps = torch.arange(self.height, device=device).view(-1, 1)
        return steps + (self.top.to(device).view(-1, 1, 1) if isinstance(self.top, Tensor) else self.top)

    def columns(self, device: torch.device | None = None) -> Tensor:
        """Column numbers: (1, width), or (N, 1, width) for many."""
        steps = torch.arange(self.width, device=device).view(1, -1)
        return steps + (self.left.to(device).view(-1, 1, 1) if isinstance(self.left, Tensor) else self.left)


def strips(size: Size, pixels: int = 1 << 18) -> list[Region]:
    """A picture as rectangles of full rows, about `pixels` px each, from top to bottom."""
    rows = max(1, pixels // size.width)
    return [Region(top, 0, min(rows, size.height - top), size.width) for top in range(0, size.height, rows)]


def _grown(start, length: int, margin: int, edge: int):
    if isinstance(start, Tensor):
        return (start, length) if length == edge else (start - margin, length + 2 * margin)
    end = min(edge, start + length + margin)
    start = max(0, start - margin)
    return start, end - start


def _whole_number(place, most: int):
    """The whole number at or below a place, from 0 to `most`."""
    if isinstance(place, Tensor):
        return place.floor().long().clamp(0, most)
    return min(max(math.floor(place), 0), most)


def _least(one: int | Tensor, other: int | Tensor) -> int | Tensor:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.minimum(one, other)
    return min(one, other)


def _most(offset: int | Tensor) -> int:
    return int(offset.max()) if isinstance(offset, Tensor) else offset

"""Three planes kept apart: how an image travels between operations.

Joining and splitting channels between operations makes compiled code recompute and eager code copy, so the executor
hands operations a `Planes`; people may hand them an ordinary B3HW tensor. `planes` and `join` serve both.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class Planes:
    """Red, green and blue planes (B1HW each) that add and multiply like one B3HW tensor."""

    __slots__ = ("b", "g", "r")

    def __init__(self, r: Tensor, g: Tensor, b: Tensor) -> None:
        self.r, self.g, self.b = r, g, b

    def __iter__(self):
        return iter((self.r, self.g, self.b))

    def _zip(self, other, operator: Callable) -> Planes:
        if isinstance(other, Tensor) and other.ndim == 4 and other.shape[1] == 3:
            other = Planes(*other.split(1, dim=1))
        if isinstance(other, Planes):
            return Planes(*(operator(mine, theirs) for mine, theirs in zip(self, other)))
        return Planes(*(operator(mine, other) for mine in self))

    def __add__(self, other) -> Planes:
        return self._zip(other, lambda x, y: x + y)

    def __sub__(self, other) -> Planes:
        return self._zip(other, lambda x, y: x - y)

    def __mul__(self, other) -> Planes:
        return self._zip(other, lambda x, y: x * y)

    def __truediv__(self, other) -> Planes:
        return self._zip(other, lambda x, y: x / y)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other) -> Planes:
        return self._zip(other, lambda x, y: y - x)

    def __neg__(self) -> Planes:
        return self.map(torch.neg)

    def map(self, function: Callable[[Tensor], Tensor]) -> Planes:
        """Apply the same function to each plane."""
        return Planes(*(function(plane) for plane in self))

    @property
    def shape(self) -> torch.Size:
        """The shape of the B3HW tensor these planes stand for."""
        batch, _, height, width = torch.broadcast_shapes(*(plane.shape for plane in self))
        return torch.Size((batch, 3, height, width))


Picture = Tensor | Planes


def planes(image: Picture) -> tuple[Tensor, Tensor, Tensor]:
    """The red, green and blue planes (B1HW) of an image; views, never copies."""
    if isinstance(image, Planes):
        return image.r, image.g, image.b
    return image[:, 0:1], image[:, 1:2], image[:, 2:3]


def join(r: Tensor, g: Tensor, b: Tensor, like: Picture) -> Picture:
    """Three planes as one image of the same kind as `like`: planes stay planes, a tensor stays a tensor."""
    if isinstance(like, Planes):
        return Planes(r, g, b)
    return stack(Planes(r, g, b))


def each(image: Picture, function: Callable[[Tensor], Tensor]) -> Picture:
    """Apply an elementwise function to every channel, planes or tensor alike."""
    return image.map(function) if isinstance(image, Planes) else function(image)


def stack(image: Picture) -> Tensor:
    """The image as one B3HW (or B1HW) tensor."""
    if isinstance(image, Planes):
        return torch.cat(torch.broadcast_tensors(image.r, image.g, image.b), dim=1)
    return image

"""Pictures of other sizes, read between their pixels: what pyramids and small pictures share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..light.rectangle import Region, Size


def needed(out: Region, in_size: Size, out_size: Size) -> Region:
    """The input rectangle that `bilinear` reads for an output rectangle."""
    down, across = in_size.height / out_size.height, in_size.width / out_size.width
    return Region.around(
        (out.top + out.height / 2) * down,
        (out.left + out.width / 2) * across,
        out.height / 2 * down + 1,
        out.width / 2 * across + 1,
        in_size,
    )


def bilinear(pixels: Tensor, held: Region, in_size: Size, out: Region, out_size: Size) -> Tensor:
    """The rectangle `out` of a picture of `out_size`, from the rectangle `held` (pixels, B,C,h,w) of one of `in_size`.

    Pixel centres at half px; between centres linear, beyond the outermost ones constant. Halving is the mean of two by two.
    """
    rows = _places(out.rows(pixels.device), out_size.height, in_size.height)
    columns = _places(out.columns(pixels.device), out_size.width, in_size.width)
    tops, lefts = held.rows(pixels.device)[..., :1, :], held.columns(pixels.device)[..., :, :1]
    halved = [not (held.many or out.many) and before == 2 * after for before, after in zip(in_size, out_size)]
    lower = _pairs(pixels, 2 * out.top - held.top, out.height, 2) if halved[0] else _between(pixels, rows - tops, 2)
    return _pairs(lower, 2 * out.left - held.left, out.width, 3) if halved[1] else _between(lower, columns - lefts, 3)


def _pairs(pixels: Tensor, start: Any, count: int, axis: int) -> Tensor:
    """The means of neighbours two by two along an axis: what `_between` gives halfway, without looking places up."""
    one, two = pixels.narrow(axis, start, 2 * count).unflatten(axis, (count, 2)).unbind(axis + 1)
    return one + 0.5 * (two - one)


def _places(index: Tensor, out_edge: int, in_edge: int) -> Tensor:
    """Where output px lie between the centres of input px; 0 is the first centre."""
    return ((index.double() + 0.5) * (in_edge / out_edge) - 0.5).clamp(0.0, in_edge - 1.0)


def _between(pixels: Tensor, places: Tensor, axis: int) -> Tensor:
    """Pixels read at places along an axis; places are (n, 1) or (1, n), or differ within a batch, (N, n, 1) or (N, 1, n)."""
    first = places.floor().clamp_max(pixels.shape[axis] - 1.0)
    share = (places - first).to(pixels.dtype)
    near = first.long()
    far = (near + 1).clamp_max(pixels.shape[axis] - 1)
    if places.ndim == 2:
        one, two = (pixels.index_select(axis, index.flatten()) for index in (near, far))
    else:
        shape = list(pixels.shape)
        shape[axis] = places.shape[1] * places.shape[2]
        shape[0] = max(shape[0], len(places))
        wide = pixels.expand(shape[0], *pixels.shape[1:])
        one, two = (torch.gather(wide, axis, index[:, None].expand(shape)) for index in (near, far))
        share = share[:, None]
    return one + share * (two - one)

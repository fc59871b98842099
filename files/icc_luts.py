"""Tables of ICC profiles, lut8Type, lut16Type and lutAToBType (ICC.1:2022, 10.10 to 10.12): from codes to CIE XYZ."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..light.encodings import Curve
from .icc_curves import read_curve, sampled

Channels = list[Tensor]
Stage = Callable[[Channels], Channels]

_XYZ_MOST = 1.0 + 32767.0 / 32768.0
_WHITE = (0.9642, 1.0, 0.8249)
_MOST_INPUT_ENTRIES = 4096


class Lut:
    """Stages one after the other."""

    def __init__(self, channels: int, stages: list[Stage]) -> None:
        self.channels, self._stages = channels, stages

    def xyz(self, codes: Channels) -> Channels:
        """CIE XYZ (white 0.9642, 1, 0.8249) of planes of codes in 0..1, one per channel."""
        for stage in self._stages:
            codes = stage(codes)
        return codes


def read_lut(body: bytes, channels: int, lab: bool) -> Lut:
    """The table of an A2B tag for a device of 1, 3 or 4 channels. Raises ValueError or struct.error."""
    if len(body) < 32 or (body[8], body[9]) != (channels, 3):
        raise ValueError("a table of other channels")
    kind = body[:4]
    if kind in (b"mft1", b"mft2"):
        return Lut(channels, [*_old_stages(body, channels), _from_lab(kind == b"mft2") if lab else _from_xyz])
    if kind == b"mAB ":
        return Lut(channels, [*_new_stages(body, channels), _from_lab(False) if lab else _from_xyz])
    raise ValueError("an unknown kind of table")


def _old_stages(body: bytes, channels: int) -> list[Stage]:
    """Input tables, grid and output tables of lut8Type and lut16Type."""
    grid = (body[10],) * channels
    wide = body[:4] == b"mft2"
    entries, results, place = (*struct.unpack_from(">HH", body, 48), 52) if wide else (256, 256, 48)
    if not (2 <= entries <= _MOST_INPUT_ENTRIES and 2 <= results <= _MOST_INPUT_ENTRIES):
        raise ValueError("a table of a size that none may have")
    numbers = np.frombuffer(body, ">u2" if wide else "u1", offset=place, count=(len(body) - place) // (2 if wide else 1))
    numbers = numbers / (65535.0 if wide else 255.0)
    cells = _cells(grid)
    if len(numbers) < channels * entries + 3 * cells + 3 * results:
        raise ValueError("a table that is cut short")
    inputs = numbers[: channels * entries].reshape(channels, entries)
    middle = numbers[channels * entries :][: 3 * cells].reshape(cells, 3)
    outputs = numbers[channels * entries + 3 * cells :][: 3 * results].reshape(3, results)
    factors = struct.unpack_from(">9i", body, 12)
    skew = [] if channels != 3 or _is_identity(factors) else [_matrix(factors, (0, 0, 0))]
    return [*skew, _curves([sampled(row) for row in inputs]), _grid(grid, middle), _curves([sampled(row) for row in outputs])]


def _new_stages(body: bytes, channels: int) -> list[Stage]:
    """A curves, grid, M curves, matrix and B curves of lutAToBType, those that are there."""
    b, factors, m, grid, a = struct.unpack_from(">5I", body, 12)
    if not b or bool(a) != bool(grid) or bool(m) != bool(factors) or (not grid and channels != 3):
        raise ValueError("a table without its parts")
    stages: list[Stage] = []
    if grid:
        stages += [_curves(_curves_at(body, a, channels)), _grid_at(body, grid, channels)]
    if m:
        numbers = struct.unpack_from(">12i", body, factors)
        stages += [_curves(_curves_at(body, m, 3)), _matrix(numbers[:9], numbers[9:])]
    return [*stages, _curves(_curves_at(body, b, 3))]


def _curves_at(body: bytes, place: int, count: int) -> list[Curve]:
    curves = []
    for _ in range(count):
        curve, length = read_curve(body[place:])
        curves.append(curve)
        place += length + -length % 4
    return curves


def _grid_at(body: bytes, place: int, channels: int) -> Stage:
    grid = tuple(body[place : place + channels])
    wide = {1: False, 2: True}[body[place + 16]]
    numbers = np.frombuffer(body, ">u2" if wide else "u1", 3 * _cells(grid), place + 20)
    return _grid(grid, numbers.reshape(-1, 3) / (65535.0 if wide else 255.0))


def _cells(grid: tuple[int, ...]) -> int:
    if any(points < 2 for points in grid):
        raise ValueError("a grid of fewer than two points")
    return int(np.prod(grid, dtype=np.int64))


def _curves(curves: list[Curve]) -> Stage:
    return lambda planes: [curve(plane) for curve, plane in zip(curves, planes)]


def _is_identity(numbers: tuple[int, ...]) -> bool:
    return list(numbers) == [65536, 0, 0, 0, 65536, 0, 0, 0, 65536]


def _matrix(factors: tuple[int, ...], offsets: tuple[int, ...]) -> Stage:
    rows = [[number / 65536 for number in (*factors[3 * i : 3 * i + 3], offsets[i])] for i in range(3)]
    return lambda planes: [r * planes[0] + g * planes[1] + b * planes[2] + offset for r, g, b, offset in rows]


def _grid(grid: tuple[int, ...], entries: np.ndarray) -> Stage:
    """Tetrahedral interpolation in the last three channels, linear in those before, as colour engines do."""
    table = torch.from_numpy(entries.astype(np.float32))
    strides = [int(np.prod(grid[axis + 1 :], dtype=np.int64)) for axis in range(len(grid))]

    def stage(planes: Channels) -> Channels:
        place = [plane.float().clamp(0.0, 1.0) * (points - 1) for plane, points in zip(planes, grid)]
        index = [axis.floor().clamp_max(points - 2) for axis, points in zip(place, grid)]
        shares = [axis - below for axis, below in zip(place, index)]
        corner = sum((below.int() * stride for below, stride in zip(index, strides)), torch.zeros((), dtype=torch.int32))
        return list(_between(table, corner.view(-1), [share.view(-1, 1) for share in shares], strides).unbind(1))

    return stage


def _between(table: Tensor, corner: Tensor, shares: Channels, strides: list[int]) -> Tensor:
    if len(shares) == 3:
        return _tetrahedron(table, corner, shares, strides)
    share, stride = shares[0], strides[0]
    below, above = (corner, corner + stride)
    if len(shares) == 1:
        return torch.lerp(table.index_select(0, below), table.index_select(0, above), share)
    near = partial(_between, table, shares=shares[1:], strides=strides[1:])
    return torch.lerp(near(corner=below), near(corner=above), share)


def _tetrahedron(table: Tensor, corner: Tensor, shares: Channels, strides: list[int]) -> Tensor:
    """From the near corner along the axis of the largest share, then the middle one, then the least."""
    x, y, z = shares
    most, least = torch.maximum(torch.maximum(x, y), z), torch.minimum(torch.minimum(x, y), z)
    first = torch.where(x == most, strides[0], torch.where(y == most, strides[1], strides[2])).int().view(-1)
    last = torch.where(z == least, strides[2], torch.where(y == least, strides[1], strides[0])).int().view(-1)
    far = corner + sum(strides)
    middle = x + y + z - most - least
    result = table.index_select(0, corner) * (1.0 - most)
    result += table.index_select(0, corner + first) * (most - middle)
    result += table.index_select(0, far - last) * (middle - least)
    return result.add_(table.index_select(0, far) * least)


def _from_xyz(planes: Channels) -> Channels:
    return [plane * _XYZ_MOST for plane in planes]


def _from_lab(legacy: bool) -> Stage:
    """Lab of 0 to 1; lut16Type keeps the encoding of version 2, whose 100 is FF00h (6.3.4.2)."""
    whole = 65535.0 / 65280.0 if legacy else 1.0

    def stage(planes: Channels) -> Channels:
        lightness, a, b = (plane * whole for plane in planes)
        return lab_to_xyz(lightness * 100.0, a * 255.0 - 128.0, b * 255.0 - 128.0)

    return stage


def lab_to_xyz(lightness: Tensor, a: Tensor, b: Tensor) -> Channels:
    """CIE XYZ of CIELAB under the profile's white (CIE 15)."""
    y = (lightness + 16.0) / 116.0
    roots = (y + a / 500.0, y, y - b / 200.0)
    edge = 6.0 / 29.0
    return [
        white * torch.where(root > edge, root**3, (root - 4.0 / 29.0) * (3.0 * edge * edge))
        for white, root in zip(_WHITE, roots)
    ]

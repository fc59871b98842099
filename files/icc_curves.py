"""Curves of ICC profiles (ICC.1:2022, 10.6 and 10.18), as functions of codes in 0..1."""

from __future__ import annotations

import struct

import numpy as np
import torch
from torch import Tensor

from ..light.encodings import Curve, linear

_MOST_ENTRIES = 1 << 16
_NUMBERS = (1, 3, 4, 5, 7)


def read_curve(body: bytes) -> tuple[Curve, int]:
    """A curve at the start of `body`, and how many bytes it takes. Raises ValueError or struct.error."""
    if body[:4] == b"curv":
        count = struct.unpack_from(">I", body, 8)[0]
        if count == 0:
            return linear, 12
        if count == 1:
            gamma = struct.unpack_from(">H", body, 12)[0] / 256
            return _parametric(0, (gamma,)), 14
        if count > _MOST_ENTRIES:
            raise ValueError("a curve is too long")
        return sampled(np.frombuffer(body, ">u2", count, 12) / 65535), 12 + 2 * count
    if body[:4] == b"para":
        kind = struct.unpack_from(">H", body, 8)[0]
        if kind >= len(_NUMBERS):
            raise ValueError("an unknown kind of curve")
        values = struct.unpack_from(f">{_NUMBERS[kind]}i", body, 12)
        return _parametric(kind, tuple(value / 65536 for value in values)), 12 + 4 * len(values)
    raise ValueError("expected a curve")


def sampled(entries: np.ndarray) -> Curve:
    """Linear interpolation between equally spaced entries, level beyond them."""
    table = torch.from_numpy(np.append(entries, entries[-1]).astype(np.float64))
    last = len(entries) - 1

    def curve(codes: Tensor) -> Tensor:
        place = codes.clamp(0.0, 1.0) * last
        index = place.floor()
        values = table.to(codes)
        below = values[index.long()]
        return below + (place - index) * (values[index.long() + 1] - below)

    return curve


def _parametric(kind: int, values: tuple[float, ...]) -> Curve:
    """parametricCurveType, functions 0 to 4 (table 68); negative bases count as 0."""
    g, a, b, c, d, e, f = (*values, *(0.0,) * (7 - len(values))) if kind else (values[0], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    if kind in (1, 2):
        d, e, f, c = (-b / a if a else 0.0), (c if kind == 2 else 0.0), (c if kind == 2 else 0.0), 0.0

    def curve(codes: Tensor) -> Tensor:
        return torch.where(codes >= d, (a * codes + b).clamp_min(0.0) ** g + e, c * codes + f)

    if not torch.isfinite(curve(torch.linspace(0.0, 1.0, 4096, dtype=torch.float64))).all():
        raise ValueError("a curve is not finite")
    return curve

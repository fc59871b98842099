"""From the codes of a file to light: by what the file says itself, by its ICC profile, or as sRGB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..light.primaries import SRGB_TO_REC2020, Matrix
from .errors import FileError
from .formats.format import Decoded
from .icc import read_profile, srgb_curve


@dataclass(frozen=True)
class Colour:
    """curves: one table (levels,) of linear light per channel, over codes 0 to 1. linear: whether they are straight."""

    curves: tuple[np.ndarray, ...]
    to_rec2020: Matrix

    @property
    def linear(self) -> bool:
        straight = np.linspace(0.0, 1.0, len(self.curves[0]))
        return all(np.abs(curve - straight).max() < 1e-4 for curve in self.curves)


def colour_of(decoded: Decoded) -> Colour:
    """How a picture's codes become light. Raises FileError."""
    whole, channels = decoded.values.dtype.kind == "u", decoded.values.shape[2]
    levels = 1 << (decoded.bits or decoded.values.dtype.itemsize * 8) if whole else 65536
    if channels == 4:
        raise FileError("expected RGB or grey; got CMYK")
    if decoded.profile:
        profile = read_profile(decoded.profile, levels, channels)
        return Colour(profile.curves, profile.to_rec2020)
    curve = srgb_curve(levels) if whole else np.linspace(0.0, 1.0, levels)
    return Colour((curve,) * channels, SRGB_TO_REC2020)

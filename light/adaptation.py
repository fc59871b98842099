"""The colour of an illuminant, and chromatic adaptation that a slider can move."""

from __future__ import annotations

from torch import Tensor

from .primaries import CAT16, REC2020_TO_XYZ, inverse, mix, product
from .white import illuminant_xyz

REC2020_TO_CONES = product(CAT16, REC2020_TO_XYZ)
CONES_TO_REC2020 = inverse(REC2020_TO_CONES)


def illuminant_cones(kelvin: Tensor | float, tint: Tensor | float) -> tuple:
    """CAT16 cone responses of an illuminant."""
    return mix(CAT16, *illuminant_xyz(kelvin, tint))

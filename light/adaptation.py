"""The colour of an illuminant, and chromatic adaptation that a slider can move."""

from __future__ import annotations

from torch import Tensor

from .primaries import CAT16, REC2020_TO_XYZ, inverse, mix, product

REC2020_TO_CONES = product(CAT16, REC2020_TO_XYZ)
CONES_TO_REC2020 = inverse(REC2020_TO_CONES)


def _locus(kelvin) -> tuple:
    """CIE 1960 (u, v) of a black body, 1000 to 15000 K (M. Krystek 1985, errors below 8e-5 and 9e-5)."""
    t2 = kelvin * kelvin
    u = (0.860117757 + 1.54118254e-4 * kelvin + 1.28641212e-7 * t2) / (1.0 + 8.42420235e-4 * kelvin + 7.08145163e-7 * t2)
    v = (0.317398726 + 4.22806245e-5 * kelvin + 4.20481691e-8 * t2) / (1.0 - 2.89741816e-5 * kelvin + 1.61456053e-7 * t2)
    return u, v


def illuminant_xyz(kelvin: Tensor | float, tint: Tensor | float) -> tuple:
    """XYZ (Y = 1) of an illuminant: colour temperature in kelvin and tint, 3000 times the distance above the locus.

    Tint counts as in the DNG SDK and raw developers (100 is 1/30 in CIE 1960 uv); positive means a greener illuminant.
    """
    u, v = _locus(kelvin)
    u_warm, v_warm = _locus(kelvin * 0.999)
    u_cool, v_cool = _locus(kelvin * 1.001)
    du, dv = u_cool - u_warm, v_cool - v_warm
    length = (du * du + dv * dv) ** 0.5
    u, v = u + tint / 3000.0 * (dv / length), v - tint / 3000.0 * (du / length)
    scale = 2.0 * u - 8.0 * v + 4.0
    x, y = 3.0 * u / scale, 2.0 * v / scale
    return x / y, 1.0, (1.0 - x - y) / y


def illuminant_cones(kelvin: Tensor | float, tint: Tensor | float) -> tuple:
    """CAT16 cone responses of an illuminant."""
    return mix(CAT16, *illuminant_xyz(kelvin, tint))

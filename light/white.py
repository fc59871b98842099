"""White points and illuminants. Plain arithmetic, on numbers as on tensors: what decodes files has no torch."""

from __future__ import annotations

from typing import Any

Chromaticity = tuple[float, float]

D65: Chromaticity = (0.3127, 0.3290)
D50: Chromaticity = (0.3457, 0.3585)
ACES_WHITE: Chromaticity = (0.32168, 0.33767)

BRADFORD = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)
"""XYZ to the cone space of Lam (1985), which ICC profiles and ACES use."""


def white_xyz(xy: Chromaticity) -> tuple[float, float, float]:
    """CIE XYZ (Y = 1) of a chromaticity."""
    x, y = xy
    return x / y, 1.0, (1.0 - x - y) / y


def locus(kelvin: Any) -> tuple[Any, Any]:
    """CIE 1960 (u, v) of a black body, 1000 to 15000 K (M. Krystek 1985, errors below 8e-5 and 9e-5)."""
    t2 = kelvin * kelvin
    u = (0.860117757 + 1.54118254e-4 * kelvin + 1.28641212e-7 * t2) / (1.0 + 8.42420235e-4 * kelvin + 7.08145163e-7 * t2)
    v = (0.317398726 + 4.22806245e-5 * kelvin + 4.20481691e-8 * t2) / (1.0 - 2.89741816e-5 * kelvin + 1.61456053e-7 * t2)
    return u, v


def along_locus(kelvin: Any) -> tuple[Any, Any]:
    """The direction of length 1 in CIE 1960 (u, v) in which the locus runs to higher temperatures."""
    u_warm, v_warm = locus(kelvin * 0.999)
    u_cool, v_cool = locus(kelvin * 1.001)
    du, dv = u_cool - u_warm, v_cool - v_warm
    length = (du * du + dv * dv) ** 0.5
    return du / length, dv / length


TINT_PER_UV = 3000.0
"""Tint counts as in the DNG SDK and raw developers: 100 is 1/30 in CIE 1960 uv; positive means a greener illuminant."""


def illuminant_xyz(kelvin: Any, tint: Any) -> tuple[Any, Any, Any]:
    """XYZ (Y = 1) of an illuminant: colour temperature in kelvin and tint, 3000 times the distance above the locus."""
    (u, v), (du, dv) = locus(kelvin), along_locus(kelvin)
    u, v = u + tint / TINT_PER_UV * dv, v - tint / TINT_PER_UV * du
    scale = 2.0 * u - 8.0 * v + 4.0
    x, y = 3.0 * u / scale, 2.0 * v / scale
    return x / y, 1.0, (1.0 - x - y) / y

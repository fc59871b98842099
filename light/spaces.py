"""Perceptual spaces of linear Rec.2020 light and their inverses, plane by plane.

Lab: CIE 15, relative to D65. OKLab: B. Ottosson (2020), with the D65 matrices of CSS Color 4, rows scaled so that our
white is exactly (1, 0, 0) and grey is exactly neutral.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .primaries import D65, REC2020_TO_XYZ, XYZ_TO_REC2020, Matrix, inverse, matrix, mix, product, white_xyz
from .transfer import cube_root


def _unit_rows(m: Matrix, vector, sums) -> Matrix:
    """Move each row of a matrix the least distance so that its product with `vector` is exactly the given sum."""
    rows, v = torch.tensor(m, dtype=torch.float64), torch.tensor(vector, dtype=torch.float64)
    error = torch.tensor(sums, dtype=torch.float64) - rows @ v
    return matrix(rows + error[:, None] * v / (v @ v))


_XYZ_TO_LMS: Matrix = (
    (0.8190224379967030, 0.3619062600528904, -0.1288737815209879),
    (0.0329836539323885, 0.9292868615863434, 0.0361446663506424),
    (0.0481771893596242, 0.2642395317527308, 0.6335478284694309),
)
_LMS_TO_OKLAB: Matrix = (
    (0.2104542683093140, 0.7936177747023054, -0.0040720430116193),
    (1.9779985324311684, -2.4285922420485799, 0.4505937096174110),
    (0.0259040424655478, 0.7827717124575296, -0.8086757549230774),
)
REC2020_TO_LMS = product(_unit_rows(_XYZ_TO_LMS, white_xyz(D65), (1.0, 1.0, 1.0)), REC2020_TO_XYZ)
LMS_TO_REC2020 = inverse(REC2020_TO_LMS)
ROOTS_TO_OKLAB = _unit_rows(_LMS_TO_OKLAB, (1.0, 1.0, 1.0), (1.0, 0.0, 0.0))
OKLAB_TO_ROOTS = inverse(ROOTS_TO_OKLAB)


def oklab_roots(r: Tensor, g: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The cube roots of the cone responses of linear Rec.2020 light: OKLab before its last matrix."""
    long, medium, short = mix(REC2020_TO_LMS, r, g, b)
    return cube_root(long), cube_root(medium), cube_root(short)


def to_oklab(r: Tensor, g: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Linear Rec.2020 planes to OKLab (lightness 0..1, a, b)."""
    return mix(ROOTS_TO_OKLAB, *oklab_roots(r, g, b))


def from_oklab(lightness: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """OKLab to linear Rec.2020 planes."""
    roots = mix(OKLAB_TO_ROOTS, lightness, a, b)
    return mix(LMS_TO_REC2020, *(root * root * root for root in roots))


def oklab_shift(roots, lightness: Tensor | float, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What to add to linear Rec.2020 light so that its OKLab moves by (lightness, a, b).

    `roots` are the `oklab_roots` of the light. Difference form: exactly zero for a zero move, so that an operation
    written with it is exactly the identity at its neutral setting, in float32 too.
    """
    moves = mix(OKLAB_TO_ROOTS, lightness, a, b)  # type: ignore[arg-type]
    cubes = (d * (3.0 * m * (m + d) + d * d) for m, d in zip(roots, moves))
    return mix(LMS_TO_REC2020, *cubes)


_WHITE = white_xyz(D65)
_DELTA = 6.0 / 29.0


def to_lab(r: Tensor, g: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Linear Rec.2020 planes to CIE L*a*b* relative to D65 (L* 0..100)."""
    fx, fy, fz = (_lab_curve(value / white) for value, white in zip(mix(REC2020_TO_XYZ, r, g, b), _WHITE))
    return 116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)


def from_lab(lightness: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """CIE L*a*b* relative to D65 to linear Rec.2020 planes."""
    fy = (lightness + 16.0) * (1.0 / 116.0)
    x, y, z = (_lab_uncurve(f) * white for f, white in zip((fy + a * 0.002, fy, fy - b * 0.005), _WHITE))
    return mix(XYZ_TO_REC2020, x, y, z)


def _lab_curve(t: Tensor) -> Tensor:
    root = torch.exp2(torch.log2(t.clamp_min(_DELTA**3)) * (1.0 / 3.0))
    return torch.where(t > _DELTA**3, root, t * (1.0 / (3.0 * _DELTA**2)) + 4.0 / 29.0)


def _lab_uncurve(f: Tensor) -> Tensor:
    return torch.where(f > _DELTA, f * f * f, (f - 4.0 / 29.0) * (3.0 * _DELTA**2))

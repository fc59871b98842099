"""RGB primaries and the matrices between them, as tuples of floats (the compiler and the broadcasting rules need that).

Sources: ITU-R BT.709 and BT.2020, SMPTE EG 432-1 (P3), Adobe RGB (1998), ISO 22028-2 (ROMM), SMPTE RP 177 (derivation).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .white import ACES_WHITE, BRADFORD, D50, D65, Chromaticity, white_xyz

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
Corners = tuple[Chromaticity, Chromaticity, Chromaticity, Chromaticity]
"""Red, green, blue and white."""

PRIMARIES: dict[str, Corners] = {
    "srgb": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65),
    "rec2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    "p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    "adobe": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), D65),
    "romm": ((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105), D50),
    "acescg": ((0.713, 0.293), (0.165, 0.830), (0.128, 0.044), ACES_WHITE),
}


def matrix(rows) -> Matrix:
    """Nine numbers, from a 3x3 tensor or nested sequence, as a tuple of tuples of floats."""
    rows = torch.as_tensor(rows, dtype=torch.float64).tolist()
    return tuple(tuple(row) for row in rows)  # type: ignore[return-value]


def product(*matrices: Matrix) -> Matrix:
    """The matrix product, leftmost applied last."""
    total = torch.eye(3, dtype=torch.float64)
    for factor in matrices:
        total = total @ torch.tensor(factor, dtype=torch.float64)
    return matrix(total)


def inverse(m: Matrix) -> Matrix:
    """The inverse matrix."""
    return matrix(torch.linalg.inv(torch.tensor(m, dtype=torch.float64)))


def mix(m: Matrix, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Matrix times the vector of three planes, plane by plane."""
    a, b, c = m
    return (
        a[0] * x + a[1] * y + a[2] * z,
        b[0] * x + b[1] * y + b[2] * z,
        c[0] * x + c[1] * y + c[2] * z,
    )


def rgb_to_xyz(primaries: str | Corners) -> Matrix:
    """Linear RGB of primaries, by name or chromaticity, to CIE XYZ relative to their own white (SMPTE RP 177)."""
    *corners, white = PRIMARIES[primaries] if isinstance(primaries, str) else primaries
    columns = torch.tensor([white_xyz(xy) for xy in corners], dtype=torch.float64).T
    scale = torch.linalg.solve(columns, torch.tensor(white_xyz(white), dtype=torch.float64))
    return matrix(columns * scale)


CAT16: Matrix = (
    (0.401288, 0.650173, -0.051461),
    (-0.250268, 1.204414, 0.045854),
    (-0.002079, 0.048952, 0.953127),
)
"""XYZ to the sharpened cone space of CAM16 (Li et al. 2017)."""


def adaptation(source: Chromaticity, target: Chromaticity, cones: Matrix = BRADFORD) -> Matrix:
    """XYZ under one white to XYZ under another, by von Kries scaling in the given cone space."""
    space = torch.tensor(cones, dtype=torch.float64)
    before = space @ torch.tensor(white_xyz(source), dtype=torch.float64)
    after = space @ torch.tensor(white_xyz(target), dtype=torch.float64)
    return matrix(torch.linalg.inv(space) @ torch.diag(after / before) @ space)


def rgb_to_rgb(source: str | Corners, target: str | Corners) -> Matrix:
    """Linear RGB of one set of primaries to another, adapting the white by Bradford where they differ."""
    white, other = (PRIMARIES[corners][3] if isinstance(corners, str) else corners[3] for corners in (source, target))
    return product(inverse(rgb_to_xyz(target)), adaptation(white, other), rgb_to_xyz(source))


REC2020_TO_XYZ = rgb_to_xyz("rec2020")
XYZ_TO_REC2020 = inverse(REC2020_TO_XYZ)
REC2020_TO_SRGB = rgb_to_rgb("rec2020", "srgb")
SRGB_TO_REC2020 = rgb_to_rgb("srgb", "rec2020")
_LUMA = REC2020_TO_XYZ[1]


def luminance(r: Tensor, g: Tensor, b: Tensor) -> Tensor:
    """Relative luminance Y of linear Rec.2020 planes (white = 1)."""
    return _LUMA[0] * r + _LUMA[1] * g + _LUMA[2] * b

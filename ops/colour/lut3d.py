from typing import Annotated

import torch
from torch import Tensor

from ...light.planes import join, planes
from ...light.primaries import REC2020_TO_SRGB, SRGB_TO_REC2020, inverse, mix, rgb_to_rgb
from ...light.transfer import acescct_decode, acescct_encode, srgb_decode, srgb_encode
from ..params import Choice, Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Lut, Scalar

_TO_ACESCG = rgb_to_rgb("rec2020", "acescg")
_AXES = {
    "sRGB": (REC2020_TO_SRGB, srgb_encode, srgb_decode, SRGB_TO_REC2020),
    "linear": (REC2020_TO_SRGB, lambda x: x, lambda x: x, SRGB_TO_REC2020),
    "log": (_TO_ACESCG, acescct_encode, acescct_decode, inverse(_TO_ACESCG)),
}
Rgb = tuple[Tensor, Tensor, Tensor]


@operation(reach=POINTWISE)
def lut3d(
    image: Image,
    lut: Lut,
    strength: Annotated[Scalar, Slider(0, 1)] = 1.0,
    encoding: Annotated[str, Choice("sRGB", "linear", "log")] = "sRGB",
    output: Annotated[str, Choice("as encoding", "sRGB", "linear", "log")] = "as encoding",
    interpolation: Annotated[str, Choice("tetrahedral", "trilinear")] = "tetrahedral",
) -> Image:
    """Give the photo the look of a 1D or 3D look-up table.

    image: the photo to change.
    lut: the table, from Load LUT; its entries can be fitted.
    strength: how much of the look, 1 all of it.
    encoding: what the table expects: sRGB codes, linear sRGB light, or log (ACEScct with AP1 primaries).
    output: what the table returns, where that is not the same.
    interpolation: tetrahedral keeps greys on the diagonal of the cube neutral; trilinear is what some players use.

    Input outside the table's domain takes the value at its edge, as in other programs. Domain: any finite light.
    Neutral: strength = 0.
    Source: Adobe Cube LUT specification 1.0; tetrahedral interpolation as in OpenColorIO.
    """
    to_table, encode, _, _ = _AXES[encoding]
    _, _, decode, from_table = _AXES[encoding if output == "as encoding" else output]
    codes: Rgb = tuple(encode(plane) for plane in mix(to_table, *planes(image)))
    if lut.curves is not None:
        codes = _look_up_curves(codes, lut.curves, lut.curves_domain)
    if lut.cube is not None:
        positions = _positions(codes, lut.cube_domain, lut.cube.shape[0])
        codes = (_tetrahedral if interpolation == "tetrahedral" else _trilinear)(positions, lut.cube)
    looked = join(*mix(from_table, *(decode(plane) for plane in codes)), like=image)
    return image + strength * (looked - image)


def _positions(codes: Rgb, domain: Tensor, entries: int) -> Rgb:
    """Where codes fall on a table's axes, 0 to entries - 1."""
    scale = (entries - 1.0) / (domain[1] - domain[0])
    r, g, b = (((code - domain[0, c]) * scale[c]).clamp(0.0, entries - 1.0) for c, code in enumerate(codes))
    return r, g, b


def _split(position: Tensor, entries: int) -> tuple[Tensor, Tensor]:
    """A position as the entry below it and the share of the way to the next; of what is no number the share is none."""
    entry = position.detach().nan_to_num(0.0).floor().clamp_max(max(entries - 2, 0))
    return entry.to(torch.int32), position - entry


def _look_up_curves(codes: Rgb, curves: Tensor, domain: Tensor) -> Rgb:
    looked: list[Tensor] = []
    for channel, position in enumerate(_positions(codes, domain, len(curves))):
        entry, share = _split(position, len(curves))
        index, curve = entry.reshape(-1), curves[:, channel]
        low = curve.index_select(0, index).view(entry.shape)
        high = curve.index_select(0, (index + 1).clamp_max(len(curves) - 1)).view(entry.shape)
        looked.append(low + share * (high - low))
    r, g, b = looked
    return r, g, b


def _corners(positions: Rgb, cube: Tensor) -> tuple[Tensor, Rgb, tuple[int, int, int]]:
    """The entry at the low corner of each pixel's cell, the shares along the axes, and the steps to the next entries."""
    n = cube.shape[0]
    (i, x), (j, y), (k, z) = (_split(position, n) for position in torch.broadcast_tensors(*positions))
    steps = (n * n, n, 1) if n > 1 else (0, 0, 0)
    return (i * (n * n) + j * n + k).reshape(-1), (x, y, z), steps


def _columns(rows: Tensor, shape: torch.Size) -> Rgb:
    return tuple(column.reshape(shape) for column in rows.T.contiguous())


def _tetrahedral(positions: Rgb, cube: Tensor) -> Rgb:
    """Walk from the low corner to the high corner of the cell along its edges, longest share first."""
    base, (x, y, z), (dx, dy, dz) = _corners(positions, cube)
    table = cube.reshape(-1, 3)
    fx, fy, fz = (share.detach().reshape(-1) for share in (x, y, z))
    first = torch.where((fx >= fy) & (fx >= fz), dx, torch.where(fy >= fz, dy, dz)).to(torch.int32)
    last = torch.where((fz <= fy) & (fz < fx), dz, torch.where(fy < fx, dy, dx)).to(torch.int32)
    most = torch.maximum(torch.maximum(x, y), z)
    least = torch.minimum(torch.minimum(x, y), z)
    between = x + y + z - most - least
    every = dx + dy + dz
    path = (base, base + first, base + (every - last), base + every)
    weights = (1.0 - most, most - between, between - least, least)
    rows = [weight.reshape(-1, 1) * table.index_select(0, index) for weight, index in zip(weights, path)]
    return _columns(rows[0] + rows[1] + rows[2] + rows[3], x.shape)


def _trilinear(positions: Rgb, cube: Tensor) -> Rgb:
    base, (x, y, z), (dx, dy, dz) = _corners(positions, cube)
    table = cube.reshape(-1, 3)
    rows = torch.zeros((), dtype=x.dtype, device=x.device)
    for right, wx in ((0, 1.0 - x), (dx, x)):
        for down, wy in ((0, 1.0 - y), (dy, y)):
            for deep, wz in ((0, 1.0 - z), (dz, z)):
                weight = (wx * wy * wz).reshape(-1, 1)
                rows = rows + weight * table.index_select(0, base + (right + down + deep))
    return _columns(rows, x.shape)

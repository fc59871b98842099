"""What a file holds, as a photo: upright, and as light."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..light.photo import Photo
from .colour import raster_of
from .formats.format import Decoded
from .hdr import brightened
from .metadata import read_metadata


def as_photo(decoded: Decoded) -> Photo:
    """What a file holds, upright, as light. Raises FileError without the file's name."""
    metadata, orientation = read_metadata(decoded)
    turn = orientation if decoded.orientation is None else decoded.orientation
    values, alpha = (_upright(array, turn) for array in (decoded.values, decoded.alpha))
    assert values is not None
    raster = raster_of(decoded, values)
    if decoded.gain_map is not None:
        raster = brightened(raster, decoded.gain_map, partial(_upright, orientation=turn))
    return Photo(
        raster,
        None if alpha is None else _alpha(alpha, decoded.bits),
        decoded.light or ("display" if values.dtype.kind == "u" else "scene"),
        metadata,
    )


def _alpha(alpha: np.ndarray, bits: int | None) -> Tensor:
    most = float((1 << (bits or alpha.dtype.itemsize * 8)) - 1) if alpha.dtype.kind == "u" else 1.0
    return torch.from_numpy(np.ascontiguousarray(alpha)).float()[None, None] / most


def _upright(values: np.ndarray | None, orientation: int) -> np.ndarray | None:
    """Rows and columns as the photo is meant to be seen (EXIF orientation 1 to 8)."""
    if values is None or orientation == 1:
        return values
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values

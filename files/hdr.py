"""Light above white, from a plain picture and its gain map (ISO 21496-1), as on a display that can show all of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..light.photo import Codes
from ..light.primaries import Matrix, inverse, mix, product
from .colour import raster_of
from .errors import FileError
from .formats.format import Decoded, GainMap

_STRIP = 1 << 18


def brightened(raster: Codes | Tensor, gain_map: GainMap, upright: Callable[[np.ndarray], np.ndarray | None]) -> Codes:
    """The linear light (H, W, 3) of 8-bit codes with its gain, in the gain's primaries; white stays 1.0 = 203 nits.

    upright: turns the map as the codes were turned. Raises FileError.
    """
    if not isinstance(raster, Codes) or raster.curves is None:
        raise FileError("expected a plain picture with a matrix profile beneath a gain map; got another")
    height, width, channels = raster.values.shape
    curves = raster.curves.expand(channels, -1)
    light = torch.empty(height, width, 3)
    space = raster.to_rec2020 if gain_map.profile is None else _to_rec2020(gain_map.profile)
    to_space = None if gain_map.profile is None else product(inverse(space), raster.to_rec2020)
    turned = upright(gain_map.values)
    assert turned is not None
    layers = [Image.fromarray(np.ascontiguousarray(turned[..., c], np.float32)) for c in range(turned.shape[2])]
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        of = [min(c, channels - 1) for c in range(3)]
        planes = [curves[c][raster.values[top:bottom, :, c].long()] for c in of]
        for c, plain in enumerate(planes if to_space is None else mix(to_space, *planes)):
            code = _enlarged(layers[min(c, len(layers) - 1)], top, bottom, (height, width)) / 255.0
            stops = code ** (1.0 / gain_map.gamma[c]) * (gain_map.highest[c] - gain_map.lowest[c]) + gain_map.lowest[c]
            light[top:bottom, :, c] = (plain + gain_map.offset_plain[c]) * torch.exp2(stops) - gain_map.offset[c]
    if not torch.isfinite(light).all():
        raise FileError("expected finite light; got NaN or infinity from its gain map")
    return Codes(light, None, space)


def _to_rec2020(profile: bytes) -> Matrix:
    pixel = np.zeros((1, 1, 3), np.uint8)
    found = raster_of(Decoded(pixel, profile=profile), pixel)
    if not isinstance(found, Codes):
        raise FileError("expected a gain map with a matrix profile; got another")
    return found.to_rec2020


def _enlarged(layer: Image.Image, top: int, bottom: int, size: tuple[int, int]) -> Tensor:
    """Rows of the map at the size of the picture, between its pixels in straight lines."""
    height, width = size
    scale = layer.height / height
    box = (0.0, top * scale, float(layer.width), min(bottom * scale, float(layer.height)))
    values = np.array(layer.resize((width, bottom - top), Image.Resampling.BILINEAR, box=box))
    return torch.from_numpy(values).clamp_(0.0, 255.0)

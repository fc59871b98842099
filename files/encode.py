"""Photos to files: rounded, with profile and EXIF, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..light.gamut import to_display
from ..light.photo import Codes, Photo
from ..light.primaries import REC2020_TO_SRGB, SRGB_TO_REC2020, mix
from ..light.rectangle import Region, Size
from ..light.transfer import srgb_encode
from .atomic import save_image, whole_file
from .errors import FileError
from .exif import BLOCK
from .formats.format import Beside, Encoding, Saving
from .formats.registry import written_as
from .icc import build_profile, srgb_curve

_DITHER = 0.498
_HAIR = 2e-3


def depth_for(path: Path, depth: str = "auto") -> str:
    """The bits per channel that a file of this name gets. Raises FileError where it cannot have them."""
    form = written_as(path)
    if depth == "auto":
        return "16" if "16" in form.depths else form.depths[0]
    if depth not in form.depths:
        raise FileError(f"{path}: expected {' or '.join(form.depths)} bits for {form.name}; got {depth}")
    return depth


class Canvas:
    """A picture being filled tile by tile with the codes that a file will hold.

    depth: 8, 16 or float. dither: add position-seeded noise of just under half a level to 8-bit codes before rounding.
    truncate: clip and cut instead of fitting the gamut and rounding, as ComfyUI's SaveImage does (untouched codes stay).
    """

    def __init__(self, size: Size, depth: str, dither: bool = True, truncate: bool = False) -> None:
        self.depth, self.dither, self.truncate = depth, dither and depth == "8" and not truncate, truncate
        kind = {"8": np.uint8, "16": np.uint16, "float": np.float32}[depth]
        self.codes = np.empty((*size, 3), kind)

    def put(self, region: Region, pixels: Tensor) -> None:
        """Take a tile of linear Rec.2020 light (1,3,h,w). Raises FileError where light is not finite."""
        if not torch.isfinite(pixels).all():
            raise FileError("expected finite light; got NaN or infinity in the result")
        if self.depth == "float":
            codes = torch.cat(mix(REC2020_TO_SRGB, *pixels.split(1, dim=1)), dim=1)
        else:
            levels = 255.0 if self.depth == "8" else 65535.0
            codes = (_clipped(pixels) if self.truncate else to_display(pixels)) * levels
            if self.dither:
                codes = codes + _noise(region).to(codes)
            codes = (codes + (_HAIR if self.truncate else 0.5)).floor().clamp_(0.0, levels)
        tile = self.codes[region.top : region.top + region.height, region.left : region.left + region.width]
        tile[...] = codes[0].permute(1, 2, 0).cpu().numpy()

    def photo(self) -> Photo:
        """The codes, as the file will be read."""
        if self.depth == "float":
            return Photo(Codes(torch.from_numpy(self.codes), None, SRGB_TO_REC2020), light="scene")
        levels = 256 if self.depth == "8" else 65536
        curves = torch.from_numpy(srgb_curve(levels).astype(np.float32)).expand(3, -1)
        return Photo(Codes(torch.from_numpy(self.codes), curves, SRGB_TO_REC2020))


def _clipped(pixels: Tensor) -> Tensor:
    return torch.cat([srgb_encode(plane) for plane in mix(REC2020_TO_SRGB, *pixels.split(1, dim=1))], dim=1).clamp(0.0, 1.0)


def _noise(region: Region) -> Tensor:
    """(3, h, w) uniform noise of just under half a level, the same at the same place of every picture."""
    y, x = region.rows().numpy().astype(np.uint64), region.columns().numpy().astype(np.uint64)
    seeds = ((y << np.uint64(32)) + (x << np.uint64(2)))[None] + np.arange(3, dtype=np.uint64)[:, None, None]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        seeds = (seeds ^ (seeds >> np.uint64(shift))) * np.uint64(factor)
    share = (seeds >> np.uint64(40)).astype(np.float32) / (1 << 24)
    return torch.from_numpy((share * 2.0 - 1.0) * np.float32(_DITHER))


def write_photo(
    path: Path,
    canvas: Canvas,
    metadata: Mapping[str, Any],
    alpha: Tensor | None = None,
    quality: int = 95,
    force: bool = False,
) -> None:
    """Write a filled canvas, as sRGB with its profile (float: linear sRGB light). Raises FileError.

    metadata: of the photo; its EXIF block is handed on. alpha: (1,1,H,W) or None; JPEG cannot hold it.
    """
    depth_for(path, canvas.depth)
    form, codes = written_as(path), canvas.codes
    if alpha is not None and "alpha" in form.carries:
        codes = np.concatenate([codes, _alpha_codes(alpha, codes.dtype)], axis=2)
    linear = canvas.depth == "float"
    profile = build_profile("sRGB linear" if linear else "sRGB", linear=linear)
    beside = Beside(profile, Encoding("linear" if linear else "srgb"), metadata.get(BLOCK))
    with whole_file(path, force) as part:
        assert form.encode is not None
        form.encode(part, codes, beside, Saving(quality, canvas.depth))


def write_like_comfyui(path: Path, canvas: Canvas, force: bool = False) -> None:
    """An 8-bit PNG without profile, as ComfyUI's SaveImage writes."""
    with whole_file(path, force) as part:
        save_image(Image.fromarray(canvas.codes), part, "PNG", compress_level=4)


def _alpha_codes(alpha: Tensor, dtype: Any) -> np.ndarray:
    most = float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0
    plane = alpha[0, 0].cpu().numpy() * most
    return (np.floor(plane + 0.5) if dtype.kind == "u" else plane).astype(dtype)[..., None]

"""Photos to files: rounded, with profile and EXIF, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..light.encodings import SPACES
from ..light.gamut import to_display
from ..light.photo import Codes, Photo
from ..light.primaries import mix
from ..light.rectangle import Region, Size
from .atomic import save_image, whole_file
from .errors import FileError
from .formats.format import Beside, Encoding, Saving
from .formats.registry import written_as
from .icc_write import build_profile
from .metadata import written_metadata

_DITHER = 0.498
_HAIR = 2e-3
_MOST_HALF = 65504.0
_ROUNDING = 4e-7


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

    depth: 8, 10, 12 or 16 (codes of so many bits), half or float (linear light, unbounded), hdr (8 bits, and light beside
    them). space: a name of `light.encodings.SPACES`. dither: add position-seeded noise of just under half a level to 8-bit
    codes before rounding. truncate: clip and cut instead of fitting the gamut and rounding, as ComfyUI's SaveImage does
    (untouched codes stay).
    """

    def __init__(self, size: Size, depth: str, dither: bool = True, truncate: bool = False, space: str = "sRGB") -> None:
        if space not in SPACES:
            raise FileError(f"expected a colour space ({', '.join(SPACES)}); got {space[:40]!r}")
        self.depth, self.dither, self.truncate = depth, dither and depth == "8" and not truncate, truncate
        self.space = SPACES[space]
        self.bits = 8 if depth == "hdr" else int(depth) if depth.isdigit() else None
        kind = {"8": np.uint8, "hdr": np.uint8, "half": np.float16, "float": np.float32}.get(depth, np.uint16)
        self.codes = np.empty((*size, 3), kind)
        self.light = np.empty((*size, 3), np.float32) if depth == "hdr" else None

    @property
    def levels(self) -> float:
        """The code of white."""
        return float((1 << self.bits) - 1) if self.bits else 1.0

    def put(self, region: Region, pixels: Tensor) -> None:
        """Take a tile of linear Rec.2020 light (1,3,h,w). Raises FileError where it is not finite, or too bright for half."""
        _refuse_what_is_not_finite(pixels)
        if self.bits:
            self._put_whole(region, self._clipped(pixels) if self.truncate else to_display(pixels, self.space))
        else:
            self._fill(self.codes, region, self._light(pixels))
        if self.light is not None:
            self._fill(self.light, region, self._light(pixels))

    def put_codes(self, region: Region, codes: Tensor) -> None:
        """Take a tile of display codes of its space (1,3,h,w in 0..1), not yet rounded. Raises FileError."""
        assert self.bits
        assert self.light is None
        _refuse_what_is_not_finite(codes)
        self._put_whole(region, codes)

    def _fill(self, array: np.ndarray, region: Region, values: Tensor) -> None:
        place = slice(region.top, region.top + region.height), slice(region.left, region.left + region.width)
        array[place] = values[0].permute(1, 2, 0).cpu().numpy()

    def _light(self, pixels: Tensor) -> Tensor:
        light = torch.cat(mix(self.space.from_rec2020, *pixels.split(1, dim=1)), dim=1)
        if self.depth == "half" and (most := light.abs().max()) > _MOST_HALF:
            raise FileError(f"expected light up to {_MOST_HALF:.0f} for half floats; got {most:.0f}")
        return light

    def _put_whole(self, region: Region, codes: Tensor) -> None:
        codes = codes * self.levels
        if self.dither:
            codes = self._settled(codes) + _noise(region).to(codes)
        self._fill(self.codes, region, (codes + (_HAIR if self.truncate else 0.5)).floor().clamp_(0.0, self.levels))

    def _settled(self, codes: Tensor) -> Tensor:
        """Whole codes in place of those whose light is theirs, but for its rounding beside a bright channel.

        Near black a plain power makes a hundredth of a level of that rounding, which noise would carry to the next code.
        """
        if not self.space.transfer.startswith("gamma"):
            return codes
        whole = codes.round()
        moved = (self.space.decode(whole / self.levels) - self.space.decode(codes / self.levels)).abs()
        return torch.where(moved < _ROUNDING, whole, codes)

    def _clipped(self, pixels: Tensor) -> Tensor:
        planes = mix(self.space.from_rec2020, *pixels.split(1, dim=1))
        return torch.cat([self.space.encode(plane) for plane in planes], dim=1).clamp(0.0, 1.0)

    def photo(self) -> Photo:
        """The codes, as the file will be read."""
        values = torch.from_numpy(self.codes if self.light is None else self.light)
        if self.light is not None:
            return Photo(Codes(values, None, self.space.to_rec2020))
        if not self.bits:
            return Photo(Codes(values, None, self.space.to_rec2020), light="scene")
        codes = torch.linspace(0.0, 1.0, 1 << self.bits, dtype=torch.float64)
        return Photo(Codes(values, self.space.decode(codes).float().expand(3, -1), self.space.to_rec2020))


def _refuse_what_is_not_finite(pixels: Tensor) -> None:
    if not torch.isfinite(pixels).all():
        raise FileError("expected finite light; got NaN or infinity in the result")


def _noise(region: Region) -> Tensor:
    """(3, h, w) uniform noise of just under half a level, the same at the same place of every picture.

    A place's number is mixed as in SplitMix64 (Steele, Lea and Flood 2014); each channel takes 21 of its bits.
    """
    y, x = region.rows().numpy().astype(np.uint64), region.columns().numpy().astype(np.uint64)
    bits = (y << np.uint64(32)) + x + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    shares = np.stack([(bits >> np.uint64(21 * channel + 1)) & np.uint64(0x1FFFFF) for channel in range(3)])
    return torch.from_numpy(shares.astype(np.float32)) * (2.0 * _DITHER / (1 << 21)) - _DITHER


def write_photo(
    path: Path,
    canvas: Canvas,
    metadata: Mapping[str, Any],
    alpha: Tensor | None = None,
    quality: int = 95,
    force: bool = False,
    keep: str = "keep",
    workflow: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write a filled canvas with the profile of its space (half and float: of linear light). Raises FileError.

    metadata: of the photo, handed on as far as `keep` (one of `metadata.KEEP`) says. workflow: the workflow that made it, to be
    embedded, by the names in `metadata.WORKFLOW_TEXTS`. alpha: (1,1,H,W) or None; JPEG cannot hold it.
    """
    depth_for(path, canvas.depth)
    form, codes = written_as(path), canvas.codes
    if alpha is not None and form.alpha:
        codes = np.concatenate([codes, _alpha_codes(alpha, canvas)], axis=2)
    linear = canvas.bits is None
    encoding = Encoding("linear" if linear else canvas.space.transfer, canvas.space.primaries)
    handed_on = written_metadata(metadata, codes.shape[1::-1], canvas.space.name, keep, workflow)
    beside = Beside(build_profile(canvas.space, linear), encoding, **handed_on, light=canvas.light)
    with whole_file(path, force) as part:
        assert form.encode is not None
        form.encode(part, codes, beside, Saving(quality, canvas.depth))


def write_like_comfyui(path: Path, canvas: Canvas, force: bool = False) -> None:
    """An 8-bit PNG without profile, as ComfyUI's SaveImage writes."""
    with whole_file(path, force) as part:
        save_image(Image.fromarray(canvas.codes), part, "PNG", compress_level=4)


def _alpha_codes(alpha: Tensor, canvas: Canvas) -> np.ndarray:
    plane = alpha[0, 0].cpu().numpy() * canvas.levels
    return (np.floor(plane + 0.5) if canvas.bits else plane).astype(canvas.codes.dtype)[..., None]

"""HEIC (HEVC in HEIF, ISO/IEC 23008-12 annex B): read only, by the decoder that a user has installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import FileError
from ..extras import pillow_heif
from .format import Decoded, Format, Header, without_alpha
from .heif import brands, read_still

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


def read_header(path: Path) -> Header:
    """The size, from the boxes."""
    return read_still(path).header("HEIC")


def decode(path: Path) -> Decoded:
    """The primary picture at its own depth, alpha not premultiplied; the decoder crops, turns and mirrors it."""
    still = read_still(path)
    pictures = pillow_heif("HEIC").open_heif(path, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    picture = pictures[pictures.primary_index]
    mode, _, bits = picture.mode.partition(";")
    values, most = np.array(picture), (1 << int(bits or 8)) - 1
    _, _, width, height = still.crop
    size = (height, width) if still.orientation >= 5 else (width, height)
    if picture.size != size or int(bits or 8) != still.bits or picture.has_alpha != still.alpha:
        said = f"{size[0]} x {size[1]} px, {still.bits} bits{', alpha' * still.alpha}"
        raise FileError(f"damaged: its header says {said}; inside is {picture.mode}, {picture.size[0]} x {picture.size[1]} px")
    values, alpha = without_alpha(values, mode.endswith("A"))
    if alpha is not None and picture.premultiplied_alpha:
        values = _unmultiplied(values, alpha, most)
    facts = {"Frames": still.frames} if still.frames > 1 else {}
    return Decoded(values, alpha, still.profile, still.encoding, still.exif, still.xmp, 1, still.bits, facts=facts)


def _unmultiplied(values: np.ndarray, alpha: np.ndarray, most: int) -> np.ndarray:
    whole = np.maximum(alpha, 1).astype(np.uint32)[..., None]
    return np.minimum((values.astype(np.uint32) * most + whole // 2) // whole, most).astype(values.dtype)


HEIC = Format(
    "HEIC",
    (".heic", ".heif", ".hif"),
    lambda start, _: bool(brands(start) & _BRANDS),
    read_header,
    decode,
    apart=True,
)

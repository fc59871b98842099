"""AVIF (AV1 Image File Format 1.1): 8, 10 and 12 bits, through libavif; colour profile, EXIF and XMP in boxes of our own."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType

import numpy as np

from ..errors import FileError
from ..extras import imagecodecs
from .cicp import BT601, BT2020, IDENTITY, UNSPECIFIED, numbers_of
from .format import Beside, Decoded, Format, Header, Saving, without_alpha
from .heif import brands, read_still
from .heif_write import with_beside, without_track

_LOSSLESS = 100
_FULL_COLOUR = 90
_YUV444, _YUV420 = 1, 3
"""libavif's numbers of pixel formats. Their names in imagecodecs changed."""
_SPEED = 8
"""Beside 6: a fifth of the time at quality 95 for 0.3 dB, an eighth without loss for 9 % more bytes."""


def read_header(path: Path) -> Header:
    """The size, from the boxes."""
    return read_still(path).header("AVIF")


def decode(path: Path) -> Decoded:
    """The still picture (of a sequence the first frame), at its own depth, full range, alpha not premultiplied."""
    still = read_still(path)
    values = imagecodecs("AVIF").avif_decode(without_track(path))
    channels = still.channels + still.alpha
    values = values if values.ndim == 3 else values[..., None]
    if values.shape != (still.height, still.width, channels):
        got = f"{values.shape[1]} x {values.shape[0]} px, {values.shape[2]} channels"
        raise FileError(f"damaged: its header says {still.width} x {still.height} px, {channels} channels; inside are {got}")
    left, top, width, height = still.crop
    values, alpha = without_alpha(values[top : top + height, left : left + width], still.alpha)
    facts = {"Frames": still.frames} if still.frames > 1 else {}
    return Decoded(
        values, alpha, still.profile, still.encoding, still.exif, still.xmp, still.orientation, still.bits, facts=facts
    )


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """8, 10 or 12 bits (whole codes of so many bits).

    Quality 100 is without loss (matrix coefficients 0: the codes themselves); from 90 on colour has full resolution.
    """
    lossless = saving.quality >= _LOSSLESS
    primaries, transfer = numbers_of(beside.encoding) or (UNSPECIFIED, UNSPECIFIED)
    matrix = IDENTITY if lossless else BT2020 if beside.encoding.primaries == "rec2020" else BT601
    codec = imagecodecs("AVIF")
    numbers = {"primaries": primaries, "transfer": transfer, "matrix": matrix} if _says_colour(codec) else {}
    data = codec.avif_encode(
        np.ascontiguousarray(codes),
        level=saving.quality,
        speed=_SPEED,
        bitspersample=int(saving.depth),
        pixelformat=_YUV444 if saving.quality >= _FULL_COLOUR else _YUV420,
        **numbers,
    )
    path.write_bytes(with_beside(data, beside, primaries, transfer))


def _says_colour(codec: ModuleType) -> bool:
    """Whether the encoder takes numbers of colour (imagecodecs 2025.11.11).

    One that does not leaves primaries and transfer of its stream unspecified, so that the boxes alone say them, and chooses the
    matrix itself: none without loss, otherwise BT.601.
    """
    return "primaries" in inspect.signature(codec.avif_encode).parameters


AVIF = Format(
    "AVIF",
    (".avif",),
    lambda start, _: bool(brands(start) & {b"avif", b"avis"}),
    read_header,
    decode,
    apart=True,
    depths=("10", "8", "12"),
    encode=encode,
    alpha=True,
)

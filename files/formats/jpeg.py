"""JPEG: 8 bits, grey, YCbCr or CMYK."""

from __future__ import annotations

import dataclasses
import io
import struct
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..exif import without_maker_note
from ..xmp_extended import split
from . import pillow
from .format import Beside, Decoded, Development, Format, Saving
from .gain_map import read_gain_map
from .ultra_hdr import gain_map_jpeg, joined_with, xmp_with

_MOST_IN_SEGMENT = 65533


def decode(path: Path, development: Development = Development()) -> Decoded:  # noqa: B008
    """The picture, with its gain map where it is Ultra HDR, unless its plain picture is asked for."""
    decoded = pillow.decode(path, "JPEG")
    if development.develop != "embedded preview":
        decoded.gain_map = read_gain_map(path)
    return decoded


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """8-bit codes, with full-resolution colour from quality 90 on; of depth hdr with a gain map."""
    data = _jpeg(codes, beside, saving)
    if beside.light is not None:
        gain = gain_map_jpeg(_codes_of(data), beside.light, beside.encoding, partial(_jpeg, saving=saving))
        data = joined_with(_jpeg(codes, dataclasses.replace(beside, xmp=xmp_with(beside.xmp, len(gain))), saving), gain)
    path.write_bytes(data)


def _jpeg(codes: np.ndarray, beside: Beside | None, saving: Saving) -> bytes:
    """A JPEG with tables of its own.

    Pillow has no room for those where a picture is so noisy that it needs more than 16 bits per px; it then gets the usual.
    """
    options: dict[str, Any] = {"quality": saving.quality, "subsampling": 0 if saving.quality >= 90 else 2}
    options.update(_segments(beside) if beside else {})
    buffer, picture = io.BytesIO(), Image.fromarray(codes)
    try:
        picture.save(buffer, "JPEG", optimize=True, **options)
    except OSError:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def _codes_of(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image)


def _segments(beside: Beside) -> dict[str, Any]:
    """EXIF and XMP as segments: a longer packet goes on in extension segments, a longer EXIF gives up its maker note."""
    exif, xmp, more = beside.exif, beside.xmp, list[bytes]()
    if exif and len(exif) > _MOST_IN_SEGMENT:
        exif = without_maker_note(exif)
    if xmp:
        xmp, more = split(xmp)
    extra = b"".join(struct.pack(">2sH", b"\xff\xe1", 2 + len(body)) + body for body in more)
    options = pillow.beside_options(dataclasses.replace(beside, exif=exif, xmp=xmp))
    return {**options, **({"extra": extra} if extra else {})}


JPEG = Format(
    "JPEG",
    (".jpg", ".jpeg"),
    lambda start, _: start[:3] == b"\xff\xd8\xff",
    partial(pillow.read_header, kind="JPEG"),
    decode,
    develop=decode,
    depths=("8", "hdr"),
    encode=encode,
    glance=partial(pillow.glance, kind="JPEG"),
)

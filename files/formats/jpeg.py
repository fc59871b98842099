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
from .format import Beside, Format, Saving

_MOST_IN_SEGMENT = 65533


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """8-bit codes, with full-resolution colour from quality 90 on, and with tables of its own.

    Pillow has no room for those where a picture is so noisy that it needs more than 16 bits per px; it then gets the usual.
    """
    options = {"quality": saving.quality, "subsampling": 0 if saving.quality >= 90 else 2, **_segments(beside)}
    buffer, picture = io.BytesIO(), Image.fromarray(codes)
    try:
        picture.save(buffer, "JPEG", optimize=True, **options)
    except OSError:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", **options)
    path.write_bytes(buffer.getbuffer())


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
    partial(pillow.decode, kind="JPEG"),
    depths=("8",),
    encode=encode,
    carries=frozenset({"profile", "exif", "xmp"}),
    glance=partial(pillow.glance, kind="JPEG"),
)

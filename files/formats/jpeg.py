"""JPEG: 8 bits, grey, YCbCr or CMYK."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ..atomic import save_image
from . import pillow
from .format import Beside, Format, Saving


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """8-bit codes, with full-resolution colour from quality 90 on."""
    options = {"quality": saving.quality, "subsampling": 0 if saving.quality >= 90 else 2, "optimize": True}
    save_image(Image.fromarray(codes), path, "JPEG", **options, **pillow.beside_options(beside))


JPEG = Format(
    "JPEG",
    (".jpg", ".jpeg"),
    lambda start, _: start[:3] == b"\xff\xd8\xff",
    partial(pillow.read_header, kind="JPEG"),
    partial(pillow.decode, kind="JPEG"),
    depths=("8",),
    encode=encode,
    carries=frozenset({"profile", "exif", "xmp"}),
)

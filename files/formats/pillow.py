"""What Pillow reads and writes for several formats: 8-bit codes with profile, EXIF and XMP."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from ..xmp_extended import joined
from .format import NO_PIXELS, Decoded, Header, without_alpha

_ALPHA_MODES = ("LA", "PA", "RGBA", "La", "RGBa")
_CHANNELS = {"1": 1, "L": 1, "P": 3, "LA": 2, "La": 2, "PA": 4, "RGB": 3, "RGBA": 4, "RGBa": 4, "CMYK": 4, "YCbCr": 3, "LAB": 3}


def read_header(path: Path | BinaryIO, kind: str) -> Header:
    """The size of a picture, without decoding it."""
    with Image.open(path, formats=(kind,)) as image:
        bits = 16 if image.mode.startswith("I") else 8
        width, height = image.size
        return Header(width, height, _CHANNELS.get(image.mode, 1), bits, getattr(image, "n_frames", 1), f"{kind}, {image.mode}")


def decode(path: Path | BinaryIO, kind: str) -> Decoded:
    """The first picture of a file as 8-bit codes."""
    with Image.open(path, formats=(kind,)) as image:
        has_alpha = image.mode in _ALPHA_MODES or "transparency" in image.info
        grey = image.mode in ("1", "L", "LA", "La")
        mode = ("LA" if has_alpha else "L") if grey else ("RGBA" if has_alpha else "RGB")
        mode = "CMYK" if image.mode == "CMYK" else mode
        values = np.array(image if image.mode == mode else image.convert(mode))
        values, alpha = without_alpha(values, has_alpha)
        return Decoded(values, alpha, image.info.get("icc_profile"), exif=exif_of(image), xmp=xmp_of(image))


def glance(path: Path, kind: str) -> Decoded:
    """Profile, EXIF and XMP, without decoding."""
    with Image.open(path, formats=(kind,)) as image:
        return Decoded(NO_PIXELS, profile=image.info.get("icc_profile"), exif=exif_of(image), xmp=xmp_of(image))


def exif_of(image: Image.Image) -> bytes | None:
    """The EXIF block of an opened picture as its file holds it."""
    return image.info.get("exif") or None


def xmp_of(image: Image.Image) -> bytes | None:
    """The XMP packet of an opened picture."""
    packet = image.info.get("xmp")
    packet = packet.encode() if isinstance(packet, str) else packet
    return joined(packet, (body for marker, body in getattr(image, "applist", ()) if marker == "APP1"))


def beside_options(beside: Any) -> dict[str, Any]:
    """Profile, EXIF and XMP as options of Pillow's writers."""
    return {
        "icc_profile": beside.profile,
        **({"exif": beside.exif} if beside.exif else {}),
        **({"xmp": beside.xmp} if beside.xmp else {}),
    }

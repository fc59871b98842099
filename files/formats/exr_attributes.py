"""What OpenEXR's standard attributes (ImfStandardAttributes) say that EXIF says too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from ..exif import load_block

_FIRST = {"cameraMake": 0x010F, "cameraModel": 0x0110, "comments": 0x010E, "owner": 0x8298}
_NUMBERS = {"expTime": 0x829A, "aperture": 0x829D, "isoSpeed": 0x8827, "focus": 0x9206, "nominalFocalLength": 0x920A}
_TEXTS = {"capDate": 0x9003, "lensMake": 0xA433, "lensModel": 0xA434, "cameraSerialNumber": 0xA431, "lensSerialNumber": 0xA435}
_ISO = 0x8827
_LONGEST = 1000


def attributes_of(exif: bytes | None) -> dict[str, Any]:
    """Attributes for what an EXIF block says."""
    block = load_block(exif or b"")
    inner = block.get_ifd(ExifTags.IFD.Exif)
    found: dict[str, Any] = {name: block.get(tag) for name, tag in _FIRST.items()}
    found.update({name: inner.get(tag) for name, tag in _TEXTS.items()})
    texts = {name: text.strip("\0 ") for name, text in found.items() if isinstance(text, str) and text.strip("\0 ")}
    return {**texts, **{name: number for name, tag in _NUMBERS.items() if (number := _number(inner.get(tag))) is not None}}


def _number(value: Any) -> float | None:
    value = value[0] if isinstance(value, tuple) and value else value
    if not isinstance(value, (int, float, IFDRational)) or (isinstance(value, IFDRational) and not value.denominator):
        return None
    return float(value) if math.isfinite(float(value)) else None


def exif_of(attributes: Mapping[str, Any]) -> bytes | None:
    """An EXIF block of what attributes say."""
    block = Image.Exif()
    block.update({tag: text for name, tag in _FIRST.items() if (text := _text(attributes.get(name)))})
    inner: dict[int, Any] = {tag: text for name, tag in _TEXTS.items() if (text := _text(attributes.get(name)))}
    for name, tag in _NUMBERS.items():
        value = attributes.get(name)
        if isinstance(value, float) and 0.0 <= value < 1e6:
            fraction = Fraction(value).limit_denominator(1_000_000 if value < 1 else 1000)
            inner[tag] = round(value) if tag == _ISO else IFDRational(fraction.numerator, fraction.denominator)
    if inner.get(_ISO, 0) > 65535:
        del inner[_ISO]
    if inner:
        block[int(ExifTags.IFD.Exif)] = inner
    return block.tobytes() if len(block) else None


def _text(value: Any) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""

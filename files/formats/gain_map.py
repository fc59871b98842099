"""The gain map of an Ultra HDR JPEG: found by its multi-picture index (CIPA DC-007), told by XMP or by ISO 21496-1.

Sources: "Ultra HDR Image Format v1.1" (Android), namespace hdr-gain-map 1.0; ISO 21496-1:2025, annex C.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import FileError
from ..limits import check_header
from ..xmp import RDF, walk
from .format import GainMap, Header

HDRGM = "http://ns.adobe.com/hdr-gain-map/1.0/"
ISO = b"urn:iso:std:iso:ts:21496:-1\0"
MPF = b"MPF\0"
APP1, APP2 = 0xE1, 0xE2
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_INDEX = 0xB002
_MOST_PICTURES = 32
_MOST_SEGMENTS = 4096
_MULTICHANNEL, _PLAIN_SPACE, _COMMON = 0x80, 0x40, 0x08
_MOST_STOPS = 32.0
_XMP_NAMES = ("GainMapMin", "GainMapMax", "Gamma", "OffsetSDR", "OffsetHDR")


def segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Marker, place and body of each segment of a JPEG before its pixels; a damaged one ends them."""
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    for _ in range(_MOST_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            return
        marker, length = struct.unpack_from(">xBH", data, at)
        if marker in (0xD9, 0xDA) or length < 2:
            return
        yield marker, at, data[at + 4 : at + 2 + length]
        at += 2 + length


def read_gain_map(path: Path) -> GainMap | None:
    """The gain map of a JPEG; None where it has none. Raises FileError where it has one that cannot be used."""
    data = path.read_bytes()
    for picture in _further_pictures(data):
        if found := _numbers(picture):
            numbers, in_plain_space = found
            with Image.open(io.BytesIO(picture), formats=("JPEG",)) as image:
                check_header(Header(image.width, image.height, len(image.getbands()), 8))
                values = np.array(image if image.mode in ("L", "RGB") else image.convert("RGB"))
                profile = None if in_plain_space else image.info.get("icc_profile")
            coloured = values.ndim == 3 or any(len(set(kind)) > 1 for kind in numbers)
            if coloured and not in_plain_space and profile is None:
                raise FileError(
                    "expected a gain map in the colour space of the plain picture, or with its own profile; got neither"
                )
            lowest, highest, gamma, offset_plain, offset = numbers
            own = profile if coloured else None
            return GainMap(values.reshape(*values.shape[:2], -1), lowest, highest, gamma, offset_plain, offset, own)
    return None


def _further_pictures(data: bytes) -> Iterator[bytes]:
    """The other JPEGs in a file, by its multi-picture index."""
    for marker, at, body in segments(data):
        if marker == APP2 and body[:4] == MPF:
            start = at + 4 + len(MPF)
            for length, offset in _index(body[len(MPF) :]):
                picture = data[start + offset : start + offset + length]
                if offset and picture[:3] == b"\xff\xd8\xff":
                    yield picture
            return


def _index(tiff: bytes) -> Iterator[tuple[int, int]]:
    """Length and offset of each picture."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return
    start = struct.unpack_from(order + "I", tiff, 4)[0]
    count = struct.unpack_from(order + "H", tiff, start)[0] if start + 2 <= len(tiff) else 0
    for at in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, _, length, place = struct.unpack_from(order + "HHII", tiff, at)
        if tag == _INDEX:
            for entry in range(place, min(place + length, place + 16 * _MOST_PICTURES, len(tiff) - 15), 16):
                yield struct.unpack_from(order + "II", tiff, entry + 4)
            return


Numbers = tuple[tuple[float, ...], ...]


def _numbers(picture: bytes) -> tuple[Numbers, bool] | None:
    """Lowest, highest, gamma and both offsets of a picture that is a gain map; and whether of the plain picture's primaries."""
    for marker, _, body in segments(picture):
        if marker == APP2 and body.startswith(ISO) and len(body) > len(ISO) + 4:
            return _checked(_by_iso(body[len(ISO) :])), bool(body[len(ISO) + 4] & _PLAIN_SPACE)
    for marker, _, body in segments(picture):
        if marker == APP1 and body.startswith(_XMP) and HDRGM.encode() in body:
            return _checked(_by_xmp(body[len(_XMP) :])), True
    return None


def _by_iso(body: bytes) -> Numbers:
    try:
        least, _, flags = struct.unpack_from(">HHB", body)
        channels = 3 if flags & _MULTICHANNEL else 1
        if least:
            raise FileError(f"its gain map is of version {least}; expected version 0")
        if flags & _COMMON:
            below, *rest = struct.unpack_from(f">I2I{'iiIii' * channels}", body, 5)
            numbers = [number / below for number in rest]
        else:
            pairs = struct.unpack_from(f">4I{'iIiIIIiIiI' * channels}", body, 5)
            numbers = [over / under for over, under in zip(pairs[::2], pairs[1::2])]
    except (struct.error, ZeroDivisionError):
        raise FileError("its gain map is damaged") from None
    if numbers[0] > numbers[1]:
        raise FileError("expected a gain map over a plain picture; got one over the brighter picture")
    return tuple((numbers[2 + kind :: 5] * 3)[:3] for kind in range(5))  # type: ignore[misc]


def _by_xmp(packet: bytes) -> Numbers:
    properties = walk(packet).properties
    found: dict[str, list[str]] = {}
    for entry in properties:
        if entry.namespace == HDRGM:
            parts = [
                part.text
                for part in properties
                if (part.namespace, part.name) == (RDF, "li") and entry.start < part.start < entry.end
            ]
            found[entry.name] = parts or [entry.text]
    if found.get("BaseRenditionIsHDR", [""])[0].strip().lower() == "true":
        raise FileError("expected a gain map over a plain picture; got one over the brighter picture")
    defaults = (["0"], ["1"], ["1"], ["0.015625"], ["0.015625"])
    try:
        if "GainMapMax" not in found:
            raise ValueError
        values = [[float(text) for text in found.get(name, default)] for name, default in zip(_XMP_NAMES, defaults)]
    except ValueError:
        raise FileError("its gain map is damaged") from None
    return tuple(tuple((numbers * 3)[:3]) for numbers in values)


def _checked(numbers: Numbers) -> Numbers:
    lowest, highest, gamma, *offsets = numbers
    within = all(math.isfinite(n) and abs(n) <= _MOST_STOPS for group in numbers for n in group)
    ordered = all(low <= high for low, high in zip(lowest, highest)) and min(gamma) > 1e-3
    if not within or not ordered or min(min(group) for group in offsets) < 0.0:
        raise FileError("its gain map says numbers that make no light")
    return numbers

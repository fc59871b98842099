"""EXIF as typed values by their standard names, and as a block to hand on."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from .extras import tifffile

BLOCK = "EXIF"
"""The name in a photo's metadata of the EXIF block as the file held it (a TIFF structure, orientation 1)."""

_ORIENTATION = 0x0112
_BASELINE_EXPOSURE = 0xC62A
_POINTERS = (int(ExifTags.IFD.Exif), int(ExifTags.IFD.GPSInfo))
_NAMES = {**ExifTags.TAGS, _BASELINE_EXPOSURE: "BaselineExposure", 0x8827: "ISOSpeedRatings"}
_OF_PIXELS = {0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0111, 0x0115, 0x0116, 0x0117, 0x011C, 0x013D, 0x0142, 0x0143}
_OF_PIXELS |= {0x0144, 0x0145, 0x0152, 0x0153, 0x8773, 0x00FE, 0x0201, 0x0202, 0x014A, 0x0140, 0x02BC, 0x8649, 0x83BB}


def read_exif(block: bytes | None) -> tuple[dict[str, Any], int]:
    """Metadata by name (numbers, text), with the cleaned block under `BLOCK`; and the orientation, 1 to 8."""
    exif = load_block(block or b"")
    orientation = exif.get(_ORIENTATION, 1)
    values: dict[str, Any] = {}
    for directory in (exif, exif.get_ifd(ExifTags.IFD.Exif)):
        for tag, value in directory.items():
            plain = _plain(value)
            if plain is not None and tag not in _OF_PIXELS and tag not in _POINTERS:
                values[_NAMES.get(tag, f"Tag{tag}")] = plain
    if values or exif.get_ifd(ExifTags.IFD.GPSInfo):
        values["Orientation"] = 1
        values[BLOCK] = _block(exif)
    return values, orientation if orientation in range(1, 9) else 1


def _plain(value: Any) -> Any:
    if isinstance(value, IFDRational):
        return float(value) if value.denominator else None
    if isinstance(value, (int, float)):
        return value
    return value.strip("\0 ") if isinstance(value, str) else None


def _block(exif: Image.Exif) -> bytes:
    clean = Image.Exif()
    for tag, value in exif.items():
        if tag not in _OF_PIXELS and tag not in _POINTERS:
            clean[tag] = value
    for pointer in _POINTERS:
        if entries := exif.get_ifd(pointer):
            clean[pointer] = dict(entries)
    clean[_ORIENTATION] = 1
    return clean.tobytes()


def load_block(block: bytes) -> Image.Exif:
    """A block as Pillow's EXIF; empty where it cannot be read."""
    exif = Image.Exif()
    exif.load(block)
    return exif


def is_adobe_rgb(block: bytes | None) -> bool:
    """Whether a camera says that its codes are Adobe RGB: uncalibrated, interoperability R03 (DCF 2.0)."""
    exif = load_block(block or b"")
    index = exif.get_ifd(ExifTags.IFD.Interop).get(int(ExifTags.Interop.InteropIndex), "")
    uncalibrated = exif.get_ifd(ExifTags.IFD.Exif).get(int(ExifTags.Base.ColorSpace)) == 0xFFFF
    return uncalibrated and str(index).strip("\0 ") == "R03"


def exif_of_tags(tags: Mapping[int, Any]) -> bytes:
    """An EXIF block of a TIFF's own tags (number -> value, rationals as pairs), as tifffile reads them."""
    known = tifffile("TIFF").TIFF
    exif = Image.Exif()
    for tag, value in tags.items():
        simple = isinstance(value, (str, int)) and not hasattr(value, "name")
        if tag not in _POINTERS and (simple or tag == _BASELINE_EXPOSURE):
            exif[tag] = _rational(value)
    names = (known.EXIF_TAGS, known.GPS_TAGS)
    for pointer, registry in zip(_POINTERS, names):
        number = {name: code for code, name in registry.items() if isinstance(name, str)}
        entries = tags.get(pointer)
        if isinstance(entries, dict):
            exif[pointer] = {number[name]: _rational(value) for name, value in entries.items() if name in number}
    return exif.tobytes()


def _rational(value: Any) -> Any:
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, int) for part in value):
        return IFDRational(*value)
    return value


def tiff_tags(block: bytes) -> tuple[list[tuple[int, str, int, Any, bool]], dict[int, dict[int, Any]]]:
    """A block for a TIFF writer: text tags of the first directory, and the entries of the EXIF and GPS directories."""
    exif = load_block(block)
    first = [
        (tag, "s", 0, value, True)
        for tag, value in exif.items()
        if isinstance(value, str) and tag not in _OF_PIXELS and tag != 0x0131
    ]
    return first, {pointer: dict(entries) for pointer in _POINTERS if (entries := exif.get_ifd(pointer))}


def append_directories(file: io.BufferedRandom, directories: Mapping[int, Mapping[int, Any]]) -> None:
    """Add directories (pointer tag -> entries) to a little-endian TIFF of one picture.

    They are written at the end, followed by a copy of the first directory that points to them.
    """
    entries = _first_directory(file)
    file.seek(0, io.SEEK_END)
    for pointer, values in directories.items():
        directory = ImageFileDirectory_v2(prefix=b"II")
        for tag, value in values.items():
            if not isinstance(value, dict):
                directory[tag] = value
        file.write(b"\0" * (file.tell() % 2))
        offset = file.tell()
        file.write(directory.tobytes(offset))
        entries.append(struct.pack("<HHII", pointer, 4, 1, offset))
    file.write(b"\0" * (file.tell() % 2))
    first = file.tell()
    entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
    file.write(struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0")
    file.seek(4)
    file.write(struct.pack("<I", first))


def _first_directory(file: io.BufferedRandom) -> list[bytes]:
    file.seek(4)
    file.seek(struct.unpack("<I", file.read(4))[0])
    return [file.read(12) for _ in range(struct.unpack("<H", file.read(2))[0])]

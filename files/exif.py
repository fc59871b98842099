"""EXIF as typed values by their standard names, and as a block to hand on."""

from __future__ import annotations

import contextlib
import io
import math
import struct
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from .exif_block import MAKER_NOTE, Damaged, cleaned, movable

BLOCK = "EXIF"
"""The name in a photo's metadata of the EXIF block as the file held it (a TIFF structure, orientation 1)."""

_ORIENTATION = 0x0112
_MOST_NUMBERS = 16
_WRONG = (struct.error, SyntaxError, ValueError, KeyError, TypeError, IndexError, EOFError, OSError, RecursionError)
_BASELINE_EXPOSURE = 0xC62A
_POINTERS = (int(ExifTags.IFD.Exif), int(ExifTags.IFD.GPSInfo))
_NAMES = {**ExifTags.TAGS, _BASELINE_EXPOSURE: "BaselineExposure", 0x8827: "ISOSpeedRatings"}
_OF_PIXELS = {0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0111, 0x0115, 0x0116, 0x0117, 0x011C, 0x013D, 0x0142, 0x0143}
_OF_PIXELS |= {0x0144, 0x0145, 0x0152, 0x0153, 0x8773, 0x00FE, 0x0201, 0x0202, 0x014A, 0x0140, 0x02BC, 0x8649, 0x83BB}


_NOT_IN_TIFF = {*_OF_PIXELS, *_POINTERS, 0x0131, 0x0112, 0x0213, 0x0214}


def read_exif(block: bytes | None) -> tuple[dict[str, Any], int]:
    """Metadata by name, with the cleaned block under `BLOCK`; and the orientation, 1 to 8.

    Rationals are floats, several numbers a tuple; GPSLatitude and GPSLongitude are degrees north and east, GPSAltitude
    metres above the sea.
    """
    exif = load_block(block or b"")
    orientation = entries_of(exif).get(_ORIENTATION, 1)
    values: dict[str, Any] = {}
    for directory in (entries_of(exif), directory_of(exif, ExifTags.IFD.Exif)):
        for tag, value in directory.items():
            plain = _plain(value)
            if plain is not None and tag not in _OF_PIXELS and tag not in _POINTERS and not _no_fact(tag, plain):
                values[_NAMES.get(tag, f"Tag{tag}")] = plain
    values |= _place(directory_of(exif, ExifTags.IFD.GPSInfo))
    if values:
        values["Orientation"] = 1
        values[BLOCK] = _block(block or b"", exif)
    return values, orientation if orientation in range(1, 9) else 1


def _no_fact(tag: int, value: Any) -> bool:
    """Maker notes, and workflows that ComfyUI writes into entries of any name."""
    return tag == MAKER_NOTE or (isinstance(value, str) and value.startswith(("workflow:{", "prompt:{")))


def _plain(value: Any) -> Any:
    if isinstance(value, IFDRational):
        return float(value) if value.denominator else None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, tuple) and len(value) <= _MOST_NUMBERS:
        numbers = tuple(_plain(part) for part in value)
        return numbers if all(isinstance(number, (int, float)) for number in numbers) else None
    if isinstance(value, bytes):
        return _text_of(value)
    return _by_utf_8(value).strip("\0 ") if isinstance(value, str) else None


class _Text(str):
    """An ASCII entry, a letter for each of its bytes (Latin-1), which are written as they were.

    Pillow would write a question mark for what is no ASCII.
    """

    def encode(self, *_: Any) -> bytes:
        return super().encode("latin-1")


def _by_utf_8(text: str) -> str:
    """What the bytes of an ASCII entry say: many cameras and programs write UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _text_of(value: bytes) -> str | None:
    """Bytes that are text: versions, and comments behind the name of their character set."""
    codec = {b"ASCII": "utf-8", b"UNICO": "utf-16"}.get(value[:5])
    try:
        text = value[8:].decode(codec) if codec else value.decode("ascii")
    except UnicodeError:
        return None
    text = text.strip("\0 ")
    return text if text.isprintable() else None


def _place(gps: Mapping[int, Any]) -> dict[str, float]:
    """Where a photo was taken, as signed numbers."""
    found = {}
    for name, tag, negative in (("GPSLatitude", 2, "S"), ("GPSLongitude", 4, "W")):
        parts, side = _plain(gps.get(tag)), gps.get(tag - 1)
        if isinstance(parts, tuple) and len(parts) == 3 and isinstance(side, str):
            degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
            if math.isfinite(degrees) and degrees <= 180:
                found[name] = -degrees if side.upper().startswith(negative) else degrees
    height = _plain(gps.get(6))
    if isinstance(height, float) and math.isfinite(height):
        found["GPSAltitude"] = -height if gps.get(5) in (1, b"\x01") else height
    return found


def _block(block: bytes, exif: Image.Exif) -> bytes:
    try:
        return cleaned(block, {*_OF_PIXELS, *(tag for tag, value in entries_of(exif).items() if _no_fact(tag, value))})
    except Damaged:
        return _rebuilt(exif)


def _rebuilt(exif: Image.Exif, maker_note: bool = True) -> bytes:
    """What can be read of a block, as a new one."""
    clean = Image.Exif()
    for tag, value in entries_of(exif).items():
        if tag not in _OF_PIXELS and tag not in _POINTERS and _writable({tag: value}):
            clean[tag] = value
    for pointer in _POINTERS:
        entries = _writable(_movable(directory_of(exif, pointer)))
        if entries := {tag: value for tag, value in entries.items() if maker_note or tag != MAKER_NOTE}:
            clean[pointer] = entries
    clean[_ORIENTATION] = 1
    return clean.tobytes()


def _movable(entries: Mapping[int, Any]) -> dict[int, Any]:
    """Entries of a directory that may stand elsewhere: without a maker note that counts from where it stood."""
    note = entries.get(MAKER_NOTE)
    stays = note is None or (isinstance(note, bytes) and movable(note))
    return dict(entries) if stays else {tag: value for tag, value in entries.items() if tag != MAKER_NOTE}


def load_block(block: bytes) -> Image.Exif:
    """A block as Pillow's EXIF; empty where it cannot be read."""
    exif = Image.Exif()
    with _tolerant():
        exif.load(block)
        return exif
    return Image.Exif()


def entries_of(exif: Image.Exif) -> dict[int, Any]:
    """The entries of the first directory, as far as they can be read."""
    found: dict[int, Any] = {}
    with _tolerant():
        for tag in list(exif):
            with contextlib.suppress(*_WRONG):
                found[tag] = _kept(exif[tag])
    return found


def directory_of(exif: Image.Exif, pointer: int) -> dict[int, Any]:
    """The entries behind a pointer; none where they cannot be read."""
    with _tolerant():
        return {tag: _kept(value) for tag, value in exif.get_ifd(pointer).items()}
    return {}


def _kept(value: Any) -> Any:
    return _Text(value) if isinstance(value, str) else value


@contextlib.contextmanager
def _tolerant() -> Iterator[None]:
    """What is wrong with a block ends the reading of it, and nothing else."""
    with warnings.catch_warnings(), contextlib.suppress(*_WRONG):
        warnings.simplefilter("ignore")
        yield


def is_adobe_rgb(block: bytes | None) -> bool:
    """Whether a camera says that its codes are Adobe RGB: uncalibrated, interoperability R03 (DCF 2.0)."""
    exif = load_block(block or b"")
    index = directory_of(exif, ExifTags.IFD.Interop).get(int(ExifTags.Interop.InteropIndex), "")
    uncalibrated = directory_of(exif, ExifTags.IFD.Exif).get(int(ExifTags.Base.ColorSpace)) == 0xFFFF
    return uncalibrated and str(index).strip("\0 ") == "R03"


def exif_of_tiff(path: Path) -> bytes:
    """An EXIF block of a TIFF's own first directory, with the EXIF and GPS directories behind it."""
    exif, found = Image.Exif(), Image.Exif()
    with open(path, "rb") as file, _tolerant():
        exif.load_from_fp(file)
        for tag, value in entries_of(exif).items():
            if tag not in _POINTERS and tag not in _OF_PIXELS and _plain(value) is not None:
                found[tag] = value
        for pointer in _POINTERS:
            if entries := _writable(_movable(directory_of(exif, pointer))):
                found[pointer] = entries
        found[_ORIENTATION] = exif.get(_ORIENTATION, 1)
    return found.tobytes()


def tiff_directories(block: bytes) -> dict[int, dict[int, Any]]:
    """A block for a TIFF writer: entries of the first directory (under 0), the EXIF and the GPS directory."""
    exif = load_block(block)
    first = {tag: value for tag, value in entries_of(exif).items() if tag not in _NOT_IN_TIFF}
    found = {0: _writable(first)}
    found |= {pointer: _writable(_movable(directory_of(exif, pointer))) for pointer in _POINTERS}
    return {pointer: entries for pointer, entries in found.items() if entries}


def _writable(entries: Mapping[int, Any]) -> dict[int, Any]:
    """Entries without those of a directory's own, and without what was damaged so that it cannot be written again."""
    found: dict[int, Any] = {}
    for tag, value in entries.items():
        if not isinstance(value, dict):
            with _tolerant():
                alone = ImageFileDirectory_v2(prefix=b"II")
                alone[tag] = value
                alone.tobytes(8)
                found[tag] = value
    return found


def append_directories(file: io.BufferedRandom, directories: Mapping[int, Mapping[int, Any]]) -> None:
    """Add directories (pointer tag -> entries; 0: to the first one) to a little-endian TIFF of one picture.

    They are written at the end, followed by a copy of the first directory that points to them.
    """
    first = {struct.unpack_from("<H", entry)[0]: entry for entry in _entries_at(file, _number_at(file, 4, "<I"))}
    for pointer, values in directories.items():
        directory = ImageFileDirectory_v2(prefix=b"II")
        for tag, value in values.items():
            directory[tag] = value
        offset = _at_end(file)
        file.write(directory.tobytes(offset))
        if pointer:
            first[pointer] = struct.pack("<HHII", pointer, 4, 1, offset)
        else:
            first |= {struct.unpack_from("<H", entry)[0]: entry for entry in _entries_at(file, offset)}
    offset = _at_end(file)
    file.write(struct.pack("<H", len(first)) + b"".join(first[tag] for tag in sorted(first)) + b"\0\0\0\0")
    file.seek(4)
    file.write(struct.pack("<I", offset))


def _at_end(file: io.BufferedRandom) -> int:
    """The end of a file, made even."""
    file.seek(0, io.SEEK_END)
    file.write(b"\0" * (file.tell() % 2))
    return file.tell()


def _number_at(file: io.BufferedRandom, place: int, form: str) -> int:
    file.seek(place)
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _entries_at(file: io.BufferedRandom, place: int) -> list[bytes]:
    count = _number_at(file, place, "<H")
    return [file.read(12) for _ in range(count)]


def without_maker_note(block: bytes) -> bytes:
    """A block without its maker note, written anew, for formats that hold less."""
    return _rebuilt(load_block(block), maker_note=False)

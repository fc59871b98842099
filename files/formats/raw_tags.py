"""What a camera raw file says of itself: whether it is one, a DNG's colour, and its EXIF, without LibRaw."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from .camera import UNKNOWN_LIGHT, Calibration, Camera, kelvin_of_light
from .isobmff import boxes

Tags = Mapping[int, tuple[float, ...]]

_DNG_VERSION, _PHOTOMETRIC, _SUBFILES = 0xC612, 0x0106, 0x014A
_OF_A_SENSOR = (32803, 34892)
_COLOUR, _FORWARD, _CALIBRATION, _LIGHT = (0xC621, 0xC622), (0xC714, 0xC715), (0xC623, 0xC624), (0xC65A, 0xC65B)
_ANALOG, _NEUTRAL, _WHITE = 0xC627, 0xC628, 0xC629
_CROP_ORIGIN, _CROP_SIZE = 0xC61F, 0xC620
_TYPES = {1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d", 13: "I"}
_MOST_VALUES = 64
_MOST_TAGS = 1000
_MOST_DIRECTORIES = 32
_SIGNATURES = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"\0MRM", b"FOVb")
_TIFF = (b"II*\0", b"MM\0*")
_CR3 = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_KEPT = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298, 0x9003, 0xC614, 0xC62A, 0xC62F)
_MAKER_NOTE, _INTEROPERABILITY = 0x927C, 0xA005


def is_raw(start: bytes, path: Path, endings: tuple[str, ...]) -> bool:
    """Whether a file is camera raw, by how it begins; of a TIFF, by the pictures it says it holds, or by its name."""
    if start.startswith(_SIGNATURES) or start[4:12] == b"ftypcrx " or start[6:14] == b"HEAPCCDR":
        return True
    if start[:4] not in _TIFF:
        return False
    if start[8:10] == b"CR" or path.suffix.lower() in endings:
        return True
    try:
        return any(_DNG_VERSION in tags or tags.get(_PHOTOMETRIC, (0,))[0] in _OF_A_SENSOR for tags in directories(path))
    except (OSError, struct.error):
        return False


def directories(path: Path) -> Iterator[Tags]:
    """The short numeric tags of a TIFF's directories, the ones inside first ones included. Raises struct.error."""
    with open(path, "rb") as file:
        start = file.read(8)
        if start[:4] not in _TIFF:
            return
        order = "<" if start[:1] == b"I" else ">"
        queue = [struct.unpack(order + "I", start[4:])[0]]
        seen: set[int] = set()
        while queue and len(seen) < _MOST_DIRECTORIES:
            place = int(queue.pop(0))
            if place and place not in seen:
                seen.add(place)
                tags, following = _directory(file, order, place)
                queue += [*tags.get(_SUBFILES, ()), following]
                yield tags


def _directory(file: BinaryIO, order: str, place: int) -> tuple[dict[int, tuple[float, ...]], int]:
    file.seek(place)
    count = struct.unpack(order + "H", file.read(2))[0]
    if count > _MOST_TAGS:
        raise struct.error
    entries = file.read(12 * count)
    last = file.read(4)
    tags = {}
    for index in range(len(entries) // 12):
        code, kind, values, inside = struct.unpack_from(order + "HHI4s", entries, 12 * index)
        if kind in _TYPES and 1 <= values <= _MOST_VALUES:
            form = order + _TYPES[kind] * values
            if struct.calcsize(form) > 4:
                file.seek(struct.unpack(order + "I", inside)[0])
                inside = file.read(struct.calcsize(form))
            if len(inside) >= struct.calcsize(form):
                numbers = struct.unpack_from(form, inside)
                tags[code] = _ratios(numbers) if kind in (5, 10) else numbers
    return tags, struct.unpack(order + "I", last)[0] if len(last) == 4 else 0


def _ratios(numbers: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(a / b if b else 0.0 for a, b in zip(numbers[::2], numbers[1::2]))


def dng_tags(path: Path) -> Tags:
    """The tags of a DNG's first directory; none for other files."""
    try:
        first = next(directories(path), {})
    except (OSError, struct.error):
        return {}
    return first if _DNG_VERSION in first else {}


def dng_crop(path: Path) -> tuple[int, int, int, int] | None:
    """Left, top, width and height within the active area that a DNG's default crop is; None of other files."""
    try:
        for tags in directories(path):
            of_sensor = int(tags.get(_PHOTOMETRIC, (0,))[0]) in _OF_A_SENSOR
            if of_sensor and len(tags.get(_CROP_ORIGIN, ())) == len(tags.get(_CROP_SIZE, ())) == 2:
                left, top, width, height = (int(value) for value in (*tags[_CROP_ORIGIN], *tags[_CROP_SIZE]))
                return left, top, width, height
    except (OSError, struct.error):
        pass
    return None


def camera_of_dng(tags: Tags) -> Camera | None:
    """The calibrations of a DNG: ColorMatrix, CameraCalibration, AnalogBalance and ForwardMatrix; None where it has none."""
    gain = np.array(tags[_ANALOG]) if len(tags.get(_ANALOG, ())) == 3 else np.ones(3)
    found = []
    for colour, forward, calibration, light in zip(_COLOUR, _FORWARD, _CALIBRATION, _LIGHT):
        matrix = _matrix(tags, colour)
        if matrix is not None:
            own = _matrix(tags, calibration)
            own = np.diag(gain) @ (np.eye(3) if own is None else own)
            kelvin = kelvin_of_light(int(tags[light][0])) if light in tags else UNKNOWN_LIGHT
            found.append(Calibration(kelvin, own @ matrix, _matrix(tags, forward), np.linalg.inv(own)))
    return Camera(tuple(sorted(found, key=lambda entry: entry.kelvin))) if found else None


def _matrix(tags: Tags, code: int) -> np.ndarray | None:
    """A matrix of three colours that can be inverted."""
    values = tags.get(code, ())
    if len(values) != 9:
        return None
    matrix = np.array(values, np.float64).reshape(3, 3)
    return matrix if np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > 1e-9 else None


def neutral_of_dng(tags: Tags, camera: Camera) -> np.ndarray | None:
    """Camera light of white as the camera set it, green 1: AsShotNeutral or AsShotWhiteXY."""
    values = np.array(tags.get(_NEUTRAL, ()))
    if len(values) == 3 and (values > 0.0).all():
        return values / values[1]
    x, y = tags.get(_WHITE, (0.0, 0.0))[:2]
    return camera.neutral((x, y)) if 0.0 < x < 1.0 and 0.0 < y < 1.0 else None


# EXIF ----------------------------------------------------------------------------------------------------------------


class _AsTiff(io.BufferedIOBase):
    """A file whose first bytes say TIFF; Panasonic's and Olympus's own otherwise differ in nothing."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        place = self._file.tell()
        data = self._file.read(-1 if size is None else size)
        if place == 0 and data[:2] in (b"II", b"MM"):
            data = data[:2] + (b"*\0" if data[:2] == b"II" else b"\0*") + data[4:]
        return data

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()


def exif_of_raw(path: Path) -> bytes | None:
    """Camera, lens, exposure, date and place as an EXIF block, without the maker's own notes; None where there is none."""
    with open(path, "rb") as file:
        start = file.read(16)
        file.seek(0)
        if start.startswith(b"FUJIFILM"):
            return _of_fuji(file)
        if start[4:8] == b"ftyp":
            return _of_canon(file)
        if start[:2] not in (b"II", b"MM") or start[6:14] == b"HEAPCCDR":
            return None
        exif = Image.Exif()
        exif.load_from_fp(_AsTiff(file))  # type: ignore[arg-type]
        return _block(exif, [exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)])


def _block(first: Mapping[int, Any], others: list[Mapping[int, Any]]) -> bytes:
    clean = Image.Exif()
    for tag in _KEPT:
        if tag in first and _whole(first[tag]):
            clean[tag] = first[tag]
    for pointer, entries in zip((ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo), others):
        kept = {tag: value for tag, value in entries.items() if tag not in (_MAKER_NOTE, _INTEROPERABILITY) and _whole(value)}
        if kept:
            clean[pointer] = kept
    return clean.tobytes()


def _whole(value: Any) -> bool:
    """Whether a rational has a denominator; cameras write 0/0 for what they do not know."""
    return not isinstance(value, IFDRational) or bool(value.denominator)


def _of_fuji(file: BinaryIO) -> bytes | None:
    """RAF: a JPEG lies inside, with the EXIF."""
    file.seek(84)
    place, length = struct.unpack(">II", file.read(8))
    file.seek(place)
    with Image.open(io.BytesIO(file.read(length)), formats=("JPEG",)) as image:
        exif = image.getexif()
        return _block(exif, [exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)])


def _of_canon(file: BinaryIO) -> bytes | None:
    """CR3: the directories lie in boxes CMT1 (first), CMT2 (EXIF) and CMT4 (GPS)."""
    parts: dict[bytes, Image.Exif] = {}
    for movie in boxes(file):
        for inner in boxes(file, movie.body, movie.end) if movie.kind == b"moov" else ():
            file.seek(inner.body)
            if inner.kind == b"uuid" and file.read(16) == _CR3:
                for box in boxes(file, inner.body + 16, inner.end):
                    parts[box.kind] = Image.Exif()
                    if box.kind in (b"CMT1", b"CMT2", b"CMT4"):
                        parts[box.kind].load(box.read(file))
    empty: Mapping[int, Any] = {}
    return _block(parts.get(b"CMT1", empty), [parts.get(b"CMT2", empty), parts.get(b"CMT4", empty)]) if parts else None

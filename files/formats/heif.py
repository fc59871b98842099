"""HEIF (ISO/IEC 23008-12): size, colour, orientation and metadata of AVIF and HEIC files, read before a decoder sees them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from ..errors import FileError
from . import av1, hevc
from .cicp import UNSPECIFIED, encoding_of
from .format import Encoding, Header
from .isobmff import Box, Fields, boxes, printable, read_at
from .items import Item, Items, Property, read_items

XMP = b"application/rdf+xml"
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_KNOWN = {b"ispe", b"pixi", b"colr", b"pasp", b"auxC", b"clap", b"irot", b"imir", b"av1C", b"hvcC", b"a1op", b"lsel", b"a1lx"}
_TRANSFORMS = (b"clap", b"irot", b"imir")
_UPRIGHT = {(0, None): 1, (1, None): 8, (2, None): 3, (3, None): 6, (0, 0): 4, (1, 0): 5, (2, 0): 2, (3, 0): 7}
_UPRIGHT |= {(0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5}
_SRGB = (1, 13)
_HDR = ("pq", "hlg")
_MOST_METADATA = 64 << 20
_MOST_BEYOND = 4 << 20
_START_OF_STREAM = 1024
_HEVC, _LARGEST_BLOCK = (b"hvc1", b"hev1"), 64
_FRAMES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsz")


@dataclass(frozen=True)
class Still:
    """The primary picture of a HEIF file, as its boxes describe it.

    width, height: as coded, before crop and orientation. crop: (left, top, width, height) of what is shown. orientation:
    EXIF's 1 to 8, from the rotation and mirroring that the file asks for; HEIF ignores EXIF's own.
    """

    width: int
    height: int
    channels: int
    bits: int
    alpha: bool
    crop: tuple[int, int, int, int]
    orientation: int
    frames: int = 1
    profile: bytes | None = None
    encoding: Encoding | None = None
    exif: bytes | None = None
    xmp: bytes | None = None

    def header(self, kind: str) -> Header:
        """What is to be checked before decoding."""
        channels = self.channels + self.alpha
        return Header(self.width, self.height, channels, self.bits, self.frames, f"{kind}, {self.bits} bits")


def brands(start: bytes) -> set[bytes]:
    """Which formats a file says it is of, from its first bytes; empty where it is no such file."""
    if len(start) < 16 or start[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(start[:4], "big"), len(start))
    return {start[8:12], *(start[at : at + 4] for at in range(16, end - 3, 4))}


def read_still(path: Path) -> Still:
    """The primary picture of a file, nothing of it decoded. Raises FileError without the file's name."""
    with open(path, "rb") as file:
        top = list(boxes(file))
        metas = [box for box in top if box.kind == b"meta"]
        if len(metas) != 1:
            raise FileError(f"expected a picture described by one box 'meta'; got {len(metas)}")
        items = read_items(file, metas[0])
        return _still(file, items, _frames(file, top))


def _still(file: BinaryIO, items: Items, frames: int) -> Still:
    picture = items.items[items.primary]
    coded = items.made_of(items.primary) or picture
    for entry in picture.properties:
        if entry.essential and entry.kind not in _KNOWN:
            raise FileError(f"expected a picture of known properties; got {printable(entry.kind)}")
    width, height = _size(picture)
    _check_coded(file, items, width * height)
    channels, bits = _depth(coded)
    crop, orientation = _transforms(picture, width, height)
    profile, encoding = _colour(picture if picture.property(b"colr") else coded)
    alpha = any(_is_alpha(item) for item in items.referring(b"auxl", items.primary))
    described = list(items.referring(b"cdsc", items.primary))
    exif = next((item for item in described if item.kind == b"Exif"), None)
    xmp = next((item for item in described if (item.kind, item.content_type) == (b"mime", XMP)), None)
    return Still(
        width, height, channels, bits, alpha, crop, orientation, frames, profile, encoding,
        _exif(exif.read(file, _MOST_METADATA)) if exif else None,
        xmp.read(file, _MOST_METADATA) if xmp else None,
    )  # fmt: skip


def _fields(item: Item, kind: bytes) -> Fields:
    entry = item.property(kind)
    if entry is None:
        raise FileError(f"damaged: its picture has no property {printable(kind)}")
    return Fields(entry.body, kind)


def _size(picture: Item) -> tuple[int, int]:
    fields = _fields(picture, b"ispe")
    fields.version_and_flags()
    return fields.number(4), fields.number(4)


def _check_coded(file: BinaryIO, items: Items, canvas: int) -> None:
    """What decoders would allocate or scale: no piece is far larger than the whole, or coded at a size it does not say."""
    for item in items.items.values():
        if item.property(b"ispe") is None:
            continue
        width, height = _size(item)
        if width * height > canvas + _MOST_BEYOND:
            raise FileError(f"expected pieces no larger than the picture; got {width} x {height} px")
        inside, padding = _coded_size(file, item)
        if inside and not all(0 <= coded - said <= padding for coded, said in zip(inside, (width, height))):
            raise FileError(f"damaged: its header says {width} x {height} px; inside are {inside[0]} x {inside[1]} px")


def _coded_size(file: BinaryIO, item: Item) -> tuple[tuple[int, int] | None, int]:
    """Frame size of a coded picture and what may be cut from each edge of it; None where it has several layers, or is none."""
    if item.kind == b"av01" and not item.property(b"lsel"):
        start, length = item.extents[0] if item.extents else (0, 0)
        return av1.frame_size(read_at(file, start, min(length, _START_OF_STREAM))), 0
    if item.kind in _HEVC:
        return hevc.frame_size(_fields(item, b"hvcC").data), _LARGEST_BLOCK
    return None, 0


def _depth(coded: Item) -> tuple[int, int]:
    """Colour channels and bits, by the coder's configuration (AV1 in ISOBMFF, 2.3; ISO/IEC 14496-15, 8.3.3)."""
    if coded.kind == b"av01":
        flags = _fields(coded, b"av1C").take(3)[2]
        return (1 if flags & 0x10 else 3), (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    if coded.kind in _HEVC:
        configuration = _fields(coded, b"hvcC").take(18)
        return (3 if configuration[16] & 3 else 1), 8 + (configuration[17] & 7)
    raise FileError(f"expected a picture coded by AV1 or HEVC; got {printable(coded.kind)}")


def _transforms(picture: Item, width: int, height: int) -> tuple[tuple[int, int, int, int], int]:
    asked = [entry for entry in picture.properties if entry.kind in _TRANSFORMS]
    order = [_TRANSFORMS.index(entry.kind) for entry in asked]
    if order != sorted(set(order)):
        raise FileError("expected crop, rotation and mirroring once each, in this order; got others")
    by_kind = {entry.kind: entry for entry in asked}
    crop = _crop(by_kind[b"clap"], width, height) if b"clap" in by_kind else (0, 0, width, height)
    turn = Fields(by_kind[b"irot"].body, b"irot").number(1) & 3 if b"irot" in by_kind else 0
    mirror = Fields(by_kind[b"imir"].body, b"imir").number(1) & 1 if b"imir" in by_kind else None
    return crop, _UPRIGHT[turn, mirror]


def _crop(clap: Property, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of a clean aperture (ISO/IEC 14496-12, 12.1.4), which must be whole pixels."""
    if len(clap.body) != 32:
        raise FileError("damaged: box 'clap' is not 32 bytes long")
    numbers = struct.unpack(">IIIIiIiI", clap.body)
    if 0 in numbers[1::2]:
        raise FileError("damaged: a crop divided by zero")
    shown_width, shown_height, right, down = (Fraction(*numbers[at : at + 2]) for at in (0, 2, 4, 6))
    crop = ((width - shown_width) / 2 + right, (height - shown_height) / 2 + down, shown_width, shown_height)
    left, top, shown_width, shown_height = crop
    if any(part.denominator != 1 for part in crop):
        raise FileError("expected a crop to whole pixels; got " + ", ".join(map(str, crop)))
    if min(left, top) < 0 or min(shown_width, shown_height) < 1 or left + shown_width > width or top + shown_height > height:
        raise FileError(f"expected a crop inside {width} x {height} px; got " + ", ".join(map(str, crop)))
    return int(left), int(top), int(shown_width), int(shown_height)


def _is_alpha(item: Item) -> bool:
    entry = item.property(b"auxC")
    return entry is not None and entry.body[4:].split(b"\0")[0] in _ALPHA


def _colour(picture: Item) -> tuple[bytes | None, Encoding | None]:
    """The profile, or what the numbers say: HDR, which no profile holds, goes before a profile, and a profile before others.

    What is unspecified is sRGB's (ISO/IEC 23000-22, 7.3.6.4).
    """
    profile, numbers = None, None
    for entry in picture.properties:
        if entry.kind == b"colr" and entry.body[:4] in (b"prof", b"rICC"):
            profile = profile or entry.body[4:]
        elif entry.kind == b"colr" and entry.body[:4] == b"nclx":
            fields = Fields(entry.body[4:], b"colr")
            numbers = numbers or (fields.number(2), fields.number(2))
    if numbers is None:
        return profile, None
    known = (number if number != UNSPECIFIED else usual for number, usual in zip(numbers, _SRGB))
    encoding = encoding_of(*known)
    if profile and (encoding is None or encoding.transfer not in _HDR):
        return profile, None
    if encoding is None:
        raise FileError(f"expected a colour space that is known; got H.273 primaries {numbers[0]}, transfer {numbers[1]}")
    return None, encoding


def _exif(data: bytes) -> bytes | None:
    fields = Fields(data, b"Exif")
    fields.take(fields.number(4))
    return fields.take(fields.left) or None


def _frames(file: BinaryIO, top: list[Box]) -> int:
    """Pictures of the longest track of a sequence; 1 without one."""
    level = top
    for kind in _FRAMES[:-1]:
        level = [inside for box in level if box.kind == kind for inside in boxes(file, box.body, box.end)]
    counts = (read_at(file, box.body, 12) for box in level if box.kind == b"stsz")
    return max(1, *(int.from_bytes(count[8:], "big") for count in counts), 1)

"""Boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2), of which AVIF, HEIC and JPEG XL files are made."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import FileError

_MOST_BOXES = 65536
_MOST_BODY = 64 << 20


@dataclass(frozen=True)
class Box:
    """Where a box lies in a file: its type, and the bytes from `body` to `end`. A `uuid` box's identity is in its body."""

    kind: bytes
    start: int
    body: int
    end: int

    def read(self, file: BinaryIO, most: int = _MOST_BODY) -> bytes:
        """What the box holds. Raises FileError where it is longer than `most`, or the file shorter than it says."""
        return read_at(file, self.body, self.end - self.body, most)


def boxes(file: BinaryIO, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes side by side in a file, or in the bytes from `start` to `end` of it (of a box that holds others).

    Only the last box of a whole file may be without a length. Raises FileError where a box reaches beyond its surroundings.
    """
    whole = end is None
    end = file.seek(0, 2) if end is None else end
    for _ in range(_MOST_BOXES):
        if start == end:
            return
        box = _box_at(file, start, end, whole)
        yield box
        start = box.end
    raise FileError(f"expected at most {_MOST_BOXES} boxes side by side; got more")


def _box_at(file: BinaryIO, start: int, end: int, whole: bool) -> Box:
    if end - start < 8:
        raise FileError(f"damaged: {end - start} bytes at byte {start}, where a box should begin")
    size, kind = struct.unpack(">I4s", read_at(file, start, 8))
    body = start + 8
    if size == 1 and end - body >= 8:
        (size,), body = struct.unpack(">Q", read_at(file, body, 8)), body + 8
    elif size == 0 and whole:
        size = end - start
    if size < body - start or start + size > end:
        raise FileError(f"damaged: box {printable(kind)} at byte {start} is {size} bytes long, where {end - start} remain")
    return Box(kind, start, body, start + size)


def read_at(file: BinaryIO, start: int, length: int, most: int = _MOST_BODY) -> bytes:
    """Bytes of a file. Raises FileError where they are more than `most` or not all there."""
    if length > most:
        raise FileError(f"expected a box of at most {most} bytes; got {length}")
    file.seek(start)
    data = file.read(length)
    if len(data) != length:
        raise FileError(f"damaged: it ends {length - len(data)} bytes early")
    return data


def make_box(kind: bytes, body: bytes) -> bytes:
    """A box as it stands in a file, with a 64-bit length where it needs one."""
    if len(body) + 8 < 1 << 32:
        return struct.pack(">I4s", len(body) + 8, kind) + body
    return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body


def make_full_box(kind: bytes, version: int, flags: int, body: bytes) -> bytes:
    """A box that begins with a version and flags."""
    return make_box(kind, struct.pack(">I", version << 24 | flags) + body)


def printable(kind: bytes) -> str:
    """A box's type for an error's line."""
    return repr(kind.decode("latin1"))


class Fields:
    """Numbers and texts read one after the other from the body of a box. Raises FileError where the body ends early."""

    def __init__(self, data: bytes, kind: bytes) -> None:
        self.data, self.at, self.kind = data, 0, kind

    def take(self, length: int) -> bytes:
        if self.at + length > len(self.data):
            raise FileError(f"damaged: box {printable(self.kind)} ends early")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, length: int) -> int:
        """An unsigned number of so many bytes; 0 where it has none."""
        return int.from_bytes(self.take(length), "big")

    def text(self) -> bytes:
        """A text up to its zero byte, which may be missing at the body's end."""
        end = self.data.find(b"\0", self.at)
        end = len(self.data) if end < 0 else end
        text, self.at = self.data[self.at : end], min(end + 1, len(self.data))
        return text

    def version_and_flags(self) -> tuple[int, int]:
        """What a full box begins with."""
        word = self.number(4)
        return word >> 24, word & 0xFFFFFF

    @property
    def left(self) -> int:
        """How many bytes are still to be read."""
        return len(self.data) - self.at

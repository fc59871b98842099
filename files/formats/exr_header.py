"""The header of an OpenEXR file ("OpenEXR File Layout"): parts, channels, windows and plain attributes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileError

MAGIC = b"\x76\x2f\x31\x01"
_TILED, _DEEP, _MULTIPART = 0x200, 0x800, 0x1000
_MOST_BYTES = 1 << 22
_MOST_PARTS = 256
_MOST_CHANNELS = 1024
HALF, FLOAT = 1, 2
Window = tuple[int, int, int, int]
"""left, top, right, bottom, the last two inside."""


@dataclass(frozen=True)
class Channel:
    name: str
    kind: int
    steps: tuple[int, int]


@dataclass(frozen=True)
class Part:
    """One picture of a file. attributes: texts, numbers and groups of numbers by name."""

    index: int
    channels: tuple[Channel, ...]
    data: Window
    display: Window
    deep: bool
    attributes: dict[str, Any]

    def samples(self) -> int:
        """How many numbers it holds."""
        width, height = extent(self.data)
        return width * height * len(self.channels)


def extent(window: Window) -> tuple[int, int]:
    """Width and height."""
    left, top, right, bottom = window
    return right - left + 1, bottom - top + 1


def read_parts(path: Path) -> list[Part]:
    """The header of every part. Raises FileError."""
    with open(path, "rb") as file:
        read = _Reader(file.read(_MOST_BYTES))
    if read.take(4) != MAGIC:
        raise FileError("damaged: not an OpenEXR file")
    (version,) = read.numbers("<I")
    parts: list[Part] = []
    while not parts or (version & _MULTIPART and read.data[read.at : read.at + 1] != b"\0"):
        if len(parts) == _MOST_PARTS:
            raise FileError(f"expected at most {_MOST_PARTS} parts; got more")
        parts.append(_part(read, len(parts), bool(version & _DEEP)))
    return parts


def _part(read: _Reader, index: int, deep: bool) -> Part:
    attributes: dict[str, Any] = {}
    while name := read.text():
        kind = read.text()
        (size,) = read.numbers("<i")
        attributes[name] = _value(kind, read.take(size))
    for needed in ("channels", "dataWindow", "displayWindow"):
        if not isinstance(attributes.get(needed), tuple):
            raise FileError(f"damaged: an OpenEXR part without {needed}")
    data, display = attributes.pop("dataWindow"), attributes.pop("displayWindow")
    if min(*extent(data), *extent(display)) < 1:
        raise FileError("damaged: a window of an OpenEXR part is turned inside out")
    deep = deep or str(attributes.get("type", "")).startswith("deep")
    return Part(index, attributes.pop("channels"), data, display, deep, attributes)


_PLAIN = {"int": "<i", "float": "<f", "double": "<d", "box2i": "<4i", "chromaticities": "<8f", "v2f": "<2f", "rational": "<iI"}


def _value(kind: str, body: bytes) -> Any:
    """None of a kind that is not plain."""
    if kind == "string":
        return body.rstrip(b"\0").decode("utf-8", "replace")
    if kind == "chlist":
        return _channels(_Reader(body))
    if kind in _PLAIN:
        values = _Reader(body).numbers(_PLAIN[kind])
        return values if len(values) > 1 else values[0]
    return None


def _channels(read: _Reader) -> tuple[Channel, ...]:
    channels = []
    while name := read.text():
        kind, _, across, down = read.numbers("<iIii")
        channels.append(Channel(name, kind, (across, down)))
        if len(channels) > _MOST_CHANNELS:
            raise FileError(f"expected at most {_MOST_CHANNELS} channels; got more")
    return tuple(channels)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + max(0, count)]
        if count < 0 or len(taken) < count:
            raise FileError("damaged: the OpenEXR header ends early")
        self.at += count
        return taken

    def text(self) -> str:
        """A text up to its zero byte, of at most 255 bytes."""
        end = self.data.find(b"\0", self.at, self.at + 256)
        if end < 0:
            raise FileError("damaged: the OpenEXR header ends early")
        text, self.at = self.data[self.at : end].decode("utf-8", "replace"), end + 1
        return text

    def numbers(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

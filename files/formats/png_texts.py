"""What PNG carries in words: texts, XMP and EXIF, before the picture or behind it, compressed or not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

XMP = "XML:com.adobe.xmp"
"""The name of the text that is an XMP packet."""

_MOST_TEXT, _MOST_TEXTS = 64 << 20, 1000


def read_texts(path: Path, start: int) -> tuple[bytes | None, bytes | None, dict[str, str]]:
    """EXIF, XMP and the other texts by name, at most so much of them. start: of the first chunk."""
    exif, packet, texts, room = None, None, dict[str, str](), _MOST_TEXT
    for kind, body in _chunks(path, start):
        if kind == b"eXIf":
            exif = body
            continue
        name, text = _read_text(kind, body, room)
        room -= min(room, len(text))
        if name == XMP:
            packet = text
        elif len(texts) < _MOST_TEXTS:
            texts[name] = text.decode("utf-8" if kind == b"iTXt" else "latin-1", "replace")
    return exif, packet, texts


def _chunks(path: Path, start: int) -> Iterator[tuple[bytes, bytes]]:
    """The chunks with metadata. A file that ends too early has no more of them; its pixels say that it is damaged."""
    with open(path, "rb") as file:
        file.seek(start)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt") and length <= _MOST_TEXT:
                yield kind, file.read(length)
                file.seek(4, io.SEEK_CUR)
            else:
                file.seek(length + 4, io.SEEK_CUR)


def _read_text(kind: bytes, body: bytes, room: int) -> tuple[str, bytes]:
    """The name and the bytes of a text chunk, as far as there is room for them."""
    name, _, rest = body.partition(b"\0")
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    elif packed:
        rest = rest[1:]
    if packed:
        try:
            rest = zlib.decompressobj().decompress(rest, room + 1)
        except zlib.error:
            rest = b""
    return name.decode("latin-1"), rest[:room]

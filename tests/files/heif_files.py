"""Profiles, metadata and damages that the tests of AVIF and HEIC share."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import Image

from luxgrad.files.formats.isobmff import Box, boxes
from luxgrad.files.icc_write import build_profile
from luxgrad.light.encodings import SPACES

PROFILE = build_profile(SPACES["Display P3"])
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
_HOLDERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"iref": 4}
_IINF = 6


def exif(model: str = "Camera 1", orientation: int | None = None) -> bytes:
    block = Image.Exif()
    block[0x0110] = model
    if orientation:
        block[0x0112] = orientation
    return block.tobytes()


def all_boxes(data: bytes) -> list[Box]:
    """Every box of a file, also those in boxes."""
    file = io.BytesIO(data)

    def inside(found: Iterator[Box]) -> Iterator[Box]:
        for box in found:
            yield box
            skipped = _IINF if box.kind == b"iinf" else _HOLDERS.get(box.kind)
            if skipped is not None:
                yield from inside(boxes(file, box.body + skipped, box.end))

    return list(inside(boxes(file)))


def body_of(data: bytes, kind: bytes) -> int:
    """Where the body of the first box of a type begins."""
    return next(box.body for box in all_boxes(data) if box.kind == kind)


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    """A file with other numbers at one place."""
    new = struct.pack(layout, *values)
    return data[:at] + new + data[at + len(new) :]


def damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    """A file cut at every boundary of a box, and with every box of a length that cannot be."""
    for box in all_boxes(data):
        if box.start:
            yield f"cut before {box.kind!r}", data[: box.start]
        yield f"cut in {box.kind!r}", data[: box.body]
        if box.end > box.body:
            yield f"last byte of {box.kind!r} missing", data[: box.end - 1]
        for size in (1, 4, 7, box.end - box.start + 1, 0x7FFFFFFF, 0xFFFFFFFF):
            yield f"{box.kind!r} of size {size}", patched(data, box.start, ">I", size)

"""WebP (RFC 9649): 8 bits, with the chunks ICCP, EXIF and XMP."""

from __future__ import annotations

import contextlib
import dataclasses
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from ..atomic import save_image
from ..errors import FileError
from ..exif_block import EMPTY, Damaged, with_texts
from . import pillow
from .format import Beside, Decoded, Format, Header, Saving

_LOSSLESS = 100
_LONGEST_EDGE = 16383
_MOST_CHUNKS = 65536
_ALPHA = 0x10
_WORKFLOW = {"workflow": 65000, "prompt": 65001}


def read_header(path: Path) -> Header:
    """The size and the number of frames, from the chunks."""
    with open(path, "rb") as file:
        first, start = next(_chunks(file), (b"", 0))
        file.seek(start)
        width, height, alpha = _size(first, file.read(10))
        frames = sum(kind == b"ANMF" for kind, _ in _chunks(file)) if first == b"VP8X" else 0
    return Header(width, height, 4 if alpha else 3, 8, max(1, frames), "WebP, 8 bits")


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Type and first byte of each chunk. Raises FileError where one reaches beyond the file."""
    size = file.seek(0, 2)
    file.seek(4)
    end, start = 8 + int.from_bytes(file.read(4), "little"), 12
    if end > size:
        raise FileError(f"damaged: it ends {end - size} bytes early")
    for _ in range(_MOST_CHUNKS):
        if start >= end:
            return
        file.seek(start)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if len(head) < 8 or start + 8 + length > end:
            raise FileError(f"damaged: the chunk at byte {start} reaches beyond its end")
        yield head[:4], start + 8
        start += 8 + length + length % 2
    raise FileError(f"expected at most {_MOST_CHUNKS} chunks; got more")


def _size(kind: bytes, start: bytes) -> tuple[int, int, bool]:
    if len(start) == 10 and kind == b"VP8X":
        return 1 + int.from_bytes(start[4:7], "little"), 1 + int.from_bytes(start[7:10], "little"), bool(start[0] & _ALPHA)
    if len(start) == 10 and kind == b"VP8L" and start[0] == 0x2F:
        word = int.from_bytes(start[1:5], "little")
        return 1 + (word & 0x3FFF), 1 + (word >> 14 & 0x3FFF), bool(word >> 28 & 1)
    if len(start) == 10 and kind == b"VP8 " and start[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", start[6:])
        return width & 0x3FFF, height & 0x3FFF, False
    raise FileError("damaged: it does not begin with a picture")


def decode(path: Path) -> Decoded:
    """The picture; of an animation its first frame."""
    header, decoded = read_header(path), pillow.decode(path, "WEBP")
    if header.frames > 1:
        decoded.facts["Frames"] = header.frames
    return decoded


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """8-bit codes; quality 100 is without loss, also where alpha is 0. Lossy WebP halves the resolution of colour."""
    if max(codes.shape[:2]) > _LONGEST_EDGE:
        raise FileError(f"WebP holds edges of at most {_LONGEST_EDGE} px; got {codes.shape[1]} x {codes.shape[0]} px")
    lossless = saving.quality >= _LOSSLESS
    options = {"lossless": True, "exact": True, "method": 4} if lossless else {"quality": saving.quality, "method": 4}
    beside = dataclasses.replace(beside, exif=_with_workflow(beside))
    save_image(Image.fromarray(codes), path, "WEBP", **options, **pillow.beside_options(beside))


def _with_workflow(beside: Beside) -> bytes | None:
    """EXIF with the workflow as ComfyUI reads it from WebP: ASCII entries that begin with its name."""
    texts = {tag: f"{name}:{beside.texts[name]}" for name, tag in _WORKFLOW.items() if name in beside.texts}
    with contextlib.suppress(Damaged):
        return with_texts(beside.exif or EMPTY, texts) if texts else beside.exif
    return beside.exif


WEBP = Format(
    "WebP",
    (".webp",),
    lambda start, _: start[:4] == b"RIFF" and start[8:12] == b"WEBP",
    read_header,
    decode,
    depths=("8",),
    encode=encode,
    alpha=True,
    glance=partial(pillow.glance, kind="WEBP"),
)

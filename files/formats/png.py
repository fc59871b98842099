"""PNG (third edition, 2025): 8 and 16 bits, with the chunks iCCP, eXIf and iTXt."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from ..extras import imagecodecs
from . import pillow
from .format import Beside, Decoded, Format, Header, Saving, without_alpha

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_XMP = "XML:com.adobe.xmp"


def read_header(path: Path) -> Header:
    """The IHDR chunk."""
    with open(path, "rb") as file:
        width, height, bits, colour = struct.unpack(">IIBB", file.read(26)[16:])
    return Header(width, height, _CHANNELS.get(colour, 0), max(8, bits), kind=f"PNG, {bits} bits")


def decode(path: Path) -> Decoded:
    """8-bit codes by Pillow, 16-bit ones by libpng."""
    if read_header(path).bits != 16:
        return pillow.decode(path, "PNG")
    with Image.open(path, formats=("PNG",)) as image:
        profile, exif, xmp = image.info.get("icc_profile"), pillow.exif_of(image), pillow.xmp_of(image)
    values = imagecodecs("16-bit PNG").png_decode(path.read_bytes())
    values, alpha = without_alpha(values, values.ndim == 3 and values.shape[2] in (2, 4))
    return Decoded(values, alpha, profile, exif=exif, xmp=xmp)


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """8 or 16 bits; profile, EXIF, XMP and texts are put in after the header."""
    data = _pixels(codes)
    chunks = [_chunk(b"iCCP", b"ICC\0\0" + zlib.compress(beside.profile))]
    if beside.exif:
        chunks.append(_chunk(b"eXIf", beside.exif.removeprefix(b"Exif\0\0")))
    if beside.xmp:
        chunks.append(_text(_XMP, beside.xmp))
    chunks += [_text(name, text.encode()) for name, text in beside.texts.items()]
    path.write_bytes(data[:33] + b"".join(chunks) + data[33:])


def _pixels(codes: np.ndarray) -> bytes:
    if codes.dtype == np.uint16:
        return imagecodecs("16-bit PNG").png_encode(codes, level=4)
    buffer = io.BytesIO()
    Image.fromarray(codes).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _text(name: str, text: bytes) -> bytes:
    return _chunk(b"iTXt", name.encode("latin1") + b"\0\0\0\0\0" + text)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG = Format(
    "PNG",
    (".png",),
    lambda start, _: start[:8] == _SIGNATURE,
    read_header,
    decode,
    depths=("8", "16"),
    encode=encode,
    carries=frozenset({"profile", "exif", "xmp", "texts", "alpha"}),
)

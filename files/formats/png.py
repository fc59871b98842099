"""PNG (third edition, 2025): 8 and 16 bits, with the chunks cICP, iCCP, sRGB, gAMA, cHRM, eXIf, tEXt and iTXt."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import FileError
from ..extras import imagecodecs
from . import pillow
from .cicp import encoding_of, numbers_of
from .format import NO_PIXELS, Beside, Decoded, Encoding, Format, Header, Primaries, Saving, without_alpha
from .png_texts import XMP, read_texts

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_COLOUR, _COLOUR_BYTES = (b"cICP", b"sRGB", b"gAMA", b"cHRM"), 64
_SRGB_GAMMA, _LEAST_GAMMA, _MOST_GAMMA = 45455, 10_000, 1_000_000
_SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), (0.3127, 0.3290))


def read_header(path: Path) -> Header:
    """The IHDR chunk."""
    with open(path, "rb") as file:
        width, height, bits, colour = struct.unpack(">IIBB", file.read(26)[16:])
    return Header(width, height, _CHANNELS.get(colour, 0), max(8, bits), kind=f"PNG, {bits} bits")


def decode(path: Path) -> Decoded:
    """8-bit codes by Pillow, 16-bit ones by libpng."""
    found = glance(path)
    if read_header(path).bits != 16:
        seen = pillow.decode(path, "PNG")
        found.values, found.alpha, found.exif = seen.values, seen.alpha, found.exif or seen.exif
        return found
    values = imagecodecs("16-bit PNG").png_decode(path.read_bytes())
    found.values, found.alpha = without_alpha(values, values.ndim == 3 and values.shape[2] in (2, 4))
    return found


def glance(path: Path) -> Decoded:
    """Every chunk beside the pixels, also those behind them."""
    with Image.open(path, formats=("PNG",)) as image:
        profile, exif = image.info.get("icc_profile"), pillow.exif_of(image)
    block, packet, texts = read_texts(path, len(_SIGNATURE))
    encoding = _encoding(_colour_chunks(path))
    return Decoded(NO_PIXELS, profile=profile, encoding=encoding, exif=block or exif, xmp=packet, texts=texts)


def _colour_chunks(path: Path) -> dict[bytes, bytes]:
    """The chunks before the picture that say what its codes mean."""
    chunks: dict[bytes, bytes] = {}
    with open(path, "rb") as file:
        file.seek(len(_SIGNATURE))
        while len(head := file.read(8)) == 8 and head[4:] not in (b"IDAT", b"IEND"):
            length = struct.unpack(">I", head[:4])[0]
            if head[4:] in _COLOUR and length <= _COLOUR_BYTES:
                chunks.setdefault(head[4:], file.read(length))
                length = 0
            elif head[4:] == b"iCCP":
                chunks[b"iCCP"] = b""
            file.seek(length + 4, 1)
    return chunks


def _encoding(chunks: dict[bytes, bytes]) -> Encoding | None:
    """By precedence (4.3): cICP, iCCP, sRGB, then gAMA and cHRM; None where a profile or nothing says it.

    The gamma 1/2.2 with sRGB's primaries is what the standard has writers of sRGB add, and so is sRGB.
    """
    numbers = chunks.get(b"cICP", b"")
    if len(numbers) == 4 and numbers[2] == 0 and (encoding := encoding_of(numbers[0], numbers[1])):
        if not numbers[3]:
            raise FileError("expected full-range codes; got a narrow range (cICP)")
        return encoding
    if b"iCCP" in chunks:
        return None
    gamma, corners = chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b"")
    if b"sRGB" in chunks or not (len(gamma) == 4 or len(corners) == 32):
        return None
    primaries = _primaries(corners) if len(corners) == 32 else "srgb"
    value = struct.unpack(">I", gamma)[0] if len(gamma) == 4 else 0
    if not _LEAST_GAMMA <= value <= _MOST_GAMMA or (abs(value - _SRGB_GAMMA) < 10 and primaries == "srgb"):
        return Encoding("srgb", primaries)
    return Encoding("linear" if value == 100000 else f"gamma:{100000 / value}", primaries)


def _primaries(chunk: bytes) -> Primaries:
    """cHRM's white, red, green and blue, by name where they are sRGB's."""
    white, *corners = ((x / 100000, y / 100000) for x, y in struct.iter_unpack(">II", chunk))
    same = all(abs(a - b) < 1e-3 for xy, known in zip((*corners, white), _SRGB) for a, b in zip(xy, known))
    return "srgb" if same else (*corners, white)


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """8 or 16 bits; profile, EXIF, XMP and texts are put in after the header, and for HDR the code points."""
    data = _pixels(codes)
    chunks = [_chunk(b"iCCP", b"ICC\0\0" + zlib.compress(beside.profile))]
    numbers = numbers_of(beside.encoding)
    if numbers and beside.encoding.transfer in ("pq", "hlg"):
        chunks.insert(0, _chunk(b"cICP", bytes((*numbers, 0, 1))))
    if beside.exif:
        chunks.append(_chunk(b"eXIf", beside.exif.removeprefix(b"Exif\0\0")))
    if beside.xmp:
        chunks.append(_text(XMP, beside.xmp))
    chunks += [_plain_text(name, text) for name, text in beside.texts.items()]
    path.write_bytes(data[:33] + b"".join(chunks) + data[33:])


def _pixels(codes: np.ndarray) -> bytes:
    if codes.dtype == np.uint16:
        return imagecodecs("16-bit PNG").png_encode(codes, level=4)
    buffer = io.BytesIO()
    Image.fromarray(codes).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _plain_text(name: str, text: str) -> bytes:
    """A tEXt chunk where the text allows: ComfyUI's editor takes an iTXt chunk's empty fields for text."""
    if text.isascii():
        return _chunk(b"tEXt", name.encode("latin1") + b"\0" + text.encode())
    return _text(name, text.encode())


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
    alpha=True,
    glance=glance,
)

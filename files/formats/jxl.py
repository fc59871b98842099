"""JPEG XL (ISO/IEC 18181): 8 to 16 bits, half and float; colour by its enumerated encoding or by an ICC profile.

Pixels come from libjxl by way of imagecodecs, which hands on neither colour nor metadata: these are read here.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import FileError
from ..extras import imagecodecs
from .format import Beside, Decoded, Encoding, Format, Header, Saving, unpremultiplied, without_alpha
from .isobmff import Box, boxes, make_box
from .jxl_header import BLACK, SIGNATURE, Depth, StreamHeader, read_header, relabelled
from .jxl_profile import read_profile

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_FILE_TYPE = make_box(b"ftyp", b"jxl \0\0\0\0jxl ")
_MOST_METADATA = 16 << 20
_MOST_STREAM = 1 << 62
_HEADER_BYTES = 1 << 16
_LINEAR = Encoding("linear")
_FLOAT, _HALF = Depth(32, 8), Depth(16, 5)
_EFFORTS, _EFFORTS_OF_SMALL, _SMALL = (3, 5, 7), (3, 5, 7, 9, 10), 1 << 18


def header(path: Path) -> Header:
    """The header of the stream, which is not decoded."""
    with open(path, "rb") as file:
        told = read_header(_stream(file, _HEADER_BYTES))
    depth = f"{told.depth.bits} bits{' float' if told.depth.exponent else ''}"
    kind = f"JPEG XL, {depth}, {'lossy' if told.xyb else 'as stored'}{', animation' if told.animated else ''}"
    return Header(told.width, told.height, told.channels, told.depth.bits, kind=kind)


def decode(path: Path) -> Decoded:
    """The first frame, upright."""
    with open(path, "rb") as file:
        stream, exif, xmp = _stream(file), *_metadata(file)
    told = read_header(stream)
    _check(told)
    profile, encoding, values = _pixels(stream, told)
    alpha_first = bool(told.extra) and told.extra[0].kind == 0
    colours = 1 if told.grey else 3
    values = values.reshape(*values.shape[:2], -1)
    values, alpha = without_alpha(values[..., : colours + alpha_first], alpha_first)
    if alpha is not None and told.extra[0].associated:
        values = unpremultiplied(values, alpha, told.depth.bits)
    bits = told.depth.bits if values.dtype.kind == "u" else None
    light = "display" if values.dtype.kind == "u" or (told.xyb and not told.depth.exponent) else None
    return Decoded(values, alpha, profile, encoding, exif, xmp, orientation=1, bits=bits, light=light)  # type: ignore[arg-type]


def _check(told: StreamHeader) -> None:
    if any(channel.kind == BLACK for channel in told.extra):
        raise FileError("expected RGB or grey; got JPEG XL with a black channel (CMYK)")
    if not told.depth.exponent and told.depth.bits > 16:
        raise FileError(f"expected at most 16 bits, or float; got JPEG XL of {told.depth.bits} bits")
    if not (told.xyb or told.encoding or told.has_icc):
        raise FileError("JPEG XL whose colour is not told cannot be read")


def _pixels(stream: bytes, told: StreamHeader) -> tuple[bytes | None, Encoding | None, np.ndarray]:
    """Profile, encoding and codes. What is stored as XYB under a profile or an unnamed encoding comes as linear light."""
    profile, encoding = None, told.encoding
    if told.has_icc or encoding is None:
        profile, end = read_profile(stream, told.end) if told.has_icc else (None, told.end)
        if told.xyb:
            stream = relabelled(stream, _LINEAR, _FLOAT, skip=end - told.end)
            profile, encoding = None, _LINEAR
    codec = imagecodecs("JPEG XL")
    return profile, encoding, codec.jpegxl_decode(stream, index=0, numthreads=_threads())


def _stream(file: BinaryIO, most: int = _MOST_STREAM) -> bytes:
    """The codestream, bare or out of its boxes; about its first `most` bytes."""
    file.seek(0)
    if file.read(2) == SIGNATURE:
        file.seek(0)
        return file.read() if most == _MOST_STREAM else file.read(most)
    parts, size = [], 0
    for box in boxes(file):
        if box.kind in (b"jxlc", b"jxlp") and size < most:
            skip = 4 if box.kind == b"jxlp" else 0
            file.seek(box.body + skip)
            parts.append(file.read(min(box.end - box.body - skip, most - size)))
            size += len(parts[-1])
    if not parts:
        raise FileError("damaged: a JPEG XL file without a stream")
    return b"".join(parts)


def _metadata(file: BinaryIO) -> tuple[bytes | None, bytes | None]:
    """EXIF and XMP."""
    file.seek(0)
    if file.read(2) == SIGNATURE:
        return None, None
    found: dict[bytes, bytes] = {}
    for kind, body in _bodies(file):
        found.setdefault(kind, body)
    exif = found.get(b"Exif", b"")
    offset = struct.unpack(">I", exif[:4])[0] if len(exif) > 4 else 0
    return exif[4 + offset :] or None, found.get(b"xml ")


def _bodies(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    for box in boxes(file):
        if box.kind in (b"Exif", b"xml "):
            yield box.kind, box.read(file, _MOST_METADATA)
        elif box.kind == b"brob":
            yield from _unpacked(box, file)


def _unpacked(box: Box, file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """A box compressed by Brotli, where it holds metadata."""
    body = box.read(file, _MOST_METADATA)
    if body[:4] in (b"Exif", b"xml "):
        codec = imagecodecs("JPEG XL's metadata")
        try:
            yield body[:4], bytes(codec.brotli_decode(body[4:], out=bytearray(_MOST_METADATA)))
        except codec.BrotliError:
            raise FileError(f"damaged: compressed metadata, or more than {_MOST_METADATA >> 20} MB of it") from None


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """Without loss at quality 100, and floats always; below, by libjxl's distance of that quality.

    libjxl by way of imagecodecs takes 8-bit sRGB and linear sRGB only. Codes without loss are stored as they are under a
    header that says what they mean; others are handed over as unbounded linear light, and the header asks for the codes.
    """
    encoder, codes = imagecodecs("JPEG XL").jpegxl_encode, np.ascontiguousarray(codes)
    depth: Depth | None = None
    extra: Depth | None = None
    encoding: Encoding | None = beside.encoding
    if codes.dtype == np.float32:
        data = _floats(codes)
    elif codes.dtype == np.float16:  # by the bits that they are stored as: before 0.12, libjxl lost bits of the smallest
        depth = extra = _HALF
        data = encoder(codes.view(np.uint16), lossless=True, effort=3, numthreads=_threads())
    elif saving.quality >= 100:
        data = encoder(codes, lossless=True, effort=5, numthreads=_threads())
    elif codes.dtype == np.uint8 and encoding == Encoding():
        encoding = None
        data = encoder(codes, distance=_distance(saving.quality), effort=6, numthreads=_threads())
    else:
        depth = Depth(codes.dtype.itemsize * 8)
        light = _srgb_light(codes, beside)
        data = encoder(light, distance=_distance(saving.quality), effort=6, numthreads=_threads())
    with io.BytesIO(data) as file:
        stream = _stream(file)
        level = b"" if data[:2] == SIGNATURE else b"".join(data[b.start : b.end] for b in boxes(file) if b.kind == b"jxll")
    if encoding is not None:
        stream = relabelled(stream, encoding, depth, extra=extra)
    with open(path, "wb") as out:
        out.write(_CONTAINER + _FILE_TYPE + level)
        if beside.exif:
            out.write(make_box(b"Exif", b"\0\0\0\0" + beside.exif.removeprefix(b"Exif\0\0")))
        if beside.xmp:
            out.write(make_box(b"xml ", beside.xmp))
        out.write(make_box(b"jxlc", stream))


def _floats(codes: np.ndarray) -> bytes:
    """Floats without loss.

    libjxl predicts their bits as whole numbers, whose differences may need 33 where signs mix. Until 0.12 they wrapped around,
    which every decoder undoes; since then they are refused, and each effort predicts other differences.
    """
    codec = imagecodecs("JPEG XL")
    for effort in _EFFORTS_OF_SMALL if codes.size < _SMALL else _EFFORTS:
        try:
            return codec.jpegxl_encode(codes, lossless=True, effort=effort, numthreads=_threads())
        except codec.JpegxlError:
            continue
    raise FileError(
        "expected light that libjxl can store as floats; got signs that alternate too much for it (half can hold them)"
    )


def _srgb_light(codes: np.ndarray, beside: Beside) -> np.ndarray:
    """Unbounded linear sRGB light of codes, for the encoder to store as XYB; alpha as it is."""
    import torch

    from ...light.primaries import REC2020_TO_SRGB, mix
    from ...light.rectangle import strips
    from ..photo import as_photo

    photo = as_photo(Decoded(codes[..., :3], profile=beside.profile, encoding=beside.encoding))
    light = np.empty(codes.shape, np.float32)
    for strip in strips(photo.size):
        planes = mix(REC2020_TO_SRGB, *photo.read(strip).split(1, dim=1))
        light[strip.top : strip.top + strip.height, :, :3] = torch.cat(planes, dim=1)[0].permute(1, 2, 0).numpy()
    if codes.shape[2] == 4:
        light[..., 3] = codes[..., 3] / np.float32(np.iinfo(codes.dtype).max)
    return light


def _distance(quality: int) -> float:
    """libjxl's distance (1 is hardly visible) of a quality."""
    if quality >= 30:
        return 0.1 + (100 - quality) * 0.09
    return 53.0 / 3000.0 * quality * quality - 23.0 / 20.0 * quality + 25.0


def _threads() -> int:
    return min(8, os.cpu_count() or 1)


JPEG_XL = Format(
    "JPEG XL",
    (".jxl",),
    lambda start, _: start[:2] == SIGNATURE or start[:12] == _CONTAINER,
    header,
    decode,
    apart=True,
    depths=("8", "16", "half", "float"),
    encode=encode,
    alpha=True,
)

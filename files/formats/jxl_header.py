"""The header of a JPEG XL stream (ISO/IEC 18181-1, annexes D and E): size, depth, channels and colour.

It can also be written anew with another colour encoding or depth: the frames that follow do not depend on either where
codes are stored as they are, nor where colour is stored as absolute XYB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ..errors import FileError
from .format import Encoding
from .jxl_bits import BitReader, BitWriter
from .jxl_colour import put_colour, read_colour

SIGNATURE = b"\xff\x0a"
BLACK = 4
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_EDGE = ((1, 9), (1, 13), (1, 18), (1, 30))
_ALPHA, _SPOT, _CFA = 0, 2, 5


@dataclass(frozen=True)
class Depth:
    """How samples are stored: whole numbers of so many bits, or floats with so many of them for the exponent."""

    bits: int = 8
    exponent: int = 0


@dataclass(frozen=True)
class ExtraChannel:
    """A channel beside colour. kind: 0 is alpha. associated: colour is multiplied by it already.

    depth_at: the bits where its depth lies; none in the short form, which is 8 bits of alpha.
    """

    kind: int = _ALPHA
    depth: Depth = Depth()
    associated: bool = False
    depth_at: tuple[int, int] | None = None


@dataclass(frozen=True)
class StreamHeader:
    """What a stream says of itself. encoding is None where its colour is an ICC profile or not told.

    xyb: colour is stored as XYB, from which any encoding is made. depth_at, colour_at: the bits where these fields
    lie; end: the bit after the header, where an ICC profile or, from the next byte on, the first frame begins.
    """

    width: int
    height: int
    grey: bool
    depth: Depth
    extra: tuple[ExtraChannel, ...]
    orientation: int
    animated: bool
    xyb: bool
    encoding: Encoding | None
    has_icc: bool
    depth_at: tuple[int, int]
    colour_at: tuple[int, int]
    end: int

    @property
    def channels(self) -> int:
        return (1 if self.grey else 3) + len(self.extra)


def read_header(data: bytes) -> StreamHeader:
    """The header at the beginning of a stream. Raises FileError."""
    if data[:2] != SIGNATURE:
        raise FileError("damaged: expected a JPEG XL stream")
    read = BitReader(data, 16)
    width, height = _size(read)
    if read.flag():
        end = _after_transform(read, xyb=True)
        return StreamHeader(width, height, False, Depth(), (), 1, False, True, Encoding(), False, (end, end), (end, end), end)
    more = read.flag()
    orientation, animated = _extra_fields(read) if more else (1, False)
    start = read.at
    depth = _depth(read)
    depth_at = start, read.at
    read.flag()  # 16-bit buffers are enough
    count = read.u32((0, 0), (1, 0), (2, 4), (1, 12))
    extra = tuple(_extra_channel(read) for _ in range(count))
    xyb = read.flag()
    start = read.at
    grey, encoding, has_icc = read_colour(read)
    colour_at = start, read.at
    if more:
        _tone_mapping(read)
    _skip_extensions(read)
    end = _after_transform(read, xyb)
    return StreamHeader(
        width, height, grey, depth, extra, orientation, animated, xyb, encoding, has_icc, depth_at, colour_at, end
    )


def _after_transform(read: BitReader, xyb: bool) -> int:
    """The bit after the transform data (matrix from XYB, weights of upsampling), which ends the header."""
    if not read.flag():
        if xyb and not read.flag():
            read.at += 16 * 16
        present = read.bits(3)
        read.at += sum(16 * weights for mask, weights in zip((1, 2, 4), (15, 55, 210)) if present & mask)
    read.bits(0)
    return read.at


def _size(read: BitReader) -> tuple[int, int]:
    by_eight = read.flag()
    edge = (lambda: 8 * (1 + read.bits(5))) if by_eight else partial(read.u32, *_EDGE)
    height, ratio = edge(), read.bits(3)
    return _width(height, ratio) if ratio else edge(), height


def _width(height: int, ratio: int) -> int:
    over, under = _RATIOS[ratio]
    return height * over // under


def _extra_fields(read: BitReader) -> tuple[int, bool]:
    orientation = 1 + read.bits(3)
    if read.flag():
        _size(read)
    if read.flag():
        _preview(read)
    animated = read.flag()
    if animated:
        read.u32((100, 0), (1000, 0), (1, 10), (1, 30))
        read.u32((1, 0), (1001, 0), (1, 8), (1, 10))
        read.u32((0, 0), (0, 3), (0, 16), (0, 32))
        read.flag()
    return orientation, animated


def _preview(read: BitReader) -> None:
    choices = ((16, 0), (32, 0), (1, 5), (33, 9)) if read.flag() else ((1, 6), (65, 8), (321, 10), (1345, 12))
    read.u32(*choices)
    if not read.bits(3):
        read.u32(*choices)


def _depth(read: BitReader) -> Depth:
    if read.flag():
        return Depth(read.u32((32, 0), (16, 0), (24, 0), (1, 6)), 1 + read.bits(4))
    return Depth(read.u32((8, 0), (10, 0), (12, 0), (1, 6)))


def _extra_channel(read: BitReader) -> ExtraChannel:
    if read.flag():
        return ExtraChannel()
    kind, start = read.enum(), read.at
    depth, depth_at = _depth(read), (start, read.at)
    read.u32((0, 0), (3, 0), (4, 0), (1, 3))
    letters = read.u32((0, 0), (0, 4), (16, 5), (48, 10))
    read.at += 8 * letters
    associated = kind == _ALPHA and read.flag()
    if kind == _SPOT:
        read.at += 4 * 16
    if kind == _CFA:
        read.u32((1, 0), (0, 2), (3, 4), (19, 8))
    return ExtraChannel(kind, depth, associated, depth_at)


def _tone_mapping(read: BitReader) -> None:
    if not read.flag():
        read.at += 16 + 16 + 1 + 16


def _skip_extensions(read: BitReader) -> None:
    present = read.u64()
    lengths = [read.u64() for bit in range(64) if present >> bit & 1]
    read.at += sum(lengths)
    read.bits(0)


def relabelled(
    data: bytes, encoding: Encoding | None, depth: Depth | None = None, skip: int = 0, extra: Depth | None = None
) -> bytes:
    """A stream whose header says another colour encoding or depth. Raises FileError where the header has no name for it.

    skip: the bits after the header that an ICC profile takes, which is left out. extra: the depth of those beside colour.
    """
    header = read_header(data)
    if header.colour_at[0] == header.colour_at[1]:
        raise FileError("a JPEG XL stream of the default kind has no field for its colour")
    write, at = BitWriter(), 0
    beside = [(channel.depth_at, extra) for channel in header.extra if channel.depth_at]
    for (start, end), put in ((header.depth_at, depth), *beside, (header.colour_at, encoding)):
        if put is not None:
            write.copy(data, at, start)
            _put_depth(write, put) if isinstance(put, Depth) else put_colour(write, put, header.grey)
            at = end
    write.copy(data, at, header.end)
    return write.bytes() + data[-(-(header.end + skip) // 8) :]


def _put_depth(write: BitWriter, depth: Depth) -> None:
    write.bits(depth.exponent > 0, 1)
    write.u32(depth.bits, *(((32, 0), (16, 0), (24, 0), (1, 6)) if depth.exponent else ((8, 0), (10, 0), (12, 0), (1, 6))))
    if depth.exponent:
        write.bits(depth.exponent - 1, 4)

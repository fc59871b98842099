"""The frame size that an AV1 bitstream declares (AV1 specification, 5.3 and 5.5), read before any decoder sees it."""

from __future__ import annotations

from ..errors import FileError
from .bits import Bits

_SEQUENCE_HEADER = 1
_MOST_UNITS = 16


def frame_size(data: bytes) -> tuple[int, int]:
    """Greatest width and height of the frames of a stream that begins so. Raises FileError where it does not say them."""
    at = 0
    for _ in range(_MOST_UNITS):
        head = data[at : at + 2]
        if len(head) < 2 or head[0] & 0x80:
            break
        at += 2 if head[0] & 4 else 1
        length, at = _length(data, at) if head[0] & 2 else (len(data) - at, at)
        if head[0] >> 3 & 15 == _SEQUENCE_HEADER:
            return _of_sequence(Bits(data[at : at + length], "AV1"))
        at += length
    raise FileError("damaged: its AV1 stream does not begin with a sequence header")


def _length(data: bytes, at: int) -> tuple[int, int]:
    length = 0
    for place, byte in enumerate(data[at : at + 8]):
        length |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return length, at + place + 1
    raise FileError("damaged: a unit of its AV1 stream has no length")


def _of_sequence(bits: Bits) -> tuple[int, int]:
    bits.take(4)
    if bits.take(1):
        bits.take(5)
    else:
        _skip_operating_points(bits, _skip_timing(bits) if bits.take(1) else 0)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1


def _skip_timing(bits: Bits) -> int:
    """The width of the delays of a decoder model; 0 without one."""
    bits.take(64)
    if bits.take(1):
        bits.take_golomb()
    if not bits.take(1):
        return 0
    delay = bits.take(5) + 1
    bits.take(42)
    return delay


def _skip_operating_points(bits: Bits, delay: int) -> None:
    display_delays = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if display_delays and bits.take(1):
            bits.take(4)

"""The colour encoding in a JPEG XL header (ISO/IEC 18181-1, annex E.2): read, and written."""

from __future__ import annotations

from ..errors import FileError
from .format import Encoding, Primaries
from .jxl_bits import BitReader, BitWriter

_RGB, _GREY, _XYB = 0, 1, 2
_D65, _CUSTOM = 1, 2
_WHITES = {1: (0.3127, 0.3290), 10: (1 / 3, 1 / 3), 11: (0.314, 0.351)}
_CORNERS = {
    1: ((0.639998686, 0.330010138), (0.300003784, 0.600003357), (0.150002046, 0.059997204)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_NAMED = {1: "srgb", 9: "rec2020", 11: "p3"}
_TRANSFERS = {1: "bt709", 8: "linear", 13: "srgb", 16: "pq", 17: "gamma:2.6", 18: "hlg"}
_ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
_COORDINATE = ((0, 19), (524288, 19), (1048576, 20), (2097152, 21))


def read_colour(read: BitReader) -> tuple[bool, Encoding | None, bool]:
    """Whether it is grey, what it says, and whether an ICC profile says it."""
    if read.flag():
        return False, Encoding(), False
    has_icc, space = read.flag(), read.enum()
    if has_icc or space not in (_RGB, _GREY):
        if not has_icc and space != _XYB:
            _white(read), _corners(read), _transfer(read), read.enum()
        elif not has_icc:
            read.enum()
        return space == _GREY, None, has_icc
    white = _white(read)
    corners = _corners(read) if space == _RGB else "srgb"
    transfer = _transfer(read)
    read.enum()  # rendering intent
    if transfer is None or corners is None:
        return space == _GREY, None, False
    primaries: Primaries
    if isinstance(corners, str):
        primaries = corners if white == _WHITES[_D65] else (*_CORNERS[_by_name(corners)], white)
    else:
        primaries = (*corners, white)
    return space == _GREY, Encoding(transfer, primaries), False


def _by_name(name: str) -> int:
    return next(number for number, known in _NAMED.items() if known == name)


def _white(read: BitReader) -> tuple[float, float]:
    number = read.enum()
    if number != _CUSTOM and number not in _WHITES:
        raise FileError(f"damaged: JPEG XL white point {number}")
    return _point(read) if number == _CUSTOM else _WHITES[number]


def _corners(read: BitReader) -> str | tuple[tuple[float, float], ...]:
    number = read.enum()
    if number != _CUSTOM and number not in _NAMED:
        raise FileError(f"damaged: JPEG XL primaries {number}")
    return (_point(read), _point(read), _point(read)) if number == _CUSTOM else _NAMED[number]


def _point(read: BitReader) -> tuple[float, float]:
    x, y = (read.u32(*_COORDINATE) for _ in range(2))
    return _signed(x) / 1e6, _signed(y) / 1e6


def _signed(value: int) -> int:
    return -(value + 1) // 2 if value & 1 else value // 2


def _transfer(read: BitReader) -> str | None:
    if read.flag():
        gamma = read.bits(24)
        if not 0 < gamma <= 10_000_000:
            raise FileError(f"damaged: JPEG XL gamma {gamma}e-7")
        return f"gamma:{1e7 / gamma:.7g}"
    return _TRANSFERS.get(read.enum())


def put_colour(write: BitWriter, encoding: Encoding, grey: bool) -> None:
    """Raises FileError where the header has no name for an encoding."""
    write.bits(0, 2)  # not the default, no ICC profile
    write.enum(_GREY if grey else _RGB)
    corners, white = _named_or_points(encoding)
    if isinstance(corners, str):
        write.enum(_D65)
        numbers = [_by_name(corners)]
    else:
        write.enum(_CUSTOM)
        _put_point(write, white)
        numbers = [_CUSTOM]
    if not grey:
        write.enum(numbers[0])
        for point in () if isinstance(corners, str) else corners:
            _put_point(write, point)
    _put_transfer(write, encoding.transfer)
    write.enum(1)  # relative colorimetric


def _named_or_points(encoding: Encoding):
    primaries = (*_ADOBE, _WHITES[_D65]) if encoding.primaries == "adobe" else encoding.primaries
    if isinstance(primaries, str):
        if primaries not in _NAMED.values():
            raise FileError(f"JPEG XL has no name for the primaries {primaries}")
        return primaries, _WHITES[_D65]
    if len(primaries) != 4:
        raise FileError("JPEG XL cannot say its colour by a matrix")
    return primaries[:3], primaries[3]


def _put_point(write: BitWriter, point) -> None:
    for value in point:
        whole = round(value * 1e6)
        write.u32(whole * 2 if whole >= 0 else -whole * 2 - 1, *_COORDINATE)


def _put_transfer(write: BitWriter, transfer: str) -> None:
    name, _, gamma = transfer.partition(":")
    if name == "gamma":
        write.bits(1, 1)
        write.bits(round(1e7 / float(gamma)), 24)
        return
    number = next((number for number, known in _TRANSFERS.items() if known == transfer), None)
    if number is None:
        raise FileError(f"JPEG XL has no name for the transfer {transfer}")
    write.bits(0, 1)
    write.enum(number)

"""The frame size that HEVC declares (ITU-T H.265, 7.3.2.2; ISO/IEC 14496-15, 8.3.3), read before a decoder sees it."""

from __future__ import annotations

from ..errors import FileError
from .bits import Bits
from .isobmff import Fields

_SEQUENCE_PARAMETERS = 33
_FOUR_BY_FOUR = 3


def frame_size(configuration: bytes) -> tuple[int, int]:
    """Width and height of the coded frames (whole blocks, before cropping), of an `hvcC` property. Raises FileError."""
    fields = Fields(configuration, b"hvcC")
    fields.take(22)
    for _ in range(fields.number(1)):
        kind, count = fields.number(1) & 63, fields.number(2)
        units = [fields.take(fields.number(2)) for _ in range(count)]
        if kind == _SEQUENCE_PARAMETERS and units:
            return _of_sequence(Bits(units[0].replace(b"\0\0\3", b"\0\0"), "HEVC"))
    raise FileError("damaged: its HEVC configuration has no sequence parameters")


def _of_sequence(bits: Bits) -> tuple[int, int]:
    bits.take(16 + 4)
    layers = bits.take(3)
    bits.take(1)
    _skip_profile(bits, layers)
    bits.take_golomb()
    if bits.take_golomb() == _FOUR_BY_FOUR:
        bits.take(1)
    return bits.take_golomb(), bits.take_golomb()


def _skip_profile(bits: Bits, layers: int) -> None:
    """profile_tier_level(1, layers)"""
    bits.take(96)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)

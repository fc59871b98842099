"""The bit stream of JPEG XL (ISO/IEC 18181-1, annex B): numbers of a few bits, the least significant first."""

from __future__ import annotations

import struct

from ..errors import FileError

Choice = tuple[int, int]
"""An offset and how many bits are added to it: one of the four ways a U32 is written."""


def damaged(what: str) -> FileError:
    """The error of a stream some part of which is wrong."""
    return FileError(f"damaged: the JPEG XL stream's {what}")


class BitReader:
    """Reads a stream's fields one after the other. Raises FileError where the stream ends early."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def bits(self, count: int) -> int:
        """An unsigned number of at most 56 bits."""
        if self.at + count > len(self.data) * 8:
            raise damaged("end comes early")
        first = self.at >> 3
        word = int.from_bytes(self.data[first : first + 8], "little")
        value = word >> (self.at & 7) & ((1 << count) - 1)
        self.at += count
        return value

    def flag(self) -> bool:
        return bool(self.bits(1))

    def u32(self, *choices: Choice) -> int:
        offset, count = choices[self.bits(2)]
        return offset + self.bits(count)

    def u64(self) -> int:
        selector = self.bits(2)
        if selector < 3:
            return (0, 1 + self.bits(4) if selector == 1 else 0, 17 + self.bits(8) if selector == 2 else 0)[selector]
        value, shift = self.bits(12), 12
        while self.flag():
            if shift == 60:
                return value | self.bits(4) << 60
            value |= self.bits(8) << shift
            shift += 8
        return value

    def enum(self) -> int:
        return self.u32((0, 0), (1, 0), (2, 4), (18, 6))

    def half(self) -> float:
        return float(struct.unpack("<e", struct.pack("<H", self.bits(16)))[0])


class BitWriter:
    """Writes a few fields: the counterpart of `BitReader`."""

    def __init__(self) -> None:
        self.value, self.at = 0, 0

    def bits(self, value: int, count: int) -> None:
        self.value |= value << self.at
        self.at += count

    def copy(self, data: bytes, start: int, end: int) -> None:
        """Bits of another stream."""
        source = BitReader(data, start)
        while source.at < end:
            count = min(48, end - source.at)
            self.bits(source.bits(count), count)

    def u32(self, value: int, *choices: Choice) -> None:
        for selector, (offset, count) in enumerate(choices):
            if offset <= value < offset + (1 << count):
                self.bits(selector, 2)
                return self.bits(value - offset, count)
        raise ValueError(f"{value} is none of {choices}")

    def enum(self, value: int) -> None:
        self.u32(value, (0, 0), (1, 0), (2, 4), (18, 6))

    def bytes(self) -> bytes:
        return self.value.to_bytes(-(-self.at // 8), "little")

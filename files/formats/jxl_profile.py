"""The ICC profile of a JPEG XL stream (ISO/IEC 18181-1, annex E.4), which is predicted byte by byte."""

from __future__ import annotations

import struct

from ..errors import FileError
from .jxl_bits import BitReader, damaged
from .jxl_entropy import Numbers

_MOST_BYTES = 2 << 20
_HEADER = 128
_CONTEXTS = 41
_TAGS = b"cprtwtptbkptrXYZgXYZbXYZkXYZrTRCgTRCbTRCkTRCchaddescchrmdmnddmddlumi"
_TYPES = b"XYZ desctextmlucparacurvsf32gbd "
_OF_TWENTY_BYTES = (b"rXYZ", b"gXYZ", b"bXYZ", b"kXYZ", b"wtpt", b"bkpt", b"lumi")
_UNKNOWN, _THREE_CURVES, _THREE_COLOURS, _FIRST_TAG = 1, 2, 3, 4
_INSERT, _PAIRS, _QUADS, _PREDICT, _XYZ, _FIRST_TYPE = 1, 2, 3, 4, 10, 16


def read_profile(data: bytes, at: int) -> tuple[bytes, int]:
    """The profile that begins at a bit of a stream, and the bit after it. Raises FileError."""
    read = BitReader(data, at)
    size = read.u64()
    if size > _MOST_BYTES:
        raise FileError(f"expected a colour profile of at most {_MOST_BYTES} bytes; got {size}")
    numbers = Numbers(read, _CONTEXTS)
    packed = bytearray()
    for index in range(size):
        context = 0 if index <= _HEADER else 1 + _kind(packed[-1]) + 8 * _older_kind(packed[-2])
        value = numbers.next(context)
        if value > 255:
            raise damaged("colour profile is broken")
        packed.append(value)
    numbers.finish()
    return _Unpacking(bytes(packed)).profile(), read.at


def _kind(byte: int) -> int:
    if chr(byte).isascii() and chr(byte).isalpha():
        return 0
    if chr(byte) in "0123456789.,":
        return 1
    if byte < 16:
        return min(byte, 2) + 2
    return 6 if byte == 255 else 5 if byte > 240 else 7


def _older_kind(byte: int) -> int:
    return min(_kind(byte), 1) if _kind(byte) < 2 else 2 if byte < 16 else 3 if byte > 240 else 4


class _Unpacking:
    """Commands and data become the profile."""

    def __init__(self, packed: bytes) -> None:
        self.packed, self.commands, self.at = packed, 0, 0
        self.size, length = self._number(), self._number()
        self.last_command = self.at = self.commands + length
        if self.size > _MOST_BYTES or self.at > len(packed):
            raise damaged("colour profile is broken")
        self.out = bytearray()

    def profile(self) -> bytes:
        self._header()
        if len(self.out) < self.size:
            self._tag_list()
            while self.commands < self.last_command:
                self._content(self._command())
        if len(self.out) != self.size:
            raise damaged("colour profile has another length than it says")
        return bytes(self.out)

    def _command(self) -> int:
        if self.commands >= self.last_command:
            raise damaged("colour profile is broken")
        self.commands += 1
        return self.packed[self.commands - 1]

    def _number(self) -> int:
        value = shift = 0
        while shift < 56 and self.commands < len(self.packed):
            byte = self.packed[self.commands]
            self.commands += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
        raise damaged("colour profile is broken")

    def _take(self, count: int) -> bytes:
        taken = self.packed[self.at : self.at + count]
        if len(taken) < count or len(self.out) + count > self.size:
            raise damaged("colour profile is broken")
        self.at += count
        return taken

    def _header(self) -> None:
        guess = bytearray(_HEADER)
        guess[:4] = struct.pack(">I", self.size & 0xFFFFFFFF)
        guess[8], guess[12:24], guess[36:40] = 4, b"mntrRGB XYZ ", b"acsp"
        guess[68:80] = bytes((0, 0, 246, 214, 0, 1, 0, 0, 0, 0, 211, 45))
        for index in range(min(_HEADER, self.size)):
            if index == 8:
                guess[80:84] = self.out[4:8]
            if index == 41:
                guess[41:44] = {0x41: b"PPL", 0x4D: b"SFT"}.get(self.out[40], guess[41:44])
            if index == 42 and self.out[40:42] in (b"SG", b"SU"):
                guess[42:44] = b"I " if self.out[41:42] == b"G" else b"NW"
            self.out.append((self._take(1)[0] + guess[index]) & 255)

    def _tag_list(self) -> None:
        count = self._number()
        if not count:
            return
        self.out += struct.pack(">I", (count - 1) & 0xFFFFFFFF)
        start, length = _HEADER + (count - 1) * 12, 0
        while self.commands < self.last_command and (command := self._command()) & 63:
            code = command & 63
            tag = self._tag(code)
            place = self._number() if command & 64 else start + length
            length = self._number() if command & 128 else 20 if tag in _OF_TWENTY_BYTES else length
            start = place
            self._entry(tag, start, length)
            if code == _THREE_CURVES:
                self._entry(b"gTRC", start, length)
                self._entry(b"bTRC", start, length)
            if code == _THREE_COLOURS:
                self._entry(b"gXYZ", start + length, length)
                self._entry(b"bXYZ", start + 2 * length, length)

    def _tag(self, code: int) -> bytes:
        if code == _UNKNOWN:
            return self._take(4)
        if code < _FIRST_TAG:
            return b"rTRC" if code == _THREE_CURVES else b"rXYZ"
        tag = _TAGS[4 * (code - _FIRST_TAG) :][:4]
        if not tag:
            raise damaged("colour profile is broken")
        return tag

    def _entry(self, tag: bytes, start: int, length: int) -> None:
        self._put(tag + struct.pack(">II", start & 0xFFFFFFFF, length & 0xFFFFFFFF))

    def _put(self, data: bytes) -> None:
        if len(self.out) + len(data) > self.size:
            raise damaged("colour profile is longer than it says")
        self.out += data

    def _content(self, command: int) -> None:
        if command == _INSERT:
            self._put(self._take(self._number()))
        elif command in (_PAIRS, _QUADS):
            self._put(_unshuffled(self._take(self._number()), 2 if command == _PAIRS else 4))
        elif command == _PREDICT:
            self._predicted()
        elif command == _XYZ:
            self._put(b"XYZ \0\0\0\0" + self._take(12))
        elif _FIRST_TYPE <= command < _FIRST_TYPE + len(_TYPES) // 4:
            self._put(_TYPES[4 * (command - _FIRST_TYPE) :][:4] + b"\0\0\0\0")
        else:
            raise damaged("colour profile is broken")

    def _predicted(self) -> None:
        flags = self._command()
        width, order = (flags & 3) + 1, flags >> 2 & 3
        stride = self._number() if flags & 16 else width
        if width == 3 or order == 3 or stride < width or stride * 4 >= len(self.out):
            raise damaged("colour profile is broken")
        rest = self._take(self._number())
        rest = _unshuffled(rest, width) if width > 1 else rest
        begin = len(self.out)
        for index, byte in enumerate(rest):
            place = begin + index - index % width
            first, second, third = (int.from_bytes(self.out[place - back * stride :][:width], "big") for back in (1, 2, 3))
            guess = (first, 2 * first - second, 3 * first - 3 * second + third)[order]
            self.out.append((byte + (guess >> 8 * (width - 1 - index % width))) & 255)


def _unshuffled(data: bytes, width: int) -> bytes:
    """Rows of a table `width` high, written column by column."""
    height = -(-len(data) // width)
    return bytes(data[index] for row in range(height) for index in range(row, len(data), height))

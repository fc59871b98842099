"""Bits of a stream's header, most significant first, with the variable-length numbers of AV1 and HEVC."""

from __future__ import annotations

from ..errors import FileError

_MOST_BYTES = 1024
_LONGEST = 32


class Bits:
    """Numbers read one after the other. Raises FileError where the data end early or a number is absurdly long."""

    def __init__(self, data: bytes, what: str) -> None:
        data = data[:_MOST_BYTES]
        self.number, self.left, self.what = int.from_bytes(data, "big"), len(data) * 8, what

    def take(self, count: int) -> int:
        """An unsigned number of so many bits: u(n), f(n)."""
        self.left -= count
        if self.left < 0:
            raise FileError(f"damaged: the header of its {self.what} stream ends early")
        return self.number >> self.left & ((1 << count) - 1)

    def take_golomb(self) -> int:
        """An unsigned number in Exp-Golomb code: ue(v) of HEVC, uvlc() of AV1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        if zeros > _LONGEST:
            raise FileError(f"damaged: the header of its {self.what} stream holds no number where one should be")
        return (1 << zeros) - 1 + self.take(zeros)

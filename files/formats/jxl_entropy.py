"""The entropy decoder of JPEG XL (ISO/IEC 18181-1, annex C): prefix codes, ANS, hybrid numbers and LZ77.

Frames are decoded by libjxl; this serves the ICC profile, which stands before them and which libraries do not hand on.
"""

from __future__ import annotations

from dataclasses import dataclass

from .jxl_bits import BitReader, damaged
from .jxl_prefix import prefix_codes, symbol_of, var_len

_PRECISION = 12
_TOTAL = 1 << _PRECISION
_WINDOW = 1 << 20
_RUN = 13
_LOG_COUNTS = {(0, 3): 10, (2, 3): 7, (4, 3): 6, (5, 3): 8, (6, 3): 9, (3, 4): 3, (7, 4): 5, (9, 4): 4, (11, 4): 1}
_LOG_COUNTS |= {(15, 4): 2, (17, 5): 0, (33, 6): 11, (1, 7): 12, (65, 7): _RUN}


@dataclass(frozen=True)
class Hybrid:
    """How a token and bits after it make a number (C.3.3)."""

    split: int
    high: int
    low: int

    def number(self, token: int, read: BitReader) -> int:
        if token < 1 << self.split:
            return token
        count = self.split - self.high - self.low + ((token - (1 << self.split)) >> (self.high + self.low))
        if count > 31:
            raise damaged("numbers are too long")
        low = token & ((1 << self.low) - 1)
        high = 1 << self.high | (token >> self.low & ((1 << self.high) - 1))
        return (high << count | read.bits(count)) << self.low | low


@dataclass(frozen=True)
class Repeats:
    """LZ77: tokens from `first` on say how many numbers are copied, at least `shortest`."""

    first: int
    shortest: int
    length: Hybrid


class Numbers:
    """A stream of numbers, each under a context that picks its distribution. Raises FileError where it is damaged."""

    def __init__(self, read: BitReader, contexts: int, repeats: bool = True) -> None:
        self.read, self.repeats = read, _repeats(read, repeats)
        contexts += self.repeats is not None
        self.clusters = _clusters(read, contexts) if contexts > 1 else [0]
        count = max(self.clusters) + 1
        prefix = read.flag()
        log_size = 15 if prefix else 5 + read.bits(2)
        self.hybrids = [_hybrid(read, log_size) for _ in range(count)]
        self.codes = prefix_codes(read, count) if prefix else []
        self.tables = [] if prefix else [_alias_table(_distribution(read, 1 << log_size), log_size) for _ in range(count)]
        self.shift = _PRECISION - log_size
        self.state = 0 if prefix else read.bits(32)
        self.past: list[int] = []
        self.copies = self.copied = 0

    def next(self, context: int) -> int:
        if self.copies:
            self.copies -= 1
            value = self.past[self.copied] if self.copied < len(self.past) else 0
            self.copied += 1
        else:
            cluster = self.clusters[context]
            token = self._token(cluster)
            if self.repeats and token >= self.repeats.first:
                self._begin_copy(token - self.repeats.first, self.repeats)
                return self.next(context)
            value = self.hybrids[cluster].number(token, self.read)
        self.past.append(value)
        return value

    def _begin_copy(self, token: int, repeats: Repeats) -> None:
        self.copies = repeats.length.number(token, self.read) + repeats.shortest
        cluster = self.clusters[-1]
        distance = self.hybrids[cluster].number(self._token(cluster), self.read) + 1
        self.copied = len(self.past) - min(distance, len(self.past), _WINDOW)

    def _token(self, cluster: int) -> int:
        if self.codes:
            return symbol_of(self.read, self.codes[cluster])
        entry = self.state & (_TOTAL - 1)
        table = self.tables[cluster]
        symbol, offset, share = table[entry >> self.shift].at(entry & ((1 << self.shift) - 1))
        self.state = share * (self.state >> _PRECISION) + offset
        if self.state < 1 << 16:
            self.state = self.state << 16 | self.read.bits(16)
        return symbol

    def finish(self) -> None:
        """An ANS stream ends in a known state."""
        if self.tables and self.state != 0x130000:
            raise damaged("numbers do not add up")


def _repeats(read: BitReader, allowed: bool) -> Repeats | None:
    if not read.flag():
        return None
    if not allowed:
        raise damaged("context map repeats itself")
    first = read.u32((224, 0), (512, 0), (4096, 0), (8, 15))
    shortest = read.u32((3, 0), (4, 0), (5, 2), (9, 8))
    return Repeats(first, shortest, _hybrid(read, 8))


def _hybrid(read: BitReader, log_size: int) -> Hybrid:
    split = read.bits(log_size.bit_length())
    if split == log_size:
        return Hybrid(split, 0, 0)
    high = read.bits(split.bit_length())
    low = read.bits((split - high).bit_length()) if high <= split else 0
    if split > log_size or high + low > split:
        raise damaged("numbers are said wrongly")
    return Hybrid(split, high, low)


def _clusters(read: BitReader, contexts: int) -> list[int]:
    """Which distribution each context uses (C.2.2)."""
    if read.flag():
        count = read.bits(2)
        return [read.bits(count) for _ in range(contexts)]
    moved = read.flag()
    numbers = Numbers(read, 1, repeats=contexts > 2)
    clusters = [numbers.next(0) for _ in range(contexts)]
    numbers.finish()
    if max(clusters) > 255:
        raise damaged("contexts are too many")
    if moved:
        order = list(range(256))
        for place, index in enumerate(clusters):
            clusters[place] = order[index]
            order.insert(0, order.pop(index))
    return clusters


def _distribution(read: BitReader, most: int) -> list[int]:
    """How often each symbol comes, of 4096 (C.2.5)."""
    shares = [0] * most
    if read.flag():
        symbols = [var_len(read, 3) for _ in range(read.bits(1) + 1)]
        if len(set(symbols)) < len(symbols) or max(symbols) >= most:
            raise damaged("distribution names a symbol wrongly")
        shares[symbols[0]] = _TOTAL if len(symbols) == 1 else read.bits(_PRECISION)
        if len(symbols) == 2:
            shares[symbols[1]] = _TOTAL - shares[symbols[0]]
        return shares
    if read.flag():
        count = var_len(read, 3) + 1
        if count > most:
            raise damaged("distribution is too long")
        return [_TOTAL // count + (index < _TOTAL % count) for index in range(count)] + [0] * (most - count)
    return _counted(read, most)


def _counted(read: BitReader, most: int) -> list[int]:
    """A distribution by the logarithm of each share and some bits of it; the largest takes what is left."""
    log = 0
    while log < 3 and read.flag():
        log += 1
    shift = (read.bits(log) | 1 << log) - 1
    length = var_len(read, 3) + 3
    if shift > _PRECISION + 1 or length > most:
        raise damaged("distribution is too long")
    logs, runs, index = [0] * length, {}, 0
    while index < length:
        logs[index] = symbol_of(read, _LOG_COUNTS)
        if logs[index] == _RUN:
            runs[index] = var_len(read, 3) + 4
            index += runs[index]
        else:
            index += 1
    largest = max((i for i in range(length) if logs[i] != _RUN), key=lambda i: (logs[i], -i), default=-1)
    if largest < 0 or index > length:
        raise damaged("distribution is empty")
    shares, index = [0] * most, 0
    while index < length:
        if index in runs:
            if index == largest + 1:
                raise damaged("distribution repeats its largest share")
            shares[index : index + runs[index]] = [shares[index - 1] if index else 0] * runs[index]
            index += runs[index]
            continue
        code = logs[index]
        if index != largest and code:
            count = max(0, min(code - 1, shift - ((_PRECISION - (code - 1)) >> 1)))
            shares[index] = (1 << (code - 1)) + (read.bits(count) << (code - 1 - count))
        index += 1
    shares[largest] = _TOTAL - sum(shares)
    if shares[largest] <= 0:
        raise damaged("distribution adds up to too much")
    return shares


@dataclass
class _Slot:
    """A part of the alias table: symbols below `cutoff` are its own, the others another's."""

    own: int
    own_share: int
    cutoff: int
    other: int = 0
    other_share: int = 0
    offset: int = 0

    def at(self, place: int) -> tuple[int, int, int]:
        """Symbol, offset and share."""
        if place < self.cutoff:
            return self.own, place, self.own_share
        return self.other, self.offset + place, self.other_share


def _alias_table(shares: list[int], log_size: int) -> list[_Slot]:
    """C.2.6."""
    size = _TOTAL >> log_size
    if _TOTAL in shares:
        only = shares.index(_TOTAL)
        return [_Slot(only, _TOTAL, 0, only, _TOTAL, size * index) for index in range(1 << log_size)]
    slots = [_Slot(index, share, share) for index, share in enumerate(shares)]
    low = [slot.own for slot in slots if slot.cutoff < size]
    high = [slot.own for slot in slots if slot.cutoff > size]
    while high:
        over, under = high.pop(), low.pop()
        slots[over].cutoff -= size - slots[under].cutoff
        slots[under].other, slots[under].offset = over, slots[over].cutoff
        if slots[over].cutoff != size:
            (low if slots[over].cutoff < size else high).append(over)
    for slot in slots:
        if slot.cutoff < size:
            slot.offset -= slot.cutoff
            slot.other_share = slots[slot.other].own_share
    return slots

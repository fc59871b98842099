"""Prefix codes as in Brotli (RFC 7932, 3.2 to 3.5), which JPEG XL's entropy decoder uses for short streams."""

from __future__ import annotations

from .jxl_bits import BitReader, damaged

_LENGTH_ORDER = (1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_LENGTH_CODES = {(0, 2): 0, (1, 2): 4, (2, 2): 3, (3, 3): 2, (7, 4): 1, (15, 4): 5}
Codes = dict[tuple[int, int], int]
"""A prefix code: (bits as read, how many) -> symbol."""


def var_len(read: BitReader, bits: int) -> int:
    if not read.flag():
        return 0
    count = read.bits(bits)
    return (1 << count) + read.bits(count)


def symbol_of(read: BitReader, codes: Codes) -> int:
    if len(codes) == 1:
        return next(iter(codes.values()))
    word = 0
    for count in range(1, 16):
        word |= read.bits(1) << (count - 1)
        if (word, count) in codes:
            return codes[word, count]
    raise damaged("prefix code is broken")


def prefix_codes(read: BitReader, count: int) -> list[Codes]:
    sizes = [var_len(read, 4) + 1 for _ in range(count)]
    return [_prefix_code(read, size) if size > 1 else {(0, 0): 0} for size in sizes]


def _prefix_code(read: BitReader, size: int) -> Codes:
    """As in Brotli (RFC 7932, 3.4 and 3.5)."""
    skip = read.bits(2)
    if skip == 1:
        return _simple_code(read, size)
    lengths, space = [0] * 18, 32
    for symbol in _LENGTH_ORDER[skip:]:
        lengths[symbol] = symbol_of(read, _LENGTH_CODES)
        space -= 32 >> lengths[symbol] if lengths[symbol] else 0
        if space <= 0:
            break
    return _canonical(_code_lengths(read, _canonical(lengths), size))


def _simple_code(read: BitReader, size: int) -> Codes:
    count = read.bits(2) + 1
    symbols = [read.bits((size - 1).bit_length()) for _ in range(count)]
    if len(set(symbols)) < count or max(symbols) >= size:
        raise damaged("prefix code names a symbol wrongly")
    deep = count == 4 and read.flag()
    widths = {1: (0,), 2: (1, 1), 3: (1, 2, 2), 4: (1, 2, 3, 3) if deep else (2, 2, 2, 2)}[count]
    lengths = [0] * size
    if count == 1:
        return {(0, 0): symbols[0]}
    for symbol, width in zip(symbols, widths):
        lengths[symbol] = width
    return _canonical(lengths)


def _code_lengths(read: BitReader, codes: Codes, size: int) -> list[int]:
    lengths: list[int] = []
    space, last, repeat, repeated = 1 << 15, 8, 0, 0
    while len(lengths) < size and space > 0:
        symbol = symbol_of(read, codes)
        if symbol < 16:
            lengths.append(symbol)
            repeat = 0
            if symbol:
                last, space = symbol, space - (1 << 15 >> symbol)
            continue
        length = last if symbol == 16 else 0
        bits = symbol - 14
        if repeated != length:
            repeat, repeated = 0, length
        old = repeat
        repeat = ((repeat - 2) << bits if repeat else 0) + read.bits(bits) + 3
        lengths += [length] * (repeat - old)
        space -= (repeat - old) * (1 << 15 >> length) if length else 0
    if space != 0 or len(lengths) > size:
        raise damaged("prefix code is broken")
    return lengths


def _canonical(lengths: list[int]) -> Codes:
    used = [(length, symbol) for symbol, length in enumerate(lengths) if length]
    if len(used) == 1:
        return {(0, 0): used[0][1]}
    codes, code, before = {}, 0, 0
    for length, symbol in sorted(used):
        code <<= length - before
        codes[int(f"{code:0{length}b}"[::-1], 2), length] = symbol
        code, before = code + 1, length
    return codes

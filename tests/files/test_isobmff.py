"""Boxes of ISO base media files: walked within their bounds, hostile lengths refused."""

from __future__ import annotations

import io
import struct

import pytest

from luxgrad.files.errors import FileError
from luxgrad.files.formats import av1
from luxgrad.files.formats.bits import Bits
from luxgrad.files.formats.isobmff import Fields, boxes, make_box, make_full_box


def test_boxes_side_by_side_are_walked_and_read_back() -> None:
    file = io.BytesIO(make_box(b"ftyp", b"avif") + make_full_box(b"meta", 1, 5, b"xyz") + make_box(b"free", b""))
    assert [(box.kind, box.read(file)) for box in boxes(file)] == [
        (b"ftyp", b"avif"),
        (b"meta", b"\1\0\0\5xyz"),
        (b"free", b""),
    ]


def test_a_last_box_without_a_length_reaches_to_the_end_of_the_file_but_not_inside_another() -> None:
    file = io.BytesIO(struct.pack(">I4s", 0, b"mdat") + b"rest")
    (box,) = boxes(file)
    assert box.read(file) == b"rest"
    with pytest.raises(FileError, match="'mdat' at byte 0 is 0 bytes long"):
        list(boxes(file, 0, 12))


def test_a_64_bit_length_is_read() -> None:
    file = io.BytesIO(struct.pack(">I4sQ", 1, b"mdat", 20) + b"rest")
    (box,) = boxes(file)
    assert (box.body, box.read(file)) == (16, b"rest")


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I4s", 7, b"mdat"),
        struct.pack(">I4s", 9, b"mdat"),
        struct.pack(">I4s", 0xFFFFFFFF, b"mdat") + b"x" * 100,
        struct.pack(">I4sQ", 1, b"mdat", 15) + b"x" * 100,
        struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1) + b"x" * 100,
        struct.pack(">I4s", 1, b"mdat"),
        b"\0\0\0",
    ],
)
def test_a_length_that_cannot_be_is_refused(data: bytes) -> None:
    with pytest.raises(FileError, match="damaged"):
        list(boxes(io.BytesIO(data)))


def test_a_flood_of_empty_boxes_and_a_body_beyond_the_limit_are_refused() -> None:
    with pytest.raises(FileError, match="at most 65536 boxes"):
        list(boxes(io.BytesIO(make_box(b"free", b"") * 65537)))
    file = io.BytesIO(make_box(b"Exif", b"x" * 100))
    with pytest.raises(FileError, match="at most 99 bytes; got 100"):
        next(boxes(file)).read(file, most=99)


def test_fields_end_with_their_body() -> None:
    fields = Fields(b"\1\0\0\2ab\0c", b"infe")
    assert fields.version_and_flags() == (1, 2)
    assert (fields.text(), fields.text(), fields.left) == (b"ab", b"c", 0)
    with pytest.raises(FileError, match="'infe' ends early"):
        fields.number(1)


def test_exp_golomb_numbers_are_read_and_endless_ones_refused() -> None:
    bits = Bits(bytes((0b1_010_011_0, 0b0100_0010, 0b1_0000000)), "AV1")
    assert [bits.take_golomb() for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(FileError, match="AV1 stream ends early"):
        bits.take_golomb()
    with pytest.raises(FileError, match="holds no number"):
        Bits(bytes(5) + b"\xff" * 5, "AV1").take_golomb()


def test_the_frame_size_of_av1_is_found_behind_timing_and_operating_points() -> None:
    fields = [(0, 3), (0, 1), (0, 1)]  # profile, still, reduced
    fields += [(1, 1), (1, 32), (25, 32), (1, 1), (1, 1)]  # timing: ticks, scale, equal intervals of one tick (uvlc 0)
    fields += [(1, 1), (9, 5), (1, 32), (9, 5), (9, 5)]  # decoder model: delays of 10 bits
    fields += [(1, 1), (1, 5)]  # display delays; two operating points
    fields += [(0, 12), (9, 5), (1, 1), (1, 1), (5, 10), (6, 10), (0, 1), (1, 1), (3, 4)]
    fields += [(0, 12), (4, 5), (0, 1), (0, 1)]
    fields += [(11, 4), (9, 4), (3999, 12), (719, 10)]
    text = "".join(format(value, f"0{width}b") for value, width in fields)
    body = int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")
    stream = bytes((2 << 3 | 2, 0)) + bytes((1 << 3 | 2, len(body))) + body
    assert av1.frame_size(stream) == (4000, 720)
    for length in range(len(stream) - 1):
        with pytest.raises(FileError, match="damaged"):
            av1.frame_size(stream[:length])

"""Boxes of ISO base media files: walked within their bounds, hostile lengths refused."""

from __future__ import annotations

import io
import struct

import pytest

from luxgrad.files.errors import FileError
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

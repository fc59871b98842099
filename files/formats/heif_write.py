"""A HEIF file written anew around an encoder's pictures: profile, EXIF and XMP put in (ISO/IEC 23008-12, 6.5 and annex A)."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path

from ..errors import FileError
from .format import Beside
from .heif import XMP
from .isobmff import boxes, make_box, make_full_box
from .items import Item, Items, Property, Reference, read_items

_HANDLER = struct.pack(">4x4s12xx", b"pict")
_ESSENTIAL = 0x8000
_MOST_BYTES = 1 << 32


_STILL = b"avif" + bytes(4) + b"avifmif1miaf"


def without_track(path: Path) -> bytes:
    """A sequence's file as that of its still picture alone. A decoder would take all frames, or another than described."""
    with open(path, "rb") as file:
        top = {box.kind: box for box in boxes(file)}
        if b"moov" not in top:
            file.seek(0)
            return file.read()
        items = read_items(file, top[b"meta"])
        contents = {number: item.read(file, top[b"mdat"].end) for number, item in items.items.items()}
    return make_box(b"ftyp", _STILL) + _meta_and_data(items, contents, len(_STILL) + 8)


def with_beside(data: bytes, beside: Beside, primaries: int, transfer: int) -> bytes:
    """An encoder's file with the profile, EXIF block and XMP packet of its primary picture. Raises FileError above 4 GB.

    primaries, transfer: what its colour numbers say; matrix and range stay those of the encoder.
    """
    file = io.BytesIO(data)
    top = {box.kind: box for box in boxes(file)}
    items = read_items(file, top[b"meta"])
    contents = {number: item.read(file, len(data)) for number, item in items.items.items()}
    said = tuple(_numbered(entry, primaries, transfer) for entry in items.items[items.primary].properties)
    items.items[items.primary].properties = (*said, Property(b"colr", b"prof" + beside.profile))
    if beside.exif:
        _describe(items, contents, Item(b"Exif", hidden=True), bytes(4) + beside.exif.removeprefix(b"Exif\0\0"))
    if beside.xmp:
        _describe(items, contents, Item(b"mime", XMP, hidden=True), beside.xmp)
    return make_box(b"ftyp", top[b"ftyp"].read(file)) + _meta_and_data(items, contents, top[b"ftyp"].end)


def _numbered(entry: Property, primaries: int, transfer: int) -> Property:
    """A property, with these numbers where it is that of colour numbers."""
    if entry.kind != b"colr" or entry.body[:4] != b"nclx":
        return entry
    return replace(entry, body=struct.pack(">4sHH", b"nclx", primaries, transfer) + entry.body[8:])


def _describe(items: Items, contents: dict[int, bytes], item: Item, content: bytes) -> None:
    number = max(items.items) + 1
    items.items[number], contents[number] = item, content
    items.references.append(Reference(b"cdsc", number, (items.primary,)))


def _meta_and_data(items: Items, contents: dict[int, bytes], start: int) -> bytes:
    """The boxes `meta` and `mdat`, where the file has `start` bytes before them."""
    length = len(_meta(items, dict.fromkeys(contents, (0, 0))))
    places, at = {}, start + length + 8
    for number, content in contents.items():
        places[number] = (at, len(content))
        at += len(content)
    if at >= _MOST_BYTES:
        raise FileError("expected a file of at most 4 GB; got more")
    return _meta(items, places) + make_box(b"mdat", b"".join(contents.values()))


def _meta(items: Items, places: dict[int, tuple[int, int]]) -> bytes:
    parts = [
        make_full_box(b"hdlr", 0, 0, _HANDLER),
        make_full_box(b"pitm", 0, 0, struct.pack(">H", items.primary)),
        _locations(places),
        _entries(items),
        _references(items),
        _properties(items),
    ]
    return make_full_box(b"meta", 0, 0, b"".join(parts))


def _locations(places: dict[int, tuple[int, int]]) -> bytes:
    rows = [struct.pack(">HHHII", number, 0, 1, start, length) for number, (start, length) in places.items()]
    return make_full_box(b"iloc", 0, 0, struct.pack(">HH", 0x4400, len(rows)) + b"".join(rows))


def _entries(items: Items) -> bytes:
    rows = []
    for number, item in items.items.items():
        content_type = item.content_type + b"\0" if item.kind == b"mime" else b""
        body = struct.pack(">HH4sx", number, 0, item.kind) + content_type
        rows.append(make_full_box(b"infe", 2, int(item.hidden), body))
    return make_full_box(b"iinf", 0, 0, struct.pack(">H", len(rows)) + b"".join(rows))


def _references(items: Items) -> bytes:
    rows = [
        make_box(entry.kind, struct.pack(f">HH{len(entry.targets)}H", entry.source, len(entry.targets), *entry.targets))
        for entry in items.references
    ]
    return make_full_box(b"iref", 0, 0, b"".join(rows)) if rows else b""


def _properties(items: Items) -> bytes:
    store: dict[tuple[bytes, bytes], int] = {}
    rows = []
    for number, item in items.items.items():
        if item.properties:
            words = [
                store.setdefault((entry.kind, entry.body), len(store) + 1) | _ESSENTIAL * entry.essential
                for entry in item.properties
            ]
            rows.append(struct.pack(f">HB{len(words)}H", number, len(words), *words))
    held = make_box(b"ipco", b"".join(make_box(kind, body) for kind, body in store))
    linked = make_full_box(b"ipma", 0, 1, struct.pack(">I", len(rows)) + b"".join(rows))
    return make_box(b"iprp", held + linked)

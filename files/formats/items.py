"""Items of a `meta` box (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, 9.3): the pictures and metadata of HEIF files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from ..errors import FileError
from .isobmff import Box, Fields, boxes, printable, read_at

MOST_ITEMS = 4096
_MOST_EXTENTS = 4096
_MOST_PROPERTIES = 4096
_IN_FILE, _IN_META = 0, 1


@dataclass(frozen=True)
class Property:
    """A property of an item: its type and body. essential: who does not know it must not show the item."""

    kind: bytes
    body: bytes
    essential: bool = False


@dataclass
class Item:
    """An item: a coded picture, a derived one, or metadata. extents: (first byte, length) in the file."""

    kind: bytes
    content_type: bytes = b""
    hidden: bool = False
    extents: tuple[tuple[int, int], ...] = ()
    properties: tuple[Property, ...] = ()

    def property(self, kind: bytes) -> Property | None:
        """The first property of a type."""
        return next((entry for entry in self.properties if entry.kind == kind), None)

    def read(self, file: BinaryIO, most: int) -> bytes:
        """What the item holds. Raises FileError where it is more than `most` bytes."""
        length = sum(length for _, length in self.extents)
        if length > most:
            raise FileError(f"expected at most {most} bytes of {printable(self.kind)}; got {length}")
        return b"".join(read_at(file, start, length, most) for start, length in self.extents)


@dataclass(frozen=True)
class Reference:
    """`kind` from one item to others: auxl (is an auxiliary picture of), cdsc (describes), dimg (is made of)."""

    kind: bytes
    source: int
    targets: tuple[int, ...]


@dataclass
class Items:
    """All items of a file by number, and how they refer to each other."""

    primary: int
    items: dict[int, Item]
    references: list[Reference] = field(default_factory=list)

    def referring(self, kind: bytes, target: int) -> Iterator[Item]:
        """The items that refer so to one of them."""
        for reference in self.references:
            if reference.kind == kind and target in reference.targets and reference.source in self.items:
                yield self.items[reference.source]

    def made_of(self, source: int) -> Item | None:
        """The first of the items that one is put together from (a grid's first tile)."""
        targets = (r.targets[0] for r in self.references if (r.kind, r.source) == (b"dimg", source) and r.targets)
        return self.items.get(next(targets, 0))


def read_items(file: BinaryIO, meta: Box) -> Items:
    """The items of a `meta` box. Raises FileError where something lies outside the file, is missing, or is too much."""
    size = file.seek(0, 2)
    found: dict[bytes, Box] = {}
    for box in boxes(file, meta.body + 4, meta.end):
        if box.kind in found:
            raise FileError(f"damaged: a second box {printable(box.kind)} in 'meta'")
        found[box.kind] = box
    for kind in (b"pitm", b"iinf", b"iloc", b"iprp"):
        if kind not in found:
            raise FileError(f"damaged: no box {printable(kind)} in 'meta'")
    items = dict(_entries(file, found[b"iinf"]))
    fields = _fields(file, found[b"pitm"])
    primary = fields.number(2 if fields.version_and_flags()[0] == 0 else 4)
    if primary not in items:
        raise FileError(f"damaged: its picture is item {primary}, which is missing")
    for number, extents in _places(_fields(file, found[b"iloc"]), found.get(b"idat"), size):
        if number in items:
            items[number].extents = extents
    for number, properties in _properties(file, found[b"iprp"]):
        if number in items:
            items[number].properties += properties
    references = list(_references(file, found[b"iref"])) if b"iref" in found else []
    return Items(primary, items, references)


def _fields(file: BinaryIO, box: Box) -> Fields:
    return Fields(box.read(file), box.kind)


def _few(count: int, most: int, what: str) -> int:
    if count > most:
        raise FileError(f"expected at most {most} {what}; got {count}")
    return count


def _entries(file: BinaryIO, iinf: Box) -> Iterator[tuple[int, Item]]:
    start = Fields(read_at(file, iinf.body, min(8, iinf.end - iinf.body)), b"iinf")
    width = 2 if start.version_and_flags()[0] == 0 else 4
    _few(start.number(width), MOST_ITEMS, "items")
    for box in boxes(file, iinf.body + 4 + width, iinf.end):
        fields = _fields(file, box)
        version, flags = fields.version_and_flags()
        if box.kind != b"infe" or version not in (2, 3):
            raise FileError(f"expected item entries of version 2 or 3; got {printable(box.kind)}, version {version}")
        number = fields.number(2 if version == 2 else 4)
        if fields.number(2):
            raise FileError(f"expected no protected item; got item {number}")
        kind, _ = fields.take(4), fields.text()
        yield number, Item(kind, fields.text() if kind == b"mime" else b"", bool(flags & 1))


def _places(fields: Fields, idat: Box | None, size: int) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    version, _ = fields.version_and_flags()
    widths = fields.number(2)
    offset_width, length_width, base_width, index_width = (widths >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(_few(fields.number(2 if version < 2 else 4), MOST_ITEMS, "items")):
        number = fields.number(2 if version < 2 else 4)
        method = fields.number(2) & 15 if version else _IN_FILE
        if fields.number(2) or method not in (_IN_FILE, _IN_META):
            raise FileError(f"expected all items inside this file; got item {number} elsewhere")
        first, end = (0, size) if method == _IN_FILE else (idat.body, idat.end) if idat else (0, 0)
        base = fields.number(base_width)
        extents = []
        for _ in range(_few(fields.number(2), _MOST_EXTENTS, "pieces of an item")):
            if version:
                fields.take(index_width)
            start = first + base + fields.number(offset_width)
            length = fields.number(length_width) or max(0, end - start)
            if start + length > end:
                raise FileError(f"damaged: item {number} reaches to byte {start + length}, beyond byte {end}")
            extents.append((start, length))
        if sum(length for _, length in extents) > size:
            raise FileError(f"damaged: item {number} is longer than its file")
        yield number, tuple(extents)


def _properties(file: BinaryIO, iprp: Box) -> Iterator[tuple[int, tuple[Property, ...]]]:
    inside = list(boxes(file, iprp.body, iprp.end))
    stores = [box for box in inside if box.kind == b"ipco"]
    if len(stores) != 1:
        raise FileError(f"expected one box 'ipco'; got {len(stores)}")
    places = list(boxes(file, stores[0].body, stores[0].end))
    _few(len(places), _MOST_PROPERTIES, "properties")
    store = [(box.kind, box.read(file)) for box in places]
    for box in inside:
        if box.kind == b"ipma":
            yield from _associations(_fields(file, box), store)


def _associations(fields: Fields, store: list[tuple[bytes, bytes]]) -> Iterator[tuple[int, tuple[Property, ...]]]:
    version, flags = fields.version_and_flags()
    width = 2 if flags & 1 else 1
    essential = 0x8000 if flags & 1 else 0x80
    for _ in range(_few(fields.number(4), MOST_ITEMS, "items with properties")):
        number, properties = fields.number(2 if version == 0 else 4), []
        for _ in range(fields.number(1)):
            word = fields.number(width)
            index = word & (essential - 1)
            if index > len(store):
                raise FileError(f"damaged: item {number} has property {index} of {len(store)}")
            if index:
                properties.append(Property(*store[index - 1], bool(word & essential)))
        yield number, tuple(properties)


def _references(file: BinaryIO, iref: Box) -> Iterator[Reference]:
    version = read_at(file, iref.body, min(4, iref.end - iref.body))[:1]
    width = 4 if version == b"\1" else 2
    for box in boxes(file, iref.body + 4, iref.end):
        fields = _fields(file, box)
        source, count = fields.number(width), fields.number(2)
        yield Reference(box.kind, source, tuple(fields.number(width) for _ in range(count)))

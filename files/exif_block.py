"""An EXIF block changed in place (EXIF 2.32, TIFF 6.0): nothing moves, so that maker notes, which point into it, stay true."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

PREFIX = b"Exif\0\0"
EMPTY = PREFIX + b"II*\0\x08\0\0\0\0\0\0\0\0\0"
"""A block that says nothing."""

MAKER_NOTE = 0x927C

_MAIN, _EXIF, _GPS, _INTEROP = 0, 0x8769, 0x8825, 0xA005
_PARENTS = {_EXIF: _MAIN, _GPS: _MAIN, _INTEROP: _EXIF}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_THUMBNAIL_START, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_MOST_ENTRIES = 1000
_SHORT, _LONG = 3, 4
_MOVABLE = (b"Nikon\0\x02", b"OLYMPUS\0", b"OM SYSTEM\0", b"FUJIFILM", b"Apple iOS\0", b"PENTAX \0", b"HDRP")
_CANON_ENDS = (b"II*\0", b"MM\0*")


class Damaged(ValueError):
    """A block that cannot be changed in place."""


class _Entry(NamedTuple):
    """place: of the entry's 12 bytes; start and length: of its value, inside the entry or elsewhere in the block."""

    place: int
    tag: int
    kind: int
    start: int
    length: int


class _Directory(NamedTuple):
    place: int
    entries: dict[int, _Entry]

    @property
    def end(self) -> int:
        """Where the pointer to the next directory stands."""
        return self.place + 2 + 12 * len(self.entries)


class Block:
    """A block being changed. Raises Damaged where its directories do not lie inside it."""

    def __init__(self, block: bytes) -> None:
        self.data = bytearray(block.removeprefix(PREFIX))
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(self.data[:4]))
        if order is None:
            raise Damaged
        self.order = order
        self.directories = {_MAIN: self._directory(self._number(4, 4))}
        for pointer, parent in _PARENTS.items():
            entry = self.directories[parent].entries.get(pointer) if parent in self.directories else None
            if entry is not None:
                self.directories[pointer] = self._directory(self._number(entry.place + 8, 4))

    def whole(self) -> bytes:
        """The block as it is now."""
        return PREFIX + bytes(self.data)

    def _number(self, place: int, size: int) -> int:
        if place < 0 or place + size > len(self.data):
            raise Damaged
        return struct.unpack_from(f"{self.order}{'H' if size == 2 else 'I'}", self.data, place)[0]

    def _directory(self, place: int) -> _Directory:
        count = self._number(place, 2)
        if count > _MOST_ENTRIES or place < 8 or place + 2 + 12 * count > len(self.data):
            raise Damaged
        entries: dict[int, _Entry] = {}
        for index in range(count):
            at = place + 2 + 12 * index
            tag, kind, number = struct.unpack_from(f"{self.order}HHI", self.data, at)
            length = _SIZES.get(kind, 1) * number
            start = at + 8 if length <= 4 else self._number(at + 8, 4)
            if tag in entries:
                raise Damaged
            entries[tag] = _Entry(at, tag, kind, start, min(length, max(0, len(self.data) - start)))
        return _Directory(place, entries)

    def set_number(self, directory: int, tag: int, value: int) -> None:
        """A whole number where the block has one of this name."""
        entry = self._entry(directory, tag)
        if entry is None:
            return
        kind = _SHORT if value < 65536 and entry.kind != _LONG else _LONG
        body = struct.pack(f"{self.order}{'Hxx' if kind == _SHORT else 'I'}", value)
        self.data[entry.place + 2 : entry.place + 12] = struct.pack(f"{self.order}HI", kind, 1) + body

    def set_text(self, directory: int, tag: int, text: bytes) -> None:
        """A text of the length that it has."""
        entry = self._entry(directory, tag)
        if entry is not None and entry.length == len(text):
            self.data[entry.start : entry.start + entry.length] = text

    def _entry(self, directory: int, tag: int) -> _Entry | None:
        return self.directories[directory].entries.get(tag) if directory in self.directories else None

    def remove(self, directory: int, tag: int) -> None:
        """An entry and its value; of a pointer the whole directory behind it. The space stays, as zeros."""
        entry = self._entry(directory, tag)
        if entry is None:
            return
        if tag in self.directories and _PARENTS.get(tag) == directory:
            for inner in (key for key, parent in _PARENTS.items() if parent == tag):
                self.remove(tag, inner)
            gone = self.directories.pop(tag)
            if gone.place not in [other.place for other in self.directories.values()]:
                self._wipe(self._ranges(gone))
        if entry.length > 4:
            self._wipe([(entry.start, entry.start + entry.length)])
        old = self.directories[directory]
        rest = bytes(self.data[entry.place + 12 : old.end + 4])
        self.data[entry.place : old.end + 4] = rest + b"\0" * 12
        struct.pack_into(f"{self.order}H", self.data, old.place, len(old.entries) - 1)
        self.directories[directory] = self._directory(old.place)

    def drop_thumbnail(self) -> None:
        """The second directory and its picture; cut off where they stand last."""
        pointer = self.directories[_MAIN].end
        place = self._number(pointer, 4) if pointer + 4 <= len(self.data) else 0
        if not place:
            return
        struct.pack_into(f"{self.order}I", self.data, pointer, 0)
        kept = max(end for directory in self.directories.values() for _, end in self._ranges(directory))
        try:
            second = self._directory(place)
        except Damaged:
            return
        ranges = list(self._ranges(second))
        if {_THUMBNAIL_START, _THUMBNAIL_LENGTH} <= second.entries.keys():
            start, length = (self._number(second.entries[tag].place + 8, 4) for tag in (_THUMBNAIL_START, _THUMBNAIL_LENGTH))
            ranges.append((start, min(start + length, len(self.data))))
        if all(start >= kept for start, _ in ranges):
            del self.data[kept + kept % 2 :]
        else:
            self._wipe([span for span in ranges if span[0] >= kept])

    def _ranges(self, directory: _Directory) -> Iterator[tuple[int, int]]:
        yield directory.place, min(directory.end + 4, len(self.data))
        for entry in directory.entries.values():
            if entry.length > 4:
                yield entry.start, entry.start + entry.length

    def _wipe(self, ranges: Collection[tuple[int, int]] | Iterator[tuple[int, int]]) -> None:
        for start, end in list(ranges):
            end = min(end, len(self.data))
            self.data[start:end] = b"\0" * max(0, end - start)


def cleaned(block: bytes, of_pixels: Collection[int]) -> bytes:
    """A block of an upright photo: orientation 1, without thumbnail and without entries on how pixels were stored."""
    changed = Block(block)
    changed.drop_thumbnail()
    for tag in of_pixels:
        changed.remove(_MAIN, tag)
    changed.set_number(_MAIN, 0x0112, 1)
    return changed.whole()


def fitted(block: bytes, size: tuple[int, int], colour_space: str, location: bool) -> bytes:
    """A block for a new file: of `size` (width, height), in a colour space by its name.

    location: keep where it was taken. Without it maker notes go too: some makers write the place there as well.
    """
    changed = Block(block)
    for tag, edge in zip((0xA002, 0xA003), size):
        changed.set_number(_EXIF, tag, edge)
    changed.set_number(_EXIF, 0xA001, 1 if colour_space == "sRGB" else 0xFFFF)
    index = {"sRGB": b"R98\0", "Adobe RGB": b"R03\0"}.get(colour_space)
    if index is None:
        changed.remove(_EXIF, _INTEROP)
    else:
        changed.set_text(_INTEROP, 1, index)
    if not location:
        places = {key: directory.place for key, directory in changed.directories.items()}
        if places.get(_GPS) == places.get(_INTEROP):  # some writers let both point to one
            changed.remove(_EXIF, _INTEROP)
        changed.remove(_MAIN, _GPS)
        changed.remove(_EXIF, MAKER_NOTE)
    return changed.whole()


def movable(note: bytes) -> bool:
    """Whether a maker note stays true elsewhere: it counts from its own start, or says where it stood (Canon)."""
    return note.startswith(_MOVABLE) or note[-8:-4] in _CANON_ENDS


def with_texts(block: bytes, texts: Mapping[int, str]) -> bytes:
    """A block with more ASCII entries in its first directory, which is written anew at the end; the rest stays in place."""
    changed = Block(block)
    main = changed.directories[_MAIN]
    kept = [bytes(changed.data[e.place : e.place + 12]) for e in main.entries.values() if e.tag not in texts]
    following = bytes(changed.data[main.end : main.end + 4]).ljust(4, b"\0")
    for tag, text in texts.items():
        body = text.encode("ascii") + b"\0"
        changed.data += b"\0" * (len(changed.data) % 2)
        kept.append(struct.pack(f"{changed.order}HHII", tag, 2, len(body), len(changed.data)))
        changed.data += body
    changed.data += b"\0" * (len(changed.data) % 2)
    kept.sort(key=lambda entry: struct.unpack_from(f"{changed.order}H", entry))
    struct.pack_into(f"{changed.order}I", changed.data, 4, len(changed.data))
    changed.data += struct.pack(f"{changed.order}H", len(kept)) + b"".join(kept) + following
    return changed.whole()

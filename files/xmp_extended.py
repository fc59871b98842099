"""XMP that is longer than a JPEG segment: split on writing, joined on reading (Adobe XMP part 3, 1.1.3.1)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from .errors import FileError
from .xmp import EMPTY, MOST_BYTES, NOTE, RDF, Packet, Property, applied, before_end, walk

MOST_IN_SEGMENT = 65502
"""Bytes of a packet that one JPEG segment holds."""

_NAME = b"http://ns.adobe.com/xmp/extension/\0"
_CHUNK = 65000


def split(packet: bytes) -> tuple[bytes, list[bytes]]:
    """A packet as what its main segment holds, and the bodies of the extension segments (none where it fits in one)."""
    if len(packet) <= MOST_IN_SEGMENT:
        return packet, []
    walked = walk(packet)
    extended = _rdf_only(walked)
    guid = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()
    added = f'<rdf:Description rdf:about={quoteattr(walked.about)} xmlns:xmpNote="{NOTE}" xmpNote:HasExtendedXMP="{guid}"/>'
    main = applied(EMPTY, [before_end(walk(EMPTY), added.encode())])
    pieces = [extended[start : start + _CHUNK] for start in range(0, len(extended), _CHUNK)]
    heads = (struct.pack(">II", len(extended), index * _CHUNK) for index in range(len(pieces)))
    return main, [_NAME + guid.encode() + head + piece for head, piece in zip(heads, pieces)]


def _rdf_only(packet: Packet) -> bytes:
    """The packet without its wrapper and padding, as an extension wants it."""
    declared = "".join(
        f' xmlns:{prefix}="{uri}"' for prefix, uri in packet.rdf.scope.items() if prefix and prefix not in ("xml", "rdf")
    )
    body = packet.data[packet.rdf.start : packet.rdf.end]
    open_end = packet.rdf.tag_end - packet.rdf.start
    inside = body[open_end : body.rindex(b"</")] if body[open_end - 2 : open_end] != b"/>" else b""
    start = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"{declared}>'
    return start.encode() + inside + b"</rdf:RDF></x:xmpmeta>"


def joined(packet: bytes | None, segments: Iterable[bytes]) -> bytes | None:
    """A packet with what its extension segments hold; damaged or foreign extensions are left out."""
    if packet is None or b"HasExtendedXMP" not in packet:
        return packet
    try:
        walked = walk(packet)
        guid = next(entry.text for entry in walked.properties if (entry.namespace, entry.name) == (NOTE, "HasExtendedXMP"))
        more = walk(_gathered(segments, guid.encode()))
    except (FileError, StopIteration, ValueError, struct.error):
        return packet
    descriptions = [
        entry for entry in more.properties if (entry.namespace, entry.name, entry.depth) == (RDF, "Description", -1)
    ]
    added = b"\n  ".join(_standing_alone(more.data, entry) for entry in descriptions)
    return applied(walked.data, [before_end(walked, added)])


def _standing_alone(data: bytes, entry: Property) -> bytes:
    """A description with every prefix that was declared around it."""
    text = data[entry.start : entry.end]
    name = text[1:].split(None, 1)[0].rstrip(b"/>")
    tag = text[: entry.tag_end - entry.start]
    missing = [(prefix, uri) for prefix, uri in entry.scope.items() if prefix and f"xmlns:{prefix}=".encode() not in tag]
    declared = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in missing).encode()
    return b"<" + name + declared + text[1 + len(name) :]


def _gathered(segments: Iterable[bytes], guid: bytes) -> bytes:
    whole, filled = bytearray(), 0
    for segment in segments:
        if not segment.startswith(_NAME + guid):
            continue
        length, offset = struct.unpack_from(">II", segment, len(_NAME) + 32)
        body = segment[len(_NAME) + 40 :]
        if length > MOST_BYTES or offset + len(body) > length:
            raise FileError("its extended XMP is damaged")
        whole = whole or bytearray(length)
        whole[offset : offset + len(body)] = body
        filled += len(body)
    if not whole or filled != len(whole) or hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode() != guid:
        raise FileError("its extended XMP is damaged")
    return bytes(whole)

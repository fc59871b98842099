"""XMP packets (ISO 16684-1:2019; Adobe XMP part 3): read without believing them, and changed only where they must change.

A packet is walked by expat, which expands nothing here: a document type, and with it every entity, is refused. Edits cut and
replace bytes, so that whatever we do not know stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from .errors import FileError

MOST_BYTES = 16 << 20
OURS = "https://github.com/luxgrad/luxgrad/ns/1.0/"
"""Our own namespace; its properties `workflow` (the editor's form) and `prompt` (the API form) are workflows as JSON."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NOTE = "http://ns.adobe.com/xmp/note/"
_TIFF, _EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
_PHOTOSHOP, _XAP = "http://ns.adobe.com/photoshop/1.0/", "http://ns.adobe.com/xap/1.0/"
_IPTC, _IPTC_EXT = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_DEEPEST = 100
_BETWEEN = "\x01"

EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    f' <rdf:RDF xmlns:rdf="{RDF}">\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
).encode()

_OF_OLD_PIXELS = {
    _TIFF: {"BitsPerSample", "Compression", "PhotometricInterpretation", "SamplesPerPixel", "PlanarConfiguration",
            "YCbCrSubSampling", "YCbCrPositioning", "TransferFunction", "WhitePoint", "PrimaryChromaticities"},
    _EXIF: {"ColorSpace", "CompressedBitsPerPixel", "ComponentsConfiguration", "NativeDigest"},
    _PHOTOSHOP: {"ICCProfile", "ColorMode"},
    _XAP: {"Thumbnails"},
    NOTE: {"HasExtendedXMP"},
}  # fmt: skip
_OF_OLD_FILES = ("http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.google.com/photos/1.0/container/", OURS)
_GOOGLE_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_PLACES = {
    _PHOTOSHOP: {"City", "State", "Country"},
    _IPTC: {"Location", "CountryCode"},
    _IPTC_EXT: {"LocationCreated", "LocationShown"},
}
_PLACE_NAMES = re.compile(r"gps|geotag|latitude|longt?itude|altitude", re.IGNORECASE)
_TAG = re.compile(rb"<(?:[^\"'>]|\"[^\"]*\"|'[^']*')*>")
_ATTRIBUTE = re.compile(rb"\s+([^\s=\"'<>/]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_WIDE = (
    (b"\xff\xfe\0\0", "utf-32-le"), (b"<\0\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"), (b"\0\0\0<", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"), (b"<\0", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\0<", "utf-16-be"),
)  # fmt: skip


@dataclass
class Property:
    """One element or attribute with a namespace. start..end: all its bytes; inside: its value's, None where it has parts.

    depth: 0 for what stands right in an rdf:Description. scope: the prefixes declared around an element. tag_end: where its
    start tag ends.
    """

    namespace: str
    name: str
    start: int
    end: int = 0
    inside: tuple[int, int] | None = None
    text: str = ""
    depth: int = -1
    scope: Mapping[str, str] = field(default_factory=dict)
    tag_end: int = 0


@dataclass
class Packet:
    """A packet that was walked: its bytes as UTF-8, all its properties, and where the end of its rdf:RDF is."""

    data: bytes
    properties: list[Property]
    rdf: Property
    about: str


def walk(packet: bytes) -> Packet:
    """All that a packet says. Raises FileError where it is too large, too deep, not well formed, or has a document type."""
    if len(packet) > MOST_BYTES:
        raise FileError(f"expected XMP of at most {MOST_BYTES >> 20} MB; got {len(packet) >> 20} MB")
    data = _as_utf8(packet)
    walker = _Walker(data)
    parser = expat.ParserCreate("UTF-8", namespace_separator=_BETWEEN)
    parser.namespace_prefixes = True
    parser.buffer_text, parser.buffer_size = True, 1 << 20
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.StartNamespaceDeclHandler = walker.declare
    parser.CharacterDataHandler = walker.write
    parser.StartElementHandler = lambda name, attributes: walker.open(name, attributes, parser.CurrentByteIndex)
    parser.EndElementHandler = lambda name: walker.close(parser.CurrentByteIndex)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FileError(f"its XMP is not well formed ({expat.ErrorString(error.code)}, line {error.lineno})") from None
    if walker.rdf is None:
        raise FileError("its XMP holds no RDF")
    return Packet(data, walker.properties, walker.rdf, walker.about)


def _refuse_doctype(*_: Any) -> None:
    raise FileError("its XMP declares a document type or entities, which is refused")


def _as_utf8(packet: bytes) -> bytes:
    """XMP is UTF-8 nearly always, UTF-16 or UTF-32 where a format says so; padding may follow."""
    start = next((codec for mark, codec in _WIDE if packet.startswith(mark)), None)
    if start is None:
        return packet.rstrip(b"\0")
    try:
        return packet.decode(start).rstrip("\0").encode()
    except UnicodeError:
        raise FileError("its XMP is not text") from None


class _Walker:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.properties: list[Property] = []
        self.rdf: Property | None = None
        self.about = ""
        self._open: list[Property] = []
        self._declared: dict[str, str] = {}

    def declare(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""

    def write(self, text: str) -> None:
        if self._open and self._open[-1].inside is not None:
            self._open[-1].text += text

    def open(self, name: str, attributes: Mapping[str, str], start: int) -> None:
        if len(self._open) >= _DEEPEST:
            raise FileError(f"expected XMP at most {_DEEPEST} deep")
        parent = self._open[-1] if self._open else None
        scope = {**(parent.scope if parent else {}), **self._declared} if self._declared or parent is None else parent.scope
        self._declared = {}
        namespace, local, _ = _split(name)
        depth = -1
        if parent is not None:
            parent.inside, parent.text = None, ""
            inside_description = parent.depth == -1 and (parent.namespace, parent.name) == (RDF, "Description")
            depth = 0 if inside_description else parent.depth + 1 if parent.depth >= 0 else -1
        match = _TAG.match(self.data, start)
        end = match.end() if match else start
        found = Property(namespace, local, start, end, (end, end), depth=depth, scope=scope, tag_end=end)
        if (namespace, local) == (RDF, "RDF") and self.rdf is None:
            self.rdf = found
        self._attributes(attributes, start, end, found)
        self._open.append(found)
        self.properties.append(found)

    def _attributes(self, attributes: Mapping[str, str], start: int, end: int, owner: Property) -> None:
        known = {}
        for key, value in attributes.items():
            namespace, local, prefix = _split(key)
            known[f"{prefix}:{local}".encode() if prefix else local.encode()] = namespace, local, value
        top = owner.depth == -1 and (owner.namespace, owner.name) == (RDF, "Description")
        for match in _ATTRIBUTE.finditer(self.data, start, end):
            namespace, local, value = known.get(match[1], ("", "", ""))
            if (namespace, local) == (RDF, "about"):
                self.about = self.about or value
            elif namespace and namespace != RDF:
                inside = match.span(2) if match[2] is not None else match.span(3)
                depth = 0 if top else owner.depth + 1
                self.properties.append(Property(namespace, local, *match.span(), inside, value, depth))

    def close(self, place: int) -> None:
        found = self._open.pop()
        empty = self.data[found.end - 2 : found.end] == b"/>"
        if empty:
            found.inside = None if found.inside is None else (found.end, found.end)
            return
        if found.inside is not None:
            found.inside = found.inside[0], place
        found.end = self.data.index(b">", place) + 1


def _split(name: str) -> tuple[str, str, str]:
    """Namespace, name and prefix of what expat reports."""
    parts = name.split(_BETWEEN)
    return ("", parts[0], "") if len(parts) == 1 else (parts[0], parts[1], parts[2] if len(parts) > 2 else "")


def texts_of(packet: bytes) -> dict[str, str]:
    """Our own properties: the workflow that a picture was made with. Raises FileError."""
    if OURS.encode() not in _as_utf8(packet):
        return {}
    return {entry.name: entry.text for entry in walk(packet).properties if entry.namespace == OURS and entry.depth == 0}


def handed_on(
    packet: bytes | None, size: tuple[int, int], location: bool = True, texts: Mapping[str, str] | None = None
) -> bytes | None:
    """The packet that a new file of a photo gets: upright, of `size` (width, height), without what described old pixels.

    location: keep where it was taken. texts: our own properties. A packet that nothing must change in comes back as it is,
    byte for byte. Raises FileError.
    """
    if packet is None and not texts:
        return None
    walked = walk(packet or EMPTY)
    edits = _edits(walked, lambda entry: _wanted(entry, size, location))
    if texts:
        edits.append(_inserted(walked, texts))
    return applied(walked.data, edits) if edits or packet is None else packet


def _wanted(entry: Property, size: tuple[int, int], location: bool) -> str | None:
    """What a property shall say; None where it shall go."""
    spaces = (_TIFF, _EXIF)
    if entry.namespace in _OF_OLD_FILES or entry.name in _OF_OLD_PIXELS.get(entry.namespace, ()):
        return None
    if entry.namespace == _GOOGLE_CAMERA and entry.name.startswith(("MotionPhoto", "MicroVideo")):
        return None
    if not location and (entry.name in _PLACES.get(entry.namespace, ()) or _PLACE_NAMES.search(entry.name)):
        return None
    if entry.namespace == _TIFF and entry.name == "Orientation":
        return "1"
    if entry.namespace in spaces and entry.name in ("ImageWidth", "PixelXDimension"):
        return str(size[0])
    if entry.namespace in spaces and entry.name in ("ImageLength", "PixelYDimension"):
        return str(size[1])
    return entry.text


Edit = tuple[int, int, bytes]


def _edits(packet: Packet, wanted: Callable[[Property], str | None]) -> list[Edit]:
    edits: list[Edit] = []
    gone = 0
    for entry in sorted(packet.properties, key=lambda entry: entry.start):
        if entry.depth < 0 or entry.start < gone:
            continue
        text = wanted(entry)
        if text is None:
            edits.append((_with_space(packet.data, entry.start), entry.end, b""))
            gone = entry.end
        elif text != entry.text and entry.inside is not None:
            edits.append((*entry.inside, escape(text, {'"': "&quot;"}).encode()))
    return edits


def _with_space(data: bytes, start: int) -> int:
    while start and data[start - 1] in b" \t\r\n":
        start -= 1
    return start


def _inserted(packet: Packet, texts: Mapping[str, str]) -> Edit:
    about = escape(packet.about, {'"': "&quot;"})
    body = "".join(f"   <luxgrad:{name}>{escape(text)}</luxgrad:{name}>\n" for name, text in texts.items())
    added = f'<rdf:Description xmlns:rdf="{RDF}" rdf:about="{about}" xmlns:luxgrad="{OURS}">\n{body}  </rdf:Description>'
    return before_end(packet, added.encode())


def before_end(packet: Packet, added: bytes) -> Edit:
    """The edit that puts a description last in a packet."""
    rdf, data = packet.rdf, packet.data
    if rdf.tag_end == rdf.end:
        name = data[rdf.start + 1 :].split(None, 1)[0].rstrip(b"/>")
        return rdf.end - 2, rdf.end, b">\n  " + added + b"\n </" + name + b">"
    place = data.rindex(b"</", rdf.start, rdf.end)
    return place, place, b" " + added + b"\n "


def applied(data: bytes, edits: list[Edit]) -> bytes:
    """The bytes after some edits, which do not overlap."""
    pieces, done = [], 0
    for start, end, new in sorted(edits):
        pieces += [data[done:start], new]
        done = end
    return b"".join([*pieces, data[done:]])

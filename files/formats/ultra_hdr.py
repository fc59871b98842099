"""Ultra HDR written: an ordinary JPEG, and behind it a JPEG that says how much brighter each pixel is.

The gain is that of the codes as any reader will have them, so that it also mends what compression and gamut did to them.
Its numbers are written twice, as XMP (Ultra HDR 1.1) and as ISO 21496-1 has them, because readers know one or the other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from ..xmp import EMPTY, RDF, applied, before_end, walk
from .format import Beside, Encoding
from .gain_map import APP1, APP2, HDRGM, ISO, MPF, segments

_CONTAINER = "http://ns.google.com/photos/1.0/container/"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_OFFSET = 1 / 64
_LEAST_STOPS, _MOST_STOPS = -2.0, 16.0
_HAIR = 1e-3
_PARTS = 1_000_000
_PRIMARY = 0x030000


def gain_map_jpeg(
    plain: np.ndarray, light: np.ndarray, encoding: Encoding, jpeg: Callable[[np.ndarray, Beside | None], bytes]
) -> bytes:
    """The second JPEG. plain: (H, W, 3) 8-bit codes. light: (H, W, 3), linear and in the same primaries."""
    stops = _stops(plain, light, encoding)
    lowest, highest = float(stops.min()), float(stops.max())
    highest = max(highest, lowest + _HAIR, _HAIR)
    codes = ((stops - lowest) * (255.0 / (highest - lowest)) + 0.5).astype(np.uint8)
    data = jpeg(codes, None)
    packet = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about="" xmlns:hdrgm="{HDRGM}" '
        f'hdrgm:Version="1.0" hdrgm:GainMapMin="{lowest:.6f}" hdrgm:GainMapMax="{highest:.6f}" hdrgm:Gamma="1" '
        f'hdrgm:OffsetSDR="{_OFFSET}" hdrgm:OffsetHDR="{_OFFSET}" hdrgm:HDRCapacityMin="0" '
        f'hdrgm:HDRCapacityMax="{highest:.6f}" hdrgm:BaseRenditionIsHDR="False"/></rdf:RDF></x:xmpmeta>'
    )
    numbers = [0.0, highest, lowest, highest, 1.0, _OFFSET, _OFFSET]
    fractions = [part for number in numbers for part in (round(number * _PARTS), _PARTS)]
    iso = ISO + struct.pack(">HHB4IiIiIIIiIiI", 0, 0, 0x40, *fractions)
    return data[:2] + _segment(APP1, _XMP + packet.encode()) + _segment(APP2, iso) + data[2:]


def _stops(plain: np.ndarray, light: np.ndarray, encoding: Encoding) -> np.ndarray:
    import torch

    from ...light.encodings import decoder

    table = decoder(encoding.transfer)(torch.linspace(0.0, 1.0, 256, dtype=torch.float64)).numpy().astype(np.float32)
    stops = np.empty(light.shape, np.float32)
    for top in range(0, len(light), 256):
        rows = slice(top, top + 256)
        gain = np.maximum(light[rows] + _OFFSET, _HAIR) / (table[plain[rows]] + _OFFSET)
        stops[rows] = np.clip(np.log2(gain), _LEAST_STOPS, _MOST_STOPS)
    return stops


def xmp_with(packet: bytes | None, length: int) -> bytes:
    """The first JPEG's XMP packet, which says that a gain map of so many bytes follows."""
    items = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="{kind}" Item:Mime="image/jpeg"{size}/></rdf:li>'
        for kind, size in (("Primary", ""), ("GainMap", f' Item:Length="{length}"'))
    )
    walked = walk(packet or EMPTY)
    added = (
        f'<rdf:Description xmlns:rdf="{RDF}" rdf:about="" xmlns:hdrgm="{HDRGM}" xmlns:Container="{_CONTAINER}" '
        f'xmlns:Item="{_CONTAINER}item/" hdrgm:Version="1.0"><Container:Directory><rdf:Seq>{items}</rdf:Seq>'
        "</Container:Directory></rdf:Description>"
    )
    return applied(walked.data, [before_end(walked, added.encode())])


def joined_with(data: bytes, gain: bytes) -> bytes:
    """Both JPEGs as one file, with the index of them."""
    place = next(at for marker, at, _ in segments(data) if not 0xE0 <= marker <= 0xEF)
    mark = _segment(APP2, ISO + struct.pack(">HH", 0, 0))
    length = len(data) + len(mark) + len(_index(0, 0, 0))
    start = place + len(mark) + 4 + len(MPF)
    index = _index(length, len(gain), length - start)
    return data[:place] + mark + index + data[place:] + gain


def _index(length: int, gain_length: int, gain_offset: int) -> bytes:
    """CIPA DC-007, 5.2: version, number of pictures, and where each is."""
    entries: list[tuple[Any, ...]] = [(0xB000, 7, 4, b"0100"), (0xB001, 4, 1, struct.pack(">I", 2))]
    entries.append((0xB002, 7, 32, struct.pack(">I", 8 + 2 + 3 * 12 + 4)))
    directory = struct.pack(">H", len(entries)) + b"".join(struct.pack(">HHI4s", *entry) for entry in entries) + bytes(4)
    pictures = struct.pack(">IIIHH", _PRIMARY, length, 0, 0, 0) + struct.pack(">IIIHH", 0, gain_length, gain_offset, 0, 0)
    return _segment(APP2, MPF + b"MM\0*\0\0\0\x08" + directory + pictures)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

"""ICC profiles written: version 4, a matrix and one parametric curve (ICC.1:2022), white adapted to D50 by Bradford."""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np

from ..light.encodings import SRGB, Space
from ..light.primaries import D65, adaptation, product, rgb_to_xyz
from .icc import PCS_WHITE

_WHITE = (0.9642, 1.0, 0.8249)
_BT709 = 1.09929682680944
_CURVES: dict[str, tuple[float, ...]] = {
    "linear": (1.0,),
    "srgb": (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "bt709": (1 / 0.45, 1 / _BT709, (_BT709 - 1) / _BT709, 1 / 4.5, 4.5 * 0.018053968510807),
}


@lru_cache(maxsize=16)
def build_profile(space: Space = SRGB, linear: bool = False) -> bytes:
    """The profile of a space's codes, or of linear light in its primaries."""
    to_d50 = adaptation(D65, PCS_WHITE)
    colorants = np.array(product(to_d50, rgb_to_xyz(space.primaries)))
    curve = _curve("linear" if linear else space.transfer)
    bodies = {
        b"desc": _words(space.name + (" linear" if linear else "")),
        b"cprt": _words("CC0"),
        b"wtpt": _xyz(_WHITE),
        b"chad": struct.pack(">4s4x9i", b"sf32", *_fixed(np.array(to_d50).ravel())),
        **{tag: _xyz(column) for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants.T)},
        **{tag: curve for tag in (b"rTRC", b"gTRC", b"bTRC")},
    }
    return profile_of(bodies, b"mntr", b"RGB ", b"XYZ ")


def profile_of(bodies: dict[bytes, bytes], kind: bytes, space: bytes, connection: bytes, version: int = 0x04300000) -> bytes:
    """A header, the table of tags and their bodies, equal ones once."""
    table, blob, places = b"", b"", {}
    for tag, body in bodies.items():
        padded = body + b"\0" * (-len(body) % 4)
        if padded not in places:
            places[padded] = 132 + 12 * len(bodies) + len(blob)
            blob += padded
        table += struct.pack(">4sII", tag, places[padded], len(body))
    header = struct.pack(">I4xI4s4s4s12x4s", 132 + len(table) + len(blob), version, kind, space, connection, b"acsp")
    header += b"\0" * (68 - len(header)) + struct.pack(">3i", *_fixed(_WHITE))
    return header + b"\0" * (128 - len(header)) + struct.pack(">I", len(bodies)) + table + blob


def _curve(transfer: str) -> bytes:
    numbers = _CURVES.get(transfer) or (float(transfer.removeprefix("gamma:")),)
    kind = 0 if len(numbers) == 1 else 3
    return struct.pack(f">4s4xHxx{len(numbers)}i", b"para", kind, *_fixed(numbers))


def _words(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(encoded), 28) + encoded


def _xyz(values) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *_fixed(values))


def _fixed(values) -> list[int]:
    return [round(float(value) * 65536) for value in values]

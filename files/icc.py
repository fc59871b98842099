"""Matrix ICC profiles, read and written (ICC.1:2022). LUT profiles are refused by name."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from ..light.primaries import D50, D65, SRGB_TO_REC2020, XYZ_TO_REC2020, Matrix, adaptation, matrix, product, rgb_to_xyz
from .errors import FileError

_MOST_BYTES = 16 << 20
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_LINEAR_CURVE = (1.0, 1.0, 0.0, 1.0, 0.0)
_SAME = 2.5e-3


@dataclass(frozen=True)
class Profile:
    """What a matrix profile says: how codes become linear light, and linear light our primaries.

    curves: one table (levels,) per channel, over codes 0 to 1. to_rec2020 is None for grey.
    """

    name: str
    curves: tuple[np.ndarray, ...]
    to_rec2020: Matrix


def srgb_curve(levels: int) -> np.ndarray:
    """Linear light of each of `levels` equally spaced sRGB codes, IEC 61966-2-1."""
    codes = np.linspace(0.0, 1.0, levels)
    return _parametric(codes, 3, _SRGB_CURVE)


def read_profile(data: bytes, levels: int, channels: int) -> Profile:
    """A profile's curves, sampled at `levels` codes, and its matrix. Raises FileError without the file's name.

    Primaries and a curve that are sRGB's within the rounding of a profile's numbers are taken as sRGB's exactly.
    """
    tags = _tags(data)
    name = _description(data, tags)
    space = data[16:20]
    if (space, channels) not in ((b"RGB ", 3), (b"GRAY", 1), (b"RGB ", 1)):
        raise FileError(
            f"its colour profile {name!r} is for {space.decode('latin1').strip()}, the picture has {channels} channels"
        )
    if space == b"GRAY":
        curve = _curve(data, tags, b"kTRC", levels, name)
        return Profile(name, (curve,), SRGB_TO_REC2020)
    if not {b"rXYZ", b"gXYZ", b"bXYZ"} <= tags.keys():
        kind = "a LUT profile" if {b"A2B0", b"A2B1"} & tags.keys() else "without a matrix"
        raise FileError(f"its colour profile {name!r} is {kind}; only matrix profiles are read")
    curves = tuple(_curve(data, tags, tag, levels, name) for tag in (b"rTRC", b"gTRC", b"bTRC"))
    columns = np.array([_xyz(data, tags, tag, name) for tag in (b"rXYZ", b"gXYZ", b"bXYZ")]).T
    to_rec2020 = product(XYZ_TO_REC2020, adaptation(D50, D65), matrix(columns))
    if np.abs(np.array(to_rec2020) - SRGB_TO_REC2020).max() < _SAME:
        to_rec2020, exact = SRGB_TO_REC2020, srgb_curve(levels)
        if all(np.abs(curve - exact).max() < _SAME for curve in curves):
            curves = (exact,) * 3
    return Profile(name, curves[:channels], to_rec2020)


def _tags(data: bytes) -> dict[bytes, tuple[int, int]]:
    if not 132 <= len(data) <= _MOST_BYTES or data[36:40] != b"acsp":
        raise FileError("its colour profile is damaged (no ICC signature)")
    count = struct.unpack_from(">I", data, 128)[0]
    if count > 1000 or 132 + 12 * count > len(data):
        raise FileError("its colour profile is damaged (bad tag table)")
    entries = (struct.unpack_from(">4sII", data, 132 + 12 * index) for index in range(count))
    tags = {tag: (start, length) for tag, start, length in entries}
    if any(start + length > len(data) for start, length in tags.values()):
        raise FileError("its colour profile is damaged (a tag lies outside it)")
    return tags


def _description(data: bytes, tags: dict[bytes, tuple[int, int]]) -> str:
    start, length = tags.get(b"desc", (0, 0))
    body = data[start : start + length]
    if body[:4] == b"desc" and len(body) > 12:
        text = body[12 : 12 + struct.unpack_from(">I", body, 8)[0]].split(b"\0")[0].decode("ascii", "replace")
    elif body[:4] == b"mluc" and len(body) >= 28:
        size, offset = struct.unpack_from(">II", body, 20)
        text = body[offset : offset + size].decode("utf-16-be", "replace")
    else:
        text = "without name"
    return "".join(letter for letter in text if letter.isprintable())[:60]


def _xyz(data: bytes, tags: dict[bytes, tuple[int, int]], tag: bytes, name: str) -> tuple[float, ...]:
    start, length = tags[tag]
    if length < 20 or data[start : start + 4] != b"XYZ ":
        raise FileError(f"its colour profile {name!r} is damaged ({tag.decode()})")
    return tuple(value / 65536 for value in struct.unpack_from(">3i", data, start + 8))


def _curve(data: bytes, tags: dict[bytes, tuple[int, int]], tag: bytes, levels: int, name: str) -> np.ndarray:
    start, length = tags.get(tag, (0, 0))
    body = data[start : start + length]
    codes = np.linspace(0.0, 1.0, levels)
    try:
        if body[:4] == b"curv":
            count = struct.unpack_from(">I", body, 8)[0]
            if count == 0:
                return codes
            entries = np.frombuffer(body, ">u2", count, 12)
            if count == 1:
                return codes ** (float(entries[0]) / 256)
            return np.interp(codes * (count - 1), np.arange(count), entries / 65535)
        if body[:4] == b"para":
            kind = struct.unpack_from(">H", body, 8)[0]
            values = [v / 65536 for v in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", body, 12)]
            return _parametric(codes, kind, tuple(values))
    except (struct.error, ValueError, IndexError):
        pass
    raise FileError(f"its colour profile {name!r} is damaged ({tag.decode()})")


def _parametric(x: np.ndarray, kind: int, values: tuple[float, ...]) -> np.ndarray:
    """parametricCurveType, functions 0 to 4 (ICC.1:2022, table 68)."""
    g, a, b, c, d, e, f = (*values, *(0.0,) * (7 - len(values))) if kind else (values[0], 1.0, 0, 0, 0, 0, 0)
    if kind in (1, 2):
        offset = c if kind == 2 else 0.0
        curved = np.maximum(a * x + b, 0.0) ** g + offset
        result = np.where(x >= (-b / a if a else 0.0), curved, offset)
    else:
        result = np.where(x >= d, np.maximum(a * x + b, 0.0) ** g + e, c * x + f)
    if not np.isfinite(result).all():
        raise ValueError("not finite")
    return result


def build_profile(name: str, primaries: str = "srgb", linear: bool = False) -> bytes:
    """A version 4 matrix profile: sRGB's curve or linear light, white adapted to D50 by Bradford."""
    to_d50 = adaptation(D65, D50)
    colorants = np.array(product(to_d50, rgb_to_xyz(primaries)))
    curve = struct.pack(">4s4xHxx5i", b"para", 3, *_fixed(_LINEAR_CURVE if linear else _SRGB_CURVE))
    text = name.encode("utf-16-be")
    words = struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(text), 28) + text
    bodies = {
        b"desc": words,
        b"cprt": struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", 6, 28) + "CC0".encode("utf-16-be"),
        b"wtpt": _xyz_tag((0.9642, 1.0, 0.8249)),
        b"chad": struct.pack(">4s4x9i", b"sf32", *_fixed(np.array(to_d50).ravel())),
        **{tag: _xyz_tag(column) for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants.T)},
        **{tag: curve for tag in (b"rTRC", b"gTRC", b"bTRC")},
    }
    table, blob, places = b"", b"", {}
    for tag, body in bodies.items():
        body += b"\0" * (-len(body) % 4)
        if body not in places:
            places[body] = 132 + 12 * len(bodies) + len(blob)
            blob += body
        table += struct.pack(">4sII", tag, places[body], len(body))
    size = 132 + len(table) + len(blob)
    header = struct.pack(">I4xI4s4s4s12x4s", size, 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    header += b"\0" * (68 - len(header)) + struct.pack(">3i", *_fixed((0.9642, 1.0, 0.8249)))
    header += b"\0" * (128 - len(header))
    return header + struct.pack(">I", len(bodies)) + table + blob


def _xyz_tag(values) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *_fixed(values))


def _fixed(values) -> list[int]:
    return [round(float(value) * 65536) for value in values]

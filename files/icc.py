"""ICC profiles read (ICC.1:2022): what kind they are, and those of curves and a matrix. Tables are in icc_luts.

A profile comes from a photo and is hostile until checked: every number is bounded before it is used, in Python alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import torch

from ..light.encodings import ADOBE_GAMMA, Curve, decoder
from ..light.primaries import D65, PRIMARIES, XYZ_TO_REC2020, Chromaticity, Matrix, adaptation, matrix, product, rgb_to_rgb
from .errors import FileError
from .formats.cicp import encoding_of
from .formats.format import Encoding
from .icc_curves import read_curve
from .icc_luts import Lut, lab_to_xyz, read_lut

PCS_WHITE: Chromaticity = (0.9642 / 2.7891, 1.0 / 2.7891)
"""The white of profiles, whose CIE XYZ is 0.9642, 1, 0.8249 (D50 as ICC.1 rounds it)."""
PCS_TO_REC2020: Matrix = product(XYZ_TO_REC2020, adaptation(PCS_WHITE, D65))

_MOST_BYTES = 16 << 20
_CHANNELS = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}
_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")
_COLUMNS = (b"rXYZ", b"gXYZ", b"bXYZ")
_CURVES = (b"rTRC", b"gTRC", b"bTRC")
_READ = {b"desc", b"cicp", b"A2B0", b"A2B1", b"kTRC", *_COLUMNS, *_CURVES}
_SAME_MATRIX = 5e-4
_SAME_CURVE = {"srgb": 6e-4, "linear": 1e-5, "bt709": 1e-4, f"gamma:{ADOBE_GAMMA}": 2e-5}
"""How far a profile's numbers may lie from a known space: sRGB's as usual profiles round and short tables bend them."""

Tags = dict[bytes, bytes]


@dataclass(frozen=True)
class MatrixProfile:
    """Curves, one per channel, from codes to linear light, and the matrix from there to linear Rec.2020 light."""

    name: str
    curves: tuple[Curve, ...]
    to_rec2020: Matrix


@dataclass(frozen=True)
class LutProfile:
    """Tables from codes to CIE XYZ under `PCS_WHITE`."""

    name: str
    lut: Lut


def read_profile(data: bytes, channels: int) -> MatrixProfile | LutProfile | Encoding:
    """What a profile says of a picture of so many channels. Raises FileError without the file's name.

    Colours are media-relative without black point compensation; tables win over a matrix, and HDR code points (cicp) over
    both. Numbers of a known space within the rounding of profiles are taken as that space's exactly, so that untouched
    codes return. Not read: floating-point tables (D2B), whose integer ones serve instead.
    """
    tags = _tags(data)
    name = _description(tags.get(b"desc", b""))
    kind, space, connection = data[12:16], data[16:20], data[20:24]
    if kind not in _CLASSES or space not in _CHANNELS or connection not in (b"XYZ ", b"Lab "):
        what = f"{_text(kind)}, {_text(space)} to {_text(connection)}"
        raise FileError(f"its colour profile {name!r} is not for photos ({what}); expected one for grey, RGB or CMYK")
    if _CHANNELS[space] != channels and (space, channels) != (b"RGB ", 1):
        raise FileError(f"its colour profile {name!r} is for {_text(space)}, the picture has {channels} channels")
    try:
        return _read(tags, name, space, connection, channels)
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise FileError(f"its colour profile {name!r} is damaged ({_text(str(error).encode())[:60]})") from None


def _read(tags: Tags, name: str, space: bytes, connection: bytes, channels: int) -> MatrixProfile | LutProfile | Encoding:
    hdr = encoding_of(tags[b"cicp"][8], tags[b"cicp"][9]) if len(tags.get(b"cicp", b"")) >= 12 and channels == 3 else None
    if hdr and hdr.transfer in ("pq", "hlg"):
        return hdr
    table = tags.get(b"A2B1", tags.get(b"A2B0"))
    if table is not None:
        return LutProfile(name, read_lut(table, _CHANNELS[space], connection == b"Lab "))
    if space == b"GRAY":
        return MatrixProfile(name, (_grey_curve(tags, connection == b"Lab "),), PCS_TO_REC2020)
    if space == b"CMYK" or connection != b"XYZ " or not tags.keys() >= {*_COLUMNS, *_CURVES}:
        raise ValueError("neither tables nor curves with a matrix")
    columns = torch.tensor([_xyz(tags[tag]) for tag in _COLUMNS], dtype=torch.float64).T
    curves = tuple(_known_curve(read_curve(tags[tag])[0]) for tag in _CURVES)
    return MatrixProfile(name, curves[:channels], _known_matrix(product(PCS_TO_REC2020, matrix(columns))))


def _grey_curve(tags: Tags, lightness: bool) -> Curve:
    curve = read_curve(tags[b"kTRC"])[0]
    if not lightness:
        return _known_curve(curve)
    return lambda codes: lab_to_xyz(curve(codes) * 100.0, torch.zeros(()), torch.zeros(()))[1]


def _known_curve(curve: Curve) -> Curve:
    codes = torch.linspace(0.0, 1.0, 1024, dtype=torch.float64)
    for name, tolerance in _SAME_CURVE.items():
        if (curve(codes) - decoder(name)(codes)).abs().max() < tolerance:
            return decoder(name)
    return curve


def _known_matrix(to_rec2020: Matrix) -> Matrix:
    for name in PRIMARIES:
        exact = rgb_to_rgb(name, "rec2020")
        if max(abs(a - b) for row, other in zip(to_rec2020, exact) for a, b in zip(row, other)) < _SAME_MATRIX:
            return exact
    return to_rec2020


def profile_name(data: bytes) -> str:
    """What a profile calls itself."""
    try:
        return _description(_tags(data).get(b"desc", b""))
    except (FileError, struct.error):
        return "damaged"


def _tags(data: bytes) -> Tags:
    if not 132 <= len(data) <= _MOST_BYTES or data[36:40] != b"acsp":
        raise FileError("its colour profile is damaged (no ICC signature)")
    count = struct.unpack_from(">I", data, 128)[0]
    if count > 1000 or 132 + 12 * count > len(data):
        raise FileError("its colour profile is damaged (bad tag table)")
    entries = [struct.unpack_from(">4sII", data, 132 + 12 * index) for index in range(count)]
    if any(start + length > len(data) for _, start, length in entries):
        raise FileError("its colour profile is damaged (a tag lies outside it)")
    return {tag: data[start : start + length] for tag, start, length in entries if tag in _READ}


def _description(body: bytes) -> str:
    if body[:4] == b"desc" and len(body) > 12:
        text = body[12 : 12 + struct.unpack_from(">I", body, 8)[0]].split(b"\0")[0].decode("ascii", "replace")
    elif body[:4] == b"mluc" and len(body) >= 28:
        size, offset = struct.unpack_from(">II", body, 20)
        text = body[offset : offset + size].decode("utf-16-be", "replace")
    else:
        text = "without name"
    return "".join(letter for letter in text if letter.isprintable())[:60]


def _text(word: bytes) -> str:
    return "".join(letter for letter in word.decode("latin1") if letter.isprintable()).strip()


def _xyz(body: bytes) -> tuple[float, ...]:
    if body[:4] != b"XYZ ":
        raise ValueError("expected XYZ numbers")
    return tuple(value / 65536 for value in struct.unpack_from(">3i", body, 8))

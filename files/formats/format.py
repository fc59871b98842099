"""What a file format declares, once. This package knows numpy and codecs, not torch: decoding may run in another process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

Primaries = str | tuple[tuple[float, float, float], ...] | tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Header:
    """What a file says of its size before anything is decoded. bits: per channel, 8 to 16 whole, 32 (16: half) float."""

    width: int
    height: int
    channels: int
    bits: int
    frames: int = 1
    kind: str = ""


@dataclass(frozen=True)
class Encoding:
    """How codes become light, where a file says so without an ICC profile.

    transfer: srgb, linear, pq, hlg, bt709, or gamma:2.2 and the like. primaries: a name of `light.primaries`, four
    chromaticities (red, green, blue, white), or a matrix from linear RGB to CIE XYZ under D65, white at Y = 1.
    """

    transfer: str = "srgb"
    primaries: Primaries = "srgb"


@dataclass(frozen=True)
class GainMap:
    """By how much light is brighter than that of the plain picture beside it (ISO 21496-1), per channel R, G, B.

    values: (h, w, 1 or 3) 8-bit codes. lowest, highest: log2 of the gain at code 0 and 255. The code is a power `gamma` of
    where the gain lies between them. Gain is of light plus an offset: light = (plain + offset_plain) * gain - offset.
    profile: the ICC profile with whose primaries all this is; None where with those of the plain picture.
    """

    values: np.ndarray
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    gamma: tuple[float, ...] = (1.0, 1.0, 1.0)
    offset_plain: tuple[float, ...] = (1 / 64, 1 / 64, 1 / 64)
    offset: tuple[float, ...] = (1 / 64, 1 / 64, 1 / 64)
    profile: bytes | None = None


@dataclass
class Decoded:
    """A picture as a file holds it: (H, W, C) codes, C = 1, 3 or 4 (CMYK, ink = most), and (H, W) alpha.

    bits: of whole codes, where fewer are used than their type has. profile: ICC. encoding: what the file says itself, which
    is believed before a profile; None is sRGB for whole codes, linear sRGB light for floats. exif: a TIFF structure, with
    or without the leading `Exif\\0\\0`. orientation: EXIF's 1 to 8, to be applied. facts: more metadata by name.
    texts: named texts, as PNG holds. gain_map: makes light above white of a JPEG's plain codes.
    """

    values: np.ndarray
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    encoding: Encoding | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    orientation: int | None = None
    bits: int | None = None
    light: Literal["display", "scene"] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    gain_map: GainMap | None = None


@dataclass(frozen=True)
class Beside:
    """What is written beside the codes: ICC profile, EXIF (a TIFF structure), XMP packet, and named texts (the workflow).

    encoding: what `profile` says, for formats that have numbers or names for it. light: of the same picture, linear, in the
    same primaries and unbounded (H, W, 3), for the depth `hdr`.
    """

    profile: bytes
    encoding: Encoding = Encoding()
    exif: bytes | None = None
    xmp: bytes | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    light: np.ndarray | None = None


@dataclass(frozen=True)
class Saving:
    """How an encoder compresses.

    quality: 1 to 100 of a lossy format, where 100 of AVIF, JPEG XL and WebP is without loss. depth: the one of the format's
    depths that the codes are of; those of 10 and 12 bits come in 16-bit words, unscaled (0 to 1023 or 4095).
    """

    quality: int = 95
    depth: str = "8"


@dataclass(frozen=True)
class Development:
    """How a camera raw file becomes light. The words and ranges are those of the step Load Photo.

    Other files ignore it, but for Ultra HDR, whose `embedded preview` is its plain picture.
    kelvin, tint: of the light on the scene, where white_balance is `kelvin`.
    """

    develop: str = "full"
    white_balance: str = "as shot"
    kelvin: float = 5500
    tint: float = 0
    highlights: str = "neutral"
    demosaic: str = "auto"
    denoise: str = "off"
    noise_threshold: float = 0


@dataclass(frozen=True)
class Format:
    """One file format.

    matches: told by the first 64 bytes and the name. header: the size, by reading as little as possible. decode: the
    picture; both raise FileError or whatever their library raises. apart: decoded by native code that is not trusted with
    a hostile file, and so in a process of its own. develop: as `decode`, of camera raw. glance: as `decode`, with everything
    but pixels (values is empty), fast; None where decode must do. encode: writes codes (H, W, 3 or 4) of one of `depths` to a
    path; None where we only read. alpha: whether a written file can hold it.
    """

    name: str
    endings: tuple[str, ...]
    matches: Callable[[bytes, Path], bool]
    header: Callable[[Path], Header]
    decode: Callable[[Path], Decoded]
    apart: bool = False
    develop: Callable[[Path, Development], Decoded] | None = None
    depths: tuple[str, ...] = ()
    encode: Callable[[Path, np.ndarray, Beside, Saving], None] | None = None
    alpha: bool = False
    glance: Callable[[Path], Decoded] | None = None

    def read(self, path: Path, development: Development) -> Decoded:
        """The picture, developed as asked where it is camera raw."""
        return self.develop(path, development) if self.develop else self.decode(path)


NO_PIXELS = np.empty((0, 0, 3), np.uint8)
"""The values of a picture that was only glanced at."""


def without_alpha(values: np.ndarray, has_alpha: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Colour (H, W, C) and alpha (H, W) of interleaved codes."""
    values = values if values.ndim == 3 else values[..., None]
    return (values[..., :-1], values[..., -1]) if has_alpha else (values, None)


def unpremultiplied(values: np.ndarray, alpha: np.ndarray, bits: int | None = None) -> np.ndarray:
    """Codes (H, W, C) that are multiplied by alpha (H, W), divided by it; where it is 0, as they are."""
    if values.dtype.kind == "f":
        return np.divide(values, alpha[..., None], out=values.copy(), where=alpha[..., None] > 0)
    most = (1 << (bits or values.dtype.itemsize * 8)) - 1
    share = np.maximum(alpha, 1)[..., None].astype(np.uint64)
    divided = np.minimum((values.astype(np.uint64) * most + share // 2) // share, most).astype(values.dtype)
    return np.where(alpha[..., None] > 0, divided, values)

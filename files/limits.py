"""How large a file may be before anything of it is decoded. The environment may set other limits."""

from __future__ import annotations

import os

from .errors import FileError
from .formats.format import Header

_DEFAULTS = {"LUXGRAD_MOST_MEGAPIXELS": 200.0, "LUXGRAD_MOST_GIGABYTES": 4.0}
_MOST_CHANNELS = 5
_MOST_FRAMES = 10_000
_LONGEST_EDGE = 1 << 17


def _limit(name: str) -> float:
    text = os.environ.get(name, "")
    try:
        value = float(text or _DEFAULTS[name])
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise FileError(f"{name}: expected a number above 0; got {text[:40]!r}")
    return value


def check_bytes(size: int) -> None:
    """Raises FileError where a file is too long."""
    most = _limit("LUXGRAD_MOST_GIGABYTES")
    if size > most * 2**30:
        raise FileError(f"expected at most {most:g} GB; got {size / 2**30:.1f} GB (LUXGRAD_MOST_GIGABYTES sets the limit)")


def check_header(header: Header) -> None:
    """Raises FileError where a picture is too large, or of a shape that no photo has."""
    most = _limit("LUXGRAD_MOST_MEGAPIXELS")
    shape = f"{header.width} x {header.height} px"
    if min(header.width, header.height) < 1 or header.width * header.height > most * 1e6:
        raise FileError(f"expected 1 px to {most:g} MP; got {shape} (LUXGRAD_MOST_MEGAPIXELS sets the limit)")
    if max(header.width, header.height) > _LONGEST_EDGE:
        raise FileError(f"expected edges of at most {_LONGEST_EDGE} px; got {shape}")
    if not 1 <= header.channels <= _MOST_CHANNELS:
        raise FileError(f"expected 1 to {_MOST_CHANNELS} channels; got {header.channels}")
    if not 1 <= header.frames <= _MOST_FRAMES:
        raise FileError(f"expected 1 to {_MOST_FRAMES} frames; got {header.frames}")

"""How large a file may be before anything of it is decoded. The program around us may set other limits, by `set_by`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import FileError
from .formats.format import Header

MOST = {"megapixels": 200.0, "gigabytes": 4.0}
"""The limits, and what they are where nothing else is set."""

_MOST_CHANNELS = 5
_MOST_FRAMES = 10_000
_LONGEST_EDGE = 1 << 17

Source = Callable[[str], tuple[Any, str]]
"""Gives what is set for a limit ("" or None: nothing), and the name of that setting, which errors tell."""


def _nothing_set(_limit: str) -> tuple[Any, str]:
    return None, ""


_source: Source = _nothing_set


def set_by(source: Source) -> None:
    """Who is asked, from now on, what the limits are: the environment of a terminal, ComfyUI's settings."""
    global _source
    _source = source


def limits() -> dict[str, tuple[float, str]]:
    """Every limit as it is now, and the name of its setting. Raises FileError where a setting is no number above 0."""
    return {limit: _limit(limit) for limit in MOST}


def _limit(limit: str) -> tuple[float, str]:
    told, name = _source(limit)
    try:
        value = MOST[limit] if told in (None, "") else float(told)
    except (TypeError, ValueError):
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise FileError(f"{name}: expected a number above 0; got {str(told)[:40]!r}")
    return value, name


def _how(name: str) -> str:
    return f" ({name} sets the limit)" if name else ""


def check_bytes(size: int) -> None:
    """Raises FileError where a file is too long."""
    most, name = _limit("gigabytes")
    if size > most * 2**30:
        raise FileError(f"expected at most {most:g} GB; got {size / 2**30:.1f} GB{_how(name)}")


def check_header(header: Header) -> None:
    """Raises FileError where a picture is too large, or of a shape that no photo has."""
    most, name = _limit("megapixels")
    shape = f"{header.width} x {header.height} px"
    if min(header.width, header.height) < 1 or header.width * header.height > most * 1e6:
        raise FileError(f"expected 1 px to {most:g} MP; got {shape}{_how(name)}")
    if max(header.width, header.height) > _LONGEST_EDGE:
        raise FileError(f"expected edges of at most {_LONGEST_EDGE} px; got {shape}")
    if not 1 <= header.channels <= _MOST_CHANNELS:
        raise FileError(f"expected 1 to {_MOST_CHANNELS} channels; got {header.channels}")
    if not 1 <= header.frames <= _MOST_FRAMES:
        raise FileError(f"expected 1 to {_MOST_FRAMES} frames; got {header.frames}")

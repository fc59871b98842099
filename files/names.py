"""Names of files from what a photo says of itself: `{date}_{camera}_{counter:04}.tif`."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from .errors import FileError
from .metadata import FILE_NAME

_FIELD = re.compile(r"\{(\w*)(?::0?(\d{1,2}))?\}")
_COMFY_DATE = re.compile(r"%date:([^%]*)%")
_COMFY_PARTS = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*{}%\u202a-\u202e\u2066-\u2069\ud800-\udfff]+')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_LONGEST_VALUE, _LONGEST_NAME = 80, 240
_MOST_COUNTED = 10_000_000
_UNKNOWN = "unknown"

FIELDS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "name": lambda facts: Path(str(facts[FILE_NAME]).replace("\\", "/")).stem,
    "date": lambda facts: _taken(facts).strftime("%Y-%m-%d"),
    "time": lambda facts: _taken(facts).strftime("%H-%M-%S"),
    "year": lambda facts: _taken(facts).strftime("%Y"),
    "month": lambda facts: _taken(facts).strftime("%m"),
    "day": lambda facts: _taken(facts).strftime("%d"),
    "make": lambda facts: facts["Make"],
    "camera": lambda facts: facts["Model"],
    "lens": lambda facts: facts["LensModel"],
    "artist": lambda facts: facts["Artist"],
    "iso": lambda facts: f"{int(facts['ISOSpeedRatings'])}",
    "aperture": lambda facts: f"f{float(facts['FNumber']):g}",
    "shutter": lambda facts: shutter(float(facts["ExposureTime"])).replace("/", "-"),
    "focal": lambda facts: f"{float(facts['FocalLength']):g}mm",
    "width": lambda facts: facts["width"],
    "height": lambda facts: facts["height"],
}
"""What may stand in braces, beside `counter`."""


def shutter(seconds: float) -> str:
    """An exposure time as photographers write it: 1/250, 0.5, 2."""
    return f"1/{1 / seconds:.0f}" if 0 < seconds < 0.3 else f"{seconds:g}"


def expanded(template: str, metadata: Mapping[str, Any], size: tuple[int, int]) -> str:
    """A template with all its fields but `counter` filled in; what the photo does not say is `unknown`.

    metadata: of the photo. size: width and height of the file. Raises FileError for a field that there is not.
    """
    facts = {**metadata, "width": size[0], "height": size[1]}

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name == "counter":
            return match[0]
        if name not in FIELDS or match[2]:
            raise FileError(_unknown_field(match[0], name))
        try:
            return safe(str(FIELDS[name](facts)))
        except (KeyError, TypeError, ValueError, OverflowError):
            return _UNKNOWN

    return _FIELD.sub(fill, _COMFY_DATE.sub(_now, template))


def _unknown_field(text: str, name: str) -> str:
    known = [*FIELDS, "counter"]
    near = difflib.get_close_matches(name, known, 3, 0.4) or known
    return f"a file name has no field {text[:40]!r} (nearest: {', '.join(f'{{{entry}}}' for entry in near)})"


def _now(match: re.Match[str]) -> str:
    """ComfyUI's %date:yyyy-MM-dd%, the time of saving."""
    form = re.sub("yyyy|yy|MM|dd|hh|mm|ss", lambda part: _COMFY_PARTS[part[0]], match[1].replace("%", ""))
    return safe(datetime.now().strftime(form))


def _taken(facts: Mapping[str, Any]) -> datetime:
    return datetime.strptime(str(facts.get("DateTimeOriginal") or facts["DateTime"])[:19], "%Y:%m:%d %H:%M:%S")


def safe(text: str) -> str:
    """A value as part of a file name on every system: no separators or control characters, never hidden, not too long."""
    text = _FORBIDDEN.sub("-", text).strip(" .-")[:_LONGEST_VALUE].strip(" .")
    return f"_{text}" if _RESERVED.match(text) else text or _UNKNOWN


def numbered(path: Path, always_from: int | None = None) -> Path:
    """The path with `{counter}` as the first number whose file is not there. Raises FileError for a name that is too long.

    always_from: without the field, put a number from here on before the ending, as ComfyUI does.
    """
    name, first = path.name, 1
    if always_from is not None and "counter" not in [match[1] for match in _FIELD.finditer(name)]:
        name, first = f"{path.stem}_{{counter:05}}_{path.suffix}", always_from
    try:
        length = len(os.fsencode(name))
    except UnicodeEncodeError:
        raise FileError(f"expected a file name; got {name[:60]!r}, which no file can have") from None
    if length > _LONGEST_NAME:
        raise FileError(f"{name[:60]}...: expected a file name of at most {_LONGEST_NAME} bytes; got {length}")
    if "{counter" not in name:
        return path
    for number in range(first, _MOST_COUNTED):
        found = path.with_name(_FIELD.sub(lambda match, n=number: f"{n:0{int(match[2] or 1)}}", name))  # type: ignore[misc]
        if not found.exists():
            return found
    raise FileError(f"{path}: expected a free number below {_MOST_COUNTED}; all are taken")

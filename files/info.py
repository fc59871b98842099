"""What a photo file says of itself, in the words of photographers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from .decode import glance, header_of
from .errors import named
from .exif import is_adobe_rgb, read_exif
from .formats.format import Decoded
from .icc import profile_name
from .metadata import XMP_REFUSED, read_metadata
from .names import shutter
from .workflow import workflow_of


class Shot(NamedTuple):
    """How a photo was taken: seconds, f-number, ISO, mm, names and the date as text; 0 or empty where it is not said."""

    seconds: float
    aperture: float
    iso: int
    focal_length: float
    camera: str
    lens: str
    date: str


def shot_of(metadata: Mapping[str, Any]) -> Shot:
    """From a photo's metadata, by EXIF's names."""
    make, model = _text(metadata, "Make"), _text(metadata, "Model")
    camera = model if not make or model.lower().startswith(make.split()[0].lower()) else f"{make} {model}".strip()
    return Shot(
        _number(metadata, "ExposureTime"),
        _number(metadata, "FNumber"),
        int(_number(metadata, "ISOSpeedRatings")),
        _number(metadata, "FocalLength"),
        camera,
        _text(metadata, "LensModel"),
        _date(_text(metadata, "DateTimeOriginal") or _text(metadata, "DateTime")),
    )


def exposure_line(shot: Shot) -> str:
    """Such as `1/250 s  f/2.8  ISO 100  35 mm`; what is not said is left out."""
    parts = [
        f"{shutter(shot.seconds)} s" if shot.seconds else "",
        f"f/{shot.aperture:.3g}" if shot.aperture else "",
        f"ISO {shot.iso}" if shot.iso else "",
        f"{shot.focal_length:.3g} mm" if shot.focal_length else "",
    ]
    return "  ".join(part for part in parts if part)


def _number(metadata: Mapping[str, Any], name: str) -> float:
    value = metadata.get(name)
    if isinstance(value, tuple) and value:
        value = value[0]
    usable = isinstance(value, (int, float)) and math.isfinite(value) and 0 < value < 1e9
    return float(value) if usable else 0.0  # type: ignore[arg-type]


def _text(metadata: Mapping[str, Any], name: str) -> str:
    value = metadata.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _date(text: str) -> str:
    try:
        return datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S").strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return ""


def photo_info(path: Path) -> dict[str, Any]:
    """All of it, as plain data; nothing is decoded where the format allows. Raises FileError."""
    with named(path):
        form, header = header_of(path)
        found = glance(path)
        metadata, turn = read_metadata(found)
        turn = turn if found.orientation is None else found.orientation
        width, height = (header.height, header.width) if turn >= 5 else (header.width, header.height)
        shot = shot_of(metadata)
        place = {name.removeprefix("GPS").lower(): metadata[name] for name in _PLACE if name in metadata}
        return {
            "file": str(path),
            "format": form.name,
            "kind": header.kind,
            "bytes": path.stat().st_size,
            "width": width,
            "height": height,
            "bits": header.bits,
            "channels": header.channels,
            "frames": header.frames,
            "light": found.light or ("scene" if "float" in header.kind else "display"),
            "colour": _colour(found, "float" in header.kind),
            "orientation": turn,
            **shot._asdict(),
            "artist": _text(metadata, "Artist"),
            "copyright": _text(metadata, "Copyright"),
            "location": place or ({} if _has_place(found.exif) else None),
            "exif": found.exif is not None,
            "xmp": found.xmp is not None,
            "xmp_refused": metadata.get(XMP_REFUSED),
            "workflow": workflow_of(found),
        }


_TRANSFERS = {"srgb": "sRGB curve", "linear": "linear", "pq": "PQ", "hlg": "HLG", "bt709": "BT.709 curve"}
_PRIMARIES = {"srgb": "sRGB", "p3": "Display P3", "rec2020": "Rec.2020", "adobe": "Adobe RGB"}


def _colour(found: Decoded, is_float: bool) -> str:
    """By which right the codes become light: the order of `colour.raster_of`."""
    if found.encoding:
        transfer, primaries = found.encoding.transfer, found.encoding.primaries
        if isinstance(primaries, str):
            space = _PRIMARIES.get(primaries, primaries)
        else:
            space = "camera RGB by its matrix" if len(primaries) == 3 else "primaries of its own"
        return f"{space}, {_TRANSFERS.get(transfer, transfer.replace(':', ' '))}, by its own numbers"
    if found.profile:
        return f"{profile_name(found.profile)}, by its ICC profile"
    if is_adobe_rgb(found.exif):
        return "Adobe RGB, by EXIF"
    return "linear sRGB, for want of a profile" if is_float else "sRGB, for want of a profile"


_PLACE = ("GPSLatitude", "GPSLongitude", "GPSAltitude")


def _has_place(block: bytes | None) -> bool:
    """Whether a block has a GPS directory, even one that cannot be read."""
    return any(name.startswith("GPS") for name in read_exif(block)[0])

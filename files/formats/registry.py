"""Every format, in the order in which a file is tried."""

from __future__ import annotations

from pathlib import Path

from ..errors import FileError
from .avif import AVIF
from .exr import OPENEXR
from .format import Format
from .heic import HEIC
from .jpeg import JPEG
from .jxl import JPEG_XL
from .png import PNG
from .raw import RAW
from .tiff import TIFF
from .webp import WEBP

FORMATS: tuple[Format, ...] = (JPEG, PNG, RAW, TIFF, WEBP, AVIF, HEIC, JPEG_XL, OPENEXR)

READ_ENDINGS = tuple(ending for form in FORMATS for ending in form.endings)
"""The endings of files that a menu offers."""

START = 64
"""So many first bytes tell a format."""


def told_by(start: bytes, path: Path) -> Format | None:
    """The format of a file that begins so; None where it is none of ours."""
    return next((form for form in FORMATS if form.matches(start[:START], path)), None)


def written_as(path: Path) -> Format:
    """The format that a name's ending asks for. Raises FileError where it is none that can be written."""
    ending = path.suffix.lower()
    written = [form for form in FORMATS if form.encode]
    form = next((form for form in written if ending in form.endings), None)
    if form is None:
        endings = ", ".join(ending for form in written for ending in form.endings)
        raise FileError(f"{path}: expected a name ending in {endings}; got {path.suffix or 'none'}")
    return form

"""The workflow inside a picture: as we write it (XMP, PNG texts) and as ComfyUI's own nodes do (PNG texts, WebP's EXIF)."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from .decode import format_of, glance
from .errors import FileError, named
from .exif import entries_of, load_block
from .formats.format import Decoded
from .metadata import WORKFLOW_TEXTS
from .xmp import texts_of


def is_picture(path: Path) -> bool:
    """Whether a file begins as one of our formats does."""
    try:
        format_of(path)
    except FileError:
        return False
    return True


def embedded_workflow(path: Path) -> dict[str, str]:
    """The texts of a picture that hold its workflow, by the names in `WORKFLOW_TEXTS`; empty where it has none."""
    with named(path):
        return workflow_of(glance(path))


def workflow_of(decoded: Decoded) -> dict[str, str]:
    """As `embedded_workflow`, of what was read."""
    found = _of_exif(decoded.exif)
    if decoded.xmp:
        with contextlib.suppress(FileError):  # refused XMP has no say
            found |= texts_of(decoded.xmp)
    found |= {name: text for name, text in decoded.texts.items() if name in WORKFLOW_TEXTS}
    return {name: _without_nan(found[name]) for name in WORKFLOW_TEXTS if found.get(name)}


def _of_exif(block: bytes | None) -> dict[str, str]:
    found = {}
    for value in entries_of(load_block(block or b"")).values():
        name, colon, text = value.partition(":") if isinstance(value, str) else ("", "", "")
        if colon and name in WORKFLOW_TEXTS:
            found[name] = text.rstrip("\0")
    return found


def _without_nan(text: str) -> str:
    """ComfyUI notes nodes that always run as NaN, which is not JSON."""
    return re.sub(r"\[NaN\]", "[null]", text)

"""What travels beside the pixels: read from a file, and fitted to the file that is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import FileError
from .exif import BLOCK, read_exif
from .exif_block import Damaged, fitted
from .formats.format import Decoded
from .xmp import handed_on, walk

KEEP = ("keep", "without location", "none")
"""What a written file is given of a photo's metadata."""

XMP, XMP_REFUSED, TEXTS, FILE_NAME = "XMP", "XMPRefused", "Texts", "FileName"
"""Names in a photo's metadata: the XMP packet, why it was refused, named texts (PNG), and the name of its file."""

WORKFLOW_TEXTS = ("workflow", "prompt")
"""The named texts, and our XMP properties, that hold a workflow: in the editor's form, and in the API form."""

_OLD_TEXTS = re.compile("^(workflow|prompt|raw profile type|exif:|date:|xml:)", re.IGNORECASE)
_PLACE_TEXTS = re.compile("gps|latitude|longitude|location", re.IGNORECASE)


def read_metadata(decoded: Decoded) -> tuple[dict[str, Any], int]:
    """What a file says of its photo, by name, and EXIF's orientation. XMP that is refused is left out, with the reason."""
    metadata, orientation = read_exif(decoded.exif)
    metadata |= decoded.facts
    if decoded.xmp:
        try:
            walk(decoded.xmp)
            metadata[XMP] = decoded.xmp
        except FileError as error:
            metadata[XMP_REFUSED] = str(error)
    if texts := {name: text for name, text in decoded.texts.items() if not _OLD_TEXTS.match(name)}:
        metadata[TEXTS] = texts
    return metadata, orientation


def written_metadata(
    metadata: Mapping[str, Any], size: tuple[int, int], colour_space: str, keep: str, workflow: Mapping[str, str]
) -> dict[str, Any]:
    """EXIF, XMP and texts of a new file of `size` (width, height), as `Beside` takes them.

    keep: one of `KEEP`. workflow: the workflow by the names in `WORKFLOW_TEXTS`; with none it is left out as well.
    """
    if keep == "none":
        return {}
    location = keep == "keep"
    exif = metadata.get(BLOCK)
    if exif:
        try:
            exif = fitted(exif, size, colour_space, location)
        except Damaged:
            exif = exif if location else None
    texts = {name: text for name, text in metadata.get(TEXTS, {}).items() if location or not _PLACE_TEXTS.search(name)}
    return {
        "exif": exif,
        "xmp": handed_on(metadata.get(XMP), size, location, workflow),
        "texts": {**texts, **workflow},
    }

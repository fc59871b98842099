"""Photos from files, at their full depth. Headers are checked before anything is decoded."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from ..light.photo import Photo
from .apart import decode_apart, header_apart
from .errors import FileError, guarded, named
from .formats.format import Decoded, Development, Encoding, Format, Header
from .formats.registry import FORMATS, START, told_by
from .limits import check_bytes, check_header
from .metadata import FILE_NAME
from .photo import as_photo


def read_photo(path: Path, **developing: Any) -> Photo:
    """A photo file as a photo. Raises FileError with one line that names the file.

    developing: of a camera raw file, as the fields of `Development`.
    """
    with named(path):
        photo = as_photo(decode(path, Development(**developing)))
    return dataclasses.replace(photo, metadata={**photo.metadata, FILE_NAME: path.name})


def glance(path: Path) -> Decoded:
    """What lies beside the pixels of a photo file, without decoding them where its format can do so. Raises FileError."""
    form = format_of(path)
    if form.glance is None:
        return decode(path)
    with guarded():
        return form.glance(path)


def decode(path: Path, development: Development = Development()) -> Decoded:  # noqa: B008
    """A photo file as its format decodes it. Raises FileError without the file's name."""
    form = format_of(path)
    if form.apart:
        return decode_apart(form, path, development)
    with guarded():
        check_header(form.header(path))
        return form.read(path, development)


def header_of(path: Path) -> tuple[Format, Header]:
    """The format of a file and what it says of its size. Raises FileError without the file's name."""
    form = format_of(path)
    if form.apart:
        return form, header_apart(form, path)
    with guarded():
        return form, form.header(path)


def format_of(path: Path) -> Format:
    """The format of a file, told by how it begins. Raises FileError without the file's name."""
    try:
        with open(path, "rb") as file:
            start = file.read(START)
        check_bytes(path.stat().st_size)
    except OSError as error:
        raise FileError(error.strerror or str(error)) from None
    form = told_by(start, path)
    if form is None:
        names = ", ".join(form.name for form in FORMATS)
        raise FileError(f"expected a photo ({names}); got " + ("something else" if start else "an empty file"))
    return form


def read_like_comfyui(path: Path) -> Photo:
    """A picture as ComfyUI's LoadImage opens it: 8 bits, orientation applied, colour profile ignored."""
    with named(path):
        decoded = decode(path)
        if decoded.light == "scene":
            raise FileError("expected a rendered picture, as LoadImage reads; got scene light (Load Photo develops camera raw)")
        if decoded.values.dtype == np.uint16:
            surplus = (decoded.bits or 16) - 8
            decoded.values = (decoded.values >> surplus).astype(np.uint8)
            decoded.alpha = None if decoded.alpha is None else (decoded.alpha >> surplus).astype(np.uint8)
            decoded.bits = None
        if decoded.values.dtype != np.uint8:
            raise FileError(f"expected 8 or 16 bits per channel, as LoadImage reads; got {decoded.values.dtype}")
        decoded.profile, decoded.encoding, decoded.gain_map = None, Encoding(), None
        return as_photo(decoded)

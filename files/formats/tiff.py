"""TIFF 6.0 and BigTIFF: 8 and 16 bits, half and float."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError
from ..exif import append_directories, exif_of_tags, tiff_tags
from ..extras import tifffile
from .format import Beside, Decoded, Format, Header, Saving, without_alpha

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ICC, _XMP, _DNG_VERSION = 34675, 700, 50706
_KINDS = (np.uint8, np.uint16, np.float32, np.float16)


def read_header(path: Path) -> Header:
    """The first picture's tags."""
    with tifffile("TIFF").TiffFile(path) as tiff:
        page: Any = tiff.pages[0]
        kind = f"{page.dtype}, {page.samplesperpixel} channels, {_word(page.photometric)}"
        if _DNG_VERSION in page.tags or page.subfiletype & 1 or path.suffix.lower() not in TIFF.endings:
            raise FileError("expected a photo; got a camera raw file (develop it to a TIFF first)")
        dtype = np.dtype(page.dtype) if page.dtype is not None else None
        if dtype not in _KINDS or page.samplesperpixel > 4:
            raise FileError(f"expected 8 or 16 bits or float, 1 to 4 channels; got {kind}")
        if _word(page.photometric) not in ("RGB", "MINISBLACK", "MINISWHITE", "YCBCR") or page.imagedepth > 1:
            raise FileError(f"expected RGB or grey; got {kind}")
        bits = np.dtype(page.dtype).itemsize * 8
        return Header(page.imagewidth, page.imagelength, page.samplesperpixel, bits, kind=f"TIFF, {kind}")


def decode(path: Path) -> Decoded:
    """The first picture."""
    with tifffile("TIFF").TiffFile(path) as tiff:
        page: Any = tiff.pages[0]
        values = page.asarray()
        if page.planarconfig == 2 and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
        if _word(page.photometric) == "MINISWHITE":
            values = (np.iinfo(values.dtype).max if values.dtype.kind == "u" else 1) - values
        tags = {tag.code: tag.value for tag in page.tags.values()}
    values, alpha = without_alpha(values, values.ndim == 3 and values.shape[2] in (2, 4))
    return Decoded(values, alpha, tags.get(_ICC), exif=exif_of_tags(tags), xmp=tags.get(_XMP))


def _word(value: Any) -> str:
    return getattr(value, "name", str(value))


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """Deflate with a predictor, in strips of about a megabyte."""
    tags, directories = tiff_tags(beside.exif) if beside.exif else ([], {})
    if beside.xmp:
        tags.append((_XMP, "B", len(beside.xmp), beside.xmp, True))
    tifffile("TIFF").imwrite(
        path,
        codes,
        byteorder="<",
        photometric="rgb",
        extrasamples=["unassalpha"] if codes.shape[2] == 4 else None,
        compression="zlib",
        compressionargs={"level": 4},
        predictor=True,
        rowsperstrip=max(1, (1 << 20) // codes[0].nbytes),
        iccprofile=beside.profile,
        software="Luxgrad",
        metadata=None,
        extratags=tags,
    )
    if directories:
        with open(path, "r+b") as file:
            append_directories(file, directories)


TIFF = Format(
    "TIFF",
    (".tif", ".tiff"),
    lambda start, _: start[:4] in _MAGIC,
    read_header,
    decode,
    depths=("8", "16", "float"),
    encode=encode,
    carries=frozenset({"profile", "exif", "xmp", "alpha"}),
)

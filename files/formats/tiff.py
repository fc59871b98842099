"""TIFF 6.0 and BigTIFF: 1 to 16 bits, half and float; grey, RGB, palette, YCbCr in JPEG, CMYK."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError
from ..exif import append_directories, exif_of_tiff, tiff_directories
from ..extras import tifffile
from .format import NO_PIXELS, Beside, Decoded, Format, Header, Saving, unpremultiplied

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ICC, _XMP = 34675, 700
_FLOATS = (np.float16, np.float32, np.float64)
_COLOURS = {"MINISWHITE": 1, "MINISBLACK": 1, "RGB": 3, "PALETTE": 1, "YCBCR": 3, "SEPARATED": 4}
_COMPRESSIONS = {1: "none", 5: "LZW", 7: "JPEG", 8: "deflate", 32773: "PackBits", 32946: "deflate", 50000: "zstd"}
_REDUCED_OR_MASK = 1 | 4
_ASSOCIATED, _UNASSOCIATED = 1, 2
_MOST_PAGES = 64
_LARGEST_TILE = 1 << 26
_MOST_CLASSIC = (1 << 32) - (1 << 26)


def read_header(path: Path) -> Header:
    """The tags of the photo's page."""
    with tifffile("TIFF").TiffFile(path) as tiff:
        page = _photo_page(tiff, path)
        _check(page)
        bits = page.bitspersample if page.dtype.kind == "u" else page.dtype.itemsize * 8
        return Header(page.imagewidth, page.imagelength, page.samplesperpixel, bits, kind=f"TIFF, {_kind(page)}")


def _photo_page(tiff: Any, path: Path) -> Any:
    """The first page that is neither a smaller version of another nor a mask."""
    if path.suffix.lower() not in TIFF.endings:  # raw files of makers that nobody knows are TIFFs too
        raise FileError(f"expected the name of a TIFF to end in {' or '.join(TIFF.endings)}; got {path.suffix or 'none'}")
    page = next((page for page in islice(_pages(tiff), _MOST_PAGES) if not page.subfiletype & _REDUCED_OR_MASK), None)
    if page is None:
        raise FileError("expected a photo; got thumbnails only")
    return page


def _pages(tiff: Any) -> Iterator[Any]:
    seen = set()
    for page in tiff.pages:
        for version in (page, *(page.pages or ())):
            if version.offset in seen:
                raise FileError("damaged: a directory of the TIFF leads back to itself")
            seen.add(version.offset)
            yield version


def _check(page: Any) -> None:
    kind, photometric, depth = _kind(page), _word(page.photometric), page.bitspersample
    if page.compression not in _COMPRESSIONS:
        names = ", ".join(dict.fromkeys(_COMPRESSIONS.values()))
        raise FileError(f"expected TIFF compressed by {names}; got {_word(page.compression)}")
    if photometric not in _COLOURS or page.samplesperpixel < _COLOURS[photometric] or page.imagedepth > 1:
        raise FileError(f"expected RGB, grey, palette, CMYK, or YCbCr in JPEG; got {kind}")
    if photometric == "YCBCR" and page.compression != 7:
        raise FileError(f"expected YCbCr compressed by JPEG; got {_word(page.compression)}")
    whole = page.dtype is not None and page.dtype.kind in "ub" and depth <= 16
    if not whole and page.dtype not in _FLOATS:
        raise FileError(f"expected 1 to 16 bits, half or float; got {kind}")
    if photometric == "PALETTE" and (page.colormap is None or page.colormap.shape != (3, 1 << depth)):
        raise FileError("damaged: a palette TIFF without its colours")
    if page.is_tiled and page.tilewidth * page.tilelength > _LARGEST_TILE:
        raise FileError(f"expected tiles of at most 64 MP; got {page.tilewidth} x {page.tilelength} px")


def _kind(page: Any) -> str:
    return f"{page.dtype}, {page.samplesperpixel} channels, {_word(page.photometric)}"


def _word(value: Any) -> str:
    return getattr(value, "name", str(value))


def decode(path: Path) -> Decoded:
    """The photo's page. Floats of 64 bits are rounded to 32; channels beyond colour and alpha are dropped."""
    with tifffile("TIFF").TiffFile(path) as tiff:
        page = _photo_page(tiff, path)
        values = page.asarray()
        tags = _tags(tiff, page)
        photometric, bits, extra = _word(page.photometric), page.bitspersample, [int(kind) for kind in page.extrasamples]
        planar, colormap = page.planarconfig == 2, page.colormap
    if values.ndim == 2:
        values = values[..., None]
    elif planar:
        values = np.moveaxis(values, 0, -1)
    values = _plain(values)
    colours = _COLOURS[photometric]
    alpha_kind = next((kind for kind in extra if kind in (_ASSOCIATED, _UNASSOCIATED)), None)
    alpha = values[..., colours + extra.index(alpha_kind)] if alpha_kind else None
    values = values[..., :colours]
    if alpha is not None and alpha_kind == _ASSOCIATED:
        values = unpremultiplied(values, alpha, bits)
    if photometric == "MINISWHITE":
        values = ((1 << bits) - 1 if values.dtype.kind == "u" else 1) - values
    if photometric == "PALETTE":
        values, bits = np.moveaxis(colormap[:, values[..., 0]], 0, -1), 16
    profile, xmp = tags.get(_ICC), tags.get(_XMP)
    whole_bits = bits if values.dtype.kind == "u" else None
    return Decoded(values, alpha, profile, exif=exif_of_tiff(path), xmp=_packet(xmp), bits=whole_bits)


def _tags(tiff: Any, page: Any) -> dict[int, Any]:
    return {tag.code: tag.value for tag in (*tiff.pages[0].tags.values(), *page.tags.values()) if tag.code in (_ICC, _XMP)}


def glance(path: Path) -> Decoded:
    """The tags of the photo's page."""
    with tifffile("TIFF").TiffFile(path) as tiff:
        tags = _tags(tiff, _photo_page(tiff, path))
    return Decoded(NO_PIXELS, profile=tags.get(_ICC), exif=exif_of_tiff(path), xmp=_packet(tags.get(_XMP)))


def _plain(values: np.ndarray) -> np.ndarray:
    """One-bit codes as numbers, 64-bit floats as 32-bit ones, in this machine's byte order."""
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    kind = np.dtype(np.float32) if values.dtype.itemsize == 8 else values.dtype
    return values.astype(kind.newbyteorder("="), copy=False)


def _packet(value: Any) -> bytes | None:
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else None


def encode(path: Path, codes: np.ndarray, beside: Beside, saving: Saving) -> None:
    """Deflate with a predictor, in strips of about a megabyte."""
    directories = tiff_directories(beside.exif) if beside.exif else {}
    tags = [(_XMP, "B", len(beside.xmp), beside.xmp, True)] if beside.xmp else []
    if codes.nbytes > _MOST_CLASSIC:
        raise FileError(f"expected a picture of less than 4 GB for a TIFF file; got {codes.nbytes / 2**30:.1f} GB")
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
    depths=("8", "16", "half", "float"),
    encode=encode,
    glance=glance,
    alpha=True,
)

"""Photos from JPEG, PNG and TIFF files, at their full depth. Headers are checked before anything is decoded."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..light.photo import Codes, Photo
from ..light.primaries import SRGB_TO_REC2020
from .errors import FileError
from .exif import as_exif, read_exif
from .extras import imagecodecs
from .icc import read_profile, srgb_curve

MOST_PIXELS = 178_956_970
_MOST_BYTES = 4 << 30


@dataclass
class Decoded:
    """A picture as a file holds it: (H, W, C) codes, C = 1 or 3, and (H, W) alpha."""

    values: np.ndarray
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    orientation: int = 1


def read_photo(path: Path) -> Photo:
    """A photo file as a photo. Raises FileError with one line that names the file."""
    try:
        return _as_photo(_decode(path))
    except FileError as error:
        raise FileError(f"{path}: {error}") from None


def _decode(path: Path) -> Decoded:
    try:
        with open(path, "rb") as file:
            start = file.read(26)
        size = path.stat().st_size
    except OSError as error:
        raise FileError(error.strerror or str(error)) from None
    if size > _MOST_BYTES:
        raise FileError(f"expected at most {_MOST_BYTES >> 30} GB; got {size / 2**30:.1f} GB")
    decoder = _decoder(start)
    if decoder is None:
        raise FileError("expected a JPEG, PNG or TIFF photo; got " + ("an empty file" if not start else "something else"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return decoder(path)
    except FileError:
        raise
    except MemoryError:
        raise FileError("expected a picture that fits in memory") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FileError(f"damaged, or of a kind that cannot be read: {reason}") from None


def _decoder(start: bytes) -> Any:
    if start[:3] == b"\xff\xd8\xff":
        return _with_pillow
    if start[:8] == b"\x89PNG\r\n\x1a\n":
        return _png_16 if len(start) > 24 and start[24] == 16 else _with_pillow
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _tiff
    return None


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS or min(width, height) < 1:
        raise FileError(f"expected 1 to {MOST_PIXELS / 1e6:.0f} MP; got {width} x {height} px")


def _with_pillow(path: Path) -> Decoded:
    with Image.open(path, formats=("JPEG", "PNG")) as image:
        _check_size(*image.size)
        metadata, orientation = read_exif(image.getexif())
        profile = image.info.get("icc_profile")
        if image.mode in ("CMYK", "LAB", "YCCK"):
            raise FileError(f"expected RGB or grey; got {image.mode}")
        has_alpha = image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info
        grey = image.mode in ("1", "L", "LA", "La")
        mode = ("LA" if has_alpha else "L") if grey else ("RGBA" if has_alpha else "RGB")
        values = np.array(image if image.mode == mode else image.convert(mode))
    values, alpha = _without_alpha(values if values.ndim == 3 else values[..., None], has_alpha)
    return Decoded(values, alpha, profile, metadata, orientation)


def _without_alpha(values: np.ndarray, has_alpha: bool) -> tuple[np.ndarray, np.ndarray | None]:
    return (values[..., :-1], values[..., -1]) if has_alpha else (values, None)


def _png_16(path: Path) -> Decoded:
    with open(path, "rb") as file:
        data = file.read()
    _check_size(*struct.unpack(">II", data[16:24]))
    with Image.open(path, formats=("PNG",)) as image:
        metadata, orientation = read_exif(image.getexif())
        profile = image.info.get("icc_profile")
    values = imagecodecs("16-bit PNG").png_decode(data)
    values = values if values.ndim == 3 else values[..., None]
    values, alpha = _without_alpha(values, values.shape[2] in (2, 4))
    return Decoded(values, alpha, profile, metadata, orientation)


def _tiff(path: Path) -> Decoded:
    import tifffile  # here, because it draws in all of imagecodecs

    with tifffile.TiffFile(path) as tiff:
        page: Any = tiff.pages[0]
        if 50706 in page.tags or page.subfiletype & 1 or path.suffix.lower() not in (".tif", ".tiff"):
            raise FileError("expected a JPEG, PNG or TIFF photo; got a camera raw file (develop it to a TIFF first)")
        _check_size(page.imagewidth, page.imagelength)
        kind = f"{page.dtype}, {page.samplesperpixel} channels, {_word(page.photometric)}"
        dtype = np.dtype(page.dtype) if page.dtype is not None else None
        if dtype not in (np.uint8, np.uint16, np.float32, np.float16) or page.samplesperpixel > 4:
            raise FileError(f"expected 8 or 16 bits or float, 1 to 4 channels; got {kind}")
        if _word(page.photometric) not in ("RGB", "MINISBLACK", "MINISWHITE", "YCBCR") or page.imagedepth > 1:
            raise FileError(f"expected RGB or grey; got {kind}")
        values = page.asarray()
        if page.planarconfig == 2 and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
        tags = {tag.code: tag.value for tag in page.tags.values()}
    values = values if values.ndim == 3 else values[..., None]
    values, alpha = _without_alpha(values, values.shape[2] in (2, 4))
    if _word(page.photometric) == "MINISWHITE":
        values = (np.iinfo(values.dtype).max if values.dtype.kind == "u" else 1) - values
    metadata, orientation = read_exif(_tiff_exif(tags))
    return Decoded(values, alpha, tags.get(34675), metadata, orientation)


def _word(value: Any) -> str:
    return getattr(value, "name", str(value))


def _tiff_exif(tags: dict[int, Any]) -> Image.Exif:
    import tifffile

    number = {name: code for code, name in tifffile.TIFF.EXIF_TAGS.items() if isinstance(name, str)}
    gps_number = {name: code for code, name in tifffile.TIFF.GPS_TAGS.items() if isinstance(name, str)}
    simple = {code: value for code, value in tags.items() if isinstance(value, (str, int)) and not hasattr(value, "name")}
    simple |= {0xC62A: tags[0xC62A]} if 0xC62A in tags else {}
    sub, gps = tags.get(34665), tags.get(34853)
    return as_exif(
        {code: value for code, value in simple.items() if code not in (34665, 34853)},
        {number[name]: value for name, value in sub.items() if name in number} if isinstance(sub, dict) else {},
        {gps_number[name]: value for name, value in gps.items() if name in gps_number} if isinstance(gps, dict) else {},
    )


def _as_photo(decoded: Decoded) -> Photo:
    values, alpha = (_upright(array, decoded.orientation) for array in (decoded.values, decoded.alpha))
    assert values is not None
    channels, whole = values.shape[2], values.dtype.kind == "u"
    levels = int(np.iinfo(values.dtype).max) + 1 if whole else 65536
    if decoded.profile:
        profile = read_profile(decoded.profile, levels, channels)
        curves, to_rec2020 = profile.curves, profile.to_rec2020
    else:
        curve = srgb_curve(levels) if whole else np.linspace(0.0, 1.0, levels)
        curves, to_rec2020 = (curve,) * channels, SRGB_TO_REC2020
    if not whole:
        values = _linear_floats(values.astype(np.float32), curves)
    table = torch.from_numpy(np.stack(curves).astype(np.float32)) if whole else None
    return Photo(
        Codes(torch.from_numpy(np.ascontiguousarray(values)), table, to_rec2020),
        None if alpha is None else _alpha(alpha),
        "display" if whole else "scene",
        decoded.metadata,
    )


def _linear_floats(values: np.ndarray, curves: tuple[np.ndarray, ...]) -> np.ndarray:
    if not np.isfinite(values).all():
        where = np.argwhere(~np.isfinite(values).all(axis=2))[0]
        raise FileError(f"expected finite light; got NaN or infinity, first at row {where[0]}, column {where[1]}")
    straight = np.linspace(0.0, 1.0, len(curves[0]))
    if all(np.abs(curve - straight).max() < 1e-4 for curve in curves):
        return values
    inside = [np.interp(values[..., c], straight, curve) for c, curve in enumerate(curves)]
    outside = (values < 0.0) | (values > 1.0)
    if outside.any():
        raise FileError("expected linear light, or codes in 0..1; got float codes beyond, under a curved colour profile")
    return np.stack(inside, axis=-1).astype(np.float32)


def _alpha(alpha: np.ndarray) -> Tensor:
    most = np.iinfo(alpha.dtype).max if alpha.dtype.kind == "u" else 1.0
    return torch.from_numpy(np.ascontiguousarray(alpha)).float()[None, None] / float(most)


def _upright(values: np.ndarray | None, orientation: int) -> np.ndarray | None:
    """Rows and columns as the photo is meant to be seen (EXIF orientation 1 to 8)."""
    if values is None or orientation == 1:
        return values
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values


def read_like_comfyui(path: Path) -> Photo:
    """A picture as ComfyUI's LoadImage opens it: 8 bits, orientation applied, colour profile ignored."""
    try:
        decoded = _decode(path)
    except FileError as error:
        raise FileError(f"{path}: {error}") from None
    if decoded.values.dtype == np.uint16:
        decoded.values = (decoded.values >> 8).astype(np.uint8)
        decoded.alpha = None if decoded.alpha is None else (decoded.alpha >> 8).astype(np.uint8)
    if decoded.values.dtype != np.uint8:
        raise FileError(f"{path}: expected 8 or 16 bits per channel, as LoadImage reads; got {decoded.values.dtype}")
    decoded.profile = None
    return _as_photo(decoded)

"""Camera raw and DNG, by LibRaw (rawpy): demosaiced camera light, with its matrix. Read only.

Light is linear. 1.0 is a neutral that just fills the green photosites at the white level of the camera or file, so that
photos of one exposure have one scale, whatever they show: nothing is measured in the picture, and red and blue multipliers
are relative to green. What a photosite counts beyond the white level is kept. A DNG's BaselineExposure is reported and not
applied. Matrices: a DNG's own (`camera`), else LibRaw's table (Adobe's matrices, by way of dcraw). The picture is the
maker's crop of the active area. A DNG's opcodes (lens corrections, gain maps) are not applied.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image

from ...light.white import illuminant_xyz
from ..errors import FileError
from ..exif import load_block
from ..extras import rawpy as codec
from ..limits import check_header
from . import pillow, sensor
from .camera import LEAST_NEUTRAL, UNKNOWN_LIGHT, Calibration, Camera, daylight, kelvin_and_tint, xy_of
from .format import Decoded, Development, Encoding, Format, Header
from .highlights import clipped_to_white, neutralised, reconstructed
from .mosaic import denoise
from .raw_tags import Tags, camera_of_dng, dng_crop, dng_tags, exif_of_raw, is_raw, neutral_of_dng

_ENDINGS = (
    ".dng", ".raf", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".rw2", ".orf", ".pef", ".srw", ".gpr",
    ".3fr", ".fff", ".iiq", ".mos", ".mef", ".mrw", ".erf", ".dcr", ".kdc", ".rwl", ".x3f", ".raw",
)  # fmt: skip
_ORIENTATION = 0x0112
_ORIENTATIONS = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}
"""EXIF's number of LibRaw's turns and mirrors."""

_DAYLIGHT = 5500.0
_TOP = 65535
_GREY_NORM = 6.0
_MOST_TINT = 60.0
_HIGHLIGHTS = {"neutral": neutralised, "reconstruct": reconstructed, "clip": clipped_to_white}


class Crop(NamedTuple):
    """A rectangle of the active area."""

    left: int
    top: int
    width: int
    height: int


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file in LibRaw, its pixels not yet unpacked; what LibRaw says of a bad one in one line."""
    rawpy = codec("camera raw")
    try:
        with rawpy.RawPy() as raw:
            raw.open_file(str(path))
            yield raw
    except rawpy.LibRawFileUnsupportedError:
        raise FileError("expected a kind of camera raw that LibRaw can decode; got another") from None
    except rawpy.LibRawIOError:
        raise FileError("damaged, or cut short") from None
    except rawpy.LibRawError as error:
        said = error.args[0] if error.args else ""
        text = said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
        raise FileError(f"LibRaw cannot decode it: {text.lower()}") from None


def read_header(path: Path) -> Header:
    """The size that a full development has."""
    with _opened(path) as raw:
        crop = _crop(raw.sizes, path)
        return Header(crop.width, crop.height, raw.num_colors, 16, kind=f"camera raw, {raw.num_colors} colours")


def _crop(sizes: Any, path: Path) -> Crop:
    """The maker's crop, or all of the active area."""
    own = (
        sizes.crop_left_margin - sizes.left_margin,
        sizes.crop_top_margin - sizes.top_margin,
        sizes.crop_width,
        sizes.crop_height,
    )
    left, top, width, height = dng_crop(path) or own  # LibRaw passes over a DNG's crop where it is much smaller
    inside = top >= 0 and left >= 0 and top + height <= sizes.height and left + width <= sizes.width
    if inside and width > 0 and height > 0:
        return Crop(left, top, width, height)
    return Crop(0, 0, sizes.width, sizes.height)


def develop(path: Path, development: Development) -> Decoded:
    """The picture as scene light, or the rendered one that the camera put inside."""
    with _opened(path) as raw:
        sizes, exif = raw.sizes, _exif(raw, path)  # LibRaw's sizes become those of what it develops
        orientation, crop = _ORIENTATIONS.get(sizes.flip, 1), _crop(sizes, path)
        if development.develop == "embedded preview":
            return _preview(raw, exif, orientation)
        if raw.num_colors not in (1, 3):
            raise FileError(f"expected a sensor of one or three colours; got {raw.num_colors}")
        raw.unpack()
        decoded = _in_grey(raw, development) if raw.num_colors == 1 else _in_colour(raw, path, development)
        decoded.values = _cropped(decoded.values, sizes, crop)
        if raw.lens.model:
            decoded.facts.setdefault("LensModel", raw.lens.model)
        return dataclasses.replace(decoded, exif=exif, orientation=orientation, light="scene")


def _in_grey(raw: Any, development: Development) -> Decoded:
    values, scale = _demosaiced(raw, np.ones(3), development)
    return Decoded(values[..., :1].astype(np.float32) * np.float32(scale), encoding=Encoding("linear"))


def _in_colour(raw: Any, path: Path, development: Development) -> Decoded:
    tags = dng_tags(path)
    camera = _camera(raw, tags)
    shot = _as_shot(raw, tags, camera)
    neutral = _neutral(path, camera, shot, development)
    full = sensor.full(raw) / neutral
    values, scale = _demosaiced(raw, 1.0 / neutral, development)
    if development.highlights == "reconstruct":
        values = values.astype(np.float32)
    _HIGHLIGHTS[development.highlights](values, full / scale)
    codes = 1.0 if values.dtype.kind == "f" else float(_TOP)
    matrix = camera.to_xyz(neutral) * (scale * codes)
    facts = {**_light_facts(camera, shot, "AsShot"), **_light_facts(camera, neutral, "Developed")}
    return Decoded(values, encoding=Encoding("linear", tuple(map(tuple, matrix.tolist()))), facts=facts)


# White balance -------------------------------------------------------------------------------------------------------


def _camera(raw: Any, tags: Tags) -> Camera:
    """The colour of the camera, from a DNG's tags or LibRaw's table, which is for D65."""
    camera = camera_of_dng(tags)
    if camera is None:
        colour = np.array(raw.rgb_xyz_matrix, np.float64)[:3]
        if not np.isfinite(colour).all() or abs(np.linalg.det(colour)) < 1e-9:
            raise FileError("expected a camera whose colours LibRaw knows, or a DNG with a ColorMatrix; got neither")
        camera = Camera((Calibration(UNKNOWN_LIGHT, colour),))
    return camera


def _as_shot(raw: Any, tags: Tags, camera: Camera) -> np.ndarray | None:
    """Camera light of white as the camera set it; None where the file does not say."""
    neutral = neutral_of_dng(tags, camera)
    gains = np.array(raw.camera_whitebalance[:3], np.float64)
    if neutral is None and np.isfinite(gains).all() and (gains > 0.0).all():
        neutral = gains[1] / gains
    return None if neutral is None else np.clip(neutral, LEAST_NEUTRAL, 1.0 / LEAST_NEUTRAL)


def _neutral(path: Path, camera: Camera, shot: np.ndarray | None, development: Development) -> np.ndarray:
    """Camera light of white by choice, green 1; daylight where the camera's own is wanted and the file has none."""
    if development.white_balance == "kelvin":
        return camera.neutral(xy_of(illuminant_xyz(development.kelvin, development.tint)))
    if development.white_balance == "auto":
        return _mean_colour(path, camera)
    if development.white_balance == "as shot" and shot is not None:
        return shot
    return camera.neutral(daylight(_DAYLIGHT))


def _mean_colour(path: Path, camera: Camera) -> np.ndarray:
    """The mean of what is not clipped, as shades of grey (Finlayson and Trezzi 2004), held near the lights that there are."""
    with _opened(path) as raw:  # anew: LibRaw forgets the mosaic of what it has developed at half size
        raw.unpack()
        most = 0.9 * sensor.full(raw)
        values, scale = _demosaiced(raw, np.ones(3), Development("half", demosaic="linear"))
    light = values.reshape(-1, 3)[(values < most / scale).all(axis=2).ravel()] * scale
    mean = (light**_GREY_NORM).mean(axis=0) ** (1.0 / _GREY_NORM) if len(light) else np.zeros(3)
    white = camera.white(mean / mean[1]) if (mean > 0.0).all() else None
    if white is None:
        return camera.neutral(daylight(_DAYLIGHT))
    kelvin, tint = kelvin_and_tint(white)
    return camera.neutral(xy_of(illuminant_xyz(min(max(kelvin, 2000.0), 12000.0), min(max(tint, -_MOST_TINT), _MOST_TINT))))


def _light_facts(camera: Camera, neutral: np.ndarray | None, name: str) -> dict[str, Any]:
    """Colour temperature and tint of the light that a white balance undoes."""
    white = None if neutral is None else camera.white(neutral)
    if white is None:
        return {}
    kelvin, tint = kelvin_and_tint(white)
    return {f"{name}Kelvin": round(kelvin), f"{name}Tint": round(tint, 1)}


# LibRaw --------------------------------------------------------------------------------------------------------------


def _demosaiced(raw: Any, gains: np.ndarray, development: Development) -> tuple[np.ndarray, float]:
    """Codes (H, W, 3) of white-balanced camera light, and the light of one code."""
    rawpy = codec("camera raw")
    _denoise(raw, development)
    highest = int(max(sensor.span(raw), sensor.counts(raw).max() - sensor.black(raw)))
    algorithm = "AHD" if development.demosaic == "auto" else development.demosaic.upper()
    values = raw.postprocess(
        demosaic_algorithm=rawpy.DemosaicAlgorithm[algorithm],
        half_size=development.develop == "half",
        fbdd_noise_reduction=rawpy.FBDDNoiseReductionMode[development.denoise.capitalize()],
        user_wb=[*gains.tolist(), float(gains[1])],
        user_sat=highest,
        highlight_mode=rawpy.HighlightMode.Ignore,  # the greatest gain fills the codes: nothing is cut
        adjust_maximum_thr=0.0,  # or the scale would follow the picture
        no_auto_bright=True,
        output_color=rawpy.ColorSpace.raw,
        output_bps=16,
        gamma=(1, 1),
        user_flip=0,
    )
    return values, highest / sensor.span(raw) * float(gains.max()) / _TOP


def _denoise(raw: Any, development: Development) -> None:
    """Thresholds the mosaic here: LibRaw's own wavelets crash (0.22.2). FBDD, which is LibRaw's, is checked for."""
    pattern = raw.raw_pattern
    if development.denoise != "off" and (pattern is None or pattern.shape != (2, 2)):
        raise FileError("expected denoise off for a sensor that is no Bayer mosaic; FBDD is for those")
    if development.noise_threshold:
        cell = (1, 1) if pattern is None else pattern.shape
        counts = raw.raw_image_visible
        for plane in [counts] if counts.ndim == 2 else np.moveaxis(counts, 2, 0)[:3]:
            denoise(plane, cell, sensor.black(raw), sensor.span(raw), development.noise_threshold)


def _cropped(values: np.ndarray, sizes: Any, crop: Crop) -> np.ndarray:
    """A part of the picture, which may be of half size; all of it where LibRaw turned or stretched it."""
    step = 2 if values.shape[0] < sizes.height else 1
    if values.shape[:2] != (-(-sizes.height // step), -(-sizes.width // step)):
        return values
    rows = slice(crop.top // step, -(-(crop.top + crop.height) // step))
    return values[rows, crop.left // step : -(-(crop.left + crop.width) // step)]


# What lies beside the pixels -----------------------------------------------------------------------------------------


def _preview(raw: Any, exif: bytes | None, orientation: int) -> Decoded:
    """The largest rendered picture that the camera put inside."""
    rawpy = codec("camera raw")
    try:
        thumb = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        raise FileError("expected an embedded preview; the file has none (develop it in full or half size)") from None
    if thumb.format != rawpy.ThumbFormat.JPEG:
        return Decoded(np.array(thumb.data), exif=exif, orientation=orientation, light="display")
    check_header(pillow.read_header(io.BytesIO(thumb.data), "JPEG"))
    decoded = pillow.decode(io.BytesIO(thumb.data), "JPEG")
    own = load_block(decoded.exif or b"").get(_ORIENTATION, orientation)
    return dataclasses.replace(decoded, exif=exif or decoded.exif, orientation=own, light="display")


def _exif(raw: Any, path: Path) -> bytes | None:
    """The file's EXIF; of files that keep it in other ways, what LibRaw found."""
    with contextlib.suppress(OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        block = exif_of_raw(path)
        if block:
            return block
    other, exif = raw.other, Image.Exif()
    found = {0x829A: other.shutter_speed, 0x829D: other.aperture, 0x920A: other.focal_length, 0x8827: int(other.iso_speed)}
    kept: dict[int, Any] = {tag: value for tag, value in found.items() if value > 0}
    if other.timestamp.year > 1970:
        kept[0x9003] = other.timestamp.strftime("%Y:%m:%d %H:%M:%S")
    exif[int(ExifTags.IFD.Exif)] = kept
    return exif.tobytes() if kept else None


RAW = Format(
    "camera raw",
    _ENDINGS,
    partial(is_raw, endings=_ENDINGS),
    read_header,
    partial(develop, development=Development()),
    apart=True,
    develop=develop,
)

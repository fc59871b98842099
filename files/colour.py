"""From the codes of a file to light: by what the file says itself, by its ICC profile, or as sRGB."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..light.encodings import ADOBE_GAMMA, Curve, decoder
from ..light.photo import Codes
from ..light.primaries import PRIMARIES, XYZ_TO_REC2020, Matrix, luminance, matrix, mix, product, rgb_to_rgb
from ..light.transfer import hlg_system_gain
from .errors import FileError
from .exif import is_adobe_rgb
from .formats.format import Decoded, Encoding, Primaries
from .icc import PCS_TO_REC2020, LutProfile, read_profile

_STRIP = 1 << 16
Planes = tuple[Tensor, Tensor, Tensor]


def raster_of(decoded: Decoded, values: np.ndarray) -> Codes | Tensor:
    """Linear Rec.2020 light of codes (H, W, C), which are those of `decoded`, turned upright. Raises FileError.

    A file's own encoding is believed first, then its ICC profile, then EXIF's word that it is Adobe RGB; whole codes without
    any are sRGB and floats linear sRGB light. Whole codes stay codes where each channel has its own curve; HLG and table
    profiles, CMYK among them, become float light (3HW), a strip at a time.
    """
    whole, channels = values.dtype.kind == "u", values.shape[2]
    _check(values, decoded.bits)
    encoding = decoded.encoding
    if encoding is None and decoded.profile:
        profile = read_profile(decoded.profile, channels)
        if isinstance(profile, LutProfile):
            return _through(values, decoded.bits, partial(_lut_light, profile))
        if not isinstance(profile, Encoding):
            return _raster(values, decoded.bits, profile.curves, profile.to_rec2020, beyond=False)
        encoding = profile
    if channels == 4:
        raise FileError("expected RGB or grey, or CMYK with its colour profile; got CMYK without one")
    if encoding is None:
        adobe = Encoding(f"gamma:{ADOBE_GAMMA}", "adobe")
        encoding = Encoding("linear") if not whole else adobe if is_adobe_rgb(decoded.exif) else Encoding()
    return _encoded(values, decoded.bits, encoding)


def _check(values: np.ndarray, bits: int | None) -> None:
    if values.dtype.kind != "u" and not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values).all(axis=2))[0]
        raise FileError(f"expected finite light; got NaN or infinity, first at row {row}, column {column}")
    if bits and values.dtype.kind == "u" and values.size and (most := int(values.max())) >> bits:
        raise FileError(f"expected codes of {bits} bits; got {most}")


def _encoded(values: np.ndarray, bits: int | None, encoding: Encoding) -> Codes | Tensor:
    try:
        curve, to_rec2020 = decoder(encoding.transfer), _to_rec2020(encoding.primaries)
    except ValueError as error:
        raise FileError(str(error)) from None
    if encoding.transfer == "hlg":
        return _through(values, bits, partial(_hlg_light, curve, to_rec2020))
    return _raster(values, bits, (curve,) * values.shape[2], to_rec2020, beyond=True)


def _to_rec2020(primaries: Primaries) -> Matrix:
    """Raises ValueError where primaries span no colours."""
    if isinstance(primaries, str):
        if primaries not in PRIMARIES:
            raise ValueError(f"expected primaries ({', '.join(PRIMARIES)}); got {primaries[:40]!r}")
        return rgb_to_rgb(primaries, "rec2020")
    try:
        if len(primaries) == 3:
            to_rec2020 = product(XYZ_TO_REC2020, matrix(primaries))
        else:
            to_rec2020 = rgb_to_rgb(primaries, "rec2020")  # type: ignore[arg-type]
    except (ZeroDivisionError, RuntimeError):
        to_rec2020 = matrix(torch.full((3, 3), torch.nan))
    if not all(abs(number) < 100.0 for row in to_rec2020 for number in row):
        raise ValueError("expected primaries that span a gamut; got others in the file")
    return to_rec2020


def _raster(values: np.ndarray, bits: int | None, curves: tuple[Curve, ...], to_rec2020: Matrix, beyond: bool) -> Codes:
    """Codes that are decoded when they are read. beyond: whether float codes may lie outside 0..1 of a curve."""
    if values.dtype.kind == "u":
        codes = torch.linspace(0.0, 1.0, 1 << (bits or values.dtype.itemsize * 8), dtype=torch.float64)
        table = torch.stack([curve(codes) for curve in curves]).float()
        return Codes(torch.from_numpy(np.ascontiguousarray(values)), table, to_rec2020)
    light = torch.from_numpy(np.ascontiguousarray(values, np.float32))
    if not all(_is_straight(curve) for curve in curves):
        if not beyond and (light.min() < 0.0 or light.max() > 1.0):
            raise FileError("expected linear light, or codes in 0..1; got float codes beyond, under a curved colour profile")
        light = torch.stack([curve(plane) for curve, plane in zip(curves, light.unbind(2))], dim=2)
    return Codes(light, None, to_rec2020)


def _is_straight(curve: Curve) -> bool:
    codes = torch.linspace(0.0, 1.0, 1024, dtype=torch.float64)
    return bool((curve(codes) - codes).abs().max() < 1e-4)


def _through(values: np.ndarray, bits: int | None, light_of: Callable[[list[Tensor]], Planes]) -> Tensor:
    """(1,3,H,W) light by a function from planes of codes in 0..1 to planes of light, a strip at a time."""
    height, width, _ = values.shape
    most = float((1 << (bits or values.dtype.itemsize * 8)) - 1) if values.dtype.kind == "u" else 1.0
    result = torch.empty(1, 3, height, width)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        strip = torch.from_numpy(values[top : top + rows].astype(np.float32)) / most
        planes = light_of([plane.reshape(-1) for plane in strip.unbind(2)])
        for channel, plane in enumerate(planes):
            if not torch.isfinite(plane).all():
                raise FileError("expected finite light; got NaN or infinity from its colour profile")
            result[0, channel, top : top + rows] = plane.view(-1, width)
    return result


def _lut_light(profile: LutProfile, codes: list[Tensor]) -> Planes:
    wanted = profile.lut.channels
    return mix(PCS_TO_REC2020, *profile.lut.xyz(codes * wanted if len(codes) == 1 else codes))


def _hlg_light(curve: Curve, to_rec2020: Matrix, codes: list[Tensor]) -> Planes:
    scene = mix(to_rec2020, *(curve(plane) for plane in (codes * 3 if len(codes) == 1 else codes)))
    gain = hlg_system_gain(luminance(*scene))
    return scene[0] * gain, scene[1] * gain, scene[2] * gain

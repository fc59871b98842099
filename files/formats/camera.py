"""The colour of a camera: from its matrices to white-balanced light, and between multipliers and colour temperature.

Sources: DNG specification 1.7.1, chapter 6 (mapping camera colour space to CIE XYZ space); LibRaw and dcraw for cameras
whose files say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...light.white import BRADFORD, D50, D65, TINT_PER_UV, Chromaticity, along_locus, illuminant_xyz, locus, white_xyz

UNKNOWN_LIGHT = 6504.0
_ILLUMINANT_A: Chromaticity = (0.44757, 0.40745)
_LIGHTS = {
    **dict.fromkeys((1, 4, 9, 18, 20), 5500.0),
    **dict.fromkeys((10, 19), 6500.0),
    **dict.fromkeys((11, 22), 7500.0),
    **dict.fromkeys((3, 17), 2856.0),
    **{2: 4150.0, 12: 6400.0, 13: 5050.0, 14: 4150.0, 15: 3525.0, 16: 2925.0, 21: 6504.0, 23: 5003.0, 24: 3200.0},
}
"""Kelvin of EXIF's LightSource numbers (EXIF 3.0, table 26), fluorescent ranges at their middle."""

LEAST_NEUTRAL = 0.02
"""Of a channel of white, relative to green: multipliers reach 50."""

_STEPS = 400
_MOST_TURNS = 40


def kelvin_of_light(number: int) -> float:
    """The colour temperature of a calibration illuminant; what is unknown counts as D65, as in dcraw."""
    return _LIGHTS.get(number, UNKNOWN_LIGHT)


def daylight(kelvin: float) -> Chromaticity:
    """The chromaticity of CIE daylight, 4000 to 25000 K (CIE 15:2018, 4.1.2), and of illuminant A or a black body below."""
    if kelvin == UNKNOWN_LIGHT:
        return D65
    if kelvin < 4000.0:
        return _ILLUMINANT_A if kelvin == _LIGHTS[17] else xy_of(illuminant_xyz(kelvin, 0.0))
    t = 1e3 / kelvin
    if kelvin <= 7000.0:
        x = 0.244063 + t * (0.09911 + t * (2.9678 - t * 4.6070))
    else:
        x = 0.237040 + t * (0.24748 + t * (1.9018 - t * 2.0064))
    return x, -3.0 * x * x + 2.870 * x - 0.275


def xy_of(xyz: Sequence[float] | np.ndarray) -> Chromaticity:
    x, y, z = (float(value) for value in xyz)
    return x / (x + y + z), y / (x + y + z)


def kelvin_and_tint(xy: Chromaticity) -> tuple[float, float]:
    """The nearest colour on the black body locus, 1000 to 15000 K, and the distance from it as tint."""
    x, y = xy
    scale = -2.0 * x + 12.0 * y + 3.0
    u, v = 4.0 * x / scale, 6.0 * y / scale

    def beyond(mired: float) -> float:
        """How far the colour lies from this place, along the locus."""
        (at_u, at_v), (du, dv) = locus(1e6 / mired), along_locus(1e6 / mired)
        return (u - at_u) * du + (v - at_v) * dv

    places = np.linspace(1e6 / 15000, 1e6 / 1000, _STEPS)
    us, vs = locus(1e6 / places)
    nearest = int(np.argmin((us - u) ** 2 + (vs - v) ** 2))
    low, high = float(places[max(0, nearest - 1)]), float(places[min(_STEPS - 1, nearest + 1)])
    for _ in range(_MOST_TURNS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if beyond(middle) > 0.0 else (middle, high)
    kelvin = 1e6 / (0.5 * (low + high))
    (at_u, at_v), (du, dv) = locus(kelvin), along_locus(kelvin)
    return kelvin, ((u - at_u) * dv - (v - at_v) * du) * TINT_PER_UV


@dataclass(frozen=True)
class Calibration:
    """What a camera measures under one light.

    colour: CIE XYZ to camera. forward: white-balanced light of the reference camera to XYZ under D50, or None.
    to_reference: this camera to the reference camera (the inverse of AnalogBalance times CameraCalibration).
    """

    kelvin: float
    colour: np.ndarray
    forward: np.ndarray | None = None
    to_reference: np.ndarray | None = None


@dataclass(frozen=True)
class Camera:
    """One or two calibrations, from warm light to cool. Between them everything is interpolated in reciprocal kelvin.

    White balance is always three multipliers on camera light: what its photosites see under another light is scaled there,
    not in XYZ. `neutral` is camera light of something white, its green 1.
    """

    calibrations: tuple[Calibration, ...]

    def _share(self, kelvin: float) -> float:
        """Of the cooler calibration."""
        warm, cool = self.calibrations[0].kelvin, self.calibrations[-1].kelvin
        if cool - warm < 1.0:
            return 1.0
        return min(1.0, max(0.0, (1.0 / warm - 1.0 / kelvin) / (1.0 / warm - 1.0 / cool)))

    def _at(self, kelvin: float, part: str) -> np.ndarray:
        one, two = (np.asarray(getattr(entry, part), np.float64) for entry in (self.calibrations[0], self.calibrations[-1]))
        share = self._share(kelvin)
        return one * (1.0 - share) + two * share

    def neutral(self, xy: Chromaticity) -> np.ndarray:
        """Camera light of a white lit by a light of this colour."""
        light = self._at(kelvin_and_tint(xy)[0], "colour") @ white_xyz(xy)
        return np.clip(light / light[1], LEAST_NEUTRAL, 1.0 / LEAST_NEUTRAL)

    def white(self, neutral: np.ndarray) -> Chromaticity | None:
        """The colour of the light under which this is neutral; None where it is none that can be."""
        xy = D50
        for _ in range(_MOST_TURNS):
            xyz = np.linalg.solve(self._at(kelvin_and_tint(xy)[0], "colour"), neutral)
            if not (xyz > 0.0).all():
                return None
            before, xy = xy, xy_of(xyz)
            if math.dist(before, xy) < 1e-7:
                break
        return xy

    def to_xyz(self, neutral: np.ndarray) -> np.ndarray:
        """The matrix from white-balanced camera light to XYZ under D65; camera white (1, 1, 1) is D65, Y = 1."""
        xy = self.white(neutral)
        kelvin = kelvin_and_tint(xy)[0] if xy else UNKNOWN_LIGHT
        if all(entry.forward is not None for entry in self.calibrations):
            return self._forward(kelvin, neutral)
        colour, share = self._at(kelvin, "colour"), self._share(kelvin)
        warm, cool = (daylight(entry.kelvin) for entry in (self.calibrations[0], self.calibrations[-1]))
        lit = (warm[0] + (cool[0] - warm[0]) * share, warm[1] + (cool[1] - warm[1]) * share)
        balanced = colour / (colour @ white_xyz(lit))[:, None]
        return adaptation(lit, D65) @ np.linalg.inv(balanced)

    def _forward(self, kelvin: float, neutral: np.ndarray) -> np.ndarray:
        reference = self._at(kelvin, "to_reference") @ np.diag(neutral)
        balanced = reference / reference.sum(axis=1, keepdims=True)
        forward = self._at(kelvin, "forward")
        forward = forward * (np.array(white_xyz(D50)) / forward.sum(axis=1))[:, None]
        return adaptation(D50, D65) @ forward @ balanced


def adaptation(source: Chromaticity, target: Chromaticity) -> np.ndarray:
    """XYZ under one white to XYZ under another (Bradford)."""
    cones = np.array(BRADFORD)
    scale = (cones @ white_xyz(target)) / (cones @ white_xyz(source))
    return np.linalg.inv(cones) @ np.diag(scale) @ cones

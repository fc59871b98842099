from typing import Annotated

import torch
from torch import Tensor

from ...light.planes import each
from ...light.transfer import ev, srgb_decode, srgb_encode
from ..params import Choice, Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Scalar

Slope = Annotated[Scalar, Slider(-3, 3, soft=(-1.5, 1.5), unit="log2")]

_EV_KNOTS = (-8.0, 2.0, 4)
_ENCODED_KNOTS = (0.0, 1.0 / 6.0, 3)


@operation(reach=POINTWISE)
def curve(
    image: Image,
    slope_1: Slope = 0.0,
    slope_2: Slope = 0.0,
    slope_3: Slope = 0.0,
    slope_4: Slope = 0.0,
    slope_5: Slope = 0.0,
    slope_6: Slope = 0.0,
    axis: Annotated[str, Choice("EV", "encoded")] = "EV",
) -> Image:
    """Bend tones with a curve of six segments, always rising.

    image: the photo to change.
    slope_*: steepness of one segment, darkest first; +1 doubles its contrast, -1 halves it.
    axis: EV divides 8 stops below to 4 above middle grey into segments of 2 EV; encoded divides sRGB black to white.

    A rational quadratic spline through knots at equal steps, per channel; the slope at a knot is the geometric mean of
    its neighbours, the ends go on straight, middle grey (encoded: code 0.5) stays. Since sliders are slopes,
    the curve is monotone, smooth and invertible for all of them. Domain: any finite light; negative light keeps its
    sign. Neutral: the defaults.
    Source: Gregory and Delbourgo (1982), piecewise rational quadratic interpolation to monotonic data.
    """
    slopes = (slope_1, slope_2, slope_3, slope_4, slope_5, slope_6)
    if axis == "EV":
        return each(image, lambda x: x * torch.exp2(_rise(ev(x), slopes, *_EV_KNOTS)))

    def bend(x: Tensor) -> Tensor:
        code = srgb_encode(x)
        return srgb_decode(code + _rise(code, slopes, *_ENCODED_KNOTS))

    return each(image, bend)


def _rise(x: Tensor, slopes: tuple[Scalar, ...], low: float, step: float, fixed: int) -> Tensor:
    """How far the curve lies above the diagonal at x; exactly zero while every slope is zero.

    Knots start at `low`, a `step` apart; the one numbered `fixed` stays.
    """
    gains = [2.0**slope for slope in slopes]
    high = low + step * len(slopes)
    rise = (gains[0] - 1.0) * (x - low).clamp_max(0.0) + (gains[-1] - 1.0) * (x - high).clamp_min(0.0)
    for index, gain in enumerate(gains):
        start = slopes[index] if index == 0 else slopes[index - 1]
        end = slopes[index] if index == len(slopes) - 1 else slopes[index + 1]
        first = 2.0 ** (0.5 * (start - slopes[index]))
        last = 2.0 ** (0.5 * (end - slopes[index]))
        t = ((x - (low + step * index)) * (1.0 / step)).clamp(0.0, 1.0)
        u = t * (1.0 - t)
        risen = (t + (first - 1.0) * u) / (1.0 + (first + last - 2.0) * u)
        rise = rise + step * (gain * risen - t)
        if index < fixed:
            rise = rise - step * (gain - 1.0)
    return rise

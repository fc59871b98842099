import math
from typing import Annotated

import torch

from ...light.planes import join, planes
from ...light.primaries import mix
from ...light.spaces import ROOTS_TO_OKLAB, oklab_roots, oklab_shift
from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Scalar

Turn = Annotated[Scalar, Slider(-60, 60, soft=(-30, 30), unit="degrees")]
Gain = Annotated[Scalar, Slider(-2, 2, soft=(-1, 1), unit="log2")]
Lift = Annotated[Scalar, Slider(-1, 1, soft=(-0.5, 0.5), unit="log2")]

_FIRST_HUE, _BANDS = 25.0, 8
_CENTRES = tuple(math.radians(_FIRST_HUE + 360.0 / _BANDS * band) for band in range(_BANDS))
_WHOLE = 8.0 * math.comb(14, 7) / 2.0**14
_FAINT = 0.03**2


@operation(reach=POINTWISE)
def hue_bands(
    image: Image,
    red_hue: Turn = 0.0,
    red_chroma: Gain = 0.0,
    red_lightness: Lift = 0.0,
    orange_hue: Turn = 0.0,
    orange_chroma: Gain = 0.0,
    orange_lightness: Lift = 0.0,
    yellow_hue: Turn = 0.0,
    yellow_chroma: Gain = 0.0,
    yellow_lightness: Lift = 0.0,
    green_hue: Turn = 0.0,
    green_chroma: Gain = 0.0,
    green_lightness: Lift = 0.0,
    aqua_hue: Turn = 0.0,
    aqua_chroma: Gain = 0.0,
    aqua_lightness: Lift = 0.0,
    blue_hue: Turn = 0.0,
    blue_chroma: Gain = 0.0,
    blue_lightness: Lift = 0.0,
    purple_hue: Turn = 0.0,
    purple_chroma: Gain = 0.0,
    purple_lightness: Lift = 0.0,
    magenta_hue: Turn = 0.0,
    magenta_chroma: Gain = 0.0,
    magenta_lightness: Lift = 0.0,
) -> Image:
    """Turn, strengthen or lighten colours by their hue, in eight bands that blend smoothly.

    image: the photo to change.
    *_hue: turns the hue of this band towards the next one (red to orange) or, below 0, the one before.
    *_chroma: +1 doubles the chroma of this band, -1 halves it.
    *_lightness: +1 doubles the OKLab lightness of this band's colours, -1 halves it; greys are spared.

    Bands are centred 45 degrees apart in OKLab hue from 25 (red) on; band k weighs ((1 + cos(h - h_k)) / 2) ** 7, divided
    by the sum over all bands, which is the same at every hue. Neighbours overlap: alone, a band has 60 % at its centre.
    Grey stays grey and as light as it was. Domain: any finite light.
    Neutral: the defaults.
    """
    turns = (red_hue, orange_hue, yellow_hue, green_hue, aqua_hue, blue_hue, purple_hue, magenta_hue)
    gains = [red_chroma, orange_chroma, yellow_chroma, green_chroma]
    gains += [aqua_chroma, blue_chroma, purple_chroma, magenta_chroma]
    lifts = [red_lightness, orange_lightness, yellow_lightness, green_lightness]
    lifts += [aqua_lightness, blue_lightness, purple_lightness, magenta_lightness]
    roots = oklab_roots(*planes(image))
    lightness, a, b = mix(ROOTS_TO_OKLAB, *roots)
    square = a * a + b * b
    scale = torch.rsqrt(square + 1e-10)
    across, up = a * scale, b * scale

    turn = gain = lift = torch.zeros_like(square)
    for centre, band_turn, band_gain, band_lift in zip(_CENTRES, turns, gains, lifts):
        near = 0.5 + (0.5 * math.cos(centre)) * across + (0.5 * math.sin(centre)) * up
        square_near = near * near
        weight = square_near * square_near * square_near * near * (1.0 / _WHOLE)
        turn, gain, lift = turn + weight * band_turn, gain + weight * band_gain, lift + weight * band_lift

    angle = torch.deg2rad(turn)
    chroma = torch.exp2(gain)
    cosine, sine = chroma * torch.cos(angle) - 1.0, chroma * torch.sin(angle)
    coloured = square / (square + _FAINT)
    brighter = lightness * (torch.exp2(lift * coloured) - 1.0)
    moved = oklab_shift(roots, brighter, a * cosine - b * sine, a * sine + b * cosine)
    return image + join(*moved, like=image)

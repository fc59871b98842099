from typing import Annotated

import torch

from ...light.planes import planes
from ...light.primaries import luminance
from ...light.transfer import ev
from ..params import Slider, Switch
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Mask, Scalar


@operation(reach=POINTWISE)
def luminance_mask(
    image: Image,
    low: Annotated[Scalar, Slider(-14, 8, soft=(-8, 2), unit="EV")] = -3.0,
    high: Annotated[Scalar, Slider(-12, 12, soft=(-4, 6), unit="EV")] = 6.0,
    feather: Annotated[Scalar, Slider(0.05, 4, soft=(0.2, 2), unit="EV", log=True)] = 0.5,
    invert: Annotated[bool, Switch()] = False,
) -> Mask:
    """Select a range of tones.

    image: the photo whose tones count.
    low: darkest tone selected, in EV about middle grey.
    high: brightest tone selected, in EV about middle grey.
    feather: how gradually the selection begins and ends.
    invert: select everything else.

    The product of two logistic steps in EV of luminance, so it is never exactly 0 or 1. Domain: any finite light.
    """
    light = ev(luminance(*planes(image)))
    sharpness = 2.0 / feather
    selected = torch.sigmoid((light - low) * sharpness) * torch.sigmoid((high - light) * sharpness)
    return 1.0 - selected if invert else selected

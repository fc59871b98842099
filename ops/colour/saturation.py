from typing import Annotated

import torch

from ...light.planes import join, planes
from ...light.primaries import mix
from ...light.spaces import ROOTS_TO_OKLAB, oklab_roots, oklab_shift
from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Scalar

_MUTED = 0.12**2


@operation(reach=POINTWISE)
def saturation(
    image: Image,
    amount: Annotated[Scalar, Slider(-8, 2, soft=(-1, 1), unit="log2")] = 0.0,
    vibrance: Annotated[Scalar, Slider(-3, 2, soft=(-1, 1), unit="log2")] = 0.0,
) -> Image:
    """Make colours stronger or weaker at the same lightness and hue.

    image: the photo to change.
    amount: +1 doubles the chroma of every colour, -1 halves it, -8 is black and white to the eye.
    vibrance: the same for muted colours; strong colours are spared.

    OKLab chroma C is multiplied by 2 ** (amount + vibrance / (1 + (C / 0.12) ** 2)). Grey stays grey. Domain: any
    finite light. Neutral: amount = 0, vibrance = 0.
    """
    roots = oklab_roots(*planes(image))
    _, a, b = mix(ROOTS_TO_OKLAB, *roots)
    muted = 1.0 / (1.0 + (a * a + b * b) * (1.0 / _MUTED))
    growth = torch.exp2(amount + vibrance * muted) - 1.0
    return image + join(*oklab_shift(roots, 0.0, a * growth, b * growth), like=image)

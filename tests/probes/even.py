from typing import Annotated, NamedTuple

import torch

from luxgrad.light.planes import planes
from luxgrad.light.primaries import luminance
from luxgrad.ops.composite import part, place
from luxgrad.ops.example import Example
from luxgrad.ops.params import Slider
from luxgrad.ops.reach import COMPOSITE, POINTWISE
from luxgrad.ops.spec import operation
from luxgrad.ops.types import Image, Loss, Mask, Scalar

from .frequencies import frequencies
from .moments import moments


class Even(NamedTuple):
    image: Image
    mean: Loss
    mask: Mask


@part(reach=POINTWISE)
def _towards(image: Image, mean: Loss, amount: Annotated[Scalar, Slider(-1, 1)] = 0.0) -> Image:
    """Towards the mean."""
    return image + amount * (mean - image)


@part(reach=POINTWISE)
def _above(image: Image, mean: Loss) -> Mask:
    """Where light is above the mean, softly."""
    return torch.sigmoid(4.0 * (luminance(*planes(image)) - mean))


@operation(reach=COMPOSITE, example=Example(scales=False))
def even(image: Image, amount: Annotated[Scalar, Slider(-1, 1)] = 0.3) -> Even:
    """Bring a picture nearer to its own mean, and say what that is and where the picture lies above.

    image: the photo to even out.
    amount: how far it goes.
    """
    low, _ = place(frequencies, image)
    mean, _ = place(moments, low)
    return Even(place(_towards, image, mean, amount), mean, place(_above, low, mean))

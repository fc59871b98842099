from typing import Annotated

import torch

from ...light.planes import planes
from ..frame import Frame
from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Scalar


@operation(reach=POINTWISE)
def vignette(
    image: Image,
    frame: Frame,
    amount: Annotated[Scalar, Slider(-4, 4, soft=(-2, 2), unit="EV")] = 0.0,
    size: Annotated[Scalar, Slider(0.2, 3, soft=(0.5, 1.5), log=True)] = 0.9,
    feather: Annotated[Scalar, Slider(0.5, 8, soft=(1, 4), log=True)] = 2.0,
    roundness: Annotated[Scalar, Slider(0, 1)] = 0.5,
) -> Image:
    """Darken or brighten the picture towards its corners.

    image: the photo to change.
    amount: exposure of the corners; below 0 darkens them.
    size: distance from the centre, in half diagonals, at which half of the effect is reached.
    feather: how gradual the change is; smaller is softer.
    roundness: 0 follows the shape of the picture, 1 is a circle.

    The gain in EV is amount s(r) / s(1), s(r) = r**k / (r**k + size**k) with k = 2 feather and r = 1 in the corners.
    Domain: any finite light. Neutral: amount = 0.
    """
    y, x = frame.relative(planes(image)[0])
    y, x = 2.0 * y - 1.0, 2.0 * x - 1.0
    height, width = frame.size
    diagonal = height * height + width * width
    oval = 0.5 * (x * x + y * y)
    circle = (x * x) * (width * width / diagonal) + (y * y) * (height * height / diagonal)
    square = oval + roundness * (circle - oval) + 1e-12
    falloff = torch.exp2(feather * torch.log2(square))
    reach = size ** (2.0 * feather)
    return image * torch.exp2(amount * falloff * (1.0 + reach) / (falloff + reach))

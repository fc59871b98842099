from typing import Annotated, NamedTuple

from torch.nn import functional as F

from luxgrad.light.planes import stack
from luxgrad.ops.example import Example
from luxgrad.ops.params import Slider
from luxgrad.ops.reach import halo
from luxgrad.ops.spec import operation
from luxgrad.ops.types import Image, Scalar


class Frequencies(NamedTuple):
    low: Image
    high: Image


@operation(reach=halo(2), example=Example(scales=False))
def frequencies(image: Image, amount: Annotated[Scalar, Slider(0, 2)] = 1.0) -> Frequencies:
    """Separate a picture into its coarse part and the rest.

    image: the photo to separate.
    amount: how much of the detail counts as detail.
    """
    pixels = stack(image)
    padded = F.pad(pixels, (2, 2, 2, 2), mode="replicate")
    low = F.avg_pool2d(padded, 5, stride=1)
    low = pixels - amount * (pixels - low)
    return Frequencies(low, pixels - low)

import math
from typing import Annotated

import torch
from torch import Tensor

from ...light.histogram import soft_histogram
from ...light.planes import planes
from ...light.primaries import luminance
from ...light.transfer import MIDDLE_GREY, ev
from ..params import Slider
from ..reach import reducer
from ..spec import operation
from ..types import Image, Percentiles, Scalar, in_type_of

_LOWEST, _HIGHEST, _BINS = -14.0, 10.0, 384
_STEP = (_HIGHEST - _LOWEST) / _BINS
_EMPTY = 1e-9


def _contribute(image: Image) -> Tensor:
    light = ev(luminance(*planes(image)), floor=_LOWEST)
    return soft_histogram(light, _LOWEST, _HIGHEST, _BINS)


def _finish(total: Tensor, low: Scalar, middle: Scalar, high: Scalar) -> Percentiles:
    mass = total / total.sum(1, keepdim=True) + _EMPTY
    mass = mass / mass.sum(1, keepdim=True)
    below = torch.nn.functional.pad(mass.cumsum(1), (1, 0))
    return Percentiles(*(_quantile(mass, below, percent) for percent in (low, middle, high)))


def _quantile(mass: Tensor, below: Tensor, percent: Scalar) -> Tensor:
    share = torch.as_tensor(percent, dtype=mass.dtype, device=mass.device).reshape(-1, 1).expand(len(mass), 1) * 0.01
    cell = (torch.searchsorted(below.detach(), share.detach().contiguous(), right=True) - 1).clamp(0, _BINS - 1)
    inside = (share - below.gather(1, cell)) / mass.gather(1, cell)
    stops = _LOWEST + (cell + inside) * _STEP
    return (math.log2(MIDDLE_GREY) + stops).exp2().reshape(-1, 1, 1, 1)


@operation(reach=reducer(_contribute, _finish))
def percentiles(
    image: Image,
    low: Annotated[Scalar, Slider(0.01, 20, soft=(0.1, 5), unit="%", log=True)] = 0.5,
    middle: Annotated[Scalar, Slider(20, 80, soft=(40, 60), unit="%")] = 50.0,
    high: Annotated[Scalar, Slider(80, 99.99, soft=(95, 99.9), unit="%")] = 99.5,
) -> Percentiles:
    """Measure how dark the dark parts of a picture are, how bright the bright ones, and its middle tone.

    image: the photo to measure.
    low: this share of the picture is darker than its dark end.
    middle: this share of the picture is darker than its middle tone.
    high: this share of the picture is darker than its bright end.

    Luminance in EV from 14 below to 10 above middle grey, in a soft histogram of 1/16 EV bins; the inverse of its
    running sum gives smooth gradients to every pixel, which sorting does not. Domain: any finite light.
    """
    return in_type_of(image, _finish(_contribute(image), low, middle, high))

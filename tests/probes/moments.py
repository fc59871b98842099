from typing import NamedTuple

import torch
from torch import Tensor

from luxgrad.light.planes import planes
from luxgrad.light.primaries import luminance
from luxgrad.light.rectangle import Size
from luxgrad.ops.frame import Frame
from luxgrad.ops.reach import reducer
from luxgrad.ops.spec import operation
from luxgrad.ops.types import Image, Loss


class Spread(NamedTuple):
    mean: Loss
    square: Loss


def _sums(image: Image, frame: Frame) -> Tensor:
    light = frame.counted(luminance(*planes(image)))
    return torch.stack([light.sum((1, 2, 3)), light.square().sum((1, 2, 3))], dim=1)


def _moments(total: Tensor, size: Size) -> Spread:
    return Spread(*((total[:, i] / size.pixels).view(-1, 1, 1, 1) for i in range(2)))


@operation(reach=reducer(_sums, _moments))
def moments(image: Image, frame: Frame) -> Spread:
    """Measure mean and mean square of the light.

    image: the photo to measure.
    """
    return _moments(_sums(image, frame), frame.size)

from typing import Annotated

import torch
from torch import Tensor

from ...light.planes import stack
from ...light.rectangle import Region, Size
from ..example import Example
from ..frame import Frame
from ..params import Count
from ..reach import geometry
from ..spec import operation
from ..types import Image

_SUPPORT = 2.0


def _size(in_size: Size, long_edge: float) -> Size:
    return in_size.scaled(long_edge / in_size.long_edge) if long_edge else in_size


def _region(out: Region, in_size: Size, out_size: Size) -> Region:
    down, across = in_size.height / out_size.height, in_size.width / out_size.width
    return Region.around(
        (out.top + out.height / 2) * down,
        (out.left + out.width / 2) * across,
        out.height / 2 * down + _SUPPORT * max(1.0, down) + 1,
        out.width / 2 * across + _SUPPORT * max(1.0, across) + 1,
        in_size,
    )


@operation(reach=geometry(_region, _size), example=Example(values={"long_edge": 17}))
def resize(
    image: Image,
    frame: Frame,
    long_edge: Annotated[int, Count(0, 30000, unit="px")] = 0,
) -> Image:
    """Make the picture smaller or larger.

    image: the photo to resize.
    long_edge: length of the longer edge of the result; 0 keeps the size.

    Cubic convolution (Keys 1981, a = -0.5) in linear light; made smaller, the kernel is stretched so that nothing
    aliases. Domain: any finite light. Neutral: long_edge = 0.
    """
    pixels, source = stack(image), frame.input
    assert source is not None
    (new_y, new_x), (old_y, old_x) = frame.coords(pixels), source.coords(pixels)
    down = _weights(new_y, old_y, source.size.height / frame.size.height)
    across = _weights(new_x.transpose(2, 3), old_x.transpose(2, 3), source.size.width / frame.size.width)
    return down @ (pixels @ across.transpose(2, 3))


def _weights(new: Tensor, old: Tensor, ratio: float) -> Tensor:
    """(B, 1, new, old) share of each old row in each new one."""
    distance = (old.transpose(2, 3) - new * ratio) / max(1.0, ratio)
    weights = _keys(distance.abs())
    return weights / weights.sum(3, keepdim=True)


def _keys(d: Tensor) -> Tensor:
    near = (1.5 * d - 2.5) * d * d + 1.0
    far = ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0
    return torch.where(d < 1.0, near, torch.where(d < _SUPPORT, far, torch.zeros_like(d)))

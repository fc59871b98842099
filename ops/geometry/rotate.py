import math
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ...light.planes import stack
from ...light.rectangle import Region, Size
from ..frame import Frame
from ..params import Slider, Switch
from ..reach import Interval, geometry
from ..spec import operation
from ..types import Image, Scalar

_TAPS = 3


def _size(in_size: Size) -> Size:
    return in_size


def _zoom(cosine, sine, size: Size, fill: bool):
    """How much a rotated picture is enlarged so that no corner of the canvas stays empty."""
    return cosine + abs(sine) * (size.long_edge / min(size)) if fill else 1.0


def _region(out: Region, in_size: Size, out_size: Size, angle: Interval, fill: bool) -> Region:
    if angle.low != angle.high:
        return Region.whole(in_size) if not out.many else out.grown(in_size.long_edge, in_size)
    turn = math.radians(angle.low)
    cosine, sine = math.cos(turn), math.sin(turn)
    zoom = _zoom(cosine, sine, in_size, fill)
    across, down = out.width / 2, out.height / 2
    x, y = out.left + across - in_size.width / 2, out.top + down - in_size.height / 2
    middle_x = (cosine * x + sine * y) / zoom + in_size.width / 2
    middle_y = (cosine * y - sine * x) / zoom + in_size.height / 2
    half_width = (abs(cosine) * across + abs(sine) * down) / zoom + _TAPS
    half_height = (abs(cosine) * down + abs(sine) * across) / zoom + _TAPS
    return Region.around(middle_y, middle_x, half_height, half_width, in_size)


@operation(reach=geometry(_region, _size))
def rotate(
    image: Image,
    frame: Frame,
    angle: Annotated[Scalar, Slider(-45, 45, soft=(-10, 10), unit="degrees")] = 0.0,
    fill: Annotated[bool, Switch()] = True,
) -> Image:
    """Turn the picture about its centre; the canvas keeps its size.

    image: the photo to turn.
    angle: above 0 turns clockwise.
    fill: enlarge the turned picture until no corner is empty; otherwise the edge is continued.

    Bicubic convolution (Keys 1981, a = -0.75). Domain: any finite light. Neutral: angle = 0.
    """
    pixels, source = stack(image), frame.input
    assert source is not None
    turn = torch.deg2rad(torch.as_tensor(angle, dtype=torch.float64, device=pixels.device))
    cosine, sine = torch.cos(turn), torch.sin(turn)
    zoom = _zoom(cosine, sine, frame.size, fill)
    y, x = frame.coords(turn)
    y, x = y - frame.size.height / 2, x - frame.size.width / 2
    from_x = (cosine * x + sine * y) / zoom + source.size.width / 2
    from_y = (cosine * y - sine * x) / zoom + source.size.height / 2
    grid = torch.cat([_places(from_x, source.region.left, source.region.width),
                      _places(from_y, source.region.top, source.region.height)], dim=1)  # fmt: skip
    grid = grid.to(pixels.dtype).permute(0, 2, 3, 1).expand(len(pixels), -1, -1, -1)
    return grid_sample(pixels, grid, mode="bicubic", padding_mode="border", align_corners=False)


def _places(coordinate: Tensor, start: int | Tensor, length: int) -> Tensor:
    """A coordinate in px of the picture as a place in the pixels at hand, -1 to 1."""
    start = start.to(coordinate.device).view(-1, 1, 1, 1) if isinstance(start, Tensor) else start
    return (coordinate - start) * (2.0 / length) - 1.0

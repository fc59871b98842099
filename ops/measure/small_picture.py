from typing import Annotated

import torch
from torch import Tensor

from ...light.planes import stack
from ...light.rectangle import Region, Size
from ..frame import Frame
from ..params import Count
from ..reach import reducer
from ..resampling import bilinear
from ..spec import operation
from ..types import Image, SmallPicture, in_type_of


def read(small: SmallPicture, frame: Frame) -> Tensor:
    """A small picture at the pixels of a frame, (B,3,H,W), between its pixels bilinear."""
    size = Size(*small.pixels.shape[-2:])
    return bilinear(small.pixels, Region.whole(size), size, frame.region, frame.size)


def _shares(start: Tensor, edge: int, cells: int) -> Tensor:
    """(..., cells, pixels) share of each pixel, by where it starts, in the mean of each cell along an edge."""
    width = edge / cells
    first = torch.arange(cells, device=start.device, dtype=torch.float64)[:, None] * width
    start = start.unsqueeze(-2).double()
    return ((start + 1.0).minimum(first + width) - start.maximum(first)).clamp_min(0.0) / width


def _contribute(image: Image, frame: Frame, long_edge: int) -> Tensor:
    pixels = frame.counted(stack(image))
    held = frame.core or frame.region
    rows, columns = frame.full.scaled(min(1.0, long_edge / frame.full.long_edge))
    down = _shares(held.rows(pixels.device)[..., 0], frame.size.height, rows).to(pixels.dtype)
    across = _shares(held.columns(pixels.device)[..., 0, :], frame.size.width, columns).to(pixels.dtype)
    if down.ndim == 3:
        down, across = down[:, None], across[:, None]
    return down @ (pixels @ across.transpose(-1, -2))


def _finish(total: Tensor) -> SmallPicture:
    return SmallPicture(total)


@operation(reach=reducer(_contribute, _finish))
def small_picture(
    image: Image,
    frame: Frame,
    long_edge: Annotated[int, Count(8, 4096, unit="px")] = 256,
) -> SmallPicture:
    """Measure the whole picture as a small one, for networks, diagnosis and critics.

    image: the photo to measure.
    long_edge: of the small picture; a photo that is smaller keeps its size.

    Each pixel is the mean light of its area. Domain: any finite light.
    """
    return in_type_of(image, _finish(_contribute(image, frame, long_edge)))

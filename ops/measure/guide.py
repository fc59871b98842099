from typing import Annotated

import torch
from torch import Tensor

from ...light.planes import planes
from ...light.primaries import luminance
from ...light.rectangle import Size
from ...light.transfer import ev
from ..frame import Frame
from ..params import Slider
from ..reach import reducer
from ..spec import operation
from ..types import Guide, Image, Scalar, in_type_of

EV_FLOOR = -10.0
_CELLS = 128
_UNKNOWN = 1e-9


def _grid(size: Size) -> tuple[int, int]:
    """Rows and columns of the guide: square cells, 128 along the long edge of any picture."""
    return tuple(max(2, round(_CELLS * edge / size.long_edge)) for edge in size)  # type: ignore[return-value]


def _hats(centres: Tensor, cells: int) -> Tensor:
    """(..., cells) share of each cell at places given as a share of the edge; two neighbours share a place."""
    position = (centres * cells - 0.5).clamp(0.0, cells - 1.0)
    index = torch.arange(cells, device=centres.device, dtype=centres.dtype)
    return (1.0 - (position.unsqueeze(-1) - index).abs()).clamp_min(0.0)


def spread(guide: Guide, frame: Frame, like: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and offset of the base at the pixels of a frame (B1HW), interpolated between cells."""
    y, x = frame.relative(like)
    rows, columns = guide.slope.shape[-2:]
    down, across = _hats(y.flatten(1), rows), _hats(x.flatten(1), columns).transpose(1, 2)
    return tuple((down @ (grid @ across)).unsqueeze(1) for grid in guide)  # type: ignore[return-value]


def _contribute(image: Image, frame: Frame) -> Tensor:
    light = ev(luminance(*planes(image)), floor=EV_FLOOR)[:, 0].double()
    y, x = frame.relative(light)
    rows, columns = _grid(frame.full)
    down, across = _hats(y.flatten(1), rows).transpose(1, 2), _hats(x.flatten(1), columns)
    count = down.sum(2, keepdim=True) * across.sum(1, keepdim=True)
    sums = [down @ (plane @ across) for plane in (light, light * light)]
    return torch.stack([count.expand_as(sums[0]), *sums], dim=1)


def _blurring(cells: int, deviation: Tensor) -> Tensor:
    """(B, cells, cells) Gaussian weights between cells, not normalised: the sums they blur are divided by the count."""
    index = torch.arange(cells, device=deviation.device, dtype=deviation.dtype)
    distance = index[:, None] - index[None]
    return torch.exp(-0.5 * distance * distance / (deviation * deviation).reshape(-1, 1, 1))


def _finish(total: Tensor, radius: Scalar, edge: Scalar) -> Guide:
    """Cells that no pixel is near (of pictures smaller than the grid) count for nothing."""
    rows, columns = total.shape[-2:]
    deviation = torch.as_tensor(radius, dtype=total.dtype, device=total.device) * (max(rows, columns) / 100.0)
    down, across = _blurring(rows, deviation), _blurring(columns, deviation)

    def blur(grid: Tensor) -> Tensor:
        return down @ grid @ across

    pixels = total[:, 0].mean((1, 2), keepdim=True)
    count, light, square = (blur(plane) for plane in total.unbind(1))
    known = count / (count + _UNKNOWN * pixels)
    mean = light / (count + _UNKNOWN * pixels)
    variance = (square / (count + _UNKNOWN * pixels) - mean * mean).clamp_min(0.0)
    strength = variance * variance
    slope = strength / (strength + torch.as_tensor(edge, device=total.device).reshape(-1, 1, 1) ** 4)
    down, across = _blurring(rows, 0.5 * deviation), _blurring(columns, 0.5 * deviation)
    weight = blur(known) + 1e-30
    return Guide(blur(slope * known) / weight, blur((1.0 - slope) * mean * known) / weight)


@operation(reach=reducer(_contribute, _finish))
def guide(
    image: Image,
    frame: Frame,
    radius: Annotated[Scalar, Slider(0.5, 10, soft=(1, 5), unit="% of the long edge", log=True)] = 1.5,
    edge: Annotated[Scalar, Slider(0.05, 2, soft=(0.08, 0.8), unit="EV", log=True)] = 0.25,
) -> Guide:
    """Measure the large shapes of a picture: a coarse base that keeps strong edges.

    image: the photo to measure.
    radius: size of the areas whose contrast counts as local.
    edge: a spread of tones within such an area above this counts as an edge and is kept.

    On a grid of 128 cells along the long edge: mean and variance v of log luminance, and per cell the guided filter's
    slope v ** 2 / (v ** 2 + edge ** 4), steeper than the usual v / (v + edge ** 2), so that edges are kept fully; slopes
    and offsets are then averaged over half of the radius, so that an edge does not feel the far side.
    Domain: any finite light; 10 EV below middle grey counts as black.
    """
    return in_type_of(image, _finish(_contribute(image, frame), radius, edge))

import math
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import pad

from ...light.planes import planes
from ...light.primaries import luminance
from ...light.transfer import ev
from ..frame import Frame
from ..params import Slider
from ..reach import Interval, halo
from ..spec import operation
from ..types import Image, Scalar

_REACH = math.sqrt(11.0)
_SHADOW_FLOOR = -8.0


def _margin(radius: Interval, scale: float) -> int:
    return max(1, math.ceil(_REACH * radius.high * scale) - 1)


@operation(reach=halo(_margin))
def sharpen(
    image: Image,
    frame: Frame,
    amount: Annotated[Scalar, Slider(-1, 4, soft=(0, 2))] = 0.0,
    radius: Annotated[Scalar, Slider(0.5, 3, soft=(0.6, 2), unit="px", log=True)] = 1.0,
    threshold: Annotated[Scalar, Slider(0.001, 0.5, soft=(0.005, 0.2), unit="EV", log=True)] = 0.02,
) -> Image:
    """Bring out fine detail by raising the difference of each pixel from its neighbourhood.

    image: the photo to change.
    amount: how much of the detail is added again; below 0 softens.
    radius: size of the detail, the standard deviation of the neighbourhood.
    threshold: detail fainter than this is spared, so that noise is not raised.

    Unsharp mask on log luminance; light is multiplied, so colours keep their ratios and never turn negative. The
    neighbourhood is the compact bell (1 - (d / R) ** 2) ** 4 with R = sqrt(11) radius, which has the standard deviation
    `radius` and ends exactly at R. Below 8 EV under middle grey detail fades out. Domain: any finite light.
    Neutral: amount = 0.
    """
    light = ev(luminance(*planes(image)), floor=_SHADOW_FLOOR)
    reach = _REACH * radius * frame.scale
    detail = light - _blur(light, reach, frame.halo)
    square = detail * detail
    detail = detail * square / (square + threshold * threshold)
    return image * torch.exp2(amount * detail)


def _blur(plane: Tensor, reach: Scalar, taps: int) -> Tensor:
    weights = [_bell(k / reach) for k in range(1, taps + 1)]
    scale = 1.0 / (1.0 + 2.0 * sum(weights))
    padded = pad(plane, (taps, taps, taps, taps), mode="replicate")
    for axis in (2, 3):
        length = padded.shape[axis] - 2 * taps
        total = padded.narrow(axis, taps, length)
        for k, weight in enumerate(weights, start=1):
            pair = padded.narrow(axis, taps - k, length) + padded.narrow(axis, taps + k, length)
            total = total + weight * pair
        padded = total * scale
    return padded


def _bell(share: Scalar) -> Tensor:
    share = share if isinstance(share, Tensor) else torch.tensor(share, dtype=torch.float64)
    return (1.0 - share * share).clamp_min(0.0) ** 4

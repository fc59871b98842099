from typing import Annotated

import torch
from torch import Tensor

from ...light.planes import each
from ...light.transfer import MIDDLE_GREY
from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Scalar

_TINY = 1e-6


@operation(reach=POINTWISE, display_transform=True)
def sigmoid(
    image: Image,
    contrast: Annotated[Scalar, Slider(0.5, 6, soft=(0.8, 3), log=True)] = 1.5,
    skew: Annotated[Scalar, Slider(-1.5, 1.5, soft=(-1, 1), unit="log2")] = 0.0,
    grey: Annotated[Scalar, Slider(-6, 6, soft=(-2, 2), unit="EV")] = 0.0,
) -> Image:
    """Render scene light for a display: an S-curve from black to white that never clips.

    image: scene light, such as a raw file or an EXR.
    contrast: slope at middle grey, on logarithmic axes.
    skew: more than 0 gives a longer toe and a shorter shoulder, less than 0 the other way round.
    grey: exposure before the curve; at +1 light one stop darker becomes middle grey.

    Each channel x becomes (u / (u + k)) ** p with u = (x / 0.18) ** a; a, k and p follow from the sliders so that
    middle grey stays 0.18 with the slope asked for. Black stays 0, white is approached and never passed. Domain: any
    finite light; negative light keeps its sign. Neutral: none.
    Source: the log-logistic (Naka-Rushton) response, generalised by a power as in darktable's sigmoid module.
    """
    power = 2.0**skew
    at_grey = MIDDLE_GREY ** (1.0 / power)
    steepness = contrast / (power * (1.0 - at_grey))
    gain = 2.0**grey / MIDDLE_GREY
    half = _log(1.0 / at_grey - 1.0)

    def render(x: Tensor) -> Tensor:
        scaled = x * gain
        square = scaled * scaled + _TINY
        logit = 0.5 * steepness * torch.log(square) - half
        return scaled * torch.rsqrt(square) * torch.exp(power * torch.nn.functional.logsigmoid(logit))

    return each(image, render)


def _log(x: Scalar) -> Tensor:
    return torch.log(torch.as_tensor(x))

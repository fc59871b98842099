import math
from typing import Annotated

import torch
from torch import Tensor, nn

from ...light.planes import join, planes
from ...light.transfer import MIDDLE_GREY, odd_power
from ..example import Example
from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Metadata, Network, Percentiles, Scalar, weights

EV_RANGE = (-12.0, 8.0)
CODE_POWER = 2.2


def features(r: Tensor, g: Tensor, b: Tensor, contrast: Scalar, skew: Scalar, grey: Scalar) -> Tensor:
    """What the network sees: (B, 6, H, W), each about -1..1: light in EV per channel, then the three sliders."""
    middle, half = 0.5 * sum(EV_RANGE), 0.5 * (EV_RANGE[1] - EV_RANGE[0])
    scaled = (torch.log2(plane.clamp_min(MIDDLE_GREY * 2.0 ** EV_RANGE[0]) / MIDDLE_GREY) for plane in (r, g, b))
    light = [((stops - middle) / half).clamp_max(1.0) for stops in scaled]
    sliders = [torch.log2(torch.as_tensor(contrast)) - 0.6, torch.as_tensor(skew), torch.as_tensor(grey) * 0.5]
    return torch.cat([*light, *(slider.to(r).expand_as(light[0]) for slider in sliders)], dim=1)


def _tiny() -> dict[str, Network]:
    return {"network": Network(nn.Sequential(nn.Conv2d(6, 8, 1), nn.SiLU(), nn.Conv2d(8, 3, 1)))}


@operation(reach=POINTWISE, display_transform=True, example=Example(sockets=_tiny))
def sigmoid(
    image: Image,
    network: Annotated[Network, weights("sigmoid_proxy")],
    percentiles: Percentiles,
    metadata: Metadata,
    contrast: Annotated[Scalar, Slider(0.8, 3, log=True)] = 1.5,
    skew: Annotated[Scalar, Slider(-1, 1, unit="log2")] = 0.0,
    adapt: Annotated[Scalar, Slider(0, 1)] = 0.0,
) -> Image:
    """Render scene light for a display with a network that learned our own sigmoid: a proxy whose truth is known.

    image: scene light, such as a raw file or an EXR.
    network: the weights; sigmoid_proxy unless wired.
    percentiles: where the photo's middle tone lies; measured from the photo itself unless wired.
    contrast: slope at middle grey, on logarithmic axes.
    skew: more than 0 gives a longer toe and a shorter shoulder, less than 0 the other way round.
    adapt: how far the photo's middle tone moves to middle grey, 1 all the way.

    A multilayer perceptron of 9,347 weights per pixel, as in Neural Photo-Finishing (2022): light, sliders, metadata
    (the camera's BaselineExposure, in EV) and statistics go in, rendered light comes out. It was trained from 12 EV
    below to 8 above middle grey and to 2 EV of exposure; beyond, its input stays at that bound. Domain: any finite
    light; light at or below 0 is taken as the darkest known. Neutral: none.
    """
    grey = metadata.number("BaselineExposure", 0.0) + adapt * (math.log2(MIDDLE_GREY) - torch.log2(percentiles.middle))
    grey = 2.0 * torch.tanh(0.5 * torch.as_tensor(grey))
    codes = network(features(*planes(image), contrast, skew, grey))
    r, g, b = (odd_power(codes[:, channel : channel + 1], CODE_POWER) for channel in range(3))
    return join(r, g, b, like=image)

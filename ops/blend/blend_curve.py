from typing import Annotated

import torch

from ..params import Slider
from ..reach import Arithmetic
from ..spec import operation
from ..types import BlendCurve, Scalar


@operation(reach=Arithmetic())
def blend_curve(
    j0: Annotated[Scalar, Slider(-4, 4, soft=(-2, 2))] = 1.0,
    j1: Annotated[Scalar, Slider(-4, 4, soft=(-2, 2))] = 0.0,
    j2: Annotated[Scalar, Slider(-4, 4, soft=(-2, 2))] = 0.0,
    k0: Annotated[Scalar, Slider(-1, 1)] = 0.0,
    k1: Annotated[Scalar, Slider(-4, 4, soft=(-2, 2))] = 1.0,
    k2: Annotated[Scalar, Slider(-4, 4, soft=(-2, 2))] = 0.0,
) -> BlendCurve:
    """Say how a layer blends with a photo: six coefficients that the blend and its inverse share.

    j0: how much of the layer is added everywhere.
    j1: how much more, in proportion to the photo's codes.
    j2: how much more, in proportion to the square of the photo's codes.
    k0: what is added without a layer.
    k1: how much of the photo itself stays.
    k2: how much of the square of the photo's codes is added.

    result = (j0 + j1 I + j2 I^2) layer + k0 + k1 I + k2 I^2 with the photo's codes I. The defaults add the layer. Soft light
    as Pegtop has it is j = (0, 2, -2), k = (0, 0, 1), where a layer of 0.5 changes nothing; multiplying is j1 = 1, all
    others 0. Source: Lei et al., ABPN (CVPR 2022), equation of the adaptive blend module.
    """
    return BlendCurve(*(torch.as_tensor(value) for value in (j0, j1, j2, k0, k1, k2)))

import torch
from torch import Tensor

from ...light.planes import join, planes
from ...light.transfer import srgb_encode
from ..example import Example
from ..reach import POINTWISE
from ..spec import operation
from ..types import BlendCurve, Image, in_type_of
from .adaptive_blend import factors
from .blend_curve import blend_curve

LEAST = 0.1
"""Below this a divisor is limited."""


def limited_inverse(x: Tensor) -> Tensor:
    """1 / x where |x| is at least 0.1; below, the odd cubic that goes on smoothly through 0 and never exceeds 10.9."""
    safe = torch.where(x.abs() < LEAST, torch.full_like(x, LEAST), x)
    share = x / LEAST
    return torch.where(x.abs() < LEAST, share * (2.0 - share * share) / LEAST, 1.0 / safe)


@operation(reach=POINTWISE, example=Example(sockets=lambda: {"curve": blend_curve()}, kinks=(1.0,)))
def reverse_blend(image: Image, result: Image, curve: BlendCurve) -> Image:
    """Find the layer that turns a photo into a result: the inverse of Adaptive blend.

    image: the photo before.
    result: what the photo shall become, of the same size.
    curve: the six coefficients, from Blend curve; the same as for the blend.

    (result - k(I)) / j(I) on sRGB codes I of each channel. Where |j(I)| is at least 0.1 this is the exact inverse; below, the
    divisor is limited smoothly, so that nothing is infinite for any curve. Domain: any finite light.
    Source: Lei et al., ABPN (CVPR 2022), reverse adaptive blend module.
    """
    known = in_type_of(image, curve)
    layers: list[Tensor] = []
    for plane, wanted in zip(planes(image), planes(result)):
        j, k, gain = factors(srgb_encode(plane), known)
        layers.append((srgb_encode(wanted) / gain - k) * limited_inverse(j))
    red, green, blue = layers
    return join(red, green, blue, like=image)

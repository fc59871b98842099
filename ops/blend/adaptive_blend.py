from torch import Tensor

from ...light.planes import join, planes
from ...light.transfer import srgb_decode, srgb_encode
from ..example import Example
from ..reach import POINTWISE
from ..spec import operation
from ..types import BlendCurve, Image, in_type_of
from .blend_curve import blend_curve


def factors(codes: Tensor, curve: BlendCurve) -> tuple[Tensor, Tensor, Tensor]:
    """Of sRGB codes: j(I) and k(I), and the gain by which light above white goes beyond what is blended at white."""
    seen = codes.clamp_max(1.0)
    j = curve.j0 + seen * (curve.j1 + seen * curve.j2)
    k = curve.k0 + seen * (curve.k1 + seen * curve.k2)
    return j, k, codes.clamp_min(1.0)


@operation(reach=POINTWISE, example=Example(sockets=lambda: {"curve": blend_curve()}, kinks=(1.0,)))
def adaptive_blend(image: Image, layer: Image, curve: BlendCurve) -> Image:
    """Blend a layer into a photo by a curve of its own: how local retouching is applied.

    image: the photo to blend into.
    layer: what is blended in; plain numbers, of which the curve says what they do.
    curve: the six coefficients, from Blend curve.

    On sRGB codes I of each channel: j(I) layer + k(I). Above white the result at white is multiplied, so that highlights
    survive. Domain: any finite light. Source: Lei et al., ABPN (CVPR 2022), adaptive blend module.
    """
    known = in_type_of(image, curve)
    blended: list[Tensor] = []
    for plane, added in zip(planes(image), planes(layer)):
        j, k, gain = factors(srgb_encode(plane), known)
        blended.append(srgb_decode((j * added + k) * gain))
    red, green, blue = blended
    return join(red, green, blue, like=image)

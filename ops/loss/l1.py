from typing import Annotated

from torch import Tensor

from ...light.rectangle import Size
from ..params import Choice
from ..reach import reducer
from ..spec import operation
from ..types import Image, Loss, in_type_of
from .per_pixel import AXES, added, mean, on_axis


def _contribute(image: Image, target: Image, axis: str) -> Tensor:
    pairs = zip(on_axis(image, axis), on_axis(target, axis))
    return added(*((mine - theirs).abs() for mine, theirs in pairs))


@operation(reach=reducer(_contribute, mean))
def l1(image: Image, target: Image, axis: Annotated[str, Choice(*AXES)] = "encoded") -> Loss:
    """Mean absolute difference from a target photo.

    image: the photo being fitted.
    target: what it should look like, of the same size.
    axis: encoded compares sRGB codes, as a viewer and PSNR do; linear compares light.

    Mean over pixels and channels. Domain: any finite light. The gradient is 0 where both agree.
    """
    return in_type_of(image, mean(_contribute(image, target, axis), Size(*image.shape[-2:])))

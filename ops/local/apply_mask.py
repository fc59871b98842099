from typing import Annotated

from ..params import Slider
from ..reach import through
from ..spec import operation
from ..types import Image, Mask, Scalar


@operation(reach=through("mask", masked="after"))
def apply_mask(
    before: Image,
    after: Image,
    mask: Mask,
    opacity: Annotated[Scalar, Slider(0, 1)] = 1.0,
) -> Image:
    """Keep a change only where a mask selects: any part of a graph made local.

    before: the photo without the change.
    after: the photo with the change.
    mask: where the change shows, 1 fully.
    opacity: how much of it shows there.

    Linear light is mixed. Where the mask is 0 the photo stays as it is, to the bit, and the change is not even computed.
    Domain: any finite light. Neutral: opacity = 0.
    """
    return before + opacity * mask * (after - before)

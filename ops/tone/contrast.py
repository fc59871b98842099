from typing import Annotated

import torch

from ...light.planes import each
from ...light.transfer import MIDDLE_GREY, ev
from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Scalar

_GREY = float(ev(torch.tensor(MIDDLE_GREY, dtype=torch.float64)))


@operation(reach=POINTWISE)
def contrast(image: Image, amount: Annotated[Scalar, Slider(-2, 2, soft=(-1, 1), unit="log2")] = 0.0) -> Image:
    """Spread tones apart from middle grey, or draw them towards it.

    image: the photo to change.
    amount: +1 doubles the slope of tones about middle grey, -1 halves it.

    Each channel x becomes 0.18 (x / 0.18) ** (2 ** amount), continued as an odd function through black with a finite
    slope from 14 EV below middle grey on; 0.18 itself stays. Domain: any finite light. Neutral: amount = 0.
    """
    slope = 2.0**amount
    return each(image, lambda x: x * torch.exp2((slope - 1.0) * (ev(x) - _GREY)))

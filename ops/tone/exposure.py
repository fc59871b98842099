from typing import Annotated

from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Scalar


@operation(reach=POINTWISE)
def exposure(image: Image, stops: Annotated[Scalar, Slider(-8, 8, soft=(-3, 3), unit="EV")] = 0.0) -> Image:
    """Scale light by a power of two.

    image: the photo to brighten or darken.
    stops: photographic stops; +1 doubles the light.

    Domain: any finite light; negative light keeps its sign. Neutral: stops = 0.
    """
    return image * 2.0**stops

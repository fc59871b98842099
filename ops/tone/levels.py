from typing import Annotated

from ...light.planes import each
from ...light.transfer import odd_power
from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Percentiles, Scalar

Share = Annotated[Scalar, Slider(-1, 1, soft=(0, 1))]


@operation(reach=POINTWISE)
def levels(
    image: Image,
    percentiles: Percentiles,
    black: Share = 0.0,
    white: Share = 0.0,
    middle: Annotated[Scalar, Slider(-2, 2, soft=(-1, 1), unit="log2")] = 0.0,
) -> Image:
    """Stretch tones so that the darkest parts meet black and the brightest meet white.

    image: the photo to change.
    percentiles: where its dark and bright ends lie; measured from the photo itself unless wired.
    black: how far the dark end moves to black, 1 all the way.
    white: how far the bright end moves to white, 1 all the way.
    middle: brightens (above 0) or darkens the tones between, by a power that keeps black and white.

    Linear light is scaled by high ** -white, then a toe of black * low / (1 + low) is taken away and white put back, so
    that the map always rises. Domain: any finite light; negative light keeps its sign in the power.
    Neutral: black = 0, white = 0, middle = 0.
    """
    gain = percentiles.high ** (-1.0 * white)
    low = percentiles.low * gain
    toe = black * low / (1.0 + low)
    stretched = (image * gain - toe) / (1.0 - toe)
    power = 2.0 ** (-1.0 * middle)
    return each(stretched, lambda x: odd_power(x, power, floor=1e-4))

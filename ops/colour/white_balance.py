from typing import Annotated

from ...light.adaptation import CONES_TO_REC2020, REC2020_TO_CONES, illuminant_cones
from ...light.planes import join, planes
from ...light.primaries import mix
from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Scalar

DAYLIGHT = 6500.0


@operation(reach=POINTWISE)
def white_balance(
    image: Image,
    kelvin: Annotated[Scalar, Slider(2000, 15000, soft=(3000, 14000), unit="K", log=True)] = DAYLIGHT,
    tint: Annotated[Scalar, Slider(-150, 150, soft=(-100, 100))] = 0.0,
) -> Image:
    """Undo the colour of the light that fell on the scene.

    image: the photo to change.
    kelvin: colour temperature of that light; more kelvin gives a warmer picture.
    tint: above 0 makes the picture more magenta, below 0 greener; 3000 times the distance from the black body locus.

    Chromatic adaptation in CAT16 from the light of these settings to that of 6500 K, tint 0; exactly neutral there.
    Colours off the locus are meant by tint; far from it the temperature says little. Domain: any finite light.
    Neutral: kelvin = 6500, tint = 0.
    Source: CAT16, Li et al. (2017); black body locus, Krystek (1985).
    """
    r, g, b = planes(image)
    cones = mix(REC2020_TO_CONES, r, g, b)
    target, source = illuminant_cones(DAYLIGHT, 0.0), illuminant_cones(kelvin, tint)
    moves = (cone * (wanted / given - 1.0) for cone, wanted, given in zip(cones, target, source))
    return image + join(*mix(CONES_TO_REC2020, *moves), like=image)

from typing import NamedTuple

from ..composite import part, place
from ..frame import Frame
from ..pyramid import enlarged, halved
from ..reach import COMPOSITE, POINTWISE
from ..spec import operation
from ..types import Image


class Level(NamedTuple):
    high: Image
    smaller: Image


@part(reach=POINTWISE)
def _difference(image: Image, coarse: Image) -> Image:
    """What a picture has and its coarse version has not."""
    return image - coarse


@operation(reach=COMPOSITE)
def high_frequencies(image: Image, frame: Frame) -> Level:
    """Take one level off a Laplacian pyramid: the fine detail of a picture, and the picture at half its size.

    image: the picture; the smaller one of another level makes the next.

    high = image - enlarged(smaller), bilinear, so that enlarging and adding gives the picture back.
    Domain: any finite light. Source: Burt and Adelson (1983), with bilinear filters as in ABPN (2022).
    """
    smaller = place(halved, image)
    coarse = place(enlarged, smaller, height=frame.full.height, width=frame.full.width)
    return Level(place(_difference, image, coarse), smaller)

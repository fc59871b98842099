from ..composite import part, place
from ..frame import Frame
from ..pyramid import enlarged
from ..reach import COMPOSITE, POINTWISE
from ..spec import operation
from ..types import Image


@part(reach=POINTWISE)
def _difference(image: Image, coarse: Image) -> Image:
    """What a picture has and its coarse version has not."""
    return image - coarse


@operation(reach=COMPOSITE)
def high_frequencies(image: Image, smaller: Image, frame: Frame) -> Image:
    """Take the fine detail of one level of a Laplacian pyramid: what a picture loses when it is halved.

    image: the picture.
    smaller: the same at half the size, from Halve.

    image - enlarged(smaller), bilinear, so that enlarging and adding gives the picture back. Domain: any finite light.
    Source: Burt and Adelson (1983), with bilinear filters as in ABPN (2022).
    """
    return place(_difference, image, place(enlarged, smaller, height=frame.full.height, width=frame.full.width))

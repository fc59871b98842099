from ..frame import Frame
from ..pyramid import half, resampled
from ..reach import geometry
from ..resampling import needed
from ..spec import operation
from ..types import Image


@operation(reach=geometry(needed, half))
def halve(image: Image, frame: Frame) -> Image:
    """Make the picture half as large: the next level of a pyramid.

    image: the picture to halve.

    Each pixel is the mean of two by two, of what there is at odd edges. Domain: any finite light.
    """
    return resampled(image, frame)

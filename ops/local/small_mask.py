from ...light.primaries import luminance
from ..frame import Frame
from ..measure.small_picture import read
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Mask, SmallPicture


@operation(reach=POINTWISE)
def small_mask(image: Image, small: SmallPicture, frame: Frame, limit: Mask | None = None) -> Mask:
    """Put the mask that a network drew on a small picture back onto the pixels of a photo.

    image: a picture of the size wanted; only its size counts.
    small: the small mask, from Local layer; of any small picture, its luminance.
    limit: a mask outside which nothing is selected.

    Bilinear between its pixels. Domain: any finite light.
    """
    mask = read(SmallPicture(luminance(*small.pixels.split(1, dim=1))), frame)
    return mask if limit is None else mask * limit

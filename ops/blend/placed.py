from ...light.planes import join
from ..frame import Frame
from ..measure.small_picture import read
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, SmallPicture


@operation(reach=POINTWISE)
def placed(image: Image, small: SmallPicture, frame: Frame) -> Image:
    """Put a small picture back onto the pixels of a photo, enlarged to its size.

    image: a picture of the size wanted; only its size counts.
    small: the small picture.

    Bilinear between its pixels. Domain: any finite numbers.
    """
    red, green, blue = read(small, frame).split(1, dim=1)
    return join(red, green, blue, like=image)

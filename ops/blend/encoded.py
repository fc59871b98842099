from ...light.planes import each
from ...light.transfer import srgb_encode
from ..example import Example
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image


@operation(reach=POINTWISE, example=Example(kinks=(0.0, 1.0)))
def encoded(image: Image) -> Image:
    """Give the photo as the sRGB codes that networks look at, 0 to 1.

    image: the photo to encode.

    Light above white is white here, below black black. Domain: any finite light.
    """
    return each(image, lambda plane: srgb_encode(plane).clamp(0.0, 1.0))

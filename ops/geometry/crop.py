from typing import Annotated

from ...light.rectangle import Region, Size
from ..example import Example
from ..params import BadValue, Count
from ..reach import geometry
from ..spec import operation
from ..types import Image

Edge = Annotated[float, Count(0, 99, unit="%", step=0.01)]


def _size(in_size: Size, left: float, right: float, top: float, bottom: float) -> Size:
    height = in_size.height - round(in_size.height * top / 100) - round(in_size.height * bottom / 100)
    width = in_size.width - round(in_size.width * left / 100) - round(in_size.width * right / 100)
    if height < 1 or width < 1:
        raise BadValue(f"expected edges that leave something of {in_size}; got {left:g} + {right:g} % across, "
                       f"{top:g} + {bottom:g} % down")  # fmt: skip
    return Size(height, width)


def _region(out: Region, in_size: Size, out_size: Size, left: float, top: float) -> Region:
    down = min(round(in_size.height * top / 100), in_size.height - out_size.height)
    right = min(round(in_size.width * left / 100), in_size.width - out_size.width)
    return out.moved(down, right)


@operation(reach=geometry(_region, _size), example=Example(values={"left": 10.0, "top": 5.0, "right": 12.0}))
def crop(image: Image, left: Edge = 0.0, right: Edge = 0.0, top: Edge = 0.0, bottom: Edge = 0.0) -> Image:
    """Cut away the edges of the picture.

    image: the photo to cut; called by hand, the pixels that are left.
    left: share of the width cut away on the left.
    right: share of the width cut away on the right.
    top: share of the height cut away at the top.
    bottom: share of the height cut away at the bottom.

    Neutral: left = 0, right = 0, top = 0, bottom = 0.
    """
    return image

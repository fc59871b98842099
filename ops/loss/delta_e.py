from torch import Tensor

from ...light.difference import delta_e_2000
from ...light.planes import planes
from ...light.rectangle import Size
from ...light.spaces import to_lab
from ..reach import reducer
from ..spec import operation
from ..types import Image, Loss, in_type_of
from .per_pixel import added, mean


def _contribute(image: Image, target: Image) -> Tensor:
    return added(delta_e_2000(to_lab(*planes(image)), to_lab(*planes(target))))


@operation(reach=reducer(_contribute, mean))
def delta_e(image: Image, target: Image) -> Loss:
    """Mean visible colour difference from a target photo, in CIEDE2000 units.

    image: the photo being fitted.
    target: what it should look like, of the same size.

    Lab relative to D65, light not clipped. The gradient is finite on grey, black and where both agree.
    Domain: any finite light. Source: CIE 142-2001; Sharma, Wu, Dalal (2005).
    """
    return in_type_of(image, mean(_contribute(image, target), Size(*image.shape[-2:])))

from typing import Annotated

import torch

from ...light.planes import planes
from ...light.primaries import luminance
from ...light.transfer import ev
from ..frame import Frame
from ..measure.guide import EV_FLOOR, spread
from ..params import Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Guide, Image, Scalar


@operation(reach=POINTWISE)
def clarity(
    image: Image,
    guide: Guide,
    frame: Frame,
    amount: Annotated[Scalar, Slider(-1, 3, soft=(-1, 1))] = 0.0,
) -> Image:
    """Raise or soften local contrast over large areas, without halos at strong edges.

    image: the photo to change.
    guide: its coarse edge-aware base; measured from the photo itself unless wired.
    amount: how much of the difference from the base is added again; below 0 softens, -1 leaves the base.

    The base in EV is slope * ev + offset with the coefficients of a guided filter, read between the cells of the
    guide; at strong edges the slope is 1 and nothing changes. Light is multiplied, colours keep their ratios.
    Domain: any finite light. Neutral: amount = 0.
    Source: the fast guided filter, He and Sun (2015), in logarithmic light.
    """
    light = ev(luminance(*planes(image)), floor=EV_FLOOR)
    slope, offset = spread(guide, frame, light)
    return image * torch.exp2(amount * (light - (slope * light + offset)))

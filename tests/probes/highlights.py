from typing import Annotated

import torch

from luxgrad.light.planes import planes
from luxgrad.light.primaries import luminance
from luxgrad.light.transfer import ev
from luxgrad.ops.frame import Frame
from luxgrad.ops.measure.guide import EV_FLOOR, spread
from luxgrad.ops.params import Slider
from luxgrad.ops.reach import POINTWISE
from luxgrad.ops.spec import operation
from luxgrad.ops.types import Guide, Image, Scalar

Lift = Annotated[Scalar, Slider(-3, 3, soft=(-1, 1), unit="EV")]


@operation(reach=POINTWISE)
def highlights(image: Image, guide: Guide, frame: Frame, highlights: Lift = 0.0, shadows: Lift = 0.0) -> Image:
    """Brighten or darken the bright and the dark areas of a photo, keeping the contrast inside them.

    image: the photo to change.
    guide: its coarse edge-aware base; measured from the photo itself unless wired.
    highlights: exposure of the bright areas; below 0 brings back skies.
    shadows: exposure of the dark areas; above 0 opens them.

    An area is bright or dark by the base, in two logistic steps 1 EV above and 2 EV below middle grey. Light is
    multiplied, colours keep their ratios. Domain: any finite light. Neutral: highlights = 0, shadows = 0.
    """
    light = ev(luminance(*planes(image)), floor=EV_FLOOR)
    slope, offset = spread(guide, frame, light)
    base = slope * light + offset
    return image * torch.exp2(highlights * torch.sigmoid(1.5 * (base - 1.0)) + shadows * torch.sigmoid(-1.5 * (base + 2.0)))

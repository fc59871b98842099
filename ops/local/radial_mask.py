import math
from typing import Annotated

import torch

from ...light.planes import planes
from ..frame import Frame
from ..params import Choice, Slider
from ..reach import POINTWISE
from ..spec import operation
from ..types import Image, Mask, Scalar


@operation(reach=POINTWISE)
def radial_mask(
    image: Image,
    frame: Frame,
    mask: Mask | None = None,
    x: Annotated[Scalar, Slider(-50, 150, soft=(0, 100), unit="%")] = 50.0,
    y: Annotated[Scalar, Slider(-50, 150, soft=(0, 100), unit="%")] = 50.0,
    width: Annotated[Scalar, Slider(0.1, 400, soft=(2, 200), unit="%", log=True)] = 50.0,
    height: Annotated[Scalar, Slider(0.1, 400, soft=(2, 200), unit="%", log=True)] = 50.0,
    angle: Annotated[Scalar, Slider(-180, 180, soft=(-90, 90), unit="degrees")] = 0.0,
    feather: Annotated[Scalar, Slider(1, 100, unit="%")] = 50.0,
    opacity: Annotated[Scalar, Slider(0, 1)] = 1.0,
    combine: Annotated[str, Choice("add", "subtract", "intersect")] = "add",
) -> Mask:
    """Select an oval with a soft edge, or add it to a mask, take it away from one, or keep only what lies in it.

    image: a picture of the size wanted; only its size counts.
    mask: the mask to begin with; unwired, nothing is selected to add to, and everything to take away from.
    x: the middle, from the left edge, in % of the width.
    y: the middle, from the top edge, in % of the height.
    width: the oval from side to side, in % of the long edge; equal to the height, it is a circle.
    height: the oval from top to bottom, in % of the long edge.
    angle: turns the oval clockwise.
    feather: how much of the way from the rim to the middle is soft.
    opacity: how much the oval counts.
    combine: add selects what either does, subtract takes the oval away, intersect keeps what both select.

    With q the squared distance from the middle (1 at the rim) and u = (1 - q) / (1 - (1 - feather)**2), cut to 0..1, the oval
    is o = opacity u**2 (3 - 2 u): exactly 0 outside and `opacity` in the middle. Of a mask m, add is 1 - (1 - m)(1 - o),
    subtract m (1 - o), intersect m o. Domain: any size.
    """
    down, across = frame.relative(planes(image)[0])
    tall, wide = frame.size
    along = (across - x / 100.0) * (wide / frame.size.long_edge)
    below = (down - y / 100.0) * (tall / frame.size.long_edge)
    turn = angle * (math.pi / 180.0)
    cos, sin = (torch.cos(turn), torch.sin(turn)) if isinstance(turn, torch.Tensor) else (math.cos(turn), math.sin(turn))
    one, other = along * cos + below * sin, below * cos - along * sin
    squared = (one * (200.0 / width)) ** 2 + (other * (200.0 / height)) ** 2
    inner = 1.0 - feather / 100.0
    inside = ((1.0 - squared) / (1.0 - inner * inner)).clamp(0.0, 1.0)
    oval = opacity * (inside * inside * (3.0 - 2.0 * inside))
    if combine == "add":
        return oval if mask is None else 1.0 - (1.0 - mask) * (1.0 - oval)
    if combine == "subtract":
        return 1.0 - oval if mask is None else mask * (1.0 - oval)
    return oval if mask is None else mask * oval

"""Looking at the finest pixels: crops of the edited picture at full size, and sharpening as it is advised."""

from __future__ import annotations

import torch
from torch import Tensor

from ..engine.render import render
from ..graph.model import Graph, Ref, Step
from ..graph.ports import PORTS
from ..light.rectangle import Region, Size
from ..ops.spec import REGISTRY

CROP, CROPS = 96, 5
"""Edge and number of the crops, in px."""

LEAST = 64
"""A picture with an edge below this has no detail to speak of."""

RADIUS = 1.4
AMOUNTS = (0.0, 0.3, 0.6, 1.0, 1.4, 1.8, 2.4, 3.0)
"""How softness is mended: the radius, and the amounts that were tried."""

_PLACES = ((0.5, 0.5), (0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75))
_GRAPH = {
    "photo": Step("photo", PORTS["luxgrad.load_photo"]),
    "sharpen": Step("sharpen", REGISTRY["detail.sharpen"], {"radius": RADIUS}, {"image": Ref("photo")}),
}


def places(size: Size) -> list[Region]:
    """Where a picture is looked at; nowhere where it is too small."""
    if min(size) < LEAST:
        return []
    height, width = (min(CROP, edge) // 8 * 8 for edge in size)
    return [Region(round(y * (size.height - height)), round(x * (size.width - width)), height, width) for y, x in _PLACES]


def sharpened(light: Tensor, amount: float) -> Tensor:
    """Light (B3HW at full size) sharpened as it is advised."""
    return render(Graph(_GRAPH), light, {"sharpen.amount": torch.tensor(amount)}, sink="sharpen")

"""What a synthesised picture says of itself: its flaws one by one, and where they show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ...light.planes import planes
from ...light.primaries import REC2020_TO_SRGB, mix
from ...light.rectangle import Region
from ...light.transfer import srgb_encode

Group = Literal["skin", "cloth", "dust"]
SEEN = 0.5
"""A pixel counts as flawed where its mask is above this: where its light is changed by more than a tenth of a stop."""

GROUPS: tuple[Group, ...] = ("skin", "cloth", "dust")


@dataclass(frozen=True)
class Flaw:
    """One flaw on a picture, in px of that picture.

    y, x: its middle, px from the top left corner. size: its longest extent; width: its extent across that. angle: of the long
    axis in degrees, turning from right to down; None where it is about round. strength: of its kind, in stops (EV) of light
    or in slope of its relief. box: the smallest rectangle around all that it changed. coverage: its soft mask inside the box.
    """

    kind: str
    group: Group
    y: float
    x: float
    size: float
    width: float
    angle: float | None
    strength: float
    box: Region
    coverage: Tensor = field(repr=False, compare=False)

    def mask(self, height: int, width: int) -> Tensor:
        """(1, 1, height, width) in 0..1: how visibly this flaw alone changed each pixel."""
        whole = self.coverage.new_zeros(1, 1, height, width)
        self.box.cut(whole).copy_(self.coverage)
        return whole


class Flawed(NamedTuple):
    """A picture with flaws, and the truth about them.

    light: (1, 3, H, W) linear Rec.2020. mask: (1, 1, H, W) in 0..1, exactly 0 where light equals clean. instances: in the order
    they were put on. clean: the picture as it was.
    """

    light: Tensor
    mask: Tensor
    instances: tuple[Flaw, ...]
    clean: Tensor


def difference_mask(flawed: Tensor, clean: Tensor, threshold: float = 4.0 / 255.0) -> Tensor:
    """(B, 1, H, W) of 0 and 1: where any sRGB code (of 0..1) of two pictures is further apart than the threshold."""
    codes = [[srgb_encode(plane) for plane in mix(REC2020_TO_SRGB, *planes(light))] for light in (flawed, clean)]
    apart = torch.stack([(one - two).abs() for one, two in zip(*codes)]).amax(0)
    return (apart > threshold).to(flawed.dtype)

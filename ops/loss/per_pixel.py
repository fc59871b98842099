"""What losses that compare pixel by pixel share. No operation of its own."""

import torch
from torch import Tensor

from ...light.planes import Picture, planes
from ...light.primaries import REC2020_TO_SRGB, mix
from ...light.rectangle import Size
from ...light.transfer import srgb_encode

AXES = ("encoded", "linear")


def on_axis(image: Picture, axis: str) -> tuple[Tensor, Tensor, Tensor]:
    """The three planes of an image as sRGB codes (unbounded) or as linear Rec.2020 light."""
    if axis == "linear":
        return planes(image)
    return tuple(srgb_encode(plane) for plane in mix(REC2020_TO_SRGB, *planes(image)))  # type: ignore[return-value]


def added(*maps: Tensor) -> Tensor:
    """The sum over pixels (B,) of the mean of B1HW maps, in float64."""
    return torch.stack([plane.double().sum((1, 2, 3)) for plane in maps]).mean(0)


def mean(total: Tensor, size: Size) -> Tensor:
    """The mean over a picture (B,1,1,1) of what was added."""
    return (total / size.pixels).reshape(-1, 1, 1, 1)

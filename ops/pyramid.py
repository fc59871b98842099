"""Pyramids: half a size, and a picture enlarged to a size that a composite states. `geometry.halve` goes down."""

from __future__ import annotations

from typing import Annotated

from ..light.planes import stack
from ..light.rectangle import Size
from .composite import part
from .frame import Frame
from .params import Count
from .reach import geometry
from .resampling import bilinear, needed
from .types import Image


def half(in_size: Size) -> Size:
    """Half a size, rounded up, so that nothing is lost."""
    return Size((in_size.height + 1) // 2, (in_size.width + 1) // 2)


def _stated(height: int, width: int) -> Size:
    return Size(height, width)


def resampled(image: Image, frame: Frame) -> Image:
    """The frame's pixels of a picture of another size."""
    source = frame.input
    assert source is not None
    return bilinear(stack(image), source.region, source.size, frame.region, frame.size)


@part(reach=geometry(needed, _stated))
def enlarged(
    image: Image,
    frame: Frame,
    height: Annotated[int, Count(1, 1_000_000, unit="px")] = 1,
    width: Annotated[int, Count(1, 1_000_000, unit="px")] = 1,
) -> Image:
    """The picture at a larger size, stated in full-size px, bilinear."""
    return resampled(image, frame)

"""How a picture is cut into tiles."""

from __future__ import annotations

import itertools
import math

from ..light.rectangle import Region, Size


def tiles(size: Size, pixels: int, square: bool) -> list[Region]:
    """Rectangles of about `pixels` px that cover a picture: full rows, or near squares (less rim around each)."""
    if square:
        side = math.sqrt(pixels)
        rows = _steps(size.height, math.ceil(size.height / side))
        columns = _steps(size.width, math.ceil(size.width / side))
    else:
        rows = _steps(size.height, math.ceil(size.pixels / max(pixels, size.width)))
        columns = [(0, size.width)]
    return [Region(top, left, height, width) for top, height in rows for left, width in columns]


def halves(region: Region) -> list[Region]:
    """A rectangle cut in two across its longer edge."""
    if region.height >= region.width:
        return [region._replace(top=region.top + start, height=length) for start, length in _steps(region.height, 2)]
    return [region._replace(left=region.left + start, width=length) for start, length in _steps(region.width, 2)]


def _steps(length: int, count: int) -> list[tuple[int, int]]:
    """A length as `count` nearly equal parts: (start, length) each."""
    count = max(1, min(count, length))
    edges = [length * index // count for index in range(count + 1)]
    return [(start, end - start) for start, end in itertools.pairwise(edges)]

"""One picture to judge a fit by: before, fitted, target and their difference, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..light.rectangle import Region, Size
from ..light.shrink import Shrinking
from .atomic import save_image, whole_file

_EDGE, _GAP, _LABEL = 760, 12, 30
_AMPLIFIED = 8
_CAPTIONS = {"before": "before", "after": "fitted", "target": "target"}


class Panels:
    """A sheet of captioned pictures in rows of two, made smaller as their tiles come.

    The difference of what was fitted and its target, amplified, is the last, where there is a target.
    """

    def __init__(self, size: Size) -> None:
        self._size, self._small = size, size.scaled(min(1.0, _EDGE / size.long_edge))
        self._panels: dict[str, Shrinking] = {}

    def put(self, region: Region, tile: Mapping[str, Tensor]) -> None:
        """Take display codes (1,3,h,w) of the same place of every picture: before, after, and target or none."""
        for name, codes in tile.items():
            self._panels.setdefault(name, Shrinking(self._size, self._small)).add(region, codes)

    def write(self, path: Path, force: bool = False) -> None:
        """Write the sheet as PNG."""
        pictures = {_CAPTIONS[name]: _eight_bits(panel.result()) for name, panel in self._panels.items()}
        if "target" in pictures:
            one, two = (pictures[name].astype(np.int16) for name in ("fitted", "target"))
            pictures[f"difference x {_AMPLIFIED}"] = np.clip(np.abs(one - two) * _AMPLIFIED, 0, 255).astype(np.uint8)
        with whole_file(path, force) as part:
            save_image(_sheet(pictures), part, "PNG")


def _sheet(pictures: Mapping[str, np.ndarray]) -> Image.Image:
    height, width = next(iter(pictures.values())).shape[:2]
    columns = 2 if width >= height else len(pictures)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + _GAP) + _GAP, rows * (height + _LABEL + _GAP) + _GAP), (32, 32, 32))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for index, (name, picture) in enumerate(pictures.items()):
        left, top = _GAP + index % columns * (width + _GAP), _GAP + index // columns * (height + _LABEL + _GAP)
        draw.text((left, top), name, (220, 220, 220), font)
        sheet.paste(Image.fromarray(picture), (left, top + _LABEL))
    return sheet


def _eight_bits(codes: Tensor) -> np.ndarray:
    return (codes[0] * 255.0 + 0.5).floor().byte().permute(1, 2, 0).numpy()

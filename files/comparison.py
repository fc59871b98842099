"""One picture to judge a fit by: before, fitted, target and their difference, side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..light.gamut import to_display
from ..light.photo import Photo
from .atomic import save_image, whole_file

_EDGE, _GAP, _LABEL = 760, 12, 30
_AMPLIFIED = 8


def write_comparison(path: Path, panels: dict[str, Photo], difference: tuple[str, str] | None, force: bool = False) -> None:
    """A PNG of captioned photos in rows of two, with the amplified difference of two of them as the last panel."""
    pictures = {name: _shown(photo) for name, photo in panels.items()}
    if difference:
        one, two = (pictures[name].astype(np.int16) for name in difference)
        pictures[f"difference x {_AMPLIFIED}"] = np.clip(np.abs(one - two) * _AMPLIFIED, 0, 255).astype(np.uint8)
    height, width = next(iter(pictures.values())).shape[:2]
    columns = 2 if width >= height else len(pictures)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + _GAP) + _GAP, rows * (height + _LABEL + _GAP) + _GAP), (32, 32, 32))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for index, (name, picture) in enumerate(pictures.items()):
        left, top = _GAP + index % columns * (width + _GAP), _GAP + index // columns * (height + _LABEL + _GAP)
        draw.text((left, top), name, (220, 220, 220), font)
        sheet.paste(Image.fromarray(picture), (left, top + _LABEL))
    with whole_file(path, force) as part:
        save_image(sheet, part, "PNG", optimize=True)


def _shown(photo: Photo) -> np.ndarray:
    small = photo.reduced(photo.size.scaled(min(1.0, _EDGE / photo.size.long_edge)))
    return (to_display(small.pixels)[0] * 255.0 + 0.5).floor().byte().permute(1, 2, 0).cpu().numpy()

"""A contact sheet: many photos on one picture, each in a cell of its own, with a caption under it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..light.photo import Photo
from ..light.rectangle import Size
from ..light.transfer import srgb_decode
from ..ops.tone.sigmoid import sigmoid
from .errors import FileError

_MOST_PIXELS = 200_000_000
_WIDEST = 3 / 2
_LETTERS = 1 / 22
_SMALLEST_LETTERS = 9
_MIDDLE = 0.5


@dataclass(frozen=True)
class Sheet:
    """How photos are laid out: columns (0 chooses), and the px of a cell's edge and of the gap between cells.

    background: lightness of the paper, 0 to 100 % of white, as sRGB shows it. captions: leave room for words under the photos.
    """

    columns: int = 0
    cell: int = 480
    gap: int = 24
    background: float = 13.0
    captions: bool = True

    def size(self, count: int) -> Size:
        """At most, of a sheet of so many photos. Raises FileError where that is too large."""
        across = self.across(count)
        down = -(-count // across)
        height = down * (self.cell + self.strip + self.gap) + self.gap
        size = Size(height, across * (self.cell + self.gap) + self.gap)
        if size.pixels > _MOST_PIXELS:
            raise FileError(f"expected a sheet of at most {_MOST_PIXELS / 1e6:.0f} MP; {count} photos make {size}")
        return size

    def across(self, count: int) -> int:
        """Cells per row: as said, or so that the sheet is about 3 wide and 2 high."""
        return min(count, self.columns) if self.columns else min(count, max(1, math.ceil(math.sqrt(count * _WIDEST) - 0.01)))

    @property
    def letters(self) -> int:
        """px of the captions' letters."""
        return max(_SMALLEST_LETTERS, round(self.cell * _LETTERS))

    @property
    def strip(self) -> int:
        """px under each photo for its caption."""
        return round(2.2 * self.letters) if self.captions else 0

    def scale_for(self, size: Size) -> float:
        """By what a photo is made smaller to fit its cell; small photos stay as they are."""
        return min(1.0, self.cell / size.long_edge)


def contact_sheet(
    photos: Iterable[Photo], captions: Sequence[str], sheet: Sheet, done: Callable[[int], None] = lambda number: None
) -> Photo:
    """The sheet, in linear Rec.2020 display light. Each row is as high as its highest photo. Raises FileError.

    photos: each made to fit its cell already (`Sheet.scale_for`), one after another; scene light is rendered by tone.sigmoid at
    its defaults. captions: one each; they give the number of photos. done: told after each photo.
    """
    if not captions:
        raise FileError("expected photos for a contact sheet; got none")
    width = sheet.size(len(captions)).width
    across, waiting = sheet.across(len(captions)), iter(photos)
    rows = [_paper(sheet, sheet.gap, width)]
    for first in range(0, len(captions), across):
        words = captions[first : first + across]
        row = []
        for number, photo in zip(range(first, first + len(words)), waiting):
            row.append(_fitting(photo, sheet.cell))
            done(number + 1)
        rows += [_row(row, words, sheet, width), _paper(sheet, sheet.gap, width)]
    return Photo(torch.cat(rows, dim=2))


def _paper(sheet: Sheet, height: int, width: int) -> Tensor:
    return srgb_decode(torch.tensor(sheet.background / 100.0)).float().expand(1, 3, height, width).clone()


def _fitting(photo: Photo, cell: int) -> tuple[Tensor, Tensor]:
    """A photo's display light and its alpha."""
    if photo.size.long_edge > cell:
        raise FileError(f"expected a photo of at most {cell} px; got {photo.size}")
    pixels = photo.pixels.float().cpu()
    return sigmoid(pixels) if photo.light == "scene" else pixels, photo.opacity().float().cpu()


def _row(photos: Sequence[tuple[Tensor, Tensor]], words: Sequence[str], sheet: Sheet, width: int) -> Tensor:
    """Photos on one line, each in the middle of its cell, on the paper where it is not opaque; captions under them."""
    height = max(pixels.shape[-2] for pixels, _ in photos)
    row = _paper(sheet, height + sheet.strip, width)
    for index, ((pixels, alpha), caption) in enumerate(zip(photos, words)):
        left = sheet.gap + index * (sheet.cell + sheet.gap)
        high, wide = pixels.shape[-2:]
        x = left + (sheet.cell - wide) // 2
        under = row[:, :, height - high : height, x : x + wide]
        under.copy_(under + (pixels - under) * alpha)
        if sheet.captions:
            row[:, :, height:, left : left + sheet.cell] = _written(caption, sheet)
    return row


def _written(caption: str, sheet: Sheet) -> Tensor:
    """A line in the middle under a photo, light on dark paper and dark on light, shortened in its middle to fit."""
    font = ImageFont.load_default(sheet.letters)
    text = _shortened(caption, lambda words: font.getlength(words) <= sheet.cell)
    mask = Image.new("L", (sheet.cell, sheet.strip))
    ImageDraw.Draw(mask).text((sheet.cell / 2, sheet.strip * 0.55), text, 255, font, anchor="mm")
    paper = sheet.background / 100.0
    ink = 0.82 if paper < _MIDDLE else 0.12
    return srgb_decode(torch.from_numpy(np.asarray(mask, np.float32) / 255.0) * (ink - paper) + paper)


def _shortened(text: str, fits: Callable[[str], bool]) -> str:
    text = "".join(letter for letter in text[:300] if letter.isprintable())
    if fits(text):
        return text
    for kept in range(len(text) - 1, 1, -1):
        short = f"{text[: (kept + 1) // 2]}...{text[len(text) - kept // 2 :]}"
        if fits(short):
            return short
    return ""

"""What the photosites of a camera raw file counted, as LibRaw holds them unpacked: from black to full."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import FileError

_LEAST_FULL, _PILE, _STEEP = 0.7, 64, 3


def counts(raw: Any) -> np.ndarray:
    """What the photosites of the active area counted."""
    sites = raw.raw_image_visible
    return sites if sites.ndim == 2 else sites[..., :3]


def black(raw: Any) -> int:
    return min(raw.black_level_per_channel)


def span(raw: Any) -> float:
    """Counts from black to the white level."""
    above = float(raw.white_level - black(raw))
    if above <= 0.0:
        raise FileError(f"damaged: its white level, {raw.white_level}, does not lie above black, {black(raw)}")
    return above


def full(raw: Any) -> np.ndarray:
    """Light of red, green and blue photosites that are full, before white balance.

    The white level, or less where many photosites of a colour stop short of it at one count: then that is where they are
    full, and the nominal level was for another mode of the camera.
    """
    sites, sizes = counts(raw), raw.sizes
    if raw.raw_pattern is None or sites.ndim != 2:
        return np.ones(3)
    rows, columns = raw.raw_pattern.shape
    histograms = np.zeros((3, 1 << 16), np.int64)
    for y in range(rows):
        for x in range(columns):
            colour = raw.raw_color(sizes.top_margin + y, sizes.left_margin + x)
            cell = sites[y::rows, x::columns]
            histograms[1 if colour == 3 else colour] += np.bincount(cell.ravel(), minlength=1 << 16)
    levels = [_stop(histogram, black(raw), raw.white_level) for histogram in histograms]
    return (np.array(levels) - black(raw)) / span(raw)


def _stop(histogram: np.ndarray, black: int, white: int) -> int:
    """The count at which a colour's photosites pile up near the top of their histogram, else the white level."""
    low = black + int(_LEAST_FULL * (white - black))
    bins = np.add.reduceat(histogram, np.arange(low, len(histogram), max(1, (white - black) // 200)))
    peak = int(bins.argmax())
    pile, slope = bins[max(0, peak - 1) : peak + 2].sum(), bins[max(0, peak - 9) : max(1, peak - 1)].mean()
    if peak < 2 or pile < _PILE or pile < 3 * _STEEP * slope or pile < bins[peak + 2 :].sum():
        return white
    start = low + (peak - 1) * max(1, (white - black) // 200)
    return min(white, start + int(np.searchsorted(np.cumsum(histogram[start:]), 0.1 * pile)))

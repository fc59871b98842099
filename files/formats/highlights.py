"""What camera light is where photosites were full: neutral, in the colour around, or plain white.

Light here is white-balanced and linear. A full channel says only that its true light is at least its `full` value, and
that differs from channel to channel: left alone, a bright white would come out magenta.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_NEAR, _FULL = 0.96, 0.995
_TURNS = 8
_BLOCK = 16
_BRIGHT = 0.25
_MOST_COLOUR = 4.0
_STRIP = 256
_DOUBT = 1e-3


def clipped_to_white(light: np.ndarray, full: np.ndarray) -> None:
    """Stop all channels where the first of them is full, in place."""
    for rows in _strips(light):
        np.minimum(light[rows], full.min().astype(light.dtype), out=light[rows])


def neutralised(light: np.ndarray, full: np.ndarray) -> None:
    """Raise full channels to what the others say, in place: (H, W, 3) of floats, or of codes that have room for it.

    Where one channel is full it becomes at least the mean of the others, where two are, the same for both; where all are,
    the greatest. A neutral light so stays neutral at any brightness, and a single saturated colour stays as it is.
    """
    _raise(light, full, None)


def reconstructed(light: np.ndarray, full: np.ndarray) -> None:
    """As `neutralised`, after dividing by the colour that bright light nearby has where nothing is full; (H, W, 3) floats."""
    _raise(light, full, _surrounding_colour(light, full))


def _raise(light: np.ndarray, full: np.ndarray, colours: np.ndarray | None) -> None:
    least = full * _NEAR
    for rows in _strips(light):
        part = light[rows]
        ys, xs = np.nonzero((part >= least).any(axis=2))
        if len(ys) == 0:
            continue
        pixels = part[ys, xs].astype(np.float32)
        tint = np.ones(3, np.float32) if colours is None else _looked_up(colours, ys + rows.start, xs)
        raised = _raised(pixels / tint, _fullness(pixels, full)) * tint
        if light.dtype.kind == "u":
            raised = np.minimum(raised + 0.5, np.iinfo(light.dtype).max)
        part[ys, xs] = raised


def _strips(light: np.ndarray) -> Iterator[slice]:
    return (slice(top, top + _STRIP) for top in range(0, light.shape[0], _STRIP))


def _fullness(pixels: np.ndarray, full: np.ndarray) -> np.ndarray:
    """0 where a channel counts its light, 1 where it is full, smooth between."""
    share = np.clip((pixels / full.astype(np.float32) - _NEAR) / (_FULL - _NEAR), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _raised(pixels: np.ndarray, fullness: np.ndarray) -> np.ndarray:
    light = pixels.copy()
    for _ in range(_TURNS):
        for channel in range(3):
            others = 0.5 * (light[:, channel - 1] + light[:, channel - 2])
            lift = np.maximum(others - pixels[:, channel], 0.0)
            light[:, channel] = pixels[:, channel] + fullness[:, channel] * lift
    white = fullness.min(axis=1, keepdims=True)
    return light + white * (light.max(axis=1, keepdims=True) - light)


def _surrounding_colour(light: np.ndarray, full: np.ndarray) -> np.ndarray:
    """(h, w, 3) colour, mean 1, on a grid of blocks: of the bright and not full light there, or else around there."""
    height, width = (-(-edge // _BLOCK) for edge in light.shape[:2])
    sums = np.zeros((height, width, 4), np.float32)
    for row in range(height):
        part = light[row * _BLOCK : (row + 1) * _BLOCK]
        share = (part / full.astype(np.float32)).max(axis=2)
        counts = ((share < _NEAR) & (share > _BRIGHT)) * share**2
        weighted = np.concatenate([part * counts[..., None], counts[..., None]], axis=2).sum(axis=0)
        sums[row] = np.add.reduceat(weighted, np.arange(0, light.shape[1], _BLOCK), axis=0)
    means = _filled(sums)
    colours = means / np.maximum(means.mean(axis=2, keepdims=True), 1e-6)
    return np.clip(colours, 1.0 / _MOST_COLOUR, _MOST_COLOUR).astype(np.float32)


def _filled(sums: np.ndarray) -> np.ndarray:
    """Means of weighted sums (h, w, 3 + weight), where there is little weight those of ever larger surroundings."""
    height, width = sums.shape[:2]
    if height * width == 1:
        around = np.ones((1, 1, 3), np.float32) * max(float(sums[..., :3].mean()), 1e-6) / max(float(sums[..., 3].mean()), 1e-6)
    else:
        padded = np.pad(sums, ((0, height % 2), (0, width % 2), (0, 0)))
        coarse = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2, 4).sum(axis=(1, 3))
        ys, xs = np.mgrid[:height, :width]
        around = _bilinear(_filled(coarse), (ys - 0.5) / 2.0, (xs - 0.5) / 2.0)
    weight = sums[..., 3:]
    return (sums[..., :3] + _DOUBT * around) / (weight + _DOUBT)


def _looked_up(grid: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    return _bilinear(grid, (ys + 0.5) / _BLOCK - 0.5, (xs + 0.5) / _BLOCK - 0.5)


def _bilinear(grid: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    y, x = np.clip(y, 0, grid.shape[0] - 1), np.clip(x, 0, grid.shape[1] - 1)
    top, left = y.astype(int), x.astype(int)
    below, right = np.minimum(top + 1, grid.shape[0] - 1), np.minimum(left + 1, grid.shape[1] - 1)
    down, across = (y - top)[..., None].astype(np.float32), (x - left)[..., None].astype(np.float32)
    upper = grid[top, left] * (1 - across) + grid[top, right] * across
    lower = grid[below, left] * (1 - across) + grid[below, right] * across
    return upper * (1 - down) + lower * down

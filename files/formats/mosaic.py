"""Noise in a mosaic of photosites, before their colours are interpolated, when it is still independent from site to site."""

from __future__ import annotations

import numpy as np

_LEVELS = 5
_KERNEL = np.array([0.25, 0.5, 0.25])


def denoise(counts: np.ndarray, cell: tuple[int, int], black: float, span: float, threshold: float) -> None:
    """Soft-threshold the wavelets of each site of the repeating cell, in place.

    counts: (H, W) of uint16. threshold: standard deviation that is taken for noise, in 1/65536 of white after a square
    root, which makes photon noise alike in light and shade. Wavelets: a trous with the hat (1 2 1)/4, five levels, each
    thresholded by what white noise leaves in it (Starck and Murtagh 1994; the scale of the threshold is dcraw's).
    """
    rows, columns = cell
    for y in range(rows):
        for x in range(columns):
            site = counts[y::rows, x::columns]
            light = (site.astype(np.float32) - black) / span
            rooted = np.sign(light) * np.sqrt(np.abs(light))
            quiet = _shrunk(rooted, threshold / 65536.0)
            site[...] = np.clip(np.sign(quiet) * quiet**2 * span + black + 0.5, 0, 65535)


def _shrunk(plane: np.ndarray, deviation: float) -> np.ndarray:
    kept, smooth = np.zeros_like(plane), plane
    for level in range(_LEVELS):
        step = 1 << level
        if 2 * step >= min(plane.shape):
            break
        coarse = _hat(_hat(smooth, step, 0), step, 1)
        detail, most = smooth - coarse, np.float32(deviation * _SHARES[level])
        kept += detail - np.clip(detail, -most, most)
        smooth = coarse
    return kept + smooth


def _hat(plane: np.ndarray, step: int, axis: int) -> np.ndarray:
    padded = np.pad(plane, [(step, step) if a == axis else (0, 0) for a in (0, 1)], mode="reflect")
    length = plane.shape[axis]
    before, here, after = (padded.take(np.arange(start, start + length), axis=axis) for start in (0, step, 2 * step))
    return np.float32(0.25) * (before + after) + np.float32(0.5) * here


def _shares() -> list[float]:
    """The standard deviation that white noise of 1 has at each level: of the differences of the smoothing kernels."""
    smooth, shares = np.ones(1), []
    for level in range(_LEVELS):
        spread = np.zeros(2 * (1 << level) + 1)
        spread[:: 1 << level] = _KERNEL
        wider = np.convolve(smooth, spread)
        inner = np.pad(np.outer(smooth, smooth), (len(wider) - len(smooth)) // 2)
        shares.append(float(np.sqrt(((inner - np.outer(wider, wider)) ** 2).sum())))
        smooth = wider
    return shares


_SHARES = _shares()

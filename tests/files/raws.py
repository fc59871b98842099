"""Small DNGs with known light, made with tifffile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile

BLACK, WHITE = 512, 15872
SHOT = (0.5, 1.0, 0.625)
"""Camera light of white: the multipliers are 2, 1 and 1.6."""

XYZ_TO_SRGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
"""IEC 61966-2-1, so that the camera is one with sRGB's primaries, and its red and blue photosites less sensitive."""

CANON = np.array([[0.6461, -0.1164, -0.0857], [-0.3825, 1.1597, 0.2534], [-0.0416, 0.154, 0.6039]])
"""XYZ to camera, of a Canon EOS 550D."""

_CFA = {33421: ("H", 2, (2, 2)), 33422: ("B", 4, (0, 1, 1, 2))}


def counts(light: np.ndarray, neutral: Any = SHOT, most: int = WHITE) -> np.ndarray:
    """What photosites (H, W) count of white-balanced light (H, W, 3): red top left, blue bottom right; full at `most`."""
    camera = light * np.array(neutral) * (WHITE - BLACK) + BLACK
    sites = camera[..., 1].copy()
    sites[::2, ::2], sites[1::2, 1::2] = camera[::2, ::2, 0], camera[1::2, 1::2, 2]
    return np.clip(np.round(sites), 0, most).astype(np.uint16)


def ratios(values: Any) -> tuple[int, ...]:
    return tuple(part for value in np.ravel(values) for part in (round(float(value) * 1_000_000), 1_000_000))


def dng(path: Path, sites: np.ndarray, neutral: Any = SHOT, matrix: Any = None, **tags: Any) -> Path:
    """Write a DNG. matrix: XYZ to camera under D65. tags: more of them, as `tag_NUMBER=(type, count, value)`."""
    camera = np.diag(neutral) @ XYZ_TO_SRGB if matrix is None else matrix
    entries = {
        50706: ("B", 4, (1, 4, 0, 0)),
        50708: ("s", 0, "Oracle One"),
        50714: ("H", 1, BLACK),
        50717: ("H", 1, WHITE),
        50721: ("2i", 9, ratios(camera)),
        50728: ("2I", 3, ratios(neutral)),
        50778: ("H", 1, 21),
        271: ("s", 0, "Oracle"),
        272: ("s", 0, "One"),
        **(_CFA if sites.ndim == 2 else {}),
        **{int(name.removeprefix("tag_")): entry for name, entry in tags.items()},
    }
    extra = [(code, kind, count, value, True) for code, (kind, count, value) in sorted(entries.items())]
    tifffile.imwrite(path, sites, photometric=32803, extratags=extra, metadata=None, software=None)
    return path


def patches(colours: np.ndarray, size: int = 24) -> np.ndarray:
    """(h * size, w * size, 3) light of flat patches (h, w, 3)."""
    return np.repeat(np.repeat(colours, size, axis=0), size, axis=1)


def middles(picture: np.ndarray, size: int = 24) -> np.ndarray:
    """(h, w, 3) means of the patches' middles, away from their edges."""
    height, width = picture.shape[0] // size, picture.shape[1] // size
    blocks = picture[: height * size, : width * size].reshape(height, size, width, size, 3)
    inner = slice(size // 4, size - size // 4)
    return blocks[:, inner, :, inner].mean(axis=(1, 3))

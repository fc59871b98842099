"""How long a decoder may take: several times what the slowest kind of file takes on a slow machine, and no longer.

Measured: X-Trans 0.5 s of the processor a megapixel, Bayer with denoising and reconstructed highlights 0.3 s, others less.
"""

from __future__ import annotations

_SECONDS = 10.0
_PER_MEGAPIXEL = 2.0
_PER_GIGABYTE = 600.0
_OTHERS = 4.0
"""So many times longer where the machine is busy with other things."""


def processor_seconds(pixels: int) -> float:
    """Of the processor, for a picture that declares so many pixels; 0 before it has declared any."""
    return _SECONDS + _PER_MEGAPIXEL * pixels / 1e6


def seconds(pixels: int, size: int) -> float:
    """On the wall, for a file of so many bytes, which may come from a slow disk."""
    return _OTHERS * processor_seconds(pixels) + _PER_GIGABYTE * size / 2**30

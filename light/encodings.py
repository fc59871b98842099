"""How light becomes codes and codes light: transfer functions by name, and the colour spaces that files are written in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

from torch import Tensor

from .primaries import Matrix, rgb_to_rgb
from .transfer import (
    bt709_decode,
    bt709_encode,
    gamma_decode,
    gamma_encode,
    hlg_decode,
    pq_decode,
    srgb_decode,
    srgb_encode,
)

Curve = Callable[[Tensor], Tensor]
"""A function of codes or of light, elementwise."""

ADOBE_GAMMA = 563.0 / 256.0
"""Adobe RGB (1998), section 4.3.1.2."""


def linear(x: Tensor) -> Tensor:
    """Codes that are light."""
    return x


_DECODE: dict[str, Curve] = {
    "srgb": srgb_decode,
    "linear": linear,
    "bt709": bt709_decode,
    "pq": pq_decode,
    "hlg": hlg_decode,
}
_ENCODE: dict[str, Curve] = {"srgb": srgb_encode, "linear": linear, "bt709": bt709_encode}


def decoder(transfer: str) -> Curve:
    """Codes to light for srgb, linear, bt709, pq, hlg (scene light) or gamma:2.2 and the like. Raises ValueError."""
    gamma = _gamma(transfer)
    return _DECODE[transfer] if gamma is None else partial(gamma_decode, gamma=gamma)


def encoder(transfer: str) -> Curve:
    """Light to codes for srgb, linear, bt709 or gamma:2.2 and the like. Raises ValueError."""
    gamma = _gamma(transfer)
    return _ENCODE[transfer] if gamma is None else partial(gamma_encode, gamma=gamma)


def _gamma(transfer: str) -> float | None:
    if transfer in _DECODE:
        return None
    kind, _, number = transfer.partition(":")
    gamma = float(number) if kind == "gamma" and number else 0.0
    if not 0.1 <= gamma <= 10.0:
        raise ValueError(f"expected a transfer function ({', '.join(_DECODE)}, gamma:0.1 to gamma:10); got {transfer[:40]!r}")
    return gamma


@dataclass(frozen=True)
class Space:
    """A colour space that files are written in: its primaries (a name of `PRIMARIES`) and its transfer function."""

    name: str
    primaries: str
    transfer: str

    @cached_property
    def from_rec2020(self) -> Matrix:
        """Linear Rec.2020 light to this space's linear RGB."""
        return rgb_to_rgb("rec2020", self.primaries)

    @cached_property
    def to_rec2020(self) -> Matrix:
        """This space's linear RGB to linear Rec.2020 light."""
        return rgb_to_rgb(self.primaries, "rec2020")

    @cached_property
    def encode(self) -> Curve:
        """This space's linear RGB to its codes in 0..1."""
        return encoder(self.transfer)

    @cached_property
    def decode(self) -> Curve:
        """This space's codes in 0..1 to its linear RGB."""
        return decoder(self.transfer)


SRGB = Space("sRGB", "srgb", "srgb")
SPACES: dict[str, Space] = {
    space.name: space
    for space in (
        SRGB,
        Space("Display P3", "p3", "srgb"),
        Space("Rec.2020", "rec2020", "bt709"),
        Space("Adobe RGB", "adobe", f"gamma:{ADOBE_GAMMA}"),
    )
}
"""Rec.2020 has the camera curve that the standard states, as the profiles that systems ship have it, not a display's 2.4."""

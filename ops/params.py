"""The kinds of parameter: what a person may set, its range and unit, and how an optimiser moves it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_MARGIN = 1e-3


class BadValue(ValueError):
    """A value that a parameter does not accept; the text says what was expected and what came."""


@dataclass(frozen=True)
class Slider:
    """A real, differentiable number.

    low..high: the hard range, for validation and bounds. soft: the comfortable range. log: moves in its logarithm.
    """

    low: float
    high: float
    soft: tuple[float, float] | None = None
    unit: str = ""
    log: bool = False
    step: float = 0.001

    @property
    def comfortable(self) -> tuple[float, float]:
        return self.soft or (self.low, self.high)

    def check(self, value: Any) -> float:
        return _number(value, self.low, self.high, self.unit)

    def _axis(self, value):
        if not self.log:
            return value
        return torch.log2(value) if isinstance(value, Tensor) else math.log2(value)

    def _half_range(self) -> float:
        low, high = self.comfortable
        return 0.5 * (self._axis(high) - self._axis(low))

    def to_half_ranges(self, value, default: float):
        """Distance from the default, in soft half ranges (of the logarithm, for log sliders)."""
        return (self._axis(value) - self._axis(default)) / self._half_range()

    def from_half_ranges(self, distance, default: float):
        """The value that lies so many soft half ranges from the default."""
        if not self.log:
            return default + distance * self._half_range()
        return default * 2.0 ** (distance * self._half_range())

    def from_unconstrained(self, z: Tensor, low: float | None = None, high: float | None = None) -> Tensor:
        """A real number as a value strictly inside the hard range, or inside tighter bounds."""
        least, most = self._bounds(low, high)
        inside = least + (most - least) * torch.sigmoid(z)
        return torch.exp2(inside) if self.log else inside

    def to_unconstrained(self, value: float, low: float | None = None, high: float | None = None) -> float:
        """The inverse of `from_unconstrained`; a value on a bound starts just inside it, where the gradient lives."""
        least, most = self._bounds(low, high)
        share = min(max((self._axis(value) - least) / (most - least), _MARGIN), 1.0 - _MARGIN)
        return math.log(share / (1.0 - share))

    def _bounds(self, low: float | None, high: float | None) -> tuple[float, float]:
        return self._axis(self.low if low is None else low), self._axis(self.high if high is None else high)


@dataclass(frozen=True)
class Count:
    """A number that no gradient moves: a size, a share of an edge. Whole unless `step` says otherwise."""

    low: float
    high: float
    unit: str = ""
    step: float = 1

    @property
    def whole(self) -> bool:
        return float(self.step).is_integer()

    def check(self, value: Any) -> float:
        number = _number(value, self.low, self.high, self.unit)
        if self.whole and number != int(number):
            raise BadValue(f"expected a whole number; got {value!r}")
        return int(number) if self.whole else number


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]

    def __init__(self, *options: str) -> None:
        object.__setattr__(self, "options", options)

    def check(self, value: Any) -> str:
        if value not in self.options or not isinstance(value, str):
            raise BadValue(f"expected one of {', '.join(self.options)}; got {_shown(value)}")
        return value


@dataclass(frozen=True)
class Switch:
    """On or off."""

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise BadValue(f"expected true or false; got {_shown(value)}")
        return value


@dataclass(frozen=True)
class Text:
    """Words, a pattern, a few lines."""

    multiline: bool = False
    longest: int = 100_000

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) > self.longest:
            raise BadValue(f"expected text of at most {self.longest} characters; got {_shown(value)}")
        return value


@dataclass(frozen=True)
class File:
    """The name of a file of some kind (photo, lut, network), inside the folders a workflow may use."""

    kind: str

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) > 4096 or "\0" in value or not _as_bytes(value):
            raise BadValue(f"expected the name of a {self.kind} file; got {_shown(value)}")
        return value


Kind = Slider | Count | Choice | Switch | Text | File


def _number(value: Any, low: float, high: float, unit: str) -> float:
    wanted = f"expected a number from {low:g} to {high:g}{' ' + unit if unit else ''}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadValue(f"{wanted}; got {_shown(value)}")
    if not low <= value <= high:
        raise BadValue(f"{wanted}; got {_shown(value)}")
    return float(value)


def _as_bytes(name: str) -> bool:
    """Whether a file could have this name: text, with bytes that are no UTF-8 as Python's file names hold them."""
    try:
        return name.encode("utf-8", "surrogateescape") is not None
    except UnicodeEncodeError:
        return False


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, lists nested without end
        text = type(value).__name__
    return text if len(text) <= 40 else text[:37] + "..."

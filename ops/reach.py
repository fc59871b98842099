"""Reach: what an operation needs of its input to make a rectangle of its output, and what size comes out.

Every reach answers the same two questions, so that any rectangle of any graph can be rendered.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..light.rectangle import Region, Size


class Interval(NamedTuple):
    """The values a slider may take while a plan is in use: one value, or its hard range while it is being fitted."""

    low: float
    high: float


@dataclass(frozen=True)
class Pointwise:
    """Each pixel from the same pixel (and, with a `Frame`, its place)."""


POINTWISE = Pointwise()


@dataclass(frozen=True)
class Halo:
    """Each pixel from its neighbours: `margin` px on every side, a number or a function of (sliders, scale).

    The function takes the intervals of the sliders it names, and `scale` (px per full-size px).
    """

    margin: int | Callable[..., int]


@dataclass(frozen=True)
class Geometry:
    """Pixels move or the size changes.

    region(out, in_size, out_size, **values) -> the input rectangle that an output rectangle needs.
    size(in_size, **values) -> the output size at full resolution; it never depends on a slider.
    """

    region: Callable[..., Region]
    size: Callable[..., Size]


@dataclass(frozen=True)
class Reducer:
    """A value without pixels from a whole picture, gathered rectangle by rectangle.

    contribute(pictures, ...) -> a tensor (B, ...), added over rectangles in float64.
    finish(total, ...) -> the value, from the sum over the whole picture; it may name `size`, the picture's size.
    margin: px of neighbourhood that contribute needs around the pixels it counts (`frame.counted` cuts them off).
    apart: pictures of different sizes; contribute takes one `image` at a time, and `total` is a tuple, one sum each.
    """

    contribute: Callable[..., Any]
    finish: Callable[..., Any]
    margin: int = 0
    apart: bool = False


@dataclass(frozen=True)
class Composite:
    """A small graph of other operations, which the function itself places (`ops.composite`); the size stays."""


COMPOSITE = Composite()


@dataclass(frozen=True)
class Arithmetic:
    """Values without pixels from values without pixels."""


@dataclass(frozen=True)
class Port:
    """Where photos and files enter and leave a graph, and where something is asked for.

    role: `source`, `sink` (a file), `view` (the screen), `sheet` (a picture of many photos), `advice` or `fit`.
    """

    role: str


Reach = Pointwise | Halo | Geometry | Reducer | Composite | Arithmetic | Port


def halo(margin: int | Callable[..., int]) -> Halo:
    """Reach of an operation that looks `margin` px around each pixel."""
    return Halo(margin)


def geometry(region: Callable[..., Region], size: Callable[..., Size]) -> Geometry:
    """Reach of an operation that moves pixels."""
    return Geometry(region, size)


def reducer(contribute: Callable, finish: Callable, margin: int = 0, apart: bool = False) -> Reducer:
    """Reach of an operation that measures a whole picture."""
    return Reducer(contribute, finish, margin, apart)


def margin_of(reach: Reach, values: Mapping[str, Any], scale: float) -> int:
    """px of margin around an output rectangle; `values` holds intervals for sliders and plain values for the rest."""
    if isinstance(reach, Reducer):
        return reach.margin
    if not isinstance(reach, Halo):
        return 0
    if isinstance(reach.margin, int):
        return reach.margin
    return int(ask(reach.margin, {**values, "scale": scale}))


def ask(function: Callable[..., Any], known: Mapping[str, Any]) -> Any:
    """Call a function with those of the known values that its signature names; what is left unwired has its default."""
    return function(**{name: known[name] for name, needed in _names(function).items() if needed or name in known})


@functools.cache
def _names(function: Callable[..., Any]) -> Mapping[str, bool]:
    """The names in a signature, and whether each has to be given."""
    empty = inspect.Parameter.empty
    return {name: parameter.default is empty for name, parameter in inspect.signature(function).parameters.items()}

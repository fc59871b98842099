"""What flows between operations, and what the executor hands them: shapes and sockets, said once.

Sliders, statistics and table entries arrive broadcastable against B1HW: (1,1,1,1) for one picture, (B,1,1,1) for a
batch or for N sampled pixels, (1,1,1,N) for loose pixels in a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ..light.planes import Picture


@dataclass(frozen=True)
class Socket:
    """The type of a wire, by its name in a workflow editor.

    measured: a statistic, which an operation takes from its own first picture where the socket is left unwired.
    """

    name: str
    measured: bool = False


Scalar = Tensor | float
"""A slider's value: a tensor that broadcasts against B1HW, or a plain number in a bare call."""

Image = Annotated[Picture, Socket("IMAGE")]
"""Linear Rec.2020 light, unbounded: a B3HW tensor or `Planes`."""

Mask = Annotated[Tensor, Socket("MASK")]
"""B1HW in 0..1; 1 is selected."""

Loss = Annotated[Tensor, Socket("LUXGRAD_LOSS")]
"""A number to make small, (B,1,1,1): one per picture of a batch."""

Number = Annotated[float, Socket("FLOAT")]
"""A number for people and other nodes."""

Whole = Annotated[int, Socket("INT")]
"""A whole number for people and other nodes."""

Report = Annotated[str, Socket("STRING")]
"""Text for people."""


class Percentiles(NamedTuple):
    """Luminance below which given shares of a picture lie, (B,1,1,1) each, linear."""

    low: Tensor
    middle: Tensor
    high: Tensor


class Guide(NamedTuple):
    """A whole picture's coarse edge-aware base, base = slope * ev + offset, on a grid (B, rows, columns)."""

    slope: Tensor
    offset: Tensor


class Lut(NamedTuple):
    """A look-up table: a 1D table per channel, then a cube; either may be absent.

    curves: (K, 3) or None. cube: (N, N, N, 3), red slowest, or None. *_domain: (2, 3), the least and greatest input.
    """

    curves: Tensor | None
    curves_domain: Tensor
    cube: Tensor | None
    cube_domain: Tensor


class Network:
    """A learned function with its weights; call it on a (..., C_in) or (B, C_in, H, W) tensor as its module says.

    Its module is put into evaluation mode: pictures of a batch stay apart, and running statistics stay as they are.
    name and sha256 say which weights file it came from; `weights` maps parameter names to tensors and may be replaced
    by tensors that carry gradients.
    """

    def __init__(self, module: nn.Module, weights: Mapping[str, Tensor] | None = None, sha256: str = "") -> None:
        self.module = module.train(False)
        self.weights = dict(weights if weights is not None else module.state_dict())
        self.sha256 = sha256

    def __call__(self, x: Tensor) -> Tensor:
        return torch.func.functional_call(self.module, self.weights, (x,))


SOCKETS: dict[type, Socket] = {
    Percentiles: Socket("LUXGRAD_PERCENTILES", measured=True),
    Guide: Socket("LUXGRAD_GUIDE", measured=True),
    Lut: Socket("LUXGRAD_LUT"),
    Network: Socket("LUXGRAD_NETWORK"),
}
"""The sockets of values without pixels that have a class of their own."""


class Metadata(dict[str, Any]):
    """What the file says of a photo (EXIF and raw tags by their standard names); handed to operations that ask."""

    def number(self, name: str, default: float) -> float:
        """A finite number by name, or the default where the file has none."""
        try:
            value = float(self[name])
        except (KeyError, TypeError, ValueError):
            return default
        return value if abs(value) < float("inf") else default


class Reader(Protocol):
    """Opens what a source names: read(kind, name) -> a photo, a look-up table or a network. options: how, of a photo."""

    def __call__(self, kind: str, name: str, **options: Any) -> Any: ...


class Writer(Protocol):
    """Writes what a sink is given."""

    def __call__(self, kind: str, name: str, picture: Any, **options: Any) -> None: ...


class Distances(NamedTuple):
    """Of a fit's free sliders: how far each lies from its default, in soft half ranges, (n,)."""

    values: Tensor


def in_type_of(picture: Picture, value: Any) -> Any:
    """A value without pixels in the float type of a picture (statistics are summed in float64)."""
    dtype = (picture if isinstance(picture, Tensor) else picture.r).dtype
    return rebuilt(value, lambda tensor: tensor.to(dtype))


def leaves(value: Any) -> list[Tensor]:
    """The tensors inside a value without pixels, in a fixed order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Network):
        return list(value.weights.values())
    if isinstance(value, tuple):
        return [entry for entry in value if isinstance(entry, Tensor)]
    return []


def rebuilt(value: Any, replace: Callable[[Tensor], Tensor]) -> Any:
    """The same value with each of its tensors replaced."""
    if isinstance(value, Tensor):
        return replace(value)
    if isinstance(value, Network):
        return Network(value.module, {name: replace(weight) for name, weight in value.weights.items()}, value.sha256)
    if isinstance(value, tuple):
        return type(value)(*(replace(entry) if isinstance(entry, Tensor) else entry for entry in value))
    return value

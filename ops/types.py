"""What flows between operations, and what the executor hands them: shapes and sockets, said once.

Sliders, statistics and table entries arrive broadcastable against B1HW: (1,1,1,1) for one picture, (B,1,1,1) for a
batch or for N sampled pixels, (1,1,1,N) for loose pixels in a row.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ..light.planes import Picture


@dataclass(frozen=True)
class Socket:
    """The type of a wire, by its name in a workflow editor.

    measured: a statistic, which an operation takes from its own first picture where the socket is left unwired.
    weights: of a network, by name, which an operation brings itself where the socket is left unwired.
    """

    name: str
    measured: bool = False
    weights: str = ""


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


class SmallPicture(NamedTuple):
    """A whole picture made small: pixels (B,3,h,w), each the mean light of its area."""

    pixels: Tensor


class BlendCurve(NamedTuple):
    """How a layer blends with codes I: (j0 + j1 I + j2 I^2) layer + k0 + k1 I + k2 I^2; (B,1,1,1) or (1,1,1,1) each."""

    j0: Tensor
    j1: Tensor
    j2: Tensor
    k0: Tensor
    k1: Tensor
    k2: Tensor


class Lut(NamedTuple):
    """A look-up table: a 1D table per channel, then a cube; either may be absent.

    curves: (K, 3) or None. cube: (N, N, N, 3), red slowest, or None. *_domain: (2, 3), the least and greatest input.
    """

    curves: Tensor | None
    curves_domain: Tensor
    cube: Tensor | None
    cube_domain: Tensor


class Network:
    """A learned function with its weights; call it as its module is called, with one input or several.

    It is always in evaluation mode: running statistics and other buffers are constants, nothing it does is remembered, and
    no picture of a batch sees another. weights maps parameter names to tensors; given or not, they may carry gradients.
    sha256 says which weights file they came from; empty where they were changed since. about: by which `architecture` and
    `arguments` such a file can be read again.
    Raises ValueError for a module that mixes the pictures of a batch even so.
    """

    def __init__(
        self,
        module: nn.Module,
        weights: Mapping[str, Tensor] | None = None,
        sha256: str = "",
        about: Mapping[str, Any] | None = None,
    ) -> None:
        for name, layer in module.named_modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.running_mean is None:
                raise ValueError(f"{name}: expected running statistics; got a {type(layer).__name__} that mixes a batch")
        self.module = _hollow(module)
        self._weights = dict(module.named_parameters() if weights is None else weights)
        self.constants = {name: buffer.detach() for name, buffer in module.named_buffers()}
        self.sha256, self.about = sha256, about
        self._elsewhere: dict[tuple[torch.device, torch.dtype], Network] = {}

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """The tensors that may move, by the names of the module's parameters; replaced by `with_weights`."""
        return MappingProxyType(self._weights)

    def __call__(self, *inputs: Any) -> Any:
        like = next(iter(self.weights.values()), None)
        constants = self.constants
        if like is not None:
            constants = {n: c.to(like) if c.is_floating_point() else c.to(like.device) for n, c in constants.items()}
        return torch.func.functional_call(self.module, {**constants, **self.weights}, inputs)

    def with_weights(self, weights: Mapping[str, Tensor], sha256: str = "") -> Network:
        """The same function with other weights."""
        other = copy.copy(self)
        other._weights, other.sha256, other._elsewhere = dict(weights), sha256, {}
        return other

    def at(self, device: torch.device, dtype: torch.dtype) -> Network:
        """The same network elsewhere; frozen weights are moved and cast once, however often this is asked."""
        if any(weight.requires_grad for weight in self.weights.values()):
            return rebuilt(self, lambda weight: weight.to(device, dtype))
        if all(weight.device == device and weight.dtype == dtype for weight in self.weights.values()):
            return self
        if (device, dtype) not in self._elsewhere:
            moved = {name: weight.to(device, dtype) for name, weight in self.weights.items()}
            self._elsewhere[device, dtype] = self.with_weights(moved, self.sha256)
        return self._elsewhere[device, dtype]


def _hollow(module: nn.Module) -> nn.Module:
    """A copy of a module in evaluation mode whose tensors hold nothing."""
    empty: dict[int, Any] = {id(p): nn.Parameter(p.detach().to("meta"), requires_grad=False) for p in module.parameters()}
    empty |= {id(buffer): buffer.detach().to("meta") for buffer in module.buffers()}
    return copy.deepcopy(module, empty).train(False)


def weights(name: str) -> Socket:
    """The socket of a network that, unwired, has the weights of this name."""
    return Socket("LUXGRAD_NETWORK", weights=name)


SOCKETS: dict[type, Socket] = {
    Percentiles: Socket("LUXGRAD_PERCENTILES", measured=True),
    Guide: Socket("LUXGRAD_GUIDE", measured=True),
    SmallPicture: Socket("LUXGRAD_SMALL_PICTURE", measured=True),
    BlendCurve: Socket("LUXGRAD_BLEND_CURVE"),
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
        return value.with_weights({name: replace(weight) for name, weight in value.weights.items()})
    if isinstance(value, tuple):
        return type(value)(*(replace(entry) if isinstance(entry, Tensor) else entry for entry in value))
    return value

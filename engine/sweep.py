"""What an execution computes from, and what passes by in one pass over the tiles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..graph.model import Ref
from ..light.photo import Photo
from ..light.rectangle import Region, Size
from ..ops.types import Network, leaves, rebuilt
from .plan import Planned

DISTANCES = Ref("\0distances")
"""The place among given values of a fit's `Distances`, for the losses that ask for them."""


@dataclass(frozen=True)
class Inputs:
    """What an execution computes from: slider values (B|1,1,1,1), one per slider of the plan, and the given values."""

    sliders: tuple[Tensor, ...]
    given: Mapping[Ref, Any]

    def mapped(self, function: Callable[[Tensor], Tensor]) -> Inputs:
        """The same inputs with every tensor without pixels (sliders, tables, weights; not pictures) replaced."""
        sliders = tuple(function(slider) for slider in self.sliders)
        given = {ref: v if isinstance(v, Photo) else rebuilt(v, function) for ref, v in self.given.items()}
        return Inputs(sliders, given)

    def at(self, device: torch.device, dtype: torch.dtype) -> Inputs:
        """The same inputs where and as precise as they are needed; pictures move as they are read."""

        def moved(value: Any) -> Any:
            if isinstance(value, Photo):
                return value
            return value.at(device, dtype) if isinstance(value, Network) else rebuilt(value, lambda x: x.to(device, dtype))

        return Inputs(tuple(map(moved, self.sliders)), {ref: moved(value) for ref, value in self.given.items()})

    def tensors(self) -> list[Tensor]:
        """The tensors that `mapped` replaces, in its order."""
        given = (tensor for v in self.given.values() if not isinstance(v, Photo) for tensor in leaves(v))
        return [*self.sliders, *given]


@dataclass(frozen=True)
class Gather:
    """What one reducer takes from tiles of some pictures; a reducer of pictures `apart` has one for each."""

    step: Planned
    part: int
    pictures: list[tuple[str, Ref]]


@dataclass(frozen=True)
class Sweep:
    """One pass over the tiles of a size: what is gathered from each tile, and which output pictures pass by."""

    level: int
    size: Size
    gathers: tuple[Gather, ...] = ()
    outputs: tuple[Ref, ...] = ()

    @property
    def pictures(self) -> list[Ref]:
        """The pictures whose tiles the pass computes."""
        return [*self.outputs, *(ref for gather in self.gathers for _, ref in gather.pictures)]


class Reads:
    """Remembers which pixels of wanted pictures a tile read, so that gradients can be added where they belong."""

    def __init__(self, wanted: Collection[Ref]) -> None:
        self.wanted = wanted
        self.leaves: list[tuple[Ref, Region, Tensor]] = []

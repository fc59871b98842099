"""What a fit may move beside sliders: the entries of look-up tables and the weights of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..graph.errors import WorkflowError
from ..graph.model import HIDDEN, G, Ref, Step
from ..graph.ports import PORTS
from ..ops.fitted import Made, fitted_name
from ..ops.params import File
from ..ops.types import Lut, Network, leaves

_ROUGHNESS = 0.01
_TABLE_RATE, _WEIGHT_RATE = 0.2, 0.02

Chosen = Mapping[Ref, Sequence[str]]
"""By value, the names of its tensors that are free."""


class Entries:
    """The free tensors of a fit, by the values they belong to: what they start as, and the tensors that gradients move.

    Entries of a table stay within 0..1, or the range of the starting table where that is wider; weights have no bounds.
    """

    def __init__(self, start: Mapping[Ref, Made], chosen: Chosen) -> None:
        self.start = dict(start)
        self._free = {ref: {name: tensors_of(value)[name] for name in chosen[ref]} for ref, value in start.items()}
        self._moving = {
            ref: {name: tensor.detach().clone().requires_grad_() for name, tensor in free.items()}
            for ref, free in self._free.items()
        }

    @classmethod
    def of(cls, chosen: Chosen, given: Sequence[Mapping[Ref, Any]]) -> Entries:
        """The tensors chosen of values that come to all pairs. Raises WorkflowError where they differ from pair to pair."""
        for ref in chosen:
            for other in given[1:]:
                pairs = zip(leaves(given[0][ref]), leaves(other[ref]))
                if not all(one.shape == two.shape and torch.equal(one, two) for one, two in pairs):
                    raise WorkflowError(
                        f"step {ref.step}: free entries are shared; expected the same table or network for every photo"
                    )
        return cls({ref: given[0][ref] for ref in chosen}, chosen)

    def __bool__(self) -> bool:
        return bool(self.start)

    @property
    def now(self) -> dict[Ref, Made]:
        """The values with the tensors that move."""
        return {ref: with_tensors(value, self._moving[ref]) for ref, value in self.start.items()}

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors to move."""
        return [tensor for moving in self._moving.values() for tensor in moving.values()]

    @property
    def rates(self) -> list[float]:
        """How fast each of them may move, as a share of the rate of sliders."""
        return [
            _TABLE_RATE if isinstance(self.start[ref], Lut) else _WEIGHT_RATE
            for ref, moving in self._moving.items()
            for _ in moving
        ]

    def put(self, values: Sequence[Tensor]) -> None:
        """Set all tensors, those of tables within their bounds."""
        queue = iter(values)
        with torch.no_grad():
            for ref, moving in self._moving.items():
                for name, tensor in moving.items():
                    low, high = bounds(self.start[ref], self._free[ref][name])
                    tensor.copy_(next(queue).clamp(low, high))

    def roughness(self) -> Tensor:
        """How unevenly tables have moved: carries entries that no pixel visits along with their neighbours."""
        total = torch.zeros((), dtype=torch.float64)
        for ref, moving in self._moving.items():
            for name, tensor in moving.items() if isinstance(self.start[ref], Lut) else ():
                move = tensor - self._free[ref][name]
                for axis in range(move.ndim - 1):
                    total = total + move.diff(dim=axis).square().mean().double()
        return _ROUGHNESS * total

    def found(self) -> dict[Ref, Made]:
        """The values as they are now, for keeping."""
        kept = {ref: {name: tensor.detach().clone() for name, tensor in free.items()} for ref, free in self._moving.items()}
        return {ref: with_tensors(value, kept[ref]) for ref, value in self.start.items()}

    def moved(self, ref: Ref) -> float:
        """By how much the free entries of a value have moved, on average."""
        moves = [(tensor.detach() - self._free[ref][name]).abs().flatten() for name, tensor in self._moving[ref].items()]
        return torch.cat(moves).mean().item()


def tensors_of(value: Made) -> dict[str, Tensor]:
    """The tensors of a table or a network that can move, by name."""
    if isinstance(value, Network):
        return dict(value.weights)
    return {name: table for name, table in (("curves", value.curves), ("cube", value.cube)) if table is not None}


def with_tensors(value: Made, moved: Mapping[str, Tensor]) -> Made:
    """A table or a network with some of its tensors replaced."""
    if isinstance(value, Network):
        return value.with_weights({**value.weights, **moved})
    return value._replace(**moved)


def bounds(value: Made, start: Tensor) -> tuple[float, float]:
    """Within which the entries of one tensor stay."""
    if isinstance(value, Network):
        return -torch.inf, torch.inf
    return min(0.0, start.min().item()), max(1.0, start.max().item())


def with_made(graph: G, ref: Ref, made: Made) -> G:
    """A graph whose step names what a fit made of its table or network; weights of its own get a step to come from."""
    name = fitted_name(made)
    outer, _, socket = ref.step.partition(HIDDEN)
    steps = dict(graph.steps)
    if socket:
        origin = f"{outer} {socket}"
        while origin in steps:
            origin += "'"
        steps[origin] = Step(origin, PORTS["luxgrad.load_network"], {"name": name})
        steps[outer] = replace(steps[outer], links={**steps[outer].links, socket: Ref(origin)})
    else:
        param = next(param.name for param in steps[outer].spec.params if isinstance(param.kind, File))
        steps[outer] = replace(steps[outer], values={**steps[outer].values, param: name})
    return replace(graph, steps=steps, made={**graph.made, name: made})

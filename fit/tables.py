"""The look-up tables that a fit may move, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..graph.errors import WorkflowError
from ..graph.model import Ref
from ..ops.types import Lut, leaves

_ROUGHNESS = 0.01


class Tables:
    """The free tables of a fit, by the step they come from: what they start as, and the tensors that gradients move.

    Entries stay within 0..1, or the range of the starting table where that is wider.
    """

    def __init__(self, start: Mapping[Ref, Lut]) -> None:
        self.start = dict(start)
        self.now = {ref: _with(lut, [entry.clone().requires_grad_() for entry in _entries(lut)]) for ref, lut in start.items()}

    @classmethod
    def of(cls, steps: Sequence[str], given: Sequence[Mapping[Ref, Lut]]) -> Tables:
        """The tables that some steps bring to all pairs. Raises WorkflowError where they differ from pair to pair."""
        refs = [Ref(step) for step in steps]
        for ref in refs:
            for other in given[1:]:
                pairs = zip(leaves(given[0][ref]), leaves(other[ref]))
                if not all(one.shape == two.shape and torch.equal(one, two) for one, two in pairs):
                    raise WorkflowError(f"step {ref.step}: a free table is shared; expected the same one for every photo")
        return cls({ref: given[0][ref] for ref in refs})

    @property
    def entries(self) -> list[Tensor]:
        """The tensors to move."""
        return [entry for lut in self.now.values() for entry in _entries(lut)]

    def put(self, values: Sequence[Tensor]) -> None:
        """Set all entries, each within its bounds."""
        with torch.no_grad():
            starts = [entry for lut in self.start.values() for entry in _entries(lut)]
            for entry, value, start in zip(self.entries, values, starts):
                entry.copy_(value.clamp(min(0.0, start.min().item()), max(1.0, start.max().item())))

    def roughness(self) -> Tensor:
        """How unevenly the tables have moved: carries entries that no pixel visits along with their neighbours."""
        total = torch.zeros((), dtype=torch.float64)
        for ref, lut in self.now.items():
            for entry, start in zip(_entries(lut), _entries(self.start[ref])):
                move = entry - start
                for axis in range(move.ndim - 1):
                    total = total + move.diff(dim=axis).square().mean().double()
        return _ROUGHNESS * total

    def found(self) -> dict[Ref, Lut]:
        """The tables as they are now, for keeping."""
        return {ref: _with(lut, [entry.detach().clone() for entry in _entries(lut)]) for ref, lut in self.now.items()}


def _entries(lut: Lut) -> list[Tensor]:
    return [table for table in (lut.curves, lut.cube) if table is not None]


def _with(lut: Lut, entries: list[Tensor]) -> Lut:
    queue = iter(entries)
    curves = None if lut.curves is None else next(queue)
    return lut._replace(curves=curves, cube=None if lut.cube is None else next(queue))

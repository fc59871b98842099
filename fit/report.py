"""What a fit found, in words and numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

import torch

from ..graph.model import G, Ref
from ..light.difference import Difference
from ..light.photo import Photo
from .free import Space, Unknown
from .search import Found

_FLAT = 0.25
_MOST_TRADES = 4


@dataclass(frozen=True)
class FreeSlider:
    """What became of one free slider. std: its uncertainty, in its own unit; flat: the photos say little about it.

    pull: the gradient of the loss with respect to it before the fit, per half of its soft range; None without gradients.
    reached: whether the loss depends on it at all. moves: the sliders that it moves, by step id.
    """

    path: str
    start: float
    value: float
    std: float | None
    flat: bool
    pull: float | None = None
    reached: bool = True
    moves: tuple[str, ...] = ()


@dataclass(frozen=True)
class FreeEntries:
    """What became of a table or network with free entries. file: in which they are kept; moved: by how much, on average."""

    path: str
    file: str
    moved: float


@dataclass(frozen=True)
class PairResult(Generic[G]):
    """One pair after a fit: its graph, with its slider values, and how far from the target before and after.

    derived: what foreign code makes of these slider values, by source. moved: px down and right by which the target was moved
    to meet the photo; None where it met it.
    """

    graph: G
    target: Photo | None
    before: Difference | None
    after: Difference | None
    derived: Mapping[Ref, Photo] = field(default_factory=dict)
    moved: tuple[float, float] | None = None


@dataclass(frozen=True)
class Fitted(Generic[G]):
    """The end of a fit. trades: sets of sliders that can stand in for each other.

    seconds: of the search alone; seconds_total: with looking at the target and measuring what became of it.
    """

    pairs: tuple[PairResult[G], ...]
    free: tuple[FreeSlider, ...]
    trades: tuple[tuple[str, ...], ...]
    method: str
    seconds: float
    converged: bool
    stopped: bool
    loss_before: float | None = None
    loss_after: float | None = None
    entries: tuple[FreeEntries, ...] = ()
    seconds_total: float = 0.0

    @property
    def graph(self) -> G:
        """The fitted graph (of the first pair)."""
        return self.pairs[0].graph

    def report(self) -> dict[str, Any]:
        """Numbers for people and programs, as `report.json` holds them."""
        first = self.pairs[0]
        numbers: dict[str, Any] = {}
        for name, difference in (("before", first.before), ("after", first.after)):
            numbers[f"psnr_{name}"] = difference.psnr if difference else None
            numbers[f"delta_e_{name}"] = difference.delta_e if difference else None
        return {
            **numbers,
            "loss_before": self.loss_before,
            "loss_after": self.loss_after,
            "delta_e_one_in": first.after.one_in if first.after else None,
            "seconds": self.seconds,
            "seconds_total": self.seconds_total,
            "method": self.method,
            "converged": self.converged,
            "stopped": self.stopped,
            "free": [vars(entry) for entry in self.free],
            "tables": [vars(entry) for entry in self.entries if entry.path.endswith(".table")],
            "weights": [vars(entry) for entry in self.entries if entry.path.endswith(".weights")],
            "trades": [list(names) for names in self.trades],
            "pairs": [
                {"before": pair.before._asdict(), "after": pair.after._asdict(), "target_moved": pair.moved}
                for pair in self.pairs
                if pair.before and pair.after
            ],
        }


def moves(fitted: Fitted) -> list[str]:
    """One line for each target that was moved."""
    many = len(fitted.pairs) > 1
    return [
        f"{f'photo {number}: ' if many else ''}the target lay beside the photo: moved {pair.moved[1]:+.2f} px across and "
        f"{pair.moved[0]:+.2f} px down"
        for number, pair in enumerate(fitted.pairs, start=1)
        if pair.moved
    ]


def describe(
    space: Space, found: Found, reached: Collection[str]
) -> tuple[tuple[FreeSlider, ...], tuple[tuple[str, ...], ...]]:
    """What became of every unknown, and the sets of them that trade against each other. reached: steps that the loss sees."""
    entries = []
    for index, (unknown, owner) in enumerate(space.entries):
        name = unknown.name if owner < 0 else f"{unknown.name} of photo {owner + 1}"
        value = space.settings(found.u, max(owner, 0))[unknown.path]
        std, flat = None, False
        if found.uncertainty is not None:
            spread = found.uncertainty.std[index].item()
            flat = spread > _FLAT
            std = abs(_around(unknown, found.u[index].item(), spread))
        pull = None if found.pull is None else found.pull[index].item()
        seen = any(path.step in reached for path in unknown.paths)
        moves = tuple(f"{path.step}.{path.name}" for path in unknown.paths)
        entries.append(FreeSlider(name, unknown.start, value, std, flat, pull, seen, moves))
    return tuple(entries), _trades(space, found)


def _around(unknown: Unknown, u: float, spread: float) -> float:
    """A spread in half ranges as one in the slider's own unit."""
    return 0.5 * (unknown.from_half_ranges(u + spread) - unknown.from_half_ranges(u - spread))


def _trades(space: Space, found: Found) -> tuple[tuple[str, ...], ...]:
    """Sets of sliders of which the photos fix only a combination: the large parts of uncertain eigenvectors."""
    if found.uncertainty is None or not len(space):
        return ()
    values, vectors = torch.linalg.eigh(found.uncertainty.covariance)
    sets: list[tuple[str, ...]] = []
    for value, vector in zip(values.flip(0), vectors.T.flip(0)):
        if value.clamp_min(0.0).sqrt().item() <= _FLAT or len(sets) == _MOST_TRADES:
            break
        names = tuple(space.entries[i][0].name for i in (vector.abs() > 0.3).nonzero()[:, 0].tolist())
        if len(names) > 1 and names not in sets:
            sets.append(names)
    return tuple(sets)

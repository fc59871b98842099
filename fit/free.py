"""Which sliders a fit may move: text, one line each, and the vector of unknowns it stands for.

PATTERN [in LOW..HIGH] [per photo]      sliders by path, * and ? allowed
STEP.table                              the look-up table of a Load LUT (see `parameters`)
STEP.weights, STEP.weights.PATTERN      the weights of a network
a.stops = b.stops                       a tie: both move as one
# comment
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..graph.errors import WorkflowError, nearest
from ..graph.model import Graph, Path
from ..ops.params import Slider
from .parameters import entry_lines, said


@dataclass(frozen=True)
class Unknown:
    """One free slider: where it starts, its bounds, and the sliders tied to it. per_photo: one value for each pair."""

    path: Path
    name: str
    slider: Slider
    default: float
    start: float
    low: float
    high: float
    per_photo: bool = False
    tied: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path, *self.tied)

    def to_half_ranges(self, value: float) -> float:
        return self.slider.to_half_ranges(value, self.default)

    def from_half_ranges(self, distance: Any) -> Any:
        return self.slider.from_half_ranges(distance, self.default)


def read_free(graph: Graph, text: str, within: Collection[str]) -> list[Unknown]:
    """The sliders that a free text names, of the steps `within`; an empty text names all. Raises WorkflowError.

    Lines that name entries of tables or networks are for `read_entries`.
    """
    named = {
        shown: Path(step.id, param.name)
        for step in graph
        if step.id in within
        for param in step.spec.sliders
        for shown in (graph.name(step.id) + "." + param.name, f"{step.id}.{param.name}")
    }
    found: dict[Path, Unknown] = {}
    ties: list[tuple[Path, Path]] = []
    entries = entry_lines(text)
    lines = [line for line in said(text) if line not in entries]
    patterns = [line for line in lines if "=" not in line]
    for line in patterns or ([] if entries else ["*"]):
        for unknown in _matches(graph, line, named):
            found[unknown.path] = unknown
    for line in lines:
        if "=" in line:
            ties.append(_tie(graph, line, named))
    for leader, follower in ties:
        _bind(graph, found, leader, follower)
    if not found and not entries:
        raise WorkflowError("expected a slider to fit; the workflow has none before its photo comes out")
    return list(found.values())


def _ending(line: str, word: str) -> tuple[str, str | None]:
    """A line without `word ANYTHING` at its end, and that anything; from the end, so that no line takes long to read."""
    parts = line.rsplit(None, 2)
    return (parts[0], parts[2]) if len(parts) == 3 and parts[1] == word else (line, None)


def _matches(graph: Graph, line: str, named: Mapping[str, Path]) -> list[Unknown]:
    rest, photo = _ending(line, "per")
    rest = rest if photo == "photo" else line
    pattern, bounds = _ending(rest, "in")
    low, dots, high = (bounds or "").partition("..")
    if not (low and dots and high):
        pattern, low, high = rest, "", ""
    paths = dict.fromkeys(path for shown, path in named.items() if fnmatch.fnmatchcase(shown, pattern))
    if not paths:
        if pattern == "*":
            return []
        raise WorkflowError(f"free: {pattern!r} matches no slider {nearest(pattern, named)}")
    unknowns = [_unknown(graph, path) for path in paths]
    return [_bounded(replace(unknown, per_photo=photo == "photo"), line, low, high) for unknown in unknowns]


def _unknown(graph: Graph, path: Path) -> Unknown:
    param = graph.param(path)
    slider: Any = param.kind
    return Unknown(path, graph.show(path), slider, param.default, graph.value(path), slider.low, slider.high)


def _bounded(unknown: Unknown, line: str, least: str, most: str) -> Unknown:
    if not least:
        return unknown
    try:
        low, high = float(least), float(most)
    except ValueError:
        raise WorkflowError(f"free: expected PATTERN in LOW..HIGH; got {line!r}") from None
    if not unknown.slider.low <= low < high <= unknown.slider.high:
        limits = f"{unknown.slider.low:g}..{unknown.slider.high:g}"
        raise WorkflowError(f"free: expected bounds of {unknown.name} within {limits}; got {low:g}..{high:g}")
    return replace(unknown, low=low, high=high, start=min(max(unknown.start, low), high))


def _tie(graph: Graph, line: str, named: Mapping[str, Path]) -> tuple[Path, Path]:
    sides = [side.strip() for side in line.split("=")]
    if len(sides) != 2:
        raise WorkflowError(f"free: expected a.slider = b.slider; got {line!r}")
    for side in sides:
        if side not in named:
            raise WorkflowError(f"free: {side!r} is no slider before the photo comes out {nearest(side, named)}")
    return named[sides[0]], named[sides[1]]


def _bind(graph: Graph, found: dict[Path, Unknown], leader: Path, follower: Path) -> None:
    """Let one unknown move two sliders, within the bounds of both."""
    first = next((u for u in found.values() if leader in u.paths), None) or _unknown(graph, leader)
    second = next((u for u in found.values() if follower in u.paths), None) or _unknown(graph, follower)
    if first is second or first.path == second.path:
        return
    low, high = max(first.low, second.low), min(first.high, second.high)
    if not low < high or first.slider.unit != second.slider.unit:
        raise WorkflowError(f"free: {first.name} and {second.name} have no range in common and cannot be tied")
    found.pop(second.path, None)
    start = min(max(first.start, low), high)
    tied = (*first.tied, *second.paths)
    found[first.path] = replace(
        first, tied=tied, low=low, high=high, start=start, per_photo=first.per_photo or second.per_photo
    )


class Space:
    """The vector of unknowns of a fit over some pairs: first the shared ones, then those of each pair.

    Coordinates are soft half ranges from the default.
    """

    def __init__(self, unknowns: Sequence[Unknown], pairs: int) -> None:
        shared = [(unknown, -1) for unknown in unknowns if not unknown.per_photo]
        own = [(unknown, pair) for pair in range(pairs) for unknown in unknowns if unknown.per_photo]
        self.unknowns = list(unknowns)
        self.entries: list[tuple[Unknown, int]] = shared + own
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.entries)

    def indices(self, pair: int) -> list[int]:
        """The places in the vector that one pair's sliders come from, in the order of `unknowns`."""
        where = {(unknown.path, owner): index for index, (unknown, owner) in enumerate(self.entries)}
        return [where[u.path, pair if u.per_photo else -1] for u in self.unknowns]

    def vector(self, values: str = "start") -> Tensor:
        """The unknowns' `start`, `low`, `high` or `default` values as coordinates."""
        return torch.tensor(
            [unknown.to_half_ranges(getattr(unknown, values)) for unknown, _ in self.entries], dtype=torch.float64
        )

    def values(self, own: Sequence[Tensor]) -> dict[Path, Tensor]:
        """One pair's slider values (B,1,1,1) by path, from its coordinates, one tensor for each of `unknowns`."""
        return {
            path: unknown.from_half_ranges(coordinate).reshape(-1, 1, 1, 1)
            for unknown, coordinate in zip(self.unknowns, own)
            for path in unknown.paths
        }

    def settings(self, vector: Tensor, pair: int) -> dict[Path, float]:
        """One pair's slider values as numbers within their bounds."""
        numbers: dict[Path, float] = {}
        for unknown, index in zip(self.unknowns, self.indices(pair)):
            value = float(unknown.from_half_ranges(vector[index].item()))
            numbers |= dict.fromkeys(unknown.paths, min(max(value, unknown.low), unknown.high))
        return numbers

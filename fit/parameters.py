"""Everything in a graph that gradients can move, in one walk: sliders, entries of look-up tables, weights of networks."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..graph.errors import WorkflowError, nearest
from ..graph.model import HIDDEN, Graph, Path, Ref, Step
from ..graph.outputs import brought
from ..ops.types import SOCKETS, Lut, Network
from .entries import Chosen, bounds, tensors_of

ENTRIES = re.compile(r"\.(table|weights)(\.|\s*$)")
"""How the name of something that is no slider goes on after its step."""
_COMMENT = re.compile(r"(?:^|\s)#")
_LONGEST = 1000
"""Characters of a line; a pattern of many more takes minutes to compile."""
_SOCKETS = (SOCKETS[Lut].name, SOCKETS[Network].name)


@dataclass(frozen=True)
class Parameter:
    """One thing that can move.

    path: its name, as free text and reports have it. kind: `slider`, `table` or `weights`. value: a number, or a tensor.
    low and high: its bounds, of every entry. place: the slider, or the value that the tensor belongs to.
    """

    path: str
    kind: str
    value: float | Tensor
    low: float
    high: float
    place: Path | Ref


def traverse(graph: Graph) -> Iterator[Parameter]:
    """All parameters of a graph, in the order of its steps; tables and weights are read. Raises WorkflowError."""
    for step in graph:
        for param in step.spec.sliders:
            path = Path(step.id, param.name)
            kind: Any = param.kind
            yield Parameter(graph.show(path), "slider", step.value(param.name), kind.low, kind.high, path)
        given = movable(graph, [step.id])
        for name, (ref, tensor) in _named(graph, given, aliases=False).items():
            value = tensors_of(given[ref])[tensor]
            low, high = bounds(given[ref], value)
            yield Parameter(name, "table" if isinstance(given[ref], Lut) else "weights", value, low, high, ref)


def movable(graph: Graph, within: Collection[str]) -> dict[Ref, Any]:
    """The tables and networks that some steps bring, read from their files. Raises WorkflowError."""
    steps = [graph.steps[step_id] for step_id in within]
    bringing = (step for step in steps if any(o.socket in _SOCKETS for o in step.spec.outputs) or _own_weights(step))
    return {ref: value for step in bringing for ref, value in brought(graph, step).items() if isinstance(value, (Lut, Network))}


def _own_weights(step: Step) -> bool:
    return any(entry.weights and entry.name not in step.links for entry in step.spec.inputs)


def entry_path(graph: Graph, ref: Ref, made: Any) -> str:
    """What all entries of a table or a network together are called."""
    return f"{graph.name(ref.step.partition(HIDDEN)[0])}.{'table' if isinstance(made, Lut) else 'weights'}"


def read_entries(graph: Graph, text: str, within: Collection[str], given: Mapping[Ref, Any]) -> Chosen:
    """The entries of tables and networks that a free text names, of the steps `within`. Raises WorkflowError.

    given: the values at hand. STEP.table and STEP.weights are all entries of one; patterns may name tensors.
    """
    inner = {ref: v for ref, v in given.items() if isinstance(v, (Lut, Network)) and ref.step.partition(HIDDEN)[0] in within}
    named = _named(graph, inner, aliases=True)
    found: dict[Ref, dict[str, None]] = {}
    for line in entry_lines(text):
        matched = [
            place for name, place in named.items() if fnmatch.fnmatchcase(name, line) or fnmatch.fnmatchcase(_whole(name), line)
        ]
        if not matched:
            what = "look-up table" if ".table" in line else "weights"
            raise WorkflowError(f"free: {line!r} matches no {what} {nearest(line, [_whole(name) for name in named])}")
        for ref, tensor in matched:
            found.setdefault(ref, {})[tensor] = None
    return {ref: list(tensors) for ref, tensors in found.items()}


def entry_lines(text: str) -> list[str]:
    """The lines of a free text that name entries."""
    return [line for line in said(text) if ENTRIES.search(line) and "=" not in line]


def said(text: str) -> list[str]:
    """The lines of a free text that say something, without comments. Raises WorkflowError."""
    lines = [line for line in (_COMMENT.split(line, 1)[0].strip() for line in text.splitlines()) if line]
    if any(len(line) > _LONGEST for line in lines):
        raise WorkflowError(f"free: expected lines of at most {_LONGEST} characters; got {max(map(len, lines))}")
    return lines


def _named(graph: Graph, given: Mapping[Ref, Any], aliases: bool) -> dict[str, tuple[Ref, str]]:
    """Every tensor of some tables and networks, by name; with `aliases` also by the ids of titled steps."""
    inside: dict[str, int] = {}
    for ref in given:
        inside[ref.step.partition(HIDDEN)[0]] = inside.get(ref.step.partition(HIDDEN)[0], 0) + 1
    named = {}
    for ref, value in given.items():
        outer, _, socket = ref.step.partition(HIDDEN)
        shown = [graph.name(outer), outer] if aliases else [graph.name(outer)]
        kind, which = "table" if isinstance(value, Lut) else "weights", f"{socket}." if inside[outer] > 1 else ""
        for tensor in tensors_of(value):
            for name in shown:
                named[f"{name}.{kind}.{which}{tensor}"] = ref, tensor
    return named


def _whole(name: str) -> str:
    """The name of all entries that a tensor is among."""
    found = ENTRIES.search(name)
    assert found is not None
    return name[: found.end(1)]

"""The patch: the one small language in which diagnosis, presets, undo and agents edit a graph.

A patch is a list of edits, plain JSON:
    {"edit": "set",    "path": "exposure.stops", "value": 0.5}
    {"edit": "add",    "step": "warm", "node": "luxgrad.colour.white_balance", "values": {}, "links": {"image": ["1", 0]}}
    {"edit": "link",   "step": "5", "input": "image", "from": ["warm", 0]}
    {"edit": "remove", "step": "warm"}        its users are wired to its first picture
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import WorkflowError, nearest
from .model import Graph, Ref
from .schema import from_data, to_data

Patch = Sequence[Mapping[str, Any]]

_FIELDS = {
    "set": ({"path", "value"}, set()),
    "add": ({"step", "node"}, {"values", "links", "title"}),
    "link": ({"step", "input", "from"}, set()),
    "remove": ({"step"}, set()),
}


def apply(graph: Graph, patch: Patch) -> Graph:
    """A graph after all edits of a patch, checked by the same declarations as a file. Raises WorkflowError."""
    if not isinstance(patch, Sequence) or isinstance(patch, (str, bytes)):
        raise WorkflowError(f"expected a patch: a list of edits; got {type(patch).__name__}")
    start = graph
    for number, edit in enumerate(patch, start=1):
        try:
            graph = _EDITS[_kind(edit)](graph, edit)
        except WorkflowError as error:
            raise WorkflowError(f"edit {number}: {error}") from None
    return dataclasses.replace(start, steps=from_data(to_data(graph)).steps)


def _kind(edit: Any) -> str:
    if not isinstance(edit, Mapping) or not isinstance(edit.get("edit"), str) or edit["edit"] not in _FIELDS:
        raise WorkflowError(f"expected edit to be one of {', '.join(_FIELDS)}; got {str(edit)[:60]}")
    needed, allowed = _FIELDS[edit["edit"]]
    given = set(edit) - {"edit"}
    if needed - given or given - needed - allowed:
        raise WorkflowError(f"expected {edit['edit']} with {', '.join(sorted(needed))}; got {', '.join(sorted(given))}")
    return edit["edit"]


def _set(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    return graph.with_values({edit["path"]: edit["value"]})


def _add(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    if not isinstance(edit["step"], str) or edit["step"] in graph.steps:
        raise WorkflowError(f"expected a new step id; got {edit['step']!r}")
    inputs = {
        **dict(edit.get("values", {})),
        **{name: list(link) for name, link in dict(edit.get("links", {})).items()},
    }
    entry: dict[str, Any] = {"class_type": edit["node"], "inputs": inputs}
    if "title" in edit:
        entry["_meta"] = {"title": edit["title"]}
    return from_data({**to_data(graph), edit["step"]: entry})


def _link(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    step = graph.step(edit["step"])
    if step.spec.input(edit["input"]) is None:
        raise WorkflowError(
            f"{step} has no input {edit['input']!r} {nearest(edit['input'], [e.name for e in step.spec.inputs])}"
        )
    if not isinstance(edit["from"], (list, tuple)) or len(edit["from"]) != 2:
        raise WorkflowError(f"expected from to be [step, output]; got {str(edit['from'])[:40]}")
    origin, slot = edit["from"]
    links = {**step.links, edit["input"]: Ref(graph.step(origin).id, slot)}
    return _with_step(graph, dataclasses.replace(step, links=links))


def _remove(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    gone = graph.step(edit["step"])
    through = next((gone.links[e.name] for e in gone.spec.inputs if e.picture and e.name in gone.links), None)
    steps = {}
    for step in graph:
        if step.id == gone.id:
            continue
        links = {}
        for name, link in step.links.items():
            if link.step != gone.id:
                links[name] = link
            elif through is not None:
                links[name] = through
        steps[step.id] = dataclasses.replace(step, links=links)
    return from_data(to_data(dataclasses.replace(graph, steps=steps)))


def _with_step(graph: Graph, step: Any) -> Graph:
    return dataclasses.replace(graph, steps={**graph.steps, step.id: step})


_EDITS: dict[str, Callable[[Graph, Mapping[str, Any]], Graph]] = {
    "set": _set,
    "add": _add,
    "link": _link,
    "remove": _remove,
}

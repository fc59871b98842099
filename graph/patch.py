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

from .errors import WorkflowError, got, nearest
from .model import Graph, Ref
from .schema import from_data, to_data
from .shape import field, plain_data

Patch = Sequence[Mapping[str, Any]]

_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "set": ({"path", "value"}, set()),
    "add": ({"step", "node"}, {"values", "links", "title"}),
    "link": ({"step", "input", "from"}, set()),
    "remove": ({"step"}, set()),
}
"""What every edit must say, and what it may."""
_KINDS = {"values": Mapping, "links": Mapping}
_ANY = ("value", "from")


def apply(graph: Graph, patch: Patch) -> Graph:
    """A graph after all edits of a patch, checked by the same declarations as a file. Raises WorkflowError."""
    if not isinstance(patch, Sequence) or isinstance(patch, (str, bytes)):
        raise WorkflowError(f"expected a patch: a list of edits; got {got(patch)}")
    start = graph
    for number, edit in enumerate(patch, start=1):
        try:
            graph = _EDITS[_kind(plain_data(edit, "the edit"))](graph, edit)
        except WorkflowError as error:
            raise WorkflowError(f"edit {number}: {error}") from None
    return dataclasses.replace(start, steps=from_data(to_data(graph)).steps)


def _kind(edit: Any) -> str:
    if not isinstance(edit, Mapping) or not isinstance(edit.get("edit"), str) or edit["edit"] not in _FIELDS:
        came = got(edit.get("edit")) if isinstance(edit, Mapping) else got(edit)
        raise WorkflowError(f"expected edit to be one of {', '.join(_FIELDS)}; got {came}")
    needed, allowed = _FIELDS[edit["edit"]]
    given = set(edit) - {"edit"}
    if needed - given or given - needed - allowed:
        raise WorkflowError(f"expected {edit['edit']} with {', '.join(sorted(needed))}; got {', '.join(sorted(given))}")
    for name in sorted(given.difference(_ANY)):
        field(edit, name, _KINDS.get(name, str), edit["edit"], required=True)
    return edit["edit"]


def _set(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    return graph.with_values({edit["path"]: edit["value"]})


def _add(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    if edit["step"] in graph.steps:
        raise WorkflowError(f"expected a new step id; got {edit['step']!r}")
    links = {name: _wire(link, name) for name, link in edit.get("links", {}).items()}
    inputs = {**edit.get("values", {}), **links}
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
    origin, slot = _wire(edit["from"], "from")
    links = {**step.links, edit["input"]: Ref(graph.step(origin).id, slot)}
    return _with_step(graph, dataclasses.replace(step, links=links))


def _wire(given: Any, name: str) -> list[Any]:
    if not isinstance(given, (list, tuple)) or [type(part) for part in given] != [str, int]:
        raise WorkflowError(f"expected {name} to be [step, output]; got {got(given)}")
    return [*given]


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

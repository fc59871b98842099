"""The patch: the one small language in which diagnosis, presets, undo and agents edit a graph.

A patch is a list of edits, plain JSON:
    {"edit": "set",    "path": "exposure.stops", "value": 0.5}
    {"edit": "add",    "step": "warm", "node": "luxgrad.colour.white_balance", "values": {}, "links": {"image": ["1", 0]}}
    {"edit": "link",   "step": "5", "input": "image", "from": ["warm", 0]}     null unwires an input that may be left open
    {"edit": "remove", "step": "warm"}        its users are wired to its first picture
Every edit may say why, in one line: {..., "reason": "the brightest parts lie 1.2 EV below white"}.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import WorkflowError, nearest
from .model import Graph, Link
from .schema import from_data, to_data

Patch = Sequence[Mapping[str, Any]]

MOST_EDITS = 1000
LONGEST_REASON = 600

_LINK = {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer", "minimum": 0}], "minItems": 2, "maxItems": 2}
_FACTS: dict[str, tuple[tuple[type, ...], dict[str, Any]]] = {
    "path": ((str,), {"type": "string"}),
    "value": ((int, float, str, bool), {"type": ["number", "string", "boolean"]}),
    "step": ((str,), {"type": "string"}),
    "node": ((str,), {"type": "string"}),
    "values": ((Mapping,), {"type": "object", "additionalProperties": {"type": ["number", "string", "boolean"]}}),
    "links": ((Mapping,), {"type": "object", "additionalProperties": _LINK}),
    "title": ((str,), {"type": "string"}),
    "input": ((str,), {"type": "string"}),
    "from": ((list, tuple, type(None)), {"anyOf": [_LINK, {"type": "null"}]}),
    "reason": ((str,), {"type": "string", "maxLength": LONGEST_REASON}),
}
_FIELDS = {
    "set": ({"path", "value"}, set()),
    "add": ({"step", "node"}, {"values", "links", "title"}),
    "link": ({"step", "input", "from"}, set()),
    "remove": ({"step"}, set()),
}


def schema() -> dict[str, Any]:
    """JSON Schema of a patch; what a value may be, the declaration of its parameter says."""
    kinds = []
    for kind, (needed, allowed) in _FIELDS.items():
        names = [name for name in _FACTS if name in needed | allowed | {"reason"}]
        facts = {"edit": {"const": kind}, **{name: _FACTS[name][1] for name in names}}
        required = ["edit", *(name for name in names if name in needed)]
        kinds.append({"type": "object", "properties": facts, "required": required, "additionalProperties": False})
    return {"type": "array", "maxItems": MOST_EDITS, "items": {"oneOf": kinds}}


def well_formed(patch: Any) -> Patch:
    """A patch whose edits have the fields of their kind, not yet checked against a graph. Raises WorkflowError."""
    if not isinstance(patch, Sequence) or isinstance(patch, (str, bytes)):
        raise WorkflowError(f"expected a patch: a list of edits; got {type(patch).__name__}")
    if len(patch) > MOST_EDITS:
        raise WorkflowError(f"expected a patch of at most {MOST_EDITS} edits; got {len(patch)}")
    for number, edit in enumerate(patch, start=1):
        try:
            _check(edit)
        except WorkflowError as error:
            raise WorkflowError(f"edit {number}: {error}") from None
    return patch


def apply(graph: Graph, patch: Patch) -> Graph:
    """A graph after all edits of a patch, checked by the same declarations as a file. Raises WorkflowError."""
    start = graph
    for number, edit in enumerate(well_formed(patch), start=1):
        try:
            graph = _EDITS[edit["edit"]](graph, edit)
        except WorkflowError as error:
            raise WorkflowError(f"edit {number}: {error}") from None
    return dataclasses.replace(start, steps=from_data(to_data(graph)).steps)


def _check(edit: Any) -> None:
    if not isinstance(edit, Mapping) or not isinstance(edit.get("edit"), str) or edit["edit"] not in _FIELDS:
        raise WorkflowError(f"expected edit to be one of {', '.join(_FIELDS)}; got {str(edit)[:60]}")
    needed, allowed = _FIELDS[edit["edit"]]
    given = set(edit) - {"edit"}
    if needed - given or given - needed - allowed - {"reason"}:
        shown = ", ".join(sorted(str(name)[:40] for name in given))
        raise WorkflowError(f"expected {edit['edit']} with {', '.join(sorted(needed))}; got {shown}")
    for name in given:
        if not isinstance(edit[name], _FACTS[name][0]):
            wanted = _FACTS[name][1].get("type", "[step, output] or null")
            raise WorkflowError(f"{name}: expected {wanted}; got {str(edit[name])[:40]}")
    reason = edit.get("reason", "")
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise WorkflowError(f"reason: expected one line of at most {LONGEST_REASON} characters; got {reason[:40]!r}")


def _set(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    return graph.with_values({edit["path"]: edit["value"]})


def _add(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    if edit["step"] in graph.steps:
        raise WorkflowError(f"expected a new step id; got {edit['step']!r}")
    links = {name: _end(link) for name, link in edit.get("links", {}).items()}
    entry: dict[str, Any] = {"class_type": edit["node"], "inputs": {**edit.get("values", {}), **links}}
    if "title" in edit:
        entry["_meta"] = {"title": edit["title"]}
    return from_data({**to_data(graph), edit["step"]: entry})


def _link(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    step = graph.step(edit["step"])
    if step.spec.input(edit["input"]) is None:
        raise WorkflowError(
            f"{step} has no input {edit['input']!r} {nearest(edit['input'], [e.name for e in step.spec.inputs])}"
        )
    links = {name: link for name, link in step.links.items() if name != edit["input"]}
    if edit["from"] is not None:
        origin, slot = _end(edit["from"])
        links[edit["input"]] = Link(graph.step(origin).id, slot)
    return _with_step(graph, dataclasses.replace(step, links=links))


def _end(link: Any) -> list[Any]:
    """The end of a wire, checked as far as its shape."""
    fits = isinstance(link, (list, tuple)) and len(link) == 2 and isinstance(link[0], str)
    if not fits or type(link[1]) is not int or link[1] < 0:
        raise WorkflowError(f"expected a wire to come from [step, output]; got {str(link)[:40]}")
    return list(link)


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

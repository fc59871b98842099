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

from .errors import WorkflowError, got, nearest
from .model import G, Graph, Ref
from .schema import from_data, to_data
from .shape import field, plain_data

Patch = Sequence[Mapping[str, Any]]

MOST_EDITS = 1000
LONGEST_REASON = 600

_LINK = {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer", "minimum": 0}], "minItems": 2, "maxItems": 2}
_VALUE = {"type": ["number", "string", "boolean"]}
_FACTS: dict[str, tuple[type | None, dict[str, Any]]] = {
    "path": (str, {"type": "string"}),
    "value": (None, _VALUE),
    "step": (str, {"type": "string"}),
    "node": (str, {"type": "string"}),
    "values": (Mapping, {"type": "object", "additionalProperties": _VALUE}),
    "links": (Mapping, {"type": "object", "additionalProperties": _LINK}),
    "title": (str, {"type": "string"}),
    "input": (str, {"type": "string"}),
    "from": (None, {"anyOf": [_LINK, {"type": "null"}]}),
    "reason": (str, {"type": "string", "maxLength": LONGEST_REASON}),
}
"""The fields of edits: their kind (None: seen to where they are used), and as JSON Schema."""
_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "set": ({"path", "value"}, {"reason"}),
    "add": ({"step", "node"}, {"values", "links", "title", "reason"}),
    "link": ({"step", "input", "from"}, {"reason"}),
    "remove": ({"step"}, {"reason"}),
}
"""What every edit must say, and what it may."""


def schema() -> dict[str, Any]:
    """JSON Schema of a patch; what a value may be, the declaration of its parameter says."""
    kinds = []
    for kind, (needed, allowed) in _FIELDS.items():
        names = [name for name in _FACTS if name in needed | allowed]
        facts = {"edit": {"const": kind}, **{name: _FACTS[name][1] for name in names}}
        required = ["edit", *(name for name in names if name in needed)]
        kinds.append({"type": "object", "properties": facts, "required": required, "additionalProperties": False})
    return {"type": "array", "maxItems": MOST_EDITS, "items": {"oneOf": kinds}}


def well_formed(patch: Any) -> Patch:
    """A patch whose edits have the fields of their kind, not yet checked against a graph. Raises WorkflowError."""
    if not isinstance(patch, Sequence) or isinstance(patch, (str, bytes)):
        raise WorkflowError(f"expected a patch: a list of edits; got {got(patch)}")
    if len(patch) > MOST_EDITS:
        raise WorkflowError(f"expected a patch of at most {MOST_EDITS} edits; got {len(patch)}")
    for number, edit in enumerate(patch, start=1):
        try:
            _check(plain_data(edit, "the edit"))
        except WorkflowError as error:
            raise WorkflowError(f"edit {number}: {error}") from None
    return patch


def apply(graph: G, patch: Patch) -> G:
    """A graph after all edits of a patch, checked by the same declarations as a file. Raises WorkflowError."""
    edited: Graph = graph
    for number, edit in enumerate(well_formed(patch), start=1):
        try:
            edited = _EDITS[edit["edit"]](edited, edit)
        except WorkflowError as error:
            raise WorkflowError(f"edit {number}: {error}") from None
    return dataclasses.replace(graph, steps=from_data(to_data(edited)).steps)


def _check(edit: Any) -> None:
    if not isinstance(edit, Mapping) or not isinstance(edit.get("edit"), str) or edit["edit"] not in _FIELDS:
        came = got(edit.get("edit")) if isinstance(edit, Mapping) else got(edit)
        raise WorkflowError(f"expected edit to be one of {', '.join(_FIELDS)}; got {came}")
    needed, allowed = _FIELDS[edit["edit"]]
    given = set(edit) - {"edit"}
    if needed - given or given - needed - allowed:
        raise WorkflowError(f"expected {edit['edit']} with {', '.join(sorted(needed))}; got {', '.join(sorted(given))}")
    for name in sorted(given):
        kind = _FACTS[name][0]
        if kind is not None:
            field(edit, name, kind, edit["edit"], required=True)
    reason = edit.get("reason", "")
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise WorkflowError(
            f"{edit['edit']}, reason: expected one line of at most {LONGEST_REASON} characters; got {got(reason)}"
        )


def _set(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    return graph.with_values({edit["path"]: edit["value"]})


def _add(graph: Graph, edit: Mapping[str, Any]) -> Graph:
    if edit["step"] in graph.steps:
        raise WorkflowError(f"expected a new step id; got {edit['step']!r}")
    links = {name: _wire(link, name) for name, link in edit.get("links", {}).items()}
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
        origin, slot = _wire(edit["from"], "from")
        links[edit["input"]] = Ref(graph.step(origin).id, slot)
    return _with_step(graph, dataclasses.replace(step, links=links))


def _wire(given: Any, name: str) -> list[Any]:
    """Where a wire comes from, checked as far as its shape."""
    if not isinstance(given, (list, tuple)) or [type(part) for part in given] != [str, int] or given[1] < 0:
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

"""ComfyUI's UI form, the file that its editor saves: to the API form, and new values back into it, without a browser.

Rules as in the editor's own conversion (ComfyUI front end 1.27 and 1.58): notes and reroutes vanish, primitives give their
value, muted nodes drop out, bypassed ones are short-circuited by type, subgraphs are flattened to `outer:inner` ids.
What cannot be converted faithfully is refused by name.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import WorkflowError, one_line
from .ports import find_spec
from .ui_layout import from_api, is_link
from .ui_shape import INSIDE, Document, Flow, Node, Wire, document_of
from .ui_widgets import aligned, lengthen, place_of

MUTED, BYPASSED = 2, 4
_NOTES = ("Note", "MarkdownNote")
_MOST_HOPS = 300


def is_ui_form(data: Any) -> bool:
    """Whether this is the editor's own form, however damaged: it has nodes or links, and they are no steps."""
    fields = [data[name] for name in ("nodes", "links") if name in data] if isinstance(data, Mapping) else []
    return any(not isinstance(value, Mapping) or "class_type" not in value for value in fields)


@dataclass
class _Place:
    """Where the walk is: the root, or an instance of a subgraph. prefix: of its nodes' ids. inner: instances in it by node."""

    flow: Flow
    prefix: str = ""
    outer: _Place | None = None
    instance: Node | None = None
    inner: dict[str, _Place] = field(default_factory=dict)
    leaving: dict[int, Wire] = field(default_factory=dict)


def to_api(data: Mapping[str, Any]) -> dict[str, Any]:
    """The API form of a UI document. Raises WorkflowError."""
    document = document_of(data)
    api: dict[str, Any] = {}
    for place in _places(_place(document, document.root)):
        for node in place.flow.nodes.values():
            if not _executes(place, node):
                continue
            if place.prefix + node.id in api:
                raise WorkflowError(f"{_called(place, node.id)}: expected one of this id; got two")
            api[place.prefix + node.id] = _entry(place, node)
    for entry in api.values():
        entry["inputs"] = {name: value for name, value in entry["inputs"].items() if not is_link(value) or value[0] in api}
    return api


def _place(
    document: Document, flow: Flow, prefix: str = "", outer: _Place | None = None, instance: Node | None = None
) -> _Place:
    place = _Place(flow, prefix, outer, instance, leaving=flow.leaving() if outer else {})
    for node in flow.nodes.values():
        if node.kind in document.subgraphs:
            inside = document.subgraphs[node.kind]
            place.inner[node.id] = _place(document, inside, f"{prefix}{node.id}:", place, node)
    return place


def _places(place: _Place) -> Iterator[_Place]:
    yield place
    for key, inner in place.inner.items():
        if place.flow.nodes[key].mode not in (MUTED, BYPASSED):
            yield from _places(inner)


def _called(place: _Place, node_id: str) -> str:
    return f"node {one_line(place.prefix + node_id, 60)}"


def _executes(place: _Place, node: Node) -> bool:
    virtual = node.kind in (*_NOTES, "Reroute", "PrimitiveNode") or node.id in place.inner
    if node.kind.startswith(("workflow>", "workflow/")):
        raise WorkflowError(f"{_called(place, node.id)}: old group nodes are not read; convert it to a subgraph in the editor")
    return not virtual and node.mode not in (MUTED, BYPASSED)


def _entry(place: _Place, node: Node) -> dict[str, Any]:
    # A list would read as a wire; the editor wraps it like this.
    values = {k: {"__value__": v} if isinstance(v, list) else v for k, v in widget_values(node).items()}
    entry = {"class_type": node.kind, "inputs": values | _arriving(place, node)}
    return {**entry, "_meta": {"title": node.title}} if node.title else entry


def _arriving(place: _Place, node: Node) -> dict[str, Any]:
    """What wires bring to the inputs of a node, by name: [step, output], or the value of a primitive."""
    found = {}
    for socket in node.inputs:
        wire = place.flow.wires.get(socket.wire) if socket.wire is not None else None
        brought = None if wire is None else _origin(place, wire)
        if brought is not None:
            found[socket.name] = brought.value if isinstance(brought, _Value) else [*brought]
    return found


@dataclass(frozen=True)
class _Value:
    """What a wire brings instead of a step's output: the value of a primitive, or of a subgraph's widget."""

    value: Any


@dataclass(frozen=True)
class _Way:
    """A wire to follow further back. kind: of what the step at the end of the way wants."""

    place: _Place
    wire: Wire
    kind: Any


def _origin(place: _Place, wire: Wire) -> tuple[str, int] | _Value | None:
    """Where a wire comes from, past all that only passes on: a step's output, or a value; None where nothing does."""
    found: Any = _Way(place, wire, wire.kind)
    for _ in range(_MOST_HOPS):
        found = _back(found)
        if not isinstance(found, _Way):
            return found
    raise WorkflowError(f"{_called(place, wire.origin)}: its wires go round in a circle, or on for {_MOST_HOPS} nodes")


def _back(way: _Way) -> _Way | tuple[str, int] | _Value | None:
    place, origin, slot = way.place, way.wire.origin, way.wire.slot
    if origin == INSIDE:
        return _from_outside(place, slot)
    node = place.flow.nodes.get(origin)
    if node is None:
        raise WorkflowError(f"a wire comes from {_called(place, origin)}, which is not there")
    if node.mode == MUTED:
        return None
    if node.kind == "Reroute":
        return _onward(place, node.inputs[0].wire, way.kind) if node.inputs else None
    if node.kind == "PrimitiveNode":
        values = node.entry.get("widgets_values")
        if not isinstance(values, list) or not values:
            raise WorkflowError(f"{_called(place, origin)}: expected a primitive with a value")
        return _Value(values[0])
    if node.mode == BYPASSED:
        return _past(place, node, slot, way.kind)
    if origin in place.inner:
        leaving = place.inner[origin].leaving.get(slot)
        return None if leaving is None else _Way(place.inner[origin], leaving, way.kind)
    return place.prefix + origin, slot


def _onward(place: _Place, wire: str | None, kind: Any = None) -> _Way | None:
    found = place.flow.wires.get(wire) if wire is not None else None
    return None if found is None else _Way(place, found, found.kind if kind is None else kind)


def _from_outside(place: _Place, slot: int) -> _Way | _Value | None:
    """What the instance of a subgraph gets at one of its inputs: a wire, or the value of its own widget."""
    outer, instance = place.outer, place.instance
    if outer is None or instance is None:
        raise WorkflowError("a wire comes from the inputs of a subgraph, but there is none around it")
    name = place.flow.inputs[slot] if slot < len(place.flow.inputs) else None
    sockets = instance.inputs
    socket = next((s for s in sockets if s.name == name), sockets[slot] if slot < len(sockets) else None)
    if socket is None:
        return None
    way = _onward(outer, socket.wire)
    if way is None and socket.widget is not None:
        values = instance.entry.get("widgets_values")
        promoted = [s.name for s in sockets if s.widget is not None]
        if isinstance(values, list) and len(values) == len(promoted):
            return _Value(values[promoted.index(socket.name)])
    return way


def _past(place: _Place, node: Node, slot: int, kind: Any) -> _Way | None:
    """Past a bypassed node: its input of the same slot if the type fits, else the first of the same type."""
    wanted = node.outputs[slot] if slot < len(node.outputs) and node.outputs[slot] is not None else kind
    same = node.inputs[slot : slot + 1]
    through = next((socket for socket in (*same, *node.inputs) if _fits(socket.kind, wanted)), None)
    return _onward(place, through.wire, kind) if through else None


def _fits(kind: Any, wanted: Any) -> bool:
    return kind == wanted or "*" in (kind, wanted)


# Widgets -------------------------------------------------------------------------------------------------------------


def widget_names(node: Node) -> list[str]:
    """The names of a node's widgets, in the order of widgets_values. Raises WorkflowError where they are not known."""
    try:
        return [param.name for param in find_spec(node.kind).params]
    except WorkflowError:
        named = [socket.widget for socket in node.inputs if socket.widget is not None]
        if named or not node.entry.get("widgets_values"):
            return named
        raise WorkflowError(
            f"node {one_line(node.id, 40)} ({node.kind[:60]}): its widgets are not known; export the API form"
        ) from None


def widget_values(node: Node) -> dict[str, Any]:
    """The values of a node's widgets by name."""
    named, values = node.entry.get("widgets_values_named"), node.entry.get("widgets_values")
    names = widget_names(node)
    by_name = named if named is not None else values
    if isinstance(by_name, Mapping):
        return {name: by_name[name] for name in names if name in by_name}
    return dict(zip(names, aligned(node.entry, names, values or [])))


def put(document: Document, step_id: str, name: str, value: Any) -> bool:
    """Set a widget's value in a UI document, also inside subgraphs (`7:3`), there where the editor shows it.

    A widget that is promoted to the subgraph's instance is set on the instance, one that a primitive feeds on the primitive.
    Returns whether there is such a widget.
    """
    flow, node = document.root, None
    for key in step_id.split(":"):
        flow = flow if node is None else document.subgraphs.get(node.kind, Flow({}, {}, ()))
        node = flow.nodes.get(key)
        if node is None:
            return False
    assert node is not None
    socket = next((socket for socket in node.inputs if socket.widget == name), None)
    wire = flow.wires.get(socket.wire) if socket is not None and socket.wire is not None else None
    if wire is not None and wire.origin == INSIDE and wire.slot < len(flow.inputs):
        return put(document, step_id.rpartition(":")[0], flow.inputs[wire.slot], value)
    primitive = flow.nodes.get(wire.origin) if wire is not None else None
    if primitive is not None and primitive.kind == "PrimitiveNode":
        node, place = primitive, 0
    else:
        names = widget_names(node)
        if name not in names:
            return False
        if node.entry.get("widgets_values") is None:
            node.entry["widgets_values"] = []
        lengthen(node.entry, names)
        if node.entry.get("widgets_values_named") is not None:
            node.entry["widgets_values_named"][name] = value
        place = place_of(names, name, node.entry.get("widgets_values"))
    values = node.entry.get("widgets_values")
    if isinstance(values, dict):
        values[name] = value
    elif isinstance(values, list) and place < len(values):
        values[place] = value
    return True


def updated(document: Mapping[str, Any], api: Mapping[str, Any]) -> dict[str, Any]:
    """A UI document that says what an API form says: a copy with new values.

    A new one where steps or wires differ, or where one widget would have to say two things: that of a subgraph with two
    instances, or of a primitive with two wires.
    """
    before = to_api(document)
    if _wiring(before) != _wiring(api):
        return from_api(api)
    changed = copy.deepcopy(dict(document))
    inside = document_of(changed)
    for step_id, entry in before.items():
        for name, value in api[step_id]["inputs"].items():
            if not is_link(value) and entry["inputs"].get(name) != value:
                put(inside, step_id, name, value)
    said = to_api(changed)
    same = all(
        is_link(value) or said[step_id]["inputs"].get(name) == value
        for step_id, entry in api.items()
        for name, value in entry["inputs"].items()
    )
    return changed if same else from_api(api)


def _wiring(api: Mapping[str, Any]) -> dict[str, Any]:
    return {step_id: {n: v for n, v in entry["inputs"].items() if is_link(v)} for step_id, entry in api.items()}

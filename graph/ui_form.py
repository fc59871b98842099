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

from .errors import WorkflowError
from .ports import find_spec
from .ui_layout import from_api, is_link
from .ui_widgets import aligned, lengthen, place_of

MUTED, BYPASSED = 2, 4
_NOTES = ("Note", "MarkdownNote")
_INSIDE, _OUTSIDE = -10, -20
_DEEPEST = 32
_MOST_HOPS = 300


def is_ui_form(data: Any) -> bool:
    """Whether this is the editor's own form."""
    return isinstance(data, dict) and isinstance(data.get("nodes"), list) and "links" in data


@dataclass
class _Place:
    """One graph of the document being walked: the root, or an instance of a subgraph. prefix: of its nodes' ids."""

    nodes: dict[str, dict[str, Any]]
    links: dict[Any, tuple[str, int, str, int, Any]]
    prefix: str = ""
    outer: _Place | None = None
    instance: dict[str, Any] = field(default_factory=dict)
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    inner: dict[str, _Place] = field(default_factory=dict)


def to_api(document: Mapping[str, Any]) -> dict[str, Any]:
    """The API form of a UI document. Raises WorkflowError."""
    root = _place(document, document.get("definitions", {}), "", None, {}, 0)
    api: dict[str, Any] = {}
    for place in _places(root):
        for node in place.nodes.values():
            if _executes(place, node):
                api[place.prefix + str(node["id"])] = _entry(place, node)
    for entry in api.values():
        entry["inputs"] = {name: value for name, value in entry["inputs"].items() if not is_link(value) or value[0] in api}
    return api


def _place(graph: Mapping[str, Any], definitions: Any, prefix: str, outer: _Place | None, instance: dict, depth: int) -> _Place:
    if depth > _DEEPEST:
        raise WorkflowError(f"expected subgraphs at most {_DEEPEST} deep; node {prefix.rstrip(':')[:60]} goes on")
    nodes: dict[str, dict[str, Any]] = {}
    for node in _list(graph, "nodes", prefix):
        if not isinstance(node, dict) or "id" not in node or not isinstance(node.get("type"), str):
            raise WorkflowError(f"expected nodes with an id and a type; got {str(node)[:60]}")
        nodes[str(node["id"])] = node
    place = _Place(nodes, {}, prefix, outer, instance, list(graph.get("inputs") or []), list(graph.get("outputs") or []))
    for link in _list(graph, "links", prefix):
        place.links[_link_id(link)] = _link(link)
    subgraphs = {entry.get("id"): entry for entry in (definitions.get("subgraphs") or []) if isinstance(entry, dict)}
    for key, node in nodes.items():
        if node["type"] in subgraphs:
            inside = f"{prefix}{key}:"
            place.inner[key] = _place(subgraphs[node["type"]], definitions, inside, place, node, depth + 1)
    return place


def _list(graph: Mapping[str, Any], name: str, prefix: str) -> list[Any]:
    value = graph.get(name)
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        raise WorkflowError(f"{prefix or 'workflow'}: expected a list of {name}; got {type(value).__name__}")
    return value


def _link_id(link: Any) -> Any:
    return link.get("id") if isinstance(link, dict) else link[0] if isinstance(link, list) and link else None


def _link(link: Any) -> tuple[str, int, str, int, Any]:
    """A wire as (from node, slot, to node, slot, type)."""
    try:
        if isinstance(link, dict):
            names = ("origin_id", "origin_slot", "target_id", "target_slot")
            start, out, end, into = (link[name] for name in names)
            return str(start), int(out), str(end), int(into), link.get("type")
        return str(link[1]), int(link[2]), str(link[3]), int(link[4]), link[5] if len(link) > 5 else None
    except (KeyError, IndexError, TypeError, ValueError):
        raise WorkflowError(f"expected a wire [id, from, slot, to, slot, type]; got {str(link)[:60]}") from None


def _places(place: _Place) -> Iterator[_Place]:
    yield place
    for key, inner in place.inner.items():
        if place.nodes[key].get("mode") not in (MUTED, BYPASSED):
            yield from _places(inner)


def _executes(place: _Place, node: Mapping[str, Any]) -> bool:
    virtual = node["type"] in (*_NOTES, "Reroute", "PrimitiveNode") or str(node["id"]) in place.inner
    if node["type"].startswith("workflow>") or node["type"].startswith("workflow/"):
        raise WorkflowError(f"node {node['id']}: old group nodes are not read; convert it to a subgraph in the editor")
    return not virtual and node.get("mode") not in (MUTED, BYPASSED)


def _entry(place: _Place, node: Mapping[str, Any]) -> dict[str, Any]:
    inputs: dict[str, Any] = dict(widget_values(node))
    for slot, socket in enumerate(_sockets(node)):
        found = _came_from(place, node, slot)
        if isinstance(found, _Value):
            inputs[socket["name"]] = found.value
        elif found is not None:
            inputs[socket["name"]] = [found[0], found[1]]
    entry = {"class_type": node["type"], "inputs": inputs}
    title = node.get("title")
    return {**entry, "_meta": {"title": title}} if isinstance(title, str) and title else entry


def _sockets(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [socket for socket in node.get("inputs") or [] if isinstance(socket, dict) and "name" in socket]


@dataclass(frozen=True)
class _Value:
    """What a wire brings instead of a step's output: the value of a primitive, or of a subgraph's widget."""

    value: Any


def _came_from(place: _Place, node: Mapping[str, Any], slot: int) -> Any:
    """The [step, output] or the value that arrives at an input, or None."""
    link = place.links.get(_sockets(node)[slot].get("link"))
    return None if link is None else _resolve(place, link[0], link[1], link[4], 0)


def _resolve(place: _Place, origin: str, slot: int, kind: Any, depth: int) -> Any:
    if depth > _MOST_HOPS:
        raise WorkflowError(f"node {place.prefix}{origin[:40]}: its wires go round in a circle")
    if origin == str(_INSIDE):
        return _from_outside(place, slot, depth)
    node = place.nodes.get(origin)
    if node is None:
        raise WorkflowError(f"a wire comes from node {place.prefix}{origin[:40]}, which is not there")
    if node.get("mode") == MUTED:
        return None
    if node["type"] == "Reroute":
        link = place.links.get(_sockets(node)[0].get("link")) if _sockets(node) else None
        return None if link is None else _resolve(place, link[0], link[1], kind, depth + 1)
    if node["type"] == "PrimitiveNode":
        values = node.get("widgets_values")
        if not isinstance(values, list) or not values:
            raise WorkflowError(f"node {place.prefix}{origin}: expected a primitive with a value")
        return _Value(values[0])
    if node.get("mode") == BYPASSED:
        return _past(place, node, slot, kind, depth)
    if origin in place.inner:
        inner = place.inner[origin]
        link = next((link for link in inner.links.values() if link[2] == str(_OUTSIDE) and link[3] == slot), None)
        return None if link is None else _resolve(inner, link[0], link[1], kind, depth + 1)
    return place.prefix + origin, slot


def _from_outside(place: _Place, slot: int, depth: int) -> Any:
    """What the instance of a subgraph gets at one of its inputs: a wire, or the value of its own widget."""
    outer, instance = place.outer, place.instance
    name = place.inputs[slot].get("name") if slot < len(place.inputs) and isinstance(place.inputs[slot], dict) else None
    if outer is None:
        raise WorkflowError("a wire comes from the inputs of a subgraph, but there is none around it")
    sockets = _sockets(instance)
    index = next((i for i, socket in enumerate(sockets) if socket["name"] == name), slot if slot < len(sockets) else None)
    if index is None:
        return None
    link = outer.links.get(sockets[index].get("link"))
    if link is not None:
        return _resolve(outer, link[0], link[1], link[4], depth + 1)
    if sockets[index].get("widget"):
        values = instance.get("widgets_values")
        promoted = [socket["name"] for socket in sockets if socket.get("widget")]
        if isinstance(values, list) and len(values) == len(promoted):
            return _Value(values[promoted.index(sockets[index]["name"])])
    return None


def _past(place: _Place, node: Mapping[str, Any], slot: int, kind: Any, depth: int) -> Any:
    """Past a bypassed node: its input of the same slot if the type fits, else the first of the same type."""
    sockets = _sockets(node)
    outputs = node.get("outputs") or []
    wanted = outputs[slot].get("type", kind) if slot < len(outputs) and isinstance(outputs[slot], dict) else kind
    order = [slot, *(index for index in range(len(sockets)) if index != slot)]
    for index in order:
        if index < len(sockets) and _fits(sockets[index].get("type"), wanted):
            link = place.links.get(sockets[index].get("link"))
            if link is not None:
                return _resolve(place, link[0], link[1], kind, depth + 1)
            return None
    return None


def _fits(kind: Any, wanted: Any) -> bool:
    return kind == wanted or "*" in (kind, wanted)


# Widgets -------------------------------------------------------------------------------------------------------------


def widget_names(node: Mapping[str, Any]) -> list[str]:
    """The names of a node's widgets, in the order of widgets_values. Raises WorkflowError where they are not known."""
    try:
        return [param.name for param in find_spec(node["type"]).params]
    except WorkflowError:
        named = [socket["widget"].get("name") for socket in _sockets(node) if isinstance(socket.get("widget"), dict)]
        if named or not node.get("widgets_values"):
            return [name for name in named if isinstance(name, str)]
        raise WorkflowError(
            f"node {node.get('id')} ({node['type'][:60]}): its widgets are not known; export the API form"
        ) from None


def widget_values(node: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a node's widgets by name."""
    named = node.get("widgets_values_named")
    names = widget_names(node)
    if isinstance(named, dict):
        return {name: named[name] for name in names if name in named}
    values = node.get("widgets_values")
    if isinstance(values, dict):
        return {name: values[name] for name in names if name in values}
    if values is None:
        return {}
    if not isinstance(values, list):
        raise WorkflowError(f"node {node.get('id')} ({node['type'][:60]}): expected a list of widget values")
    return dict(zip(names, aligned(node, names, values)))


def put(document: Mapping[str, Any], step_id: str, name: str, value: Any) -> bool:
    """Set a widget's value in a UI document, also inside subgraphs (`7:3`), there where the editor shows it.

    A widget that is promoted to the subgraph's instance is set on the instance, one that a primitive feeds on the primitive.
    Returns whether there is such a widget.
    """
    subgraphs = {entry.get("id"): entry for entry in (document.get("definitions") or {}).get("subgraphs") or []}
    graph, node = document, None
    for key in step_id.split(":"):
        graph = graph if node is None else subgraphs.get(node["type"], {})
        node = _by_id(graph, key)
        if node is None:
            return False
    assert node is not None
    socket = next((s for s in _sockets(node) if (s.get("widget") or {}).get("name") == name), {})
    link = next((_link(entry) for entry in _list(graph, "links", "") if _link_id(entry) == socket.get("link")), None)
    if link is not None and link[0] == str(_INSIDE):
        return put(document, step_id.rpartition(":")[0], graph["inputs"][link[1]]["name"], value)
    if link is not None and (_by_id(graph, link[0]) or {}).get("type") == "PrimitiveNode":
        node, place = _by_id(graph, link[0]), 0
    else:
        names = widget_names(node)
        if name not in names:
            return False
        lengthen(node, names)
        if isinstance(node.get("widgets_values_named"), dict):
            node["widgets_values_named"][name] = value
        place = place_of(names, name, node.get("widgets_values"))
    values = node.get("widgets_values") if node else None
    if isinstance(values, dict):
        values[name] = value
    elif isinstance(values, list) and place < len(values):
        values[place] = value
    return True


def _by_id(graph: Mapping[str, Any], key: str) -> Any:
    return next((n for n in graph.get("nodes") or [] if isinstance(n, dict) and str(n.get("id")) == key), None)


def updated(document: Mapping[str, Any], api: Mapping[str, Any]) -> dict[str, Any]:
    """A UI document that says what an API form says: a copy with new values, or, where steps or wires differ, a new one."""
    before = to_api(document)
    if _wiring(before) != _wiring(api):
        return from_api(api)
    changed = copy.deepcopy(dict(document))
    for step_id, entry in before.items():
        for name, value in api[step_id]["inputs"].items():
            if not is_link(value) and entry["inputs"].get(name) != value:
                put(changed, step_id, name, value)
    return changed


def _wiring(api: Mapping[str, Any]) -> dict[str, Any]:
    return {step_id: {n: v for n, v in entry["inputs"].items() if is_link(v)} for step_id, entry in api.items()}

"""The shape of the editor's document, checked once at the door: what is handed on has the fields that the editor writes.

Every other field stays as it is in `entry`, the node's own part of the document, which may be changed in place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import WorkflowError, got, one_line
from .shape import MOST_STEPS, field

INSIDE, OUTSIDE = "-10", "-20"
"""The ids by which the wires of a subgraph name its own inputs and outputs."""

_DEEPEST = 32


@dataclass(frozen=True)
class Socket:
    """An input of a node. wire: the wire that arrives, if one does. widget: the widget that it stands for, if it does."""

    name: str
    kind: Any
    wire: str | None = None
    widget: str | None = None


@dataclass(frozen=True)
class Node:
    """A node; kind is its class, or the id of a subgraph. outputs: the kind of each."""

    id: str
    kind: str
    mode: int
    title: str
    inputs: tuple[Socket, ...]
    outputs: tuple[Any, ...]
    entry: dict[str, Any]


@dataclass(frozen=True)
class Wire:
    """From an output of a node, by the node's id and the output's number, to an input."""

    origin: str
    slot: int
    target: str
    into: int
    kind: Any


@dataclass(frozen=True)
class Flow:
    """The nodes and wires of a document, or of one subgraph in it. inputs: their names, of a subgraph."""

    nodes: Mapping[str, Node]
    wires: Mapping[str, Wire]
    inputs: tuple[str, ...]

    def leaving(self) -> dict[int, Wire]:
        """The wires to the outputs of a subgraph."""
        return {wire.into: wire for wire in self.wires.values() if wire.target == OUTSIDE}


@dataclass(frozen=True)
class Document:
    """A whole document; its subgraphs by id hold no circle and unfold to a number of nodes that can be read."""

    root: Flow
    subgraphs: Mapping[str, Flow]


def document_of(data: Any) -> Document:
    """A UI document, checked. Raises WorkflowError."""
    if not isinstance(data, Mapping):
        raise WorkflowError(f"expected the editor's document: an object; got {got(data)}")
    definitions = field(data, "definitions", Mapping, "workflow") or {}
    subgraphs: dict[str, Flow] = {}
    for where, entry in _objects(definitions, "subgraphs", "definitions", optional=True):
        name = _id(entry, "id", where)
        if name in subgraphs:
            raise WorkflowError(f"{_called('subgraph', name)}: expected one of this id; got two")
        subgraphs[name] = _flow(entry, _called("subgraph", name))
    document = Document(_flow(data, ""), subgraphs)
    _check_nesting(document)
    return document


def _flow(data: Mapping[str, Any], place: str) -> Flow:
    nodes: dict[str, Node] = {}
    for where, entry in _objects(data, "nodes", place or "workflow"):
        node = _node(entry, where, f"{place}, " if place else "")
        if node.id in nodes:
            raise WorkflowError(f"{place}{', ' if place else ''}{_called('node', node.id)}: expected one of this id; got two")
        nodes[node.id] = node
    # Two wires of one id: the editor keeps the last. What is null it skips.
    wires = dict(_wire(entry, where) for where, entry in _entries(data, "links", place or "workflow") if entry is not None)
    inputs = tuple(
        field(entry, "name", str, where, required=True)
        for where, entry in _objects(data, "inputs", place or "workflow", optional=True)
    )
    return Flow(nodes, wires, inputs)


def _node(entry: dict[str, Any], where: str, place: str) -> Node:
    name = _id(entry, "id", where)
    where = place + _called("node", name)
    inputs = tuple(_socket(socket, at) for at, socket in _objects(entry, "inputs", where, optional=True))
    outputs = tuple(socket.get("type") for _, socket in _objects(entry, "outputs", where, optional=True))
    kind, title = field(entry, "type", str, where, required=True), field(entry, "title", str, where)
    field(entry, "widgets_values_named", Mapping, where)
    if not isinstance(entry.get("widgets_values"), (list, Mapping, type(None))):
        raise WorkflowError(f"{where}, widgets_values: expected a list or an object; got {got(entry['widgets_values'])}")
    return Node(name, kind, field(entry, "mode", int, where) or 0, title or "", inputs, outputs, entry)


def _socket(entry: Mapping[str, Any], where: str) -> Socket:
    name = field(entry, "name", str, where, required=True)
    widget = field(entry, "widget", Mapping, where)
    wire = None if entry.get("link") is None else _id(entry, "link", where)
    named = None if widget is None else field(widget, "name", str, f"{where}, widget", required=True)
    return Socket(name, entry.get("type"), wire, named)


_ENDS = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")


def _wire(entry: Any, where: str) -> tuple[str, Wire]:
    """A wire by its id; older documents write it as a list."""
    if isinstance(entry, list) and len(entry) >= len(_ENDS) - 1:
        entry = dict(zip(_ENDS, entry))
    if not isinstance(entry, Mapping):
        raise WorkflowError(f"{where}: expected a wire [id, from, slot, to, slot, type]; got {got(entry)}")
    name = _id(entry, "id", where)
    where = f"{where} (id {one_line(name, 40)})"
    ends = _id(entry, "origin_id", where), _slot(entry, "origin_slot", where), _id(entry, "target_id", where)
    return name, Wire(*ends, _slot(entry, "target_slot", where), entry.get("type"))


def _slot(entry: Mapping[str, Any], name: str, where: str) -> int:
    number = field(entry, name, int, where, required=True)
    if number < 0:
        raise WorkflowError(f"{where}, {name}: expected the number of a socket; got {got(number)}")
    return number


def _id(entry: Mapping[str, Any], name: str, where: str) -> str:
    """An id, which the editor writes as a number or as text, as text."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        came = got(value) if name in entry else "nothing"
        raise WorkflowError(f"{where}, {name}: expected an id, a whole number or text; got {came}")
    return str(value)


def _objects(data: Mapping[str, Any], name: str, place: str, optional: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a list of the document, each with what to call it in a message."""
    for where, entry in _entries(data, name, place, optional):
        if not isinstance(entry, dict):
            raise WorkflowError(f"{where}: expected an object; got {got(entry)}")
        yield where, entry


def _entries(data: Mapping[str, Any], name: str, place: str, optional: bool = False) -> Iterator[tuple[str, Any]]:
    """The entries of a list, which the editor may also write as an object by id."""
    value = data.get(name)
    if isinstance(value, Mapping):
        value = list(value.values())
    if value is None and optional:
        value = []
    if not isinstance(value, list):
        raise WorkflowError(f"{place}, {name}: expected a list; got {got(value) if name in data else 'nothing'}")
    for number, entry in enumerate(value):
        yield f"{place}, {name} {number}", entry


def _called(what: str, name: str) -> str:
    return f"{what} {one_line(name, 40)}"


def _check_nesting(document: Document) -> None:
    """Refuse subgraphs that hold themselves, and those that unfold to more nodes than can be read."""
    import networkx

    subgraphs = document.subgraphs
    held = {name: _held(flow, subgraphs) for name, flow in subgraphs.items()}
    order = networkx.DiGraph((name, inner) for name, inside in held.items() for inner in inside)
    order.add_nodes_from(held)
    if not networkx.is_directed_acyclic_graph(order):
        name = networkx.find_cycle(order)[0][0]
        raise WorkflowError(f"{_called('subgraph', name)}: expected none that contains itself")
    sizes: dict[str, tuple[int, int]] = {}
    for name in reversed(list(networkx.topological_sort(order))):
        sizes[name] = _unfolded(subgraphs[name], held[name], sizes)
    depth, nodes = _unfolded(document.root, _held(document.root, subgraphs), sizes)
    if depth > _DEEPEST:
        raise WorkflowError(f"expected subgraphs at most {_DEEPEST} deep; got more")
    if nodes > MOST_STEPS:
        raise WorkflowError(f"expected at most {MOST_STEPS} nodes, those of subgraphs counted; got more")


def _held(flow: Flow, subgraphs: Mapping[str, Flow]) -> Counter[str]:
    return Counter(node.kind for node in flow.nodes.values() if node.kind in subgraphs)


def _unfolded(flow: Flow, held: Counter[str], sizes: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """How deep its subgraphs go, and how many nodes there are with theirs; no more is counted than can be read."""
    depth = max((sizes[inner][0] + 1 for inner in held), default=0)
    return depth, min(MOST_STEPS + 1, len(flow.nodes) + sum(count * sizes[inner][1] for inner, count in held.items()))

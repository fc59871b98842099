"""The API form as a document for ComfyUI's editor: its nodes laid out from left to right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from ..ops.params import File, Kind
from ..ops.spec import OpSpec
from .ports import find_spec

_WIDTH, _GAP, _ROW = 300, 60, 24
_LOCK, _MOST_LOCKS = 18, 8
_PICTURE = 260.0

UPLOAD = "image"
"""The word that the editor keeps for an upload button."""


def is_link(value: Any) -> TypeGuard[list[Any]]:
    """Whether an input of the API form is a wire, [step, output]."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int


def from_api(api: Mapping[str, Any]) -> dict[str, Any]:
    """A UI document for an API form, its nodes laid out from left to right. Raises WorkflowError."""
    numbers = {step_id: _number(step_id) for step_id in api}
    free = max([number for number in numbers.values() if number is not None], default=0)
    for step_id, number in numbers.items():
        if number is None:
            free += 1
            numbers[step_id] = free
    depth = _depths(api)
    heights: dict[int, float] = {}
    fits = any(entry["class_type"] == "luxgrad.fit" for entry in api.values())
    nodes: list[dict[str, Any]] = []
    links: list[list[Any]] = []
    for step_id, entry in api.items():
        spec = find_spec(entry["class_type"])
        height = 60.0 + _ROW * (len(spec.inputs) + len(spec.outputs) + len(spec.params)) + (_PICTURE if _shows(spec) else 0.0)
        column = depth[step_id]
        top = heights.get(column, 0.0)
        heights[column] = top + height + (_padlocks(spec) if fits else 0.0) + _GAP
        nodes.append(_node(entry, spec, numbers[step_id], (column * (_WIDTH + _GAP), top), height))
    by_id = {node["id"]: node for node in nodes}
    for step_id, entry in api.items():
        node = by_id[numbers[step_id]]
        for name, value in entry["inputs"].items():
            if is_link(value):
                origin = by_id[numbers[value[0]]]
                slot = next(i for i, socket in enumerate(node["inputs"]) if socket["name"] == name)
                links.append([len(links) + 1, origin["id"], value[1], node["id"], slot, node["inputs"][slot]["type"]])
                node["inputs"][slot]["link"] = len(links)
                origin["outputs"][value[1]]["links"].append(len(links))
    for order, node in enumerate(sorted(nodes, key=lambda n: n["pos"][0])):
        node["order"] = order
    return {"last_node_id": max(by_id, default=0), "last_link_id": len(links), "nodes": nodes, "links": links, "groups": [],
            "config": {}, "extra": {}, "version": 0.4}  # fmt: skip


def _number(step_id: str) -> int | None:
    """A step's id as a number of the editor's, which JavaScript holds exactly."""
    return int(step_id) if re.fullmatch(r"0|[1-9][0-9]{0,14}", step_id) else None


def _shows(spec: OpSpec) -> bool:
    return getattr(spec.reach, "role", None) in ("sink", "view") or any(_is_photo(param.kind) for param in spec.params)


def uploads(spec: OpSpec) -> bool:
    """Whether the editor shows an upload button, whose word follows the node's values: at sources of photos only."""
    return getattr(spec.reach, "role", None) == "source" and bool(spec.params) and _is_photo(spec.params[0].kind)


def _padlocks(spec: OpSpec) -> float:
    """Room for the padlocks that the editor hangs under a node before a Fit."""
    return _LOCK * min(len(spec.sliders), _MOST_LOCKS) + _ROW if spec.sliders else 0.0


def _is_photo(kind: Kind) -> bool:
    return isinstance(kind, File) and kind.kind in ("photo", "8-bit image")


def _node(entry: Mapping[str, Any], spec: OpSpec, number: Any, pos: tuple[float, float], height: float) -> dict[str, Any]:
    inputs = [{"name": wire.name, "type": wire.socket, "link": None} for wire in spec.inputs]
    values = [entry["inputs"].get(param.name, param.default) for param in spec.params]
    if uploads(spec):
        values.append(UPLOAD)
    title = entry.get("_meta", {}).get("title")
    node = {
        "id": number, "type": spec.node_id, "pos": list(pos), "size": [_WIDTH, height], "flags": {}, "order": 0, "mode": 0,
        "inputs": inputs,
        "outputs": [{"name": output.name, "type": output.socket, "links": []} for output in spec.outputs],
        "properties": {"Node name for S&R": spec.node_id}, "widgets_values": values,
    }  # fmt: skip
    return {**node, "title": title} if title else node


def _depths(api: Mapping[str, Any]) -> dict[str, int]:
    """The column of every step: one right of the last that it depends on."""
    import networkx

    wires = {step_id: [v[0] for v in entry["inputs"].values() if is_link(v) and v[0] in api] for step_id, entry in api.items()}
    order = networkx.DiGraph()
    order.add_edges_from((origin, step_id) for step_id, origins in wires.items() for origin in origins)
    order.add_nodes_from(api)
    depth: dict[str, int] = {}
    for step_id in networkx.topological_sort(order):
        depth[step_id] = max((depth[origin] + 1 for origin in wires[step_id]), default=0)
    return depth

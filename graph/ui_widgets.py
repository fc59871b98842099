"""The values of a node's widgets in the editor's file: a list in the order of the declaration, and entries of the editor's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import WorkflowError
from .ports import find_spec
from .ui_layout import uploads

_SEEDS = ("seed", "noise_seed")
_CONTROLS = ("fixed", "increment", "decrement", "randomize", "increment-wrap")
_UPLOAD = "image"


def aligned(node: Mapping[str, Any], names: list[str], values: list[Any]) -> list[Any]:
    """Values without the entries that the editor puts behind seeds (`control_after_generate`) and file names (upload)."""
    kept: list[Any] = []
    queue = list(values[:-1] if _uploads(node["type"]) and values[-1:] == [_UPLOAD] else values)
    for name in names:
        if not queue:
            break
        kept.append(queue.pop(0))
        if name in _SEEDS and queue and isinstance(queue[0], str) and queue[0] in _CONTROLS:
            queue.pop(0)
    if [value for value in queue if not isinstance(value, (dict, list)) and value not in (None, "", _UPLOAD)]:
        shown = f"{len(names)} widget values; got {len(values)}"
        raise WorkflowError(f"node {node.get('id')} ({node['type'][:60]}): expected {shown}")
    return kept


def lengthen(node: Mapping[str, Any], names: list[str]) -> None:
    """Give a photo source from before some of its widgets were declared their defaults, in place."""
    values = node.get("widgets_values")
    if isinstance(values, list) and _uploads(node["type"]):
        kept = aligned(node, names, values)
        values[len(kept) : len(kept)] = [param.default for param in find_spec(node["type"]).params[len(kept) :]]


def place_of(names: list[str], name: str, values: Any) -> int:
    """Where a widget's value stands among positional ones, the controls behind seeds counted."""
    place = 0
    for earlier in names[: names.index(name)]:
        place += 1
        follows = values[place] if isinstance(values, list) and place < len(values) else None
        place += earlier in _SEEDS and isinstance(follows, str) and follows in _CONTROLS
    return place


def _uploads(kind: str) -> bool:
    try:
        return uploads(find_spec(kind))
    except WorkflowError:
        return False

"""The values of a node's widgets in the editor's file: a list in the order of the declaration, and entries of the editor's.

Parameters are only ever added at the end of a declaration, so that the values of an older file are its first ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ops.params import BadValue
from ..ops.spec import OpSpec
from .errors import WorkflowError
from .ports import find_spec
from .ui_layout import UPLOAD, uploads

_SEEDS = ("seed", "noise_seed")
_CONTROLS = ("fixed", "increment", "decrement", "randomize", "increment-wrap")


def aligned(node: Mapping[str, Any], names: list[str], values: list[Any]) -> list[Any]:
    """Values without the entries that the editor puts behind seeds (`control_after_generate`) and file names (upload)."""
    kept: list[Any] = []
    queue = list(values[:-1] if _ends_in_upload(_declared(node["type"]), values) else values)
    for name in names:
        if not queue:
            break
        kept.append(queue.pop(0))
        if name in _SEEDS and queue and isinstance(queue[0], str) and queue[0] in _CONTROLS:
            queue.pop(0)
    if [value for value in queue if not isinstance(value, (dict, list)) and value not in (None, "", UPLOAD)]:
        shown = f"{len(names)} widget values; got {len(values)}"
        raise WorkflowError(f"node {node.get('id')} ({node['type'][:60]}): expected {shown}")
    return kept


def lengthen(node: Mapping[str, Any], names: list[str]) -> None:
    """Give a node from before some of its widgets were declared their defaults, in place."""
    values, spec = node.get("widgets_values"), _declared(node["type"])
    if not isinstance(values, list) or spec is None:
        return
    missing = spec.params[len(aligned(node, names, values)) :]
    if missing:
        end = len(values) - _ends_in_upload(spec, values)
        values[end:] = [*(param.default for param in missing), *([UPLOAD] if uploads(spec) else [])]


def place_of(names: list[str], name: str, values: Any) -> int:
    """Where a widget's value stands among positional ones, the controls behind seeds counted."""
    place = 0
    for earlier in names[: names.index(name)]:
        place += 1
        follows = values[place] if isinstance(values, list) and place < len(values) else None
        place += earlier in _SEEDS and isinstance(follows, str) and follows in _CONTROLS
    return place


def _ends_in_upload(spec: OpSpec | None, values: list[Any]) -> bool:
    """Whether the last value is the word of an upload button. Old files have it behind Save Photo's values too."""
    if spec is None or values[-1:] != [UPLOAD]:
        return False
    place = len(values) - 1
    return uploads(spec) or place >= len(spec.params) or not _takes(spec, place)


def _takes(spec: OpSpec, place: int) -> bool:
    try:
        spec.params[place].kind.check(UPLOAD)
    except BadValue:
        return False
    return True


def _declared(kind: str) -> OpSpec | None:
    try:
        return find_spec(kind)
    except WorkflowError:
        return None

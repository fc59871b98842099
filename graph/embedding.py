"""A workflow as the texts that a picture carries, by ComfyUI's names: `workflow` (editor's form) and `prompt` (API form)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from ..ops.params import File
from .errors import WorkflowError
from .model import Graph, Path
from .schema import dumps, to_data
from .shape import MOST_DEEP, finite

_SECRET = re.compile(r"(^|[_\- ])(api[_\- ]?key|token|password|secret)$", re.IGNORECASE)


def workflow_texts(graph: Graph) -> dict[str, str]:
    """A graph's workflow. Names of files outside the workflow's folder are cut to their last part."""
    bare = graph.with_paths({
        Path(step.id, param.name): _last_part(step.value(param.name))
        for step in graph
        for param in step.spec.params
        if isinstance(param.kind, File) and _absolute(step.value(param.name))
    })  # fmt: skip
    return texts_of(to_data(bare), None if bare.document is None else json.loads(dumps(bare)))


def _absolute(name: str) -> bool:
    return PurePosixPath(name).is_absolute() or PureWindowsPath(name).is_absolute()


def _last_part(name: str) -> str:
    kind: type[PurePath] = PurePosixPath if PurePosixPath(name).is_absolute() else PureWindowsPath
    return kind(name).name


def texts_of(prompt: Mapping[str, Any] | None, document: Any) -> dict[str, str]:
    """A running prompt and the editor's document. Keys, tokens and passwords are blanked in both. Raises WorkflowError."""
    secrets = {
        value
        for entry in (prompt or {}).values()
        if isinstance(entry, dict) and isinstance(entry.get("inputs"), dict)
        for name, value in entry["inputs"].items()
        if isinstance(value, str) and value and _SECRET.search(name)
    }
    forms = {"workflow": document, "prompt": prompt}
    return {name: _text(_blanked(form, secrets, MOST_DEEP)) for name, form in forms.items() if form}


def _blanked(value: Any, secrets: set[str], deep: int) -> Any:
    """A copy without secrets, and without numbers that no reader takes: NaN is ComfyUI's mark of nodes that always run."""
    if deep == 0 and isinstance(value, (Mapping, list, tuple)):
        raise WorkflowError(f"expected a workflow of lists and objects at most {MOST_DEEP} deep; got one nested too deeply")
    if isinstance(value, Mapping):
        return {
            key: "" if isinstance(entry, str) and _SECRET.search(str(key)) else _blanked(entry, secrets, deep - 1)
            for key, entry in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_blanked(entry, secrets, deep - 1) for entry in value]
    if isinstance(value, (int, float)) and not finite(value):
        return None
    return "" if isinstance(value, str) and value in secrets else value


def _text(form: Any) -> str:
    return json.dumps(form, separators=(",", ":"))

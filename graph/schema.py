"""Workflow files: ComfyUI's API form (id -> class_type, inputs), read, checked and written; the UI form by way of it."""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from ..ops.fitted import fitted_bytes, fitted_file
from ..ops.spec import OpSpec
from ..ops.types import Network
from .errors import WorkflowError, got, nearest
from .model import HIDDEN, Graph, Read, Ref, Step, checked
from .ports import find_spec
from .shape import MOST_STEPS, called, entry_of, field, plain_data
from .ui_form import is_ui_form, to_api, updated

MOST_BYTES = 64 << 20


def loads(text: str | bytes, read: Read | None = None) -> Graph:
    """A workflow file's text as a checked graph. Raises WorkflowError with one line for people."""
    return _graph(parse(text), read)


def parse(text: str | bytes) -> Any:
    """A workflow file's text as data that can be walked, not yet checked further. Raises WorkflowError."""
    return plain_data(_parsed(text))


def _parsed(text: str | bytes) -> Any:
    if len(text) > MOST_BYTES:
        raise WorkflowError(f"expected a workflow of at most {MOST_BYTES >> 20} MB; got {len(text) >> 20} MB")
    try:
        whole = text.decode(json.detect_encoding(text)) if isinstance(text, bytes) else text
        return json.loads(whole, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise WorkflowError("expected a workflow; got JSON nested too deeply") from None
    except UnicodeDecodeError:
        raise WorkflowError("expected a workflow in JSON; got bytes that are not text") from None
    except json.JSONDecodeError as error:
        raise WorkflowError(f"expected a workflow in JSON; {error.msg} at line {error.lineno}") from None
    except WorkflowError:
        raise
    except ValueError as error:
        raise WorkflowError(f"expected a workflow in JSON; {error}") from None


def from_data(data: Any, read: Read | None = None) -> Graph:
    """A workflow (API or UI form) as Python data, checked, as a graph."""
    return _graph(plain_data(data), read)


def _graph(data: Any, read: Read | None) -> Graph:
    if not isinstance(data, dict):
        raise WorkflowError(f"expected a workflow: an object of steps; got {got(data)}")
    if is_ui_form(data):
        return dataclasses.replace(_graph(to_api(data), read), document=data)
    if not data:
        raise WorkflowError("expected a workflow; got no steps")
    if len(data) > MOST_STEPS:
        raise WorkflowError(f"expected at most {MOST_STEPS} steps; got {len(data)}")
    steps = {key: _step(key, entry) for key, entry in data.items()}
    graph = Graph(steps, read)
    _check_links(graph)
    _check_cycles(graph)
    return graph


def _step(step_id: str, data: Any) -> Step:
    entry = entry_of(step_id, data)
    if HIDDEN in step_id:
        raise WorkflowError(f"{called(step_id)}: expected an id without a null character, which marks steps inside others")
    try:
        spec = find_spec(entry.kind)
    except WorkflowError as error:
        raise WorkflowError(f"{called(step_id)}: {error}") from None
    title, extra = _notes(step_id, data)
    bare = Step(step_id, spec, title=title, extra=extra)
    values, links = {}, {}
    for name, given in entry.inputs.items():
        if name == "upload" and spec.param(name) is None:
            continue  # the button beside a photo's name, which some editors export
        if isinstance(given, list):
            links[name] = _link(bare, name, given)
        else:
            values[name] = checked(_known(bare, name), name, given)
    return Step(step_id, spec, values, links, bare.title, bare.extra)


def _notes(step_id: str, data: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The title of a step, and what is said of it that is not ours."""
    meta = field(data, "_meta", Mapping, called(step_id)) or {}
    title = field(meta, "title", str, f"{called(step_id)}, _meta") or ""
    others = {"_meta": {key: value for key, value in meta.items() if key != "title"}}
    extra = {key: value for key, value in data.items() if key not in ("class_type", "inputs", "_meta")}
    return title, extra | (others if others["_meta"] else {})


def _known(step: Step, name: str) -> Step:
    if step.spec.param(name) is None:
        if step.spec.input(name) is not None:
            raise WorkflowError(f"{step}, {name}: expected a wire, [step, output]; got a value")
        raise WorkflowError(f"{step} has no input {name[:40]!r} {nearest(name[:40], _input_names(step.spec))}")
    return step


def _input_names(spec: OpSpec) -> list[str]:
    return [entry.name for entry in spec.inputs] + [param.name for param in spec.params]


def _link(step: Step, name: str, given: list[Any]) -> Ref:
    if step.spec.input(name) is None:
        if step.spec.param(name) is not None:
            raise WorkflowError(f"{step}, {name}: expected a value; got a wire (tie sliders in the Fit step instead)")
        raise WorkflowError(f"{step} has no input {name[:40]!r} {nearest(name[:40], _input_names(step.spec))}")
    ok = len(given) == 2 and isinstance(given[0], str) and type(given[1]) is int and given[1] >= 0
    if not ok:
        raise WorkflowError(f"{step}, {name}: expected a wire [step, output]; got {str(given)[:60]}")
    return Ref(given[0], given[1])


def _check_links(graph: Graph) -> None:
    for step in graph:
        for entry in step.spec.inputs:
            link = step.links.get(entry.name)
            if link is None:
                if entry.required:
                    raise WorkflowError(f"{step}: its input {entry.name} ({entry.socket}) is not wired")
                continue
            origin = graph.steps.get(link.step)
            if origin is None:
                raise WorkflowError(f"{step}, {entry.name}: its wire comes from step {link.step[:40]!r}, which is not there")
            if link.slot >= len(origin.spec.outputs):
                raise WorkflowError(f"{step}, {entry.name}: {origin} has no output {link.slot}")
            socket = origin.spec.outputs[link.slot].socket
            if socket != entry.socket:
                raise WorkflowError(f"{step}, {entry.name}: expected {entry.socket}; got {socket} from {origin}")


def _check_cycles(graph: Graph) -> None:
    import networkx

    wires = networkx.DiGraph()
    wires.add_edges_from((link.step, step.id) for step in graph for link in step.links.values())
    if not networkx.is_directed_acyclic_graph(wires):
        loop = [edge[0] for edge in networkx.find_cycle(wires)]
        shown = " -> ".join([*loop[:6], "..."] if len(loop) > 6 else [*loop, loop[0]])
        raise WorkflowError(f"the steps {shown} form a cycle")


def to_data(graph: Graph) -> dict[str, Any]:
    """A graph as the API form. Every parameter is written, so that the file says all it does."""
    data = {}
    for step in graph:
        links = {name: list(link) for name, link in step.links.items()}
        entry = {"class_type": step.spec.node_id, "inputs": {**links, **step.all_values()}}
        meta = {**step.extra.get("_meta", {}), **({"title": step.title} if step.title else {})}
        rest = {key: value for key, value in step.extra.items() if key != "_meta"}
        data[step.id] = {**entry, **rest, **({"_meta": meta} if meta else {})}
    return data


def dumps(graph: Graph) -> str:
    """A graph as the text of a workflow file, in the form that it came in."""
    data = to_data(graph) if graph.document is None else updated(graph.document, to_data(graph))
    return written(data)


def written(data: Any) -> str:
    """Data as the text of a file; half a surrogate pair, which UTF-8 does not have, as JSON's escape."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def save(graph: Graph, file: str | os.PathLike[str]) -> None:
    """Write a workflow file, and before it the tables and weights that a fit made; each whole or not at all."""
    path = FilePath(file)
    named = {value for step in graph.by_role("source") for value in step.values.values()}
    for name, made in graph.made.items():
        if name in named:
            if isinstance(made, Network) and made.about is None:
                raise WorkflowError(f"{name}: expected a network whose module can be named in a file; got one of your own")
            _write(path.with_name(fitted_file(made, name)), fitted_bytes(made))
    _write(path, dumps(graph).encode())


def _write(path: FilePath, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise WorkflowError(f"expected every name once; {twice[:40]!r} stands twice")
    return data


def _no_constant(name: str) -> Any:
    raise WorkflowError(f"expected finite numbers; got {name}")

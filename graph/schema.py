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
from .errors import WorkflowError, nearest
from .model import Graph, Read, Ref, Step, checked
from .ports import find_spec
from .ui_form import is_ui_form, to_api, updated

MOST_BYTES = 64 << 20
MOST_STEPS = 100_000


def loads(text: str | bytes, read: Read | None = None) -> Graph:
    """A workflow file's text as a checked graph. Raises WorkflowError with one line for people."""
    return from_data(parse(text), read)


def parse(text: str | bytes) -> Any:
    """A workflow file's text as data, not yet checked. Raises WorkflowError."""
    if len(text) > MOST_BYTES:
        raise WorkflowError(f"expected a workflow of at most {MOST_BYTES >> 20} MB; got {len(text) >> 20} MB")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
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
    if not isinstance(data, dict):
        raise WorkflowError(f"expected a workflow: an object of steps; got {type(data).__name__}")
    if is_ui_form(data):
        return dataclasses.replace(from_data(to_api(data), read), document=data)
    if not data:
        raise WorkflowError("expected a workflow; got no steps")
    if len(data) > MOST_STEPS:
        raise WorkflowError(f"expected at most {MOST_STEPS} steps; got {len(data)}")
    steps = {key: _step(key, entry) for key, entry in data.items()}
    graph = Graph(steps, read)
    _check_links(graph)
    _check_cycles(graph)
    return graph


def _step(step_id: str, entry: Any) -> Step:
    if not isinstance(entry, dict) or not isinstance(entry.get("class_type"), str):
        raise WorkflowError(f"step {step_id[:40]!r}: expected an object with class_type and inputs; got {_kind(entry)}")
    inputs, meta = entry.get("inputs", {}), entry.get("_meta", {})
    if not isinstance(inputs, dict) or not isinstance(meta, dict):
        raise WorkflowError(f"step {step_id[:40]!r}: expected inputs and _meta to be objects")
    try:
        spec = find_spec(entry["class_type"])
    except WorkflowError as error:
        raise WorkflowError(f"step {step_id[:40]!r}: {error}") from None
    title = meta.get("title", "")
    bare = Step(step_id, spec, title=title if isinstance(title, str) else "", extra=_extra(entry, meta))
    values, links = {}, {}
    for name, given in inputs.items():
        if name == "upload" and spec.param(name) is None:
            continue  # the button beside a photo's name, which some editors export
        if isinstance(given, list):
            links[name] = _link(bare, name, given)
        else:
            values[name] = checked(_known(bare, name), name, given)
    return Step(step_id, spec, values, links, bare.title, bare.extra)


def _extra(entry: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, Any]:
    extra = {key: value for key, value in entry.items() if key not in ("class_type", "inputs", "_meta")}
    others = {key: value for key, value in meta.items() if key != "title"}
    return {**extra, "_meta": others} if others else extra


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

    wires = networkx.DiGraph((link.step, step.id) for step in graph for link in step.links.values())
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
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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


def _kind(value: Any) -> str:
    return "no class_type" if isinstance(value, dict) else type(value).__name__

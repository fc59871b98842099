"""What the commands share: opening a workflow, and what the user typed for its sources and parameters."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ..api import Graph, Workspace, open_workflow
from ..files.decode import read_photo
from ..graph.errors import WorkflowError
from ..graph.model import Step
from ..graph.outputs import upstream
from ..graph.ports import DEVELOPING
from ..light.photo import Photo
from ..networks.weights import manifest
from ..networks.weights_file import WEIGHTS
from ..ops.params import Count, File, Slider, Switch
from .problems import UsageError


def open_graph(options: argparse.Namespace) -> Graph:
    """The workflow of a command, with what `--set` sets."""
    settings = [_split(text, "--set", "PATH=VALUE") for text in getattr(options, "set", [])]
    own = {value for _, value in settings}
    graph = open_workflow(Path(options.workflow), [Path(root) for root in options.root], own)
    for path, text in settings:
        graph = graph.with_values({path: _value(graph, path, text)})
    return graph


def _split(text: str, option: str, form: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise UsageError(f"{option}: expected {form}; got {text!r}")
    return name, value


def _value(graph: Graph, path: str, text: str) -> Any:
    """A typed value as its parameter's kind; what does not read as a number is left for the parameter to refuse."""
    kind = graph.param(graph.path(path)).kind
    if isinstance(kind, Switch):
        return {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(kind, (Slider, Count)):
        try:
            return float(text)
        except ValueError:
            return text
    return text


def photo_sources(graph: Graph, links: Sequence[Any]) -> list[Step]:
    """The photo sources upstream of some outputs."""
    needed = upstream(graph, links)
    return [step for step in graph.by_role("source") if step.id in needed and step.spec.makes_picture]


def input_files(graph: Graph, texts: Sequence[str], links: Sequence[Any]) -> dict[str, Path]:
    """Files by source step, from `--input [STEP=]FILE`."""
    files: dict[str, Path] = {}
    for text in texts:
        step, name = _source(graph, text, links)
        if step.id in files:
            raise UsageError(f"--input: {step} is given twice")
        files[step.id] = Path(name)
    return files


def read_photos(graph: Graph, files: Mapping[str, Path]) -> dict[str, Photo]:
    """Photos by source step, camera raw developed as the step says."""
    return {step_id: read_photo(path, **_developing(graph.steps[step_id])) for step_id, path in files.items()}


def _developing(step: Step) -> dict[str, Any]:
    return {param.name: step.value(param.name) for param in step.spec.params if param.name in DEVELOPING}


def _source(graph: Graph, text: str, links: Sequence[Any]) -> tuple[Step, str]:
    name, sign, file = text.partition("=")
    sources = photo_sources(graph, links)
    if sign and not Path(text).exists():
        step = graph.step(name)
        if step not in graph.by_role("source"):
            raise UsageError(f"--input: expected a photo source; got {step}")
        return step, file
    if len(sources) != 1:
        names = ", ".join(graph.name(step.id) for step in sources) or "none"
        raise UsageError(f"--input: the workflow has {len(sources)} photo sources ({names}): write STEP=FILE")
    return sources[0], text


def device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: no CUDA device is available")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and torch.cuda.is_available()) else "cpu")


def refuse_inputs(outputs: Iterable[Path], files: Iterable[Path]) -> None:
    """Never write over what is read."""
    read = {file.resolve() for file in files}
    for output in outputs:
        if output.resolve() in read:
            raise UsageError(f"{output}: it is an input, and inputs are never overwritten")


def named_files(graph: Graph) -> dict[tuple[str, str], Path]:
    """The photos, tables and weights of the user's that the sources name and that are there, by (step, parameter)."""
    found: dict[tuple[str, str], Path] = {}
    assert isinstance(graph.read, Workspace)
    for step in graph.by_role("source"):
        for param in step.spec.params:
            if not isinstance(param.kind, File):
                continue
            name, network = step.value(param.name), param.kind.kind == "network"
            if name and not (network and name in manifest()):
                with contextlib.suppress(WorkflowError):
                    found[step.id, param.name] = graph.read.find(param.kind.kind, name + WEIGHTS if network else name)
    return found

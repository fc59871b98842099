"""Which output of a graph is meant, and what its sources bring in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from ..light.photo import Photo
from ..light.rectangle import Size
from .errors import WorkflowError
from .model import HIDDEN, Graph, Photos, Ref, Step


def output_of(graph: Graph, sink: str | None = None) -> Ref:
    """The picture to render: what a sink (or any step named) shows; by default that of the only sink, view or fit."""
    if sink is not None:
        return _shown_by(graph.step(sink))
    for role in ("sink", "view", "fit"):
        steps = graph.by_role(role)
        if len(steps) == 1:
            return _shown_by(steps[0])
        if steps:
            names = ", ".join(graph.name(step.id) for step in steps[:8])
            raise WorkflowError(f"expected one {role}; got {len(steps)}: name one of {names} with --sink")
    raise WorkflowError("expected a workflow with a sink, such as Save Photo; got none")


def _shown_by(step: Step) -> Ref:
    if step.spec.makes_picture and not hasattr(step.spec.reach, "role"):
        return Ref(step.id)
    picture = next((entry.name for entry in step.spec.inputs if entry.picture), None)
    if picture is None:
        if step.spec.makes_picture:
            return Ref(step.id)
        raise WorkflowError(f"{step} shows no picture")
    return step.links[picture]


def upstream(graph: Graph, links: Iterable[Ref]) -> set[str]:
    """The ids of all steps that some outputs depend on; through a fit only its photo counts."""
    seen: set[str] = set()
    todo = [link.step for link in links]
    while todo:
        step_id = todo.pop()
        if step_id in seen:
            continue
        seen.add(step_id)
        step = graph.steps[step_id]
        is_fit = getattr(step.spec.reach, "role", None) == "fit"
        todo += [link.step for name, link in step.links.items() if not is_fit or name == "photo"]
    return seen


def gather_sources(graph: Graph, photos: Photos, links: Iterable[Ref]) -> dict[Ref, Any]:
    """What every source upstream of some outputs brings: what the caller gives, else what its file holds."""
    needed = upstream(graph, links)
    sources = [step for step in graph.by_role("source") if step.id in needed]
    handed = _handed(graph, photos, sources)
    given: dict[Ref, Any] = {}
    for step in graph:
        if step.id in needed:
            given |= brought(graph, step, handed)
    return given


def brought(graph: Graph, step: Step, handed: Mapping[str, Any] | None = None) -> dict[Ref, Any]:
    """What a step brings to a graph: the outputs of a source, or the weights of an operation whose network is not wired.

    handed: what the caller gives instead of files, by step (or STEP.INPUT for weights).
    """
    handed = handed or {}
    if getattr(step.spec.reach, "role", None) == "source":
        made = _open(graph, step, handed)
        return {Ref(step.id, slot): value for slot, value in enumerate(made if type(made) is tuple else (made,))}
    unwired = [entry for entry in step.spec.inputs if entry.weights and entry.name not in step.links]
    return {
        Ref(f"{step.id}{HIDDEN}{entry.name}"): handed.get(f"{step.id}.{entry.name}")
        or _read(graph, step, "network", entry.weights)
        for entry in unwired
    }


def _key(graph: Graph, name: str) -> str:
    """A step as `STEP`, or the input of one that brings its own weights as `STEP.INPUT`."""
    step, dot, entry = name.rpartition(".")
    if dot and name not in graph.steps and any(e.weights and e.name == entry for e in graph.step(step).spec.inputs):
        return f"{graph.step(step).id}.{entry}"
    return graph.step(name).id


def _handed(graph: Graph, photos: Photos, sources: list[Step]) -> dict[str, Any]:
    named: dict[str, Any]
    if isinstance(photos, Mapping):
        named = {_key(graph, name): value for name, value in photos.items()}
        weights = {f"{step.id}.{entry.name}" for step in graph for entry in step.spec.inputs if entry.weights}
        strange = set(named) - {step.id for step in graph.by_role("source")} - weights
        if strange:
            raise WorkflowError(f"expected photos for sources; got one for {graph.steps[strange.pop()]}")
    else:
        cameras = [step for step in sources if step.spec.makes_picture]
        if len(cameras) != 1:
            names = ", ".join(graph.name(step.id) for step in cameras[:8]) or "none"
            raise WorkflowError(f"expected one photo source; got {len(cameras)} ({names}): say which photo is whose")
        named = {cameras[0].id: photos}
    return {step_id: Photo(value) if isinstance(value, Tensor) else value for step_id, value in named.items()}


def _open(graph: Graph, step: Step, handed: Mapping[str, Any]) -> Any:
    """What a source step makes of what it was handed, or else of the file it names."""

    def read(kind: str, name: str, **options: Any) -> Any:
        return handed[step.id] if step.id in handed else _read(graph, step, kind, name, **options)

    return step.spec.function(read=read, **step.all_values())


def _read(graph: Graph, step: Step, kind: str, name: str, **options: Any) -> Any:
    """What a name in a step stands for: what a fit made, else a file. Raises WorkflowError."""
    if kind in ("LUT", "network") and name in graph.made:
        return graph.made[name]
    if graph.read is None:
        raise WorkflowError(f"{step}: no folder to read from; hand it over, or open the workflow from a file")
    try:
        return graph.read(kind, name, **options)
    except WorkflowError as error:
        raise WorkflowError(f"{step}: {error}") from None


def full_sizes(given: Mapping[Ref, Any]) -> dict[Ref, Size | None]:
    """Of given values: the sizes of pictures, None for the rest."""
    return {ref: value.size if isinstance(value, Photo) else None for ref, value in given.items()}

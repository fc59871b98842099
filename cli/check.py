"""What `check` says of a workflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..engine.planning import resolved
from ..fit.free import read_free
from ..fit.parameters import entry_path, movable, read_entries
from ..graph.errors import WorkflowError
from ..graph.model import Graph, Ref, Step
from ..graph.outputs import upstream
from ..light.photo import Photo


def describe(graph: Graph) -> list[str]:
    """Steps, sources, sinks and fits of a workflow, a line each."""
    kinds = Counter(step.spec.family for step in graph if step.spec.family)
    lines = [f"{len(graph.steps)} steps" + (": " if kinds else "") + ", ".join(f"{n} {kind}" for kind, n in kinds.items())]
    for role in ("source", "sink", "view", "advice", "fit"):
        for step in graph.by_role(role):
            lines.append(f"{role}  {_about(graph, step)}")
    return lines


def _about(graph: Graph, step: Step) -> str:
    text = f"{graph.name(step.id)} ({step.spec.node_id})"
    if step.spec.param("advisor") is not None:
        return f"{text} {step.value('advisor')}: asked where the workflow runs"
    if step.spec.id != "fit":
        name = next((str(step.value(param.name)) for param in step.spec.params if param.name in ("file", "image", "name")), "")
        return f"{text} {name}".rstrip()
    within = upstream(graph, [step.links["photo"]])
    names = [unknown.name for unknown in read_free(graph, step.value("free"), within)]
    made = movable(graph, within)
    entries = [entry_path(graph, ref, made[ref]) for ref in read_entries(graph, step.value("free"), within, made)]
    shown = ", ".join([*entries, *names[:6]]) + (", ..." if len(names) > 6 else "")
    return f"{text} {len(names)} free sliders" + (f", {len(entries)} tables and networks" if entries else "") + f": {shown}"


def warnings_for(graph: Graph, links: Sequence[Ref], photos: Mapping[str, Photo]) -> list[str]:
    """What a photographer would want to know before running."""
    notes = [
        f"{step} works as in ComfyUI: 8 bits, without colour profile"
        for step in graph
        if step.spec.node_id in ("LoadImage", "SaveImage", "PreviewImage")
    ]
    for link in links:
        notes += _display_notes(graph, link, photos)
    return notes


def _display_notes(graph: Graph, link: Ref, photos: Mapping[str, Photo]) -> list[str]:
    """Scene light wants one display transform on its way to a sink, display light none."""
    transforms, step = 0, graph.steps[resolved(graph, link).step]
    while step.links:
        transforms += step.spec.display_transform
        first = next((entry.name for entry in step.spec.inputs if entry.picture and entry.name in step.links), None)
        if first is None:
            return []
        step = graph.steps[resolved(graph, step.links[first]).step]
    light = _light(graph, step, photos)
    if light == "scene" and not transforms:
        return [f"scene light from {step} reaches the sink without a display transform, such as tone.sigmoid"]
    if light == "display" and transforms:
        return [f"{step} brings display light, already rendered; a display transform renders it again"]
    if transforms > 1:
        return [f"light from {step} goes through {transforms} display transforms; one is enough"]
    return []


def _light(graph: Graph, step: Step, photos: Mapping[str, Photo]) -> str | None:
    """Which light a source brings, where that can be known."""
    if step.id in photos:
        return photos[step.id].light
    if step.spec.param("light") is not None and step.value("light") != "auto":
        return step.value("light")
    if graph.read is None or not any(step.value(param.name) for param in step.spec.params if param.name == "file"):
        return "display" if step.spec.node_id == "LoadImage" else None
    try:
        return step.spec.function(read=graph.read, **step.all_values())[0].light
    except WorkflowError:
        return None

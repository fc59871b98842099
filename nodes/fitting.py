"""Fit: what moves sliders. Values go back into the widgets, the running prompt and the saved workflow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from ..files.atomic import whole_file
from ..fit.fit import fit
from ..fit.free import read_free
from ..fit.report import Fitted, PairResult
from ..graph.errors import WorkflowError
from ..graph.model import Graph, Step
from ..graph.outputs import upstream
from ..light.photo import Photo
from ..ops.fitted import Made, fitted_bytes, fitted_file
from ..ops.spec import OpSpec
from . import comfy
from .factory import RecordingNode, arriving, naming
from .merging import readable
from .recipe import Recipe, codes_of_light, record
from .sinks import kept, picture_of, small
from .told import moved, node_of, pulls, told, write_back
from .walls import blocked, held_still, lines_of
from .wire import carry

_WIRES = ("photo", "target", "loss")


class FitNode(RecordingNode):
    """Takes a list of photos as one fit; passes photos through unless its action says fit."""

    INPUT_IS_LIST = True
    OUTPUT_IS_LIST = (True, False)
    OUTPUT_NODE = True

    @classmethod
    def IS_CHANGED(cls, action: Any = None, **_others: Any) -> float | str:  # noqa: N802
        """A fit is an act: asked for again it runs again, so that what it finds reaches the prompt and picture at hand."""
        return float("nan") if action in ("fit", ["fit"]) else ""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802
        types = super().INPUT_TYPES()
        types["hidden"] |= {"extra_pnginfo": "EXTRA_PNGINFO"}
        return types

    def answer(self, unique_id: Any = "", prompt: Any = None, extra_pnginfo: Any = None, **values: Any) -> Any:
        unique_id, prompt, extra = (
            value[0] if isinstance(value, list) else value for value in (unique_id, prompt, extra_pnginfo)
        )
        wires = {name: list(values.pop(name, None) or []) for name in _WIRES}
        settings = {name: value[0] for name, value in values.items()}
        if settings.pop("action") != "fit":
            return {"ui": {"text": [""]}, "result": (wires["photo"], "")}
        with naming(self.SPEC, unique_id, prompt) as step:
            items = _items(self.SPEC, step, prompt, wires, settings)
            fitted = _found(items, step.id, prompt)
        recipes = [_fitted_photo(graph, handed, pair, step.id) for (graph, handed), pair in zip(items, fitted.pairs)]
        for name, made in fitted.graph.made.items():
            _keep(name, made)
        found = moved(items[0][0], fitted)
        write_back(found, prompt, extra)
        pulled = pulls(items[0][0], fitted)
        behind = blocked(*items[0], step.id, prompt)
        still = held_still(*items[0], step.id, prompt, {(entry["node"], entry["name"]) for entry in pulled})
        report = {**fitted.report(), "blocked": lines_of(behind), "held_still": lines_of(still)}
        picture = small(recipes[0])
        comfy.Progress().picture(picture)  # some editors go on showing the last that came while a node ran
        text = told(fitted, report["blocked"], report["held_still"])
        shown = {"luxgrad_values": found, "luxgrad_pulls": pulled, "luxgrad_blocked": [*behind, *still],
                 "luxgrad_report": [report], "images": [kept(picture)], "text": [text]}  # fmt: skip
        return {"ui": shown, "result": ([carry(recipe) for recipe in recipes], json.dumps(report, indent=2))}


def _items(
    spec: OpSpec, step: Step, prompt: Any, wires: Mapping[str, list[Any]], settings: Mapping[str, Any]
) -> list[tuple[Graph, dict[str, Any]]]:
    """For every photo of the list (and of a batch): the graph with its Fit step, and what its sources were handed."""
    count = len(wires["photo"])
    for name in ("target", "loss"):
        if len(wires[name]) not in (0, 1, count):
            raise WorkflowError(f"{name}: expected one, or as many as photos ({count}); got {len(wires[name])}")
    items = []
    for index in range(count):
        values = {name: found[min(index, len(found) - 1)] for name, found in wires.items() if found}
        recipes = arriving(spec, step.id, prompt, values)
        made: dict[tuple[Photo, int], Photo] = {}
        frames = {name: recipe.believed(moving=name != "target").frames(made) for name, recipe in recipes.items()}
        for frame in range(len(frames["photo"])):
            chosen = {name: found[min(frame, len(found) - 1)] for name, found in frames.items()}
            items.append(record(spec, step.id, step.title, settings, chosen))
    if any(set(graph.steps) != set(items[0][0].steps) for graph, _ in items):
        raise WorkflowError("expected all photos of a list to pass through the same steps")
    return items


def _free(graph: Graph, step_id: str) -> str:
    """The free text of the Fit step; copies of a step (`node#2`) are tied to the first, whose widgets they share."""
    step = graph.steps[step_id]
    text = step.value("free")
    copies = [name for name in graph.steps if node_of(name, graph) != name]
    if not copies:
        return text
    within = upstream(graph, [step.links["photo"]])
    free = [path for unknown in read_free(graph, text, within) for path in unknown.paths]
    ties = [f"{path.step}.{path.name} = {copy}.{path.name}" for path in free for copy in copies
            if copy in within and node_of(copy, graph) == path.step]  # fmt: skip
    return "\n".join([text if text.strip() else "*", *ties])


def _found(items: Sequence[tuple[Graph, Mapping[str, Any]]], step_id: str, prompt: Any) -> Fitted:
    bar = comfy.Progress()

    def watch(light: Tensor) -> None:
        bar.picture(picture_of(codes_of_light(light, eight_bits=False)[0].cpu()))

    try:
        with comfy.rendering(
            sum(v.size.pixels for _, given in items for v in given.values() if isinstance(v, Photo))
        ) as settings:
            graph, photos = readable(items[0][0]), [handed for _, handed in items]
            return fit(graph, photos, free=_free(graph, step_id), sink=step_id, progress=bar.share, watch=watch,
                       device=settings.device)  # fmt: skip
    except WorkflowError as error:
        behind = blocked(*items[0], step_id, prompt)
        if not behind:
            raise
        raise WorkflowError(f"{error}; no gradient reaches {'; '.join(lines_of(behind))}") from None


def _fitted_photo(graph: Graph, handed: Mapping[str, Any], pair: PairResult, step_id: str) -> Recipe:
    """The photo that goes on after a fit, with the sliders (and tables) found."""
    fitted = pair.graph
    handed = {**handed, **{ref.step: photo for ref, photo in pair.derived.items()}}
    made = {step.id for step in fitted.by_role("source") if any(value in fitted.made for value in step.values.values())}
    link = graph.steps[step_id].links["photo"]
    return Recipe(fitted, link, {key: value for key, value in handed.items() if key not in made})


def _keep(name: str, made: Made) -> None:
    path = comfy.folders()[0] / fitted_file(made, name)
    if not path.exists():
        with whole_file(path) as part:
            part.write_bytes(fitted_bytes(made))

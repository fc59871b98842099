"""Fit and Auto: what moves sliders. Values go back into the widgets, the running prompt and the saved workflow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..advice.auto import auto
from ..files.atomic import whole_file
from ..graph.errors import WorkflowError, one_line
from ..graph.fit import fit
from ..graph.model import Graph, Path, Step
from ..graph.report import Fitted, PairResult
from ..graph.ui_form import put
from ..light.photo import Photo
from ..ops.cube_text import fitted_text
from ..ops.spec import REGISTRY, OpSpec
from . import comfy
from .factory import RecordingNode, arriving, naming
from .recipe import Recipe, record, title_of
from .sinks import preview
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

    def record(self, unique_id: Any = "", prompt: Any = None, extra_pnginfo: Any = None, **values: Any) -> Any:
        unique_id, prompt, extra = (
            value[0] if isinstance(value, list) else value for value in (unique_id, prompt, extra_pnginfo)
        )
        wires = {name: list(values.pop(name, None) or []) for name in _WIRES}
        settings = {name: value[0] for name, value in values.items()}
        if settings.pop("action") != "fit":
            return {"ui": {"text": [""]}, "result": (wires["photo"], "")}
        with naming(self.SPEC, unique_id, prompt) as step:
            items = _items(self.SPEC, step, prompt, wires, settings)
            fitted = _found(items, step.id, comfy.Progress(), prompt)
        recipes = [_fitted_photo(graph, handed, pair, step.id) for (graph, handed), pair in zip(items, fitted.pairs)]
        for name, lut in fitted.graph.tables.items():
            _keep_table(name, fitted_text(lut))
        found = moved(items[0][0], fitted)
        write_back(found, prompt, extra)
        report = {**fitted.report(), "blocked": blocked(items[0][0], step.id, prompt)}
        shown = {"luxgrad_values": found, "luxgrad_report": [report], "images": [preview(recipes[0])]}
        return {
            "ui": {**shown, "text": [told(fitted, report["blocked"])]},
            "result": ([carry(recipe) for recipe in recipes], json.dumps(report, indent=2)),
        }


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
        frames = {name: recipe.believed(moving=name != "target").frames() for name, recipe in recipes.items()}
        for frame in range(len(frames["photo"])):
            chosen = {name: found[min(frame, len(found) - 1)] for name, found in frames.items()}
            items.append(record(spec, step.id, step.title, settings, chosen))
    if any(set(graph.steps) != set(items[0][0].steps) for graph, _ in items):
        raise WorkflowError("expected all photos of a list to pass through the same steps")
    return items


def _found(items: Sequence[tuple[Graph, Mapping[str, Any]]], step_id: str, progress: comfy.Progress, prompt: Any) -> Fitted:
    try:
        with comfy.rendering(
            sum(v.size.pixels for _, given in items for v in given.values() if isinstance(v, Photo))
        ) as settings:
            photos = [handed for _, handed in items]
            return fit(items[0][0], photos, sink=step_id, progress=progress.share, device=settings.device)
    except WorkflowError as error:
        behind = blocked(items[0][0], step_id, prompt)
        if not behind:
            raise
        raise WorkflowError(f"{error}; no gradient reaches {'; '.join(behind)}") from None


def _fitted_photo(graph: Graph, handed: Mapping[str, Any], pair: PairResult, step_id: str) -> Recipe:
    """The photo that goes on after a fit, with the sliders (and tables) found."""
    fitted = pair.graph
    handed = {**handed, **{ref.step: photo for ref, photo in pair.derived.items()}}
    made = {step.id for step in fitted.by_role("source") if any(value in fitted.tables for value in step.values.values())}
    link = graph.steps[step_id].links["photo"]
    return Recipe(fitted, link, {key: value for key, value in handed.items() if key not in made})


def _keep_table(name: str, text: str) -> None:
    path = comfy.folders()[0] / name
    if not path.exists():
        with whole_file(path) as part:
            part.write_text(text, encoding="utf-8")


def moved(start: Graph, fitted: Fitted) -> list[dict[str, Any]]:
    """The values that a fit found for nodes, as {node, name, value}; values that differ from photo to photo stay out."""
    found = []
    for step in start:
        for param in step.spec.params:
            values = {pair.graph.value(Path(step.id, param.name)) for pair in fitted.pairs if step.id in pair.graph.steps}
            if len(values) == 1 and values != {step.value(param.name)}:
                found.append({"node": step.id, "name": param.name, "value": values.pop()})
    return found


def write_back(values: Iterable[Mapping[str, Any]], prompt: Any, extra: Any) -> None:
    """Put values into the running prompt and into the workflow that a saved picture will carry."""
    for entry in values:
        node = (prompt or {}).get(entry["node"])
        if node is not None:
            node["inputs"][entry["name"]] = entry["value"]
        if isinstance((extra or {}).get("workflow"), dict):
            put(extra["workflow"], entry["node"], entry["name"], entry["value"])


def blocked(graph: Graph, step_id: str, prompt: Any) -> list[str]:
    """Sliders upstream in the prompt that no gradient reaches, and the foreign node in their way."""
    found: list[str] = []
    seen: set[str] = set()
    inputs = (prompt or {}).get(step_id, {}).get("inputs", {})
    todo = [(inputs[name][0], "") for name in ("photo", "loss") if isinstance(inputs.get(name), list)]
    while todo:
        node, wall = todo.pop()
        entry = (prompt or {}).get(str(node))
        if entry is None or str(node) in seen:
            continue
        seen.add(str(node))
        kind = str(entry.get("class_type", ""))
        spec = REGISTRY.get(kind.removeprefix("luxgrad."))
        if spec is not None and str(node) not in graph.steps and spec.sliders:
            found.append(f"{_name(entry, node)} ({', '.join(p.name for p in spec.sliders[:3])}): {wall or 'it is not used'}")
        if not kind.startswith("luxgrad."):
            wall = f"step {node} ({kind[:80]}) carries no gradient"
        todo += [(link[0], wall) for link in _wires(prompt, str(node))]
    return found


def _wires(prompt: Any, node: str) -> list[Any]:
    inputs = (prompt or {}).get(node, {}).get("inputs", {})
    return [value for value in inputs.values() if isinstance(value, list) and len(value) == 2]


def _name(entry: Mapping[str, Any], node: str) -> str:
    return one_line(title_of(entry), 60) or f"step {node}"


def told(fitted: Fitted, behind: Sequence[str]) -> str:
    """A fit in a few lines, for the node."""
    first = fitted.pairs[0]
    lines = []
    if first.before and first.after:
        lines.append(f"{first.before.psnr:.1f} dB -> {first.after.psnr:.1f} dB, Delta E {first.after.delta_e:.2f}")
    if fitted.loss_before is not None:
        lines.append(f"loss {fitted.loss_before:.5g} -> {fitted.loss_after:.5g}")
    end = "stopped early" if fitted.stopped else "converged" if fitted.converged else "did not converge"
    lines.append(f"{fitted.method}, {len(fitted.free)} sliders, {fitted.seconds:.1f} s, {end}")
    flat = [entry.path for entry in fitted.free if entry.flat]
    lines += [f"the photos say little about: {', '.join(flat[:6])}{', ...' if len(flat) > 6 else ''}"] if flat else []
    return "\n".join([*lines, *(f"no gradient reaches {text}" for text in behind)])


class AutoNode(RecordingNode):
    """A first guess: a patch as text, and its values for the button that applies them."""

    OUTPUT_NODE = True

    def record(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        with naming(self.SPEC, unique_id, prompt):
            recipe = arriving(self.SPEC, unique_id, prompt, values)["photo"].frames()[0]
            camera = next(value for value in recipe.handed.values() if isinstance(value, Photo))
            patch = auto(recipe.graph, camera, recipe.link.step)
        sets = [recipe.graph.path(edit["path"]) for edit in patch if edit["edit"] == "set"]
        numbers = [edit["value"] for edit in patch if edit["edit"] == "set"]
        guess = [{"node": path.step, "name": path.name, "value": value} for path, value in zip(sets, numbers)]
        missing = [edit["node"] for edit in patch if edit["edit"] == "add"]
        lines = [f"{entry['node']}.{entry['name']} = {entry['value']:g}" for entry in guess]
        lines += [f"add {node} for more" for node in missing]
        return {"ui": {"luxgrad_guess": guess, "text": ["\n".join(lines)]}, "result": (json.dumps(list(patch), indent=2),)}

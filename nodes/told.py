"""What a fit tells the editor: values for widgets, and how each slider was pulled."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..fit.report import Fitted, moves
from ..graph.errors import WorkflowError
from ..graph.model import Graph, Path
from ..graph.ui_form import put
from ..graph.ui_shape import document_of


def node_of(step_id: str, graph: Graph) -> str:
    """The node that a step was recorded by: a copy `node#2` shares the widgets of the first."""
    first, mark, number = step_id.rpartition("#")
    return node_of(first, graph) if mark and number.isdecimal() and first in graph.steps else step_id


def moved(start: Graph, fitted: Fitted) -> list[dict[str, Any]]:
    """The values that a fit found for nodes, as {node, name, value}; values that differ from photo to photo stay out."""
    found = []
    for step in start:
        for param in step.spec.params:
            values = {pair.graph.value(Path(step.id, param.name)) for pair in fitted.pairs if step.id in pair.graph.steps}
            if node_of(step.id, start) == step.id and len(values) == 1 and values != {step.value(param.name)}:
                found.append({"node": step.id, "name": param.name, "value": values.pop()})
    return found


def write_back(values: Sequence[Mapping[str, Any]], prompt: Any, extra: Any) -> None:
    """Put values into the running prompt and into the workflow that a saved picture will carry."""
    for entry in values:
        node = (prompt or {}).get(entry["node"])
        if node is not None:
            node["inputs"][entry["name"]] = entry["value"]
    if isinstance(extra, dict) and extra.get("workflow") is not None:
        with contextlib.suppress(WorkflowError):  # a document that cannot be read stays as it came; the fit is not lost for it
            document = document_of(extra["workflow"])
            for entry in values:
                put(document, entry["node"], entry["name"], entry["value"])


def pulls(start: Graph, fitted: Fitted) -> list[dict[str, Any]]:
    """What happened to every free slider, for its node: {node, name, start, value, std, pull, flat, reached}."""
    facts = ("start", "value", "std", "pull", "flat", "reached")
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in fitted.free:
        for moved_slider in entry.moves:
            step_id, _, name = moved_slider.rpartition(".")
            key = node_of(step_id, start), name
            found.setdefault(key, {"node": key[0], "name": name, **{fact: getattr(entry, fact) for fact in facts}})
    return list(found.values())


def told(fitted: Fitted, behind: Sequence[str], still: Sequence[str] = ()) -> str:
    """A fit in a few lines, for the node. behind, still: what walls keep from gradients, whole and in part."""
    first = fitted.pairs[0]
    lines = moves(fitted)
    if first.before and first.after:
        lines.append(f"{first.before.psnr:.1f} dB -> {first.after.psnr:.1f} dB, Delta E {first.after.delta_e:.2f}")
    if fitted.loss_before is not None:
        lines.append(f"loss {fitted.loss_before:.5g} -> {fitted.loss_after:.5g}")
    end = "stopped early" if fitted.stopped else "converged" if fitted.converged else "did not converge"
    lines.append(f"{fitted.method}, {len(fitted.free)} sliders, {fitted.seconds:.1f} s, {end}")
    flat = [entry.path for entry in fitted.free if entry.flat]
    lines += [f"the photos say little about: {', '.join(flat[:6])}{', ...' if len(flat) > 6 else ''}"] if flat else []
    lost = [entry.path for entry in fitted.free if not entry.reached]
    lines += [f"the loss does not see: {', '.join(lost[:6])}{', ...' if len(lost) > 6 else ''}"] if lost else []
    lines += [f"no gradient reaches {text}" for text in behind]
    return "\n".join([*lines, *(f"fitted only in part: {text}" for text in still)])

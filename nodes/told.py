"""What a fit tells the editor: values for widgets, how each slider was pulled, and what no gradient reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..graph.errors import one_line
from ..graph.model import Graph, Path
from ..graph.report import Fitted
from ..graph.ui_form import put
from ..ops.spec import REGISTRY
from .recipe import title_of


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


def write_back(values: Iterable[Mapping[str, Any]], prompt: Any, extra: Any) -> None:
    """Put values into the running prompt and into the workflow that a saved picture will carry."""
    for entry in values:
        node = (prompt or {}).get(entry["node"])
        if node is not None:
            node["inputs"][entry["name"]] = entry["value"]
        if isinstance((extra or {}).get("workflow"), dict):
            put(extra["workflow"], entry["node"], entry["name"], entry["value"])


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


def blocked(graph: Graph, step_id: str, prompt: Any) -> list[dict[str, Any]]:
    """Nodes upstream in the prompt whose sliders no gradient reaches: {node, title, sliders, by, why}.

    by: the other pack's node in their way, "" where they are not used.
    """
    found = []
    for node, entry, wall in _behind(prompt, step_id):
        kind = str(entry.get("class_type", ""))
        spec = REGISTRY.get(kind.removeprefix("luxgrad."))
        if spec is not None and node not in graph.steps and spec.sliders:
            sliders = [param.name for param in spec.sliders]
            why = f"step {wall} ({_kind(prompt, wall)[:80]}) carries no gradient" if wall else "it is not used"
            found.append({"node": node, "title": _name(entry, node), "sliders": sliders, "by": wall, "why": why})
    return found


def lines_of(behind: Sequence[Mapping[str, Any]]) -> list[str]:
    """What `blocked` found, in words."""
    return [f"{entry['title']} ({', '.join(entry['sliders'][:3])}): {entry['why']}" for entry in behind]


def _behind(prompt: Any, step_id: str) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """The nodes upstream of one in a prompt, and the nearest node of another pack on the way to each."""
    seen: set[str] = set()
    inputs = (prompt or {}).get(step_id, {}).get("inputs", {})
    todo = [(str(inputs[name][0]), "") for name in ("photo", "loss") if isinstance(inputs.get(name), list)]
    while todo:
        node, wall = todo.pop()
        entry = (prompt or {}).get(node)
        if entry is None or node in seen:
            continue
        seen.add(node)
        yield node, entry, wall
        if not _kind(prompt, node).startswith("luxgrad."):
            wall = node
        todo += [(str(link[0]), wall) for link in _wires(prompt, node)]


def _kind(prompt: Any, node: str) -> str:
    return str(prompt[node].get("class_type", ""))


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
    lost = [entry.path for entry in fitted.free if not entry.reached]
    lines += [f"the loss does not see: {', '.join(lost[:6])}{', ...' if len(lost) > 6 else ''}"] if lost else []
    return "\n".join([*lines, *(f"no gradient reaches {text}" for text in behind)])

"""Retouching as sliders: how far each imperfection is retouched by a workflow, and the patch that makes it so.

Local retouch goes in behind the camera, one for each group of flaws: its strength is that of the most retouched, and its
limit leaves out or picks out the others by ovals, Radial mask one behind the other, which say so in plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ..graph.model import Graph, Step
from ..graph.patch import Patch
from ..graph.undo import undo
from ..light.rectangle import Region, Size
from ..networks.abpn import GROUPS
from ..ops.frame import Frame
from ..ops.local.radial_mask import radial_mask
from ..ops.spec import REGISTRY
from .imperfections import Found, Imperfection, origin, retouching
from .moves import users
from .view import RETOUCH, View

OVAL = "local.radial_mask"
_FEATHER = 30.0
_MARGIN = 2.0
LEAST = 0.005
"""Shares that are no further apart are the same."""


def strengths(view: View, found: Found) -> list[float]:
    """How far every imperfection is retouched, 0 to 1."""
    run = retouching(view)
    steps = {group: _of(run, group) for group in GROUPS}
    return [_strength(view, steps[place.group], place, found.size) for place in found.places]


def retouched(view: View, found: Found, wanted: Mapping[int, float], reasons: Mapping[int, str]) -> Patch:
    """The patch that retouches imperfections, by their numbers, as far as is wanted, and no other any more or less.

    reasons: why, by the same numbers.
    """
    before = strengths(view, found)
    changed = {number for number, share in wanted.items() if abs(share - before[number]) > LEAST}
    after, said = view, dict[str, str]()
    for group in GROUPS:
        step = _of(retouching(after), group)
        within = _within(step, group)
        numbers = [number for number, place in enumerate(found.places) if place.group in within]
        if changed.isdisjoint(numbers) or (step is not None and step.id in said):
            continue
        shares = {number: wanted.get(number, before[number]) for number in numbers}
        edits, name = _set(after, step, group, found, shares)
        after = after.after(edits)
        said[name] = "; ".join(dict.fromkeys(reasons[number] for number in numbers if number in changed))
    return [plain(edit, said) for edit in undo(after.graph, view.graph)]


def _of(run: Sequence[Step], group: str) -> Step | None:
    """The Local retouch that is for a group: its own, else one for all."""
    fit = [step for step in run if step.value("what") in (group, "all")]
    return next((step for step in fit if step.value("what") == group), fit[0] if fit else None)


def _within(step: Step | None, group: str) -> tuple[str, ...]:
    return GROUPS if step is not None and step.value("what") == "all" else (group,)


# How far ------------------------------------------------------------------------------------------------------------


def _strength(view: View, step: Step | None, place: Imperfection, size: Size) -> float:
    if step is None:
        return 0.0
    mask = None
    for oval in ovals(view.graph, step):
        mask = _at(place, size, oval, mask)
    return float(step.value("strength")) * (1.0 if mask is None else float(mask))


def _at(place: Imperfection, size: Size, oval: Step, mask: torch.Tensor | None) -> torch.Tensor:
    """What an oval makes of a mask in the middle of a place."""
    region = Region(int(place.y * size.height), int(place.x * size.width), 1, 1)
    return radial_mask(torch.zeros(1, 3, 1, 1), Frame(size, region, size), mask, **oval.all_values())


def ovals(graph: Graph, step: Step) -> list[Step]:
    """The ovals that advice has put before the limit of a Local retouch, the first one first."""
    found = []
    link = step.links.get("limit")
    while link is not None and _ours(graph.steps[link.step], step):
        found.append(graph.steps[link.step])
        link = found[-1].links.get("mask")
    return found[::-1]


def _ours(oval: Step, step: Step) -> bool:
    return oval.spec.id == OVAL and oval.title.startswith(f"{step.title or step.id}, oval ")


# The patch ----------------------------------------------------------------------------------------------------------


def _set(
    view: View, step: Step | None, group: str, found: Found, shares: Mapping[int, float]
) -> tuple[list[dict[str, Any]], str]:
    """The edits that give the imperfections of one Local retouch their shares, and its id."""
    edits: list[dict[str, Any]] = []
    most = max(shares.values())
    run = retouching(view)
    end = run[-1] if run else view.camera
    if step is None:
        name, title = _new(view.graph, f"retouch_{group}"), f"Retouch {group}"
        values = {"what": group, "strength": _shown(most)}
        edits.append({"edit": "add", "step": name, "node": REGISTRY[RETOUCH].node_id, "values": values,
                      "links": {"image": [end.id, 0]}, "title": title})  # fmt: skip
        edits += ({"edit": "link", "step": user, "input": entry, "from": [name, 0]} for user, entry in users(view, end.id))
        old, root = [], None
    else:
        name, title = step.id, step.title or step.id
        old = ovals(view.graph, step)
        root = (old[0].links.get("mask") if old else step.links.get("limit")) or None
        mine = title == f"Retouch {group}" and root is None
        if most <= LEAST and mine:
            edits = [{"edit": "link", "step": name, "input": "limit", "from": None}] if old else []
            edits += _gone(old)
            return [*edits, {"edit": "remove", "step": name}], name
        edits.append({"edit": "set", "path": f"{name}.strength", "value": _shown(most)})
    weights = {number: share / most for number, share in shares.items()} if most > LEAST else {}
    chain = _chain(weights, root is not None)
    link: list[Any] | None = list(root) if root is not None else None
    made = []
    for count, (number, opacity, combine) in enumerate(chain, start=1):
        oval = f"{name}_oval_{count}"
        values = {**_around(found.places[number], found.size), "opacity": _shown(opacity), "combine": combine}
        links = {"image": [origin(view).id, 0], **({"mask": link} if link else {})}
        made.append({"edit": "add", "step": oval, "node": REGISTRY[OVAL].node_id, "values": values, "links": links,
                     "title": f"{title}, oval {count}"})  # fmt: skip
        link = [oval, 0]
    if old:
        edits.append({"edit": "link", "step": name, "input": "limit", "from": list(root) if root is not None else None})
    edits += _gone(old)
    edits += made
    if chain:
        edits.append({"edit": "link", "step": name, "input": "limit", "from": link})
    return edits, name


def _gone(old: Sequence[Step]) -> list[dict[str, Any]]:
    return [{"edit": "remove", "step": oval.id} for oval in reversed(old)]


def _chain(weights: Mapping[int, float], given: bool) -> list[tuple[int, float, str]]:
    """The ovals (whose, opacity, how combined) that give weights: taken away from all, or added to nothing, by what is less.

    given: whether there is a mask already, that can only be taken away from.
    """
    left = [(number, 1.0 - weight, "subtract") for number, weight in weights.items() if weight < 1.0 - LEAST]
    put = [(number, weight, "add") for number, weight in weights.items() if weight > LEAST]
    return left if given or len(left) <= len(put) else put


def _around(place: Imperfection, size: Size) -> dict[str, float]:
    """An oval that is full all over a place and a little beyond."""
    inner = 1.0 - _FEATHER / 100.0
    grown = [(edge + _MARGIN / size.long_edge) * place.cover / inner for edge in (place.long, place.short)]
    numbers = {"x": place.x, "y": place.y, "width": grown[0], "height": grown[1]}
    return {**{name: round(100.0 * number, 2) for name, number in numbers.items()},
            "angle": round(place.angle) + 0.0, "feather": _FEATHER}  # fmt: skip


def _shown(share: float) -> float:
    return round(min(max(share, 0.0), 1.0), 3)


def _new(graph: Graph, name: str) -> str:
    while name in graph.steps:
        name += "_"
    return name


def plain(edit: Mapping[str, Any], said: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An edit that says only what is not as it comes, and why. said: the reasons, by step (and for the ovals before it)."""
    edit = dict(edit)
    step = edit.get("step") or edit["path"].rpartition(".")[0]
    if edit["edit"] == "add":
        spec = next((spec for spec in REGISTRY.values() if spec.node_id == edit["node"]), None)
        usual = {param.name: param.default for param in spec.params} if spec is not None else {}
        edit["values"] = {name: value for name, value in edit["values"].items() if name not in usual or value != usual[name]}
    reason = next((text for name, text in (said or {}).items() if step == name or step.startswith(f"{name}_oval_")), "")
    return {**edit, "reason": reason} if reason and edit["edit"] != "link" else edit

"""Undo: the patch that turns an edited graph back into what it was."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from .errors import WorkflowError
from .model import Graph, Step
from .patch import Patch

Edit = dict[str, Any]


def undo(before: Graph, after: Graph) -> Patch:
    """The patch that turns `after` into `before`. Raises WorkflowError where a step has become another operation."""
    for step in before:
        if step.id in after.steps and after.steps[step.id].spec is not step.spec:
            raise WorkflowError(f"{step} has become {after.steps[step.id].spec.id}: that cannot be taken back by a patch")
    edits = list(_added(before, after))
    for step in before:
        if step.id in after.steps:
            edits += _changed(step, after.steps[step.id])
    return [*edits, *_removed(after, [step.id for step in after if step.id not in before.steps])]


def _added(before: Graph, after: Graph) -> Iterator[Edit]:
    """The steps that went, each after those that it is wired to."""
    there = set(after.steps)
    missing = [step for step in before if step.id not in there]
    while missing:
        step = next(step for step in missing if all(link.step in there for link in step.links.values()))
        missing.remove(step)
        there.add(step.id)
        links = {name: list(link) for name, link in step.links.items()}
        edit = {"edit": "add", "step": step.id, "node": step.spec.node_id, "values": step.all_values(), "links": links}
        yield {**edit, "title": step.title} if step.title else edit


def _changed(was: Step, now: Step) -> Iterator[Edit]:
    for name, value in was.all_values().items():
        if now.value(name) != value:
            yield {"edit": "set", "path": f"{was.id}.{name}", "value": value}
    for name in {**was.links, **now.links}:
        if was.links.get(name) != now.links.get(name):
            origin = list(was.links[name]) if name in was.links else None
            yield {"edit": "link", "step": was.id, "input": name, "from": origin}


def _removed(after: Graph, gone: Collection[str]) -> Iterator[Edit]:
    """Steps that were new, each before those that it is wired to."""
    left = list(gone)
    while left:
        used = {link.step for step_id in left for link in after.steps[step_id].links.values()}
        step_id = next(step_id for step_id in left if step_id not in used)
        left.remove(step_id)
        yield {"edit": "remove", "step": step_id}

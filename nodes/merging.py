"""Several recipes as one graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ..graph.errors import WorkflowError
from ..graph.model import Graph, Ref, Step
from ..networks.weights import WeightsError, load_network
from ..ops.types import Network


class Piece(Protocol):
    """What merging needs to know of a recipe."""

    @property
    def graph(self) -> Graph: ...

    @property
    def link(self) -> Ref: ...

    @property
    def handed(self) -> Mapping[str, Any]: ...


def merged(inputs: Mapping[str, Piece]) -> tuple[Graph, dict[str, Any], dict[str, Ref]]:
    """Several recipes as one graph: shared steps once; a source of the same name that was handed another photo is renamed.

    The copies, `name#2`, have no title, so that the first keeps its own.
    """
    steps: dict[str, Step] = {}
    made: dict[str, Any] = {}
    handed: dict[str, Any] = {}
    links: dict[str, Ref] = {}
    for name, recipe in inputs.items():
        clash = [key for key, value in recipe.handed.items() if handed.get(key, value) is not value]
        clash += [key for key, step in recipe.graph.steps.items() if key not in recipe.handed and steps.get(key, step) != step]
        taken = {*steps, *recipe.graph.steps}
        names = {key: _fresh(key, taken) for key in _with_users(recipe.graph, clash)}
        for key, step in recipe.graph.steps.items():
            moved = {slot: Ref(names.get(link.step, link.step), link.slot) for slot, link in step.links.items()}
            new = names.get(key, key)
            title = step.title if new == key else ""
            steps[new] = dataclasses.replace(step, id=new, links=moved, title=title) if names else step
        handed |= {names.get(key, key): value for key, value in recipe.handed.items()}
        made |= recipe.graph.made
        links[name] = Ref(names.get(recipe.link.step, recipe.link.step), recipe.link.slot)
    return Graph(steps, made=made), handed, links


def _with_users(graph: Graph, ids: Iterable[str]) -> set[str]:
    """Some steps and all that come after them."""
    found = set(ids)
    while True:
        more = {step.id for step in graph if step.id not in found and any(link.step in found for link in step.links.values())}
        if not more:
            return found
        found |= more


def _fresh(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}#{number}" in taken:
        number += 1
    taken.add(f"{name}#{number}")
    return f"{name}#{number}"


def readable(graph: Graph) -> Graph:
    """A graph whose operations find the weights that they bring themselves; everything else is handed to recipes."""
    return dataclasses.replace(graph, read=_own_weights)


def _own_weights(_kind: str, name: str, **_options: Any) -> Network:
    try:
        return load_network(name)
    except WeightsError as error:
        raise WorkflowError(str(error)) from None

"""Where gradients end: other packs' nodes between a Fit and our sliders that hold still what passes through them.

A slider behind such a wall is not fitted. A slider that also reaches the loss on a way around it is, but with the picture
of the wall held still. Both are told by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ..graph.errors import one_line
from ..graph.model import Graph
from ..ops.spec import REGISTRY
from . import comfy
from .recipe import Taped, title_of
from .replay import Tape
from .tape import ends_in

_FIT = "luxgrad.fit"
_FLAT = {"INT", "BOOLEAN", "STRING", "COMBO"}
"""What has no slope, such as the size of a picture."""


def blocked(graph: Graph, handed: Mapping[str, Any], step_id: str, prompt: Any) -> list[dict[str, Any]]:
    """Nodes upstream in the prompt whose sliders no gradient reaches: {node, title, sliders, by, why}.

    by: the other pack's node in their way, "" where they are not used.
    """
    found: dict[str, dict[str, Any]] = {}
    for node, wall in _Walk(graph, handed, prompt or {}).upstream(step_id):
        sliders = [param.name for param in _sliders(prompt, node)]
        if sliders and node not in graph.steps and not found.get(node, {}).get("by"):
            why = f"{_step(prompt, wall)} carries no gradient" if wall else "it is not used"
            found[node] = _entry(prompt, node, sliders, wall, why)
    return list(found.values())


def held_still(
    graph: Graph, handed: Mapping[str, Any], step_id: str, prompt: Any, free: Collection[tuple[str, str]]
) -> list[dict[str, Any]]:
    """As `blocked`: nodes whose free sliders (node, name) reach the loss on some ways, and on others end at a wall."""
    found: dict[str, dict[str, Any]] = {}
    for node, wall in _Walk(graph, handed, prompt or {}).upstream(step_id):
        sliders = [param.name for param in _sliders(prompt, node) if (node, param.name) in free]
        if sliders and wall and node in graph.steps and node not in found:
            why = f"what passes through {_step(prompt, wall)} was held still"
            found[node] = {**_entry(prompt, node, sliders, wall, why), "partly": True}
    return list(found.values())


def lines_of(walled: Sequence[Mapping[str, Any]]) -> list[str]:
    """What `blocked` or `held_still` found, in words."""
    return [f"{entry['title']} ({', '.join(entry['sliders'][:3])}): {entry['why']}" for entry in walled]


def _entry(prompt: Any, node: str, sliders: list[str], wall: str, why: str) -> dict[str, Any]:
    title = one_line(title_of(prompt[node]), 60) or f"step {node}"
    return {"node": node, "title": title, "sliders": sliders, "by": wall, "why": why}


def _sliders(prompt: Any, node: str) -> Sequence[Any]:
    spec = REGISTRY.get(_kind(prompt, node).removeprefix("luxgrad."))
    return spec.sliders if spec is not None else ()


def _step(prompt: Any, node: str) -> str:
    return f"step {node} ({_kind(prompt, node)[:80]})"


def _kind(prompt: Any, node: str) -> str:
    return str(prompt[node].get("class_type", ""))


class _Walk:
    """Up the wires of a prompt, with what the fit took of them: its graph and what its sources were handed."""

    def __init__(self, graph: Graph, handed: Mapping[str, Any], prompt: Mapping[str, Any]) -> None:
        self.graph, self.handed, self.prompt = graph, handed, prompt

    def upstream(self, step_id: str) -> Iterator[tuple[str, str]]:
        """Our nodes upstream of a Fit, each with the wall on a way to it, "" for a way without; once for every such pair."""
        seen: set[tuple[str, str]] = set()
        todo = self._sources(step_id, "", ("photo", "loss"))
        while todo:
            node, wall = todo.pop()
            if (node, wall) not in seen:
                seen.add((node, wall))
                yield node, wall
                todo += self._sources(node, wall)

    def _sources(self, node: str, wall: str, names: Collection[str] = ()) -> list[tuple[str, str]]:
        """Our nodes that one of ours takes something from, directly or through other packs' nodes, and the walls there."""
        found: list[tuple[str, str]] = []
        for before, slot in self._links(node, names):
            if self._ours(before):
                found.append((before, wall))
            else:
                number = self._kind(before, slot) == "FLOAT"
                for first, route in self._beyond(before):
                    found.append((first, wall or self._wall(f"{before}/{slot}", first, route, number)))
        return found

    def _beyond(self, last: str) -> Iterator[tuple[str, list[str]]]:
        """Our nodes before a run of other packs' nodes that ends in `last`, each with the nodes after it, last first."""
        run, todo = dict[str, list[str]](), [last]
        order: list[str] = []
        while todo:
            node = todo.pop(0)
            if node not in run:
                run[node] = [before for before, _ in self._links(node)]
                order.append(node)
                todo += [before for before in run[node] if not self._ours(before)]
        for first in dict.fromkeys(before for links in run.values() for before in links if self._ours(before)):
            after = {node for node in run if first in run[node]}
            while more := {node for node in run if node not in after and after & set(run[node])}:
                after |= more
            yield first, [node for node in order if node in after]

    def _wall(self, source: str, first: str, route: list[str], number: bool) -> str:
        """The node of another pack in which gradients of one of our nodes end; "" where they come through on every way."""
        if number:
            return route[-1]
        if source not in self.graph.steps:  # what it was given, it passed on; or nothing of it is used
            return "" if first in self.graph.steps else route[-1]
        photo = self.handed.get(source)
        ended = [node for node in route if ends_in(node, first)]
        if isinstance(photo, Taped) and photo.tape and first in {leaf.lazy.recipe.link.step for leaf in photo.wires.values()}:
            return next((node for node in ended if self._adds(node, route[: route.index(node)], photo.tape)), "")
        return (ended or route[::-1])[0]

    def _adds(self, node: str, after: list[str], tape: Tape) -> bool:
        """Whether a node in which pixels left torch gives the nodes after it something new, not what it was given."""
        played = {call.node for call in tape.calls}
        links = {user: self._links(user) for user in after}
        users = [user for user in after if node in {before for before, _ in links[user]}]
        if node in played:
            return False
        if any(before == node and self._kind(before, slot) == "FLOAT" for user in users for before, slot in links[user]):
            return True
        if any(user in played and {before for before, _ in links[user]} == {node} for user in users):
            return False  # they got what is ours from nobody else
        return any(call.node in after and call.constant() for call in tape.calls)

    def _links(self, node: str, names: Collection[str] = ()) -> list[tuple[str, int]]:
        if node not in self.prompt:
            return []
        inputs = self.prompt[node].get("inputs", {})
        names = names or (("photo",) if _kind(self.prompt, node) == _FIT else ())
        values = [value for name, value in inputs.items() if not names or name in names]
        links = [(str(value[0]), value[1]) for value in values if isinstance(value, list) and len(value) == 2]
        return [(key, slot) for key, slot in links if key in self.prompt and self._kind(key, slot) not in _FLAT]

    def _kind(self, node: str, slot: Any) -> str:
        return comfy.socket_of(_kind(self.prompt, node), slot)

    def _ours(self, node: str) -> bool:
        kind = _kind(self.prompt, node)
        return kind.startswith("luxgrad.") and kind != _FIT  # which passes on what it is given

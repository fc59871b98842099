"""Photos that code outside the graph makes from pictures inside it, and that gradients can follow all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ..light.photo import Photo
from .model import Graph, Link, Path
from .plan import Ref
from .render import Job, Settings


@dataclass(frozen=True, eq=False)
class Derived(Photo):
    """A photo handed to a source step that has wires: foreign code made it from what those wires bring.

    again(pictures) -> the raster made anew, differentiable, from those pictures (B3HW light or B1HW masks).
    """

    wires: Sequence[Link] = ()
    again: Callable[[Sequence[Tensor]], Tensor] = field(default=lambda pictures: pictures[0])


def made_anew(graph: Graph, given: Mapping[Ref, Any], tensors: Mapping[Path, Tensor], settings: Settings) -> dict[Ref, Any]:
    """Given values whose derived photos are those of these slider values; differentiable with respect to them."""
    found = dict(given)
    waiting = [ref for ref, value in given.items() if isinstance(value, Derived)]
    for ref in sorted(waiting, key=lambda entry: _depth(graph, given, entry)):
        value = given[ref]
        pictures = [Job(graph, [link], found, tensors, 1.0, settings).outputs()[0] for link in value.wires]
        found[ref] = Photo(value.again(pictures), value.alpha, value.light, value.metadata)
    return found


def _depth(graph: Graph, given: Mapping[Ref, Any], ref: Ref) -> int:
    """How many derived photos lie one after another up to this one."""
    seen, todo, most = set(), [(link, 0) for link in graph.steps[ref.step].links.values()], 0
    while todo:
        link, depth = todo.pop()
        if (link, depth) in seen:
            continue
        seen.add((link, depth))
        depth += isinstance(given.get(Ref(*link)), Derived)
        most = max(most, depth)
        todo += [(other, depth) for other in graph.steps[link.step].links.values()]
    return most

"""Photos that code outside the graph makes from pictures inside it, and that gradients can follow all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from ..graph.model import Graph, Path, Ref
from ..graph.outputs import upstream
from ..light.photo import Photo
from .render import Job, Settings


@dataclass(frozen=True, eq=False)
class Derived(Photo):
    """A photo handed to a source step that has wires: foreign code made it from what those wires bring.

    again(pictures) -> the photo made anew, differentiable, from those pictures (B3HW light or B1HW masks) by wire. Where
    this is one picture of a batch, the wires bring whole batches, because foreign code may mix pictures.
    """

    again: Callable[[Mapping[str, Tensor]], Photo] = field(default=lambda pictures: Photo(next(iter(pictures.values()))))

    def frame(self, index: int) -> Photo:
        again = self.again
        one = super().frame(index)
        assert isinstance(one, Derived)
        return replace(one, again=lambda pictures: again(pictures).frame(index))


def made_anew(graph: Graph, given: Mapping[Ref, Any], tensors: Mapping[Path, Tensor], settings: Settings) -> dict[Ref, Any]:
    """Given values whose derived photos are those of these slider values; differentiable with respect to them."""
    return _Making(graph, given, tensors, settings).all(given)


class _Making:
    """Derived photos made anew, each once."""

    def __init__(self, graph: Graph, given: Mapping[Ref, Any], tensors: Mapping[Path, Tensor], settings: Settings) -> None:
        self.graph, self.given, self.tensors, self.settings = graph, given, tensors, settings
        self.made: dict[int, Photo] = {}

    def all(self, given: Mapping[Ref, Any], whole: bool = False) -> dict[Ref, Any]:
        """Values with their derived photos made anew. whole: those of whole batches in the place of one picture's."""
        found = dict(given)
        for ref, value in given.items():
            if ref.slot or not isinstance(value, Photo):
                continue
            photo = self._photo(ref, value.batch_of or value if whole else value)
            if photo is not value:
                found[ref] = photo
                if Ref(ref.step, 1) in given:
                    found[Ref(ref.step, 1)] = Photo(photo.opacity())
        return found

    def _photo(self, ref: Ref, value: Photo) -> Photo:
        if not isinstance(value, Derived):
            return value
        if id(value) not in self.made:
            links = self.graph.steps[ref.step].links
            inner = upstream(self.graph, links.values())
            before = self.all({other: entry for other, entry in self.given.items() if other.step in inner}, whole=True)
            jobs = {name: Job(self.graph, [link], before, self.tensors, 1.0, self.settings) for name, link in links.items()}
            made = value.again({name: job.outputs()[0] for name, job in jobs.items()})
            self.made[id(value)] = Photo(made.raster, made.alpha, value.light, value.metadata)
        return self.made[id(value)]

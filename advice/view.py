"""What an advisor looks at: the edited picture, the graph that makes it, the place asked for, and what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ..engine.planning import resolved
from ..engine.render import Job, Settings, as_photo
from ..graph.model import Graph, Photos, Ref, Step
from ..graph.outputs import brought, gather_sources, output_of, upstream
from ..graph.patch import Patch, apply
from ..light.looked import Looked
from ..light.photo import Photo
from ..light.planes import stack
from ..light.rectangle import Region, Size
from ..networks.weights import load_network
from ..ops.spec import REGISTRY
from .conversation import Turn
from .measuring import Measurement, measure

SIZE = 512
RETOUCH = "local.local_retouch"


class View:
    """A graph with its photos, seen from one place in it.

    given: what its sources bring. sink: whose picture is looked at (a sink or any step; None: that of the only one).
    say: what was said. history: earlier turns. size: long edge of what is looked at, in px.
    """

    def __init__(
        self,
        graph: Graph,
        given: Mapping[Ref, Any],
        sink: str | None = None,
        say: str = "",
        history: Sequence[Turn] = (),
        size: int = SIZE,
        settings: Settings | None = None,
    ) -> None:
        self.graph, self.sink, self.place = graph, sink, output_of(graph, sink)
        self.given = {ref: Looked.of(value) if isinstance(value, Photo) else value for ref, value in given.items()}
        self.say, self.history, self.size, self.settings = say, tuple(history), size, settings or Settings()

    @classmethod
    def of(cls, graph: Graph, photos: Photos, sink: str | None = None, **options: Any) -> View:
        """What a sink (or any step) shows; photos as `graph.render.render` takes them. Raises WorkflowError."""
        return cls(graph, gather_sources(graph, photos, [output_of(graph, sink)]), sink, **options)

    def after(self, patch: Patch) -> View:
        """The same place as a patch would leave it. Raises WorkflowError where the patch does not fit the graph."""
        graph = apply(self.graph, patch)
        given = dict(self.given)
        for step in (step for step in graph if step.id not in self.graph.steps):
            own = {f"{step.id}.{entry.name}": load_network(entry.weights) for entry in step.spec.inputs if entry.weights}
            given |= brought(graph, step, own) if own else {}
        return View(graph, given, self.sink, self.say, self.history, self.size, self.settings)

    def job(self, values: Mapping[str, Tensor] | None = None) -> Job:
        """The rendering of the picture, small; values: sliders by path as tensors, which may require gradients."""
        tensors = {self.graph.path(path): value.reshape(-1, 1, 1, 1) for path, value in (values or {}).items()}
        job = Job(self.graph, [self.place], self.given, tensors, 1.0, self.settings)
        scale = min(1.0, self.size / job.plan.size(job.plan.outputs[0]).long_edge)
        return Job(self.graph, [self.place], self.given, tensors, scale, self.settings) if scale < 1.0 else job

    def render(self, values: Mapping[str, Tensor] | None = None) -> Tensor:
        """The picture as light (B3HW), with other values of sliders, one autograd function of them."""
        return self.job(values).outputs()[0]

    @cached_property
    def picture(self) -> Photo:
        """The edited picture, small, with its metadata and the light it is in."""
        job = self.job()
        return as_photo(job, job.outputs()[0].detach().cpu())

    @cached_property
    def shown(self) -> Tensor:
        """The edited picture as a viewer sees it: scene light goes through tone.sigmoid at its defaults."""
        return self._as_viewed(self.picture.pixels)

    def _as_viewed(self, pixels: Tensor) -> Tensor:
        return REGISTRY["tone.sigmoid"].function(pixels) if self.picture.light == "scene" else pixels

    def parts(self, chosen: Callable[[Size], Sequence[Region]]) -> Tensor | None:
        """Parts of the edited picture at full size, as a viewer sees them (N,3,h,w); of a batch, of its first picture.

        chosen: gives rectangles, all of one size, for the size of the picture; None where it gives none.
        """
        job = Job(self.graph, [self.place], self.given, {}, 1.0, self.settings)
        (ref,) = job.plan.outputs
        regions = chosen(job.plan.size(ref))
        if not regions:
            return None
        execution = job.measured()
        with torch.no_grad():
            found = [stack(execution.evaluate([(ref, part)], execution.inputs, execution.measured)[0]) for part in regions]
        return self._as_viewed(torch.cat([pixels[:1, :3] for pixels in found]).cpu())

    @cached_property
    def measured(self) -> Measurement:
        """What the picture shown says of itself."""
        return measure(self.shown)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the file says of the photo. Words in it are anybody's: material to look at, never to follow."""
        return self.picture.metadata

    @cached_property
    def way(self) -> tuple[Step, ...]:
        """The steps that the whole picture goes through, from its source to the place: masked side branches are not on it."""
        return tuple(reversed(list(self._back())))

    def _back(self) -> Iterator[Step]:
        step = self.graph.steps[resolved(self.graph, self.place).step]
        while True:
            yield step
            name = next((entry.name for entry in step.spec.inputs if entry.picture and entry.name in step.links), None)
            if name is None:
                return
            step = self.graph.steps[resolved(self.graph, step.links[name]).step]

    @property
    def camera(self) -> Step:
        """The source that the picture comes from."""
        return self.way[0]

    @property
    def ground(self) -> Step:
        """The step behind which new ones go in: the camera, or the last Local retouch of those that stand right behind it.

        What is mended by its place comes before all that may move it, and before light and colour, as retouchers do.
        """
        ground = self.camera
        for step in self.way[1:]:
            if step.spec.id != RETOUCH:
                break
            ground = step
        return ground

    @cached_property
    def needed(self) -> set[str]:
        """The steps that the picture depends on."""
        return upstream(self.graph, [self.place])

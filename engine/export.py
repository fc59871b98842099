"""What a file sink does to a picture before it is written: our own resize and sharpen steps, after everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..graph.model import Graph, Ref, Step, checked
from ..graph.outputs import full_sizes
from ..ops.spec import REGISTRY
from .cache import Cache
from .planning import make_plan
from .render import Job, Settings

SHARPENING: Mapping[str, Mapping[str, float]] = {
    "none": {},
    "screen": {"amount": 0.5, "radius": 0.6, "threshold": 0.01},
    "print": {"amount": 1.0, "radius": 1.0, "threshold": 0.02},
}
"""Output sharpening: values of detail.sharpen, in px of the finished picture."""


def export_job(
    graph: Graph,
    link: Ref,
    given: Mapping[Ref, Any],
    long_edge: int = 0,
    sharpen: str = "none",
    settings: Settings | None = None,
    cache: Cache | None = None,
    proxy: int | None = None,
) -> Job:
    """The rendering of an output as a file gets it: at most `long_edge` px long (0: as it is), then sharpened for its use.

    It is never enlarged. proxy: at most so many px all the same; where nothing is sharpened, rendered from smaller sources.
    """
    plan = make_plan(graph, [link], full_sizes(given))
    full = plan.size(plan.outputs[0]).long_edge
    wanted = min(full, long_edge or full)
    if proxy is not None and proxy < wanted:
        if sharpen == "none":
            return Job(graph, [link], given, {}, proxy / full, settings, cache)
        wanted = proxy
    if wanted < full:
        graph, link = _after(graph, link, "geometry.resize", {"long_edge": wanted})
    if sharpen != "none":
        graph, link = _after(graph, link, "detail.sharpen", SHARPENING[sharpen])
    return Job(graph, [link], given, {}, 1.0, settings, cache)


def _after(graph: Graph, link: Ref, op: str, values: Mapping[str, Any]) -> tuple[Graph, Ref]:
    name = f"output {op.partition('.')[2]}"
    while name in graph.steps:
        name += "'"
    step = Step(name, REGISTRY[op], {}, {"image": link})
    step = Step(name, REGISTRY[op], {key: checked(step, key, value) for key, value in values.items()}, {"image": link})
    return Graph({**graph.steps, name: step}, graph.read, graph.made), Ref(name)

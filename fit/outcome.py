"""What became of a pair: before and after a fit, measured in one pass over the tiles, which whoever wants them may keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..engine.render import Job, Settings
from ..engine.sweep import Sweep
from ..graph.model import HIDDEN, G, Graph, Ref, Step
from ..light.difference import Comparer, Difference, lattice
from ..light.gamut import to_display
from ..light.photo import Photo
from ..light.planes import stack
from ..light.rectangle import Region, Size

_AFTER = "\1after "

Tile = Mapping[str, Tensor]
"""Display codes (1,3,h,w), not yet rounded, of `before` and `after`, and of `target` where there is one."""

Keep = Callable[[Region, Tile], None]


class Outcome(NamedTuple):
    """How far from the target a pair was, and is; None without a target."""

    before: Difference | None
    after: Difference | None


def outcome(
    graphs: tuple[Graph, Graph],
    link: Ref,
    given: tuple[Mapping[Ref, Any], Mapping[Ref, Any]],
    target: Photo | None,
    settings: Settings,
    *,
    border: int = 0,
    exact: bool = False,
    keep: Callable[[Size], Keep] | None = None,
) -> Outcome:
    """Render both graphs, tile by tile side by side, and compare them with the target.

    given: what the sources of each bring. border: px at the edges that the target does not show. exact: Delta E of every
    pixel, not of a lattice. keep(size): gets every tile.
    """
    graph, after, brought = _side_by_side(graphs, given)
    ends = [link, Ref(_AFTER + link.step, link.slot) if link.step in after else link]
    job = Job(graph, ends, brought, {}, 1.0, settings)
    before_ref, after_ref = job.plan.outputs
    size = job.plan.size(before_ref)
    inner = Region(border, border, size.height - 2 * border, size.width - 2 * border)
    every = 1 if exact else lattice(size)
    comparers = {"before": Comparer(every), "after": Comparer(every)}
    put = keep(size) if keep else None
    execution = job.measured()
    grid = execution.grid(Sweep(0, size, outputs=(before_ref, after_ref)))
    execution.expect(len(grid))

    def tile(region: Region) -> dict[str, Tensor]:
        wanted = dict.fromkeys((before_ref, after_ref))
        pictures = execution.evaluate([(ref, region) for ref in wanted], execution.inputs, execution.measured)
        codes = {ref: to_display(stack(picture)).cpu() for ref, picture in zip(wanted, pictures)}
        found = {"before": codes[before_ref], "after": codes[after_ref]}
        return found if target is None else {**found, "target": to_display(target.read(region)).cpu()}

    for region, codes in execution.each(grid, torch.no_grad()(tile)):
        if target is not None:
            known = region.cut_to(inner)
            for name, comparer in comparers.items():
                if known is not None:
                    rows, columns = known.within(region)
                    comparer.add(known, codes[name][..., rows, columns], codes["target"][..., rows, columns])
        if put is not None:
            put(region, codes)
    return Outcome(*(comparer.result() for comparer in comparers.values())) if target is not None else Outcome(None, None)


def _side_by_side(
    graphs: tuple[G, G], given: tuple[Mapping[Ref, Any], Mapping[Ref, Any]]
) -> tuple[G, set[str], dict[Ref, Any]]:
    """Both graphs as one: the steps that a fit has moved, and all behind them, stand in it twice; which; what sources bring."""
    (before, after), (old, new) = graphs, given
    twice = {step.id for step in after if _says(step) != _says(before.steps.get(step.id))}
    twice |= {_outer(ref) for ref, value in new.items() if value is not old.get(ref)}
    while behind := {step.id for step in after if any(ref.step in twice for ref in step.links.values())} - twice:
        twice |= behind
    steps: dict[str, Step] = dict(before.steps)
    for step_id in twice:
        step = after.steps[step_id]
        links = {name: _second(ref) if ref.step in twice else ref for name, ref in step.links.items()}
        steps[_AFTER + step_id] = replace(step, id=_AFTER + step_id, links=links)
    both = {**old, **{_second(ref): value for ref, value in new.items() if _outer(ref) in twice}}
    return replace(before, steps=steps), twice, both


def _says(step: Step | None) -> Any:
    """What a fit may change of a step."""
    return None if step is None else (step.values, step.links)


def _outer(ref: Ref) -> str:
    """The step of the graph that a value belongs to."""
    return ref.step.partition(HIDDEN)[0]


def _second(ref: Ref) -> Ref:
    return Ref(_AFTER + ref.step, ref.slot)

"""What a fit is asked for: by which Fit step, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..graph.errors import WorkflowError
from ..graph.model import Graph, Ref, Step
from ..graph.outputs import output_of
from ..graph.ports import METHODS, PORTS
from ..ops.params import Choice


@dataclass(frozen=True)
class Options:
    """How to fit."""

    method: str
    seconds: float
    seed: int
    free: str


def fit_step(graph: Graph, sink: str | None) -> Step | None:
    """The Fit step meant: the one named, or the only one."""
    steps = graph.by_role("fit")
    if sink is not None:
        named = graph.step(sink)
        return named if named in steps else None
    if len(steps) > 1:
        names = ", ".join(graph.name(step.id) for step in steps[:8])
        raise WorkflowError(f"expected one Fit step; got {len(steps)}: name one of {names} with --sink")
    return steps[0] if steps else None


def looked_at(graph: Graph, sink: str | None, targets: Any = None) -> list[Ref]:
    """What a fit looks at: its photo first, then its loss, and the target of its Fit step where none is given."""
    step = fit_step(graph, sink)
    if step is None:
        return [output_of(graph, sink)]
    given = any(target is not None for target in targets) if isinstance(targets, (list, tuple)) else targets is not None
    return [step.links[name] for name in ("photo", "loss", "target") if name in step.links and not (name == "target" and given)]


def options_of(step: Step | None, method: Any, seconds: Any, seed: Any, free: Any) -> Options:
    """What the caller says, else the Fit step, else its declaration."""
    spec = PORTS["luxgrad.fit"]
    given = {"method": method, "seconds": seconds, "seed": seed}
    values = {
        name: (step.value(name) if step else spec.param(name).default) if value is None else value  # type: ignore[union-attr]
        for name, value in given.items()
    }
    Choice(*METHODS).check(values["method"])
    if free is None:
        free = step.value("free") if step else ""
    return Options(values["method"], values["seconds"], values["seed"], free if isinstance(free, str) else "\n".join(free))

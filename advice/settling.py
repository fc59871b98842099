"""A workflow whose Diagnose steps give their photos to others: asked and done, so that what comes after sees them."""

from __future__ import annotations

import dataclasses

from ..engine.render import Settings
from ..graph.errors import WorkflowError
from ..graph.model import Graph, Photos, Ref, Step
from ..graph.outputs import gather_sources, output_of, upstream
from ..graph.patch import apply
from .asking import Advised, ask
from .conversation import turns_of
from .texts import said
from .view import View

DIAGNOSE = "diagnose"


def settled(graph: Graph, photos: Photos, sink: str | None = None, settings: Settings | None = None) -> Graph:
    """The graph with the patch of every Diagnose step that a picture comes through, past which it then goes.

    What else looks at the steps that a patch changes would see them changed too, which it does not in ComfyUI: that is refused.
    Raises WorkflowError.
    """
    place = output_of(graph, sink)
    while True:
        needed = upstream(graph, [place])
        asking = next((step for step in graph if step.id in needed and _gives(graph, step, place)), None)
        if asking is None:
            return graph
        graph, place = _without(graph, asking, asked(graph, photos, asking, settings), place)


def asked(graph: Graph, photos: Photos, step: Step, settings: Settings | None = None) -> Advised:
    """What the advisor of a Diagnose step says, by the words in the step. Raises WorkflowError naming it."""
    if "words" in step.links:
        raise WorkflowError(f"{step}: its words come by wire from another node; write them into say")
    try:
        say, history = said(step.value("say")), turns_of(step.value("conversation"))
        given = gather_sources(graph, photos, [step.links["photo"]])
        return ask(View(graph, given, step.id, say=say, history=history, settings=settings), step.value("advisor"))
    except WorkflowError as error:
        raise WorkflowError(str(error) if str(error).startswith("step ") else f"{step}: {error}") from None


def _gives(graph: Graph, step: Step, place: Ref) -> bool:
    """Whether a Diagnose step gives a picture to others, and none before it does."""
    if step.spec.id != DIAGNOSE:
        return False
    before = upstream(graph, [step.links["photo"]])
    return not any(graph.steps[name].spec.id == DIAGNOSE for name in before)


def _without(graph: Graph, asking: Step, advised: Advised, place: Ref) -> tuple[Graph, Ref]:
    """The graph as advised, with whoever was wired to the photo of the step wired to what it looks at."""
    after = apply(graph, advised.patch)
    changed = {step.id for step in graph if after.steps[step.id] != step}
    steps = dict(after.steps)
    photo = after.steps[asking.id].links["photo"]

    def through(link: Ref) -> Ref:
        return photo if link == Ref(asking.id) else link

    needed = upstream(graph, [place])
    behind = {step.id for step in graph if asking.id in upstream(graph, [Ref(step.id)])}
    for step in graph:
        beside = step.id in needed and step.id not in behind | upstream(graph, [Ref(asking.id)])
        if beside and any(link.step in changed for link in step.links.values()):
            raise WorkflowError(f"{step} looks at steps that {asking} moves: apply its patch, or let {step} look elsewhere")
    for key, step in after.steps.items():
        if key in needed and any(link.step == asking.id and link.slot for link in step.links.values()):
            raise WorkflowError(
                f"{step}: only the photo of {asking} can be had here; the rest in ComfyUI, or by luxgrad.diagnose"
            )
        steps[key] = dataclasses.replace(step, links={name: through(link) for name, link in step.links.items()})
    return dataclasses.replace(after, steps=steps), through(place)

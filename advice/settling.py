"""A workflow whose Diagnose steps give their photos to others: asked and done, so that what comes after sees them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from ..engine.render import Settings
from ..graph.errors import WorkflowError
from ..graph.model import G, Graph, Photos, Ref, Step
from ..graph.outputs import gather_sources, upstream
from ..graph.patch import apply
from .asking import Advised, ask
from .conversation import turns_of
from .texts import said
from .view import View

DIAGNOSE = "diagnose"


def settled(graph: G, photos: Sequence[Photos], places: Sequence[Ref], settings: Settings | None = None) -> G:
    """The graph with the patch of every Diagnose step that a picture at some places comes through, past which it then goes.

    photos: the one that advisors are asked about; several that share a graph share no advice, and that is refused.
    What else looks at the steps that a patch changes would see them changed too, which it does not in ComfyUI: that is refused.
    Raises WorkflowError.
    """
    while asking := next(_asking(graph, places), None):
        if len(photos) != 1:
            raise WorkflowError(f"{asking}: expected one photo to ask about; got {len(photos)}: apply its patch first")
        graph, places = _without(graph, asking, asked(graph, photos[0], asking, settings), places)
    return graph


def unasked(graph: G, places: Sequence[Ref]) -> tuple[G, list[Ref]]:
    """The graph, and some places in it, with the photos of Diagnose steps as they arrive there: nobody is asked."""
    while asking := next(_asking(graph, places), None):
        graph, places = _past(graph, asking.id, places)
    return graph, list(places)


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


def _asking(graph: Graph, places: Sequence[Ref]) -> Iterator[Step]:
    """Diagnose steps that some places get their pictures through, with none before them."""
    needed = upstream(graph, places)
    for step in graph:
        if step.id in needed and step.spec.id == DIAGNOSE:
            before = upstream(graph, [step.links["photo"]])
            if not any(graph.steps[name].spec.id == DIAGNOSE for name in before):
                yield step


def _without(graph: G, asking: Step, advised: Advised, places: Sequence[Ref]) -> tuple[G, list[Ref]]:
    """The graph as advised, with whoever was wired to the photo of the step wired to what it looks at."""
    after = apply(graph, advised.patch)
    changed = {step.id for step in graph if _moved(step, after.steps[step.id])}
    needed = upstream(graph, places)
    behind = {step.id for step in graph if asking.id in upstream(graph, [Ref(step.id)])}
    for step in graph:
        beside = step.id in needed and step.id not in behind | upstream(graph, [Ref(asking.id)])
        if beside and any(link.step in changed for link in step.links.values()):
            raise WorkflowError(f"{step} looks at steps that {asking} moves: apply its patch, or let {step} look elsewhere")
    return _past(after, asking.id, places)


def _moved(before: Step, after: Step) -> bool:
    """Whether a step gives another picture than it did: values that were left out are as good as their defaults."""
    return before.all_values() != after.all_values() or before.links != after.links


def _past(graph: G, asking: str, places: Sequence[Ref]) -> tuple[G, list[Ref]]:
    """The graph with whoever is wired to the photo of a Diagnose step wired to what arrives there; and places likewise."""
    photo, needed = graph.steps[asking].links["photo"], upstream(graph, places)

    def through(link: Ref) -> Ref:
        return photo if link == Ref(asking) else link

    steps = {}
    for key, step in graph.steps.items():
        if key in needed and any(link.step == asking and link.slot for link in step.links.values()):
            raise WorkflowError(
                f"{step}: only the photo of {graph.steps[asking]} can be had here; the rest in ComfyUI, or by luxgrad.diagnose"
            )
        steps[key] = dataclasses.replace(step, links={name: through(link) for name, link in step.links.items()})
    return dataclasses.replace(graph, steps=steps), [through(place) for place in places]

"""`luxgrad advise`, and `luxgrad auto` of before there were other advisors."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from ..advice.asking import Advised, advisors, ask
from ..advice.conversation import Turn, text_of, turns_of
from ..advice.texts import said
from ..advice.view import View
from ..engine.render import Settings
from ..files.atomic import whole_file
from ..graph.model import Graph, Path as SliderPath, Step
from ..graph.outputs import output_of
from ..graph.schema import dumps
from .problems import UsageError
from .show import plain
from .workflow import device, input_files, open_graph, read_photos, refuse_inputs


def advise(options: argparse.Namespace) -> None:
    """Ask an advisor about the edited picture of a workflow; print what it finds, or write the workflow as advised."""
    if options.advisors:
        for entry in advisors().values():
            print(f"{entry.name}: {entry.summary}")
        return
    if options.workflow is None:
        raise UsageError("expected a workflow (or --advisors)")
    advised, step, read = _asked(options)
    report = {**advised.report(), "conversation": [turn.data() for turn in advised.conversation]}
    if options.apply is not None:
        _write(options.apply, options.force, _with_turn(advised, step), read)
    if options.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return
    for line in advised.lines():
        print(plain(line))
    if options.apply is not None:
        print(f"{options.apply}: {_counted(advised)}")


def auto(options: argparse.Namespace) -> None:
    """The patch of the advisor auto, or the workflow as it advises."""
    options.advisor, options.say, options.device = "auto", "", "auto"
    advised, _, read = _asked(options)
    if options.out is None:
        print(json.dumps(list(advised.patch), indent=2, ensure_ascii=False))
        return
    _write(options.out, options.force, advised.graph, read)
    print(f"{options.out}: {_counted(advised)}")


def _asked(options: argparse.Namespace) -> tuple[Advised, Step | None, list[Path]]:
    """What the advisor says, the Advice step it is said for (where the workflow has the one), and the files that were read."""
    graph = open_graph(options)
    step = _advice_step(graph, options.sink)
    sink = step.id if step is not None else options.sink
    link = output_of(graph, sink)
    files = input_files(graph, options.input, [link])
    say, name = options.say or "", options.advisor or "auto"
    history: tuple[Turn, ...] = ()
    if step is not None:
        say = said(step.value("say")) if options.say is None else options.say
        history = turns_of(step.value("conversation"))
        name = options.advisor or step.value("advisor")
        if "words" in step.links and options.say is None:
            raise UsageError(f"{step}: its words come by wire from another node; give the sentence with --say")
    settings = Settings(device=device(options.device))
    view = View.of(graph, read_photos(graph, files), sink, say=said(say), history=history, settings=settings)
    return ask(view, name), step, [Path(options.workflow), *files.values()]


def _advice_step(graph: Graph, sink: str | None) -> Step | None:
    """The Advice step that is meant: the one named, or the only one."""
    found = [step for step in graph.by_role("advice") if step.spec.id == "advice"]
    if sink is not None:
        return next((step for step in found if step is graph.step(sink)), None)
    return found[0] if len(found) == 1 else None


def _with_turn(advised: Advised, step: Step | None) -> Graph:
    """The graph as advised; an Advice step keeps the turn, and what was said is said."""
    if step is None:
        return advised.graph
    values: dict[SliderPath, Any] = {SliderPath(step.id, "conversation"): text_of(advised.conversation)}
    return advised.graph.with_paths({**values, SliderPath(step.id, "say"): ""})


def _write(name: str, force: bool, graph: Graph, read: list[Path]) -> None:
    out = Path(name)
    refuse_inputs([out], read)
    with whole_file(out, force) as part:
        part.write_text(dumps(graph), encoding="utf-8")


def _counted(advised: Advised) -> str:
    done = Counter(edit["edit"] for edit in advised.patch)
    return ", ".join(f"{count} x {kind}" for kind, count in done.items()) or "nothing to change"

"""`luxgrad diagnose`, and its older names `advise` and `auto`."""

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
from ..api import Graph, plain_graph
from ..engine.render import Settings
from ..files.atomic import whole_file
from ..files.workflow import embedded_workflow, is_picture
from ..graph import model
from ..graph.model import Path as SliderPath, Step
from ..graph.outputs import output_of
from ..graph.schema import dumps
from .problems import UsageError
from .show import plain
from .workflow import device, input_files, open_graph, read_photos, refuse_inputs


def diagnose(options: argparse.Namespace) -> None:
    """Ask an advisor about a photo or the edited picture of a workflow; print what it finds, write the workflow as advised."""
    if options.advisors:
        for entry in advisors().values():
            print(f"{entry.name}: {entry.summary}")
        return
    if options.workflow is None:
        raise UsageError("expected a workflow or a photo (or --advisors)")
    advised, step, read = _asked(options)
    report = {**advised.report(), "conversation": [turn.data() for turn in advised.conversation]}
    if options.out is not None:
        _write(options.out, options.force, _with_turn(advised, step), read)
    if options.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return
    for line in advised.lines():
        print(plain(line))
    if options.out is not None:
        print(f"{options.out}: {_counted(advised)}")


def advise(options: argparse.Namespace) -> None:
    """Diagnose a workflow, as it was called before it also took photos."""
    options.out = options.apply
    diagnose(options)


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
    """What the advisor says, the Diagnose step it is said for (where there is the one), and the files that were read."""
    own = _photo_alone(options)
    graph = Graph.of(plain_graph(_named(own, options.out))) if own else open_graph(options)
    step = _advice_step(graph, options.sink)
    sink = step.id if step is not None else options.sink
    link = output_of(graph, sink)
    files = {"photo": own} if own else input_files(graph, options.input, [link])
    say, name = options.say or "", options.advisor or ("style" if options.say else "auto")
    history: tuple[Turn, ...] = ()
    if step is not None:
        say = said(step.value("say")) if options.say is None else options.say
        history = turns_of(step.value("conversation"))
        name = options.advisor or ("style" if options.say and step.value("advisor") == "auto" else step.value("advisor"))
        if "words" in step.links and options.say is None:
            raise UsageError(f"{step}: its words come by wire from another node; give the sentence with --say")
    settings = Settings(device=device(options.device))
    view = View.of(graph, read_photos(graph, files), sink, say=said(say), history=history, settings=settings)
    return ask(view, name), step, [Path(options.workflow), *files.values()]


def _photo_alone(options: argparse.Namespace) -> Path | None:
    """The photo of a command that names one instead of a workflow: a picture that carries no workflow."""
    path = Path(options.workflow)
    if not path.exists() or not is_picture(path) or embedded_workflow(path):
        return None
    if options.input:
        raise UsageError(f"--input: {path} is itself the photo")
    return path


def _named(photo: Path, out: str | None) -> str:
    """The name of a photo in a workflow file that lies in its folder or above; none elsewhere: there --input tells it."""
    folder = Path(out or ".").resolve().parent
    return str(photo.resolve().relative_to(folder)) if photo.resolve().is_relative_to(folder) else ""


def _advice_step(graph: model.Graph, sink: str | None) -> Step | None:
    """The Diagnose step (or Advice, as it was) that is meant: the one named, or the only one."""
    found = [step for step in graph.by_role("advice") if step.spec.id in ("diagnose", "advice")]
    if sink is not None:
        return next((step for step in found if step is graph.step(sink)), None)
    return found[0] if len(found) == 1 else None


def _with_turn(advised: Advised, step: Step | None) -> model.Graph:
    """The graph as advised; a Diagnose step keeps the turn, and what was said is said."""
    if step is None:
        return advised.graph
    values: dict[SliderPath, Any] = {SliderPath(step.id, "conversation"): text_of(advised.conversation)}
    return advised.graph.with_paths({**values, SliderPath(step.id, "say"): ""})


def _write(name: str, force: bool, graph: model.Graph, read: list[Path]) -> None:
    out = Path(name)
    refuse_inputs([out], read)
    with whole_file(out, force) as part:
        part.write_text(dumps(graph), encoding="utf-8")


def _counted(advised: Advised) -> str:
    done = Counter(edit["edit"] for edit in advised.patch)
    return ", ".join(f"{count} x {kind}" for kind, count in done.items()) or "nothing to change"

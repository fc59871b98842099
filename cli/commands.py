"""The commands: each takes parsed arguments and raises what `main` turns into one line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..advice.settling import unasked
from ..api import workflow_text
from ..engine.estimate import estimate
from ..engine.render import Job
from ..files.atomic import whole_file
from ..files.cube import write_cube
from ..files.workflow import embedded_workflow, is_picture
from ..graph.model import Step
from ..graph.outputs import gather_sources, output_of
from ..graph.schema import from_data, parse, to_data, written
from ..graph.ui_form import is_ui_form, to_api
from ..graph.ui_layout import from_api
from ..graph.ui_shape import document_of
from ..ops.spec import REGISTRY
from .advising import advise, auto, diagnose
from .check import describe, warnings_for
from .fitting import fit
from .pictures import info, sheet
from .problems import UsageError
from .running import run
from .schema import operations
from .show import plain, table
from .training import train
from .workflow import input_files, open_graph, read_photos, refuse_inputs


def ops(options: argparse.Namespace) -> None:
    """List every operation."""
    if options.json:
        print(json.dumps(operations(), indent=2, ensure_ascii=False))
        return
    rows = [(spec.id, str(len(spec.params)), spec.summary) for _, spec in sorted(REGISTRY.items())]
    print(table([("operation", "parameters", ""), *rows], right=(1,)))


def check(options: argparse.Namespace) -> None:
    """Check a workflow: that it is sound, what it needs, and what it will do."""
    graph = open_graph(options)
    link = output_of(graph, None) if len(graph.by_role("sink")) == 1 else None
    links = [link] if link else [next(iter(step.links.values())) for step in graph.by_role("sink")] or [output_of(graph)]
    photos = read_photos(graph, input_files(graph, options.input, links))
    for line in [*describe(graph), *(f"note: {note}" for note in warnings_for(graph, links, photos))]:
        print(plain(line))
    missing = [step for step in graph.by_role("source") if _unset(step) and step.id not in photos]
    if missing or len(links) > 1:
        return
    graph, links = unasked(graph, links)
    job = Job(graph, links, gather_sources(graph, photos, links), {})
    needs = estimate(job)
    size = job.plan.size(job.plan.outputs[0])
    print(f"result {size}; about {needs.run / 1e6:.0f} MB to render, {needs.gradient / 1e6:.0f} MB with gradients")


def _unset(step: Step) -> bool:
    return any(step.value(param.name) == "" for param in step.spec.params if param.name in ("file", "image"))


def bake(options: argparse.Namespace) -> None:
    """Write the look of a pointwise workflow as a .cube."""
    out = Path(options.out)
    if out.suffix.lower() != ".cube":
        raise UsageError(f"{out}: expected a name ending in .cube")
    if not 2 <= options.points <= 129:
        raise UsageError(f"--points: expected 2 to 129; got {options.points}")
    baked = open_graph(options).bake(options.points, options.sink)
    write_cube(out, baked.lut, Path(options.workflow).stem, options.force)
    print(plain(f"{out}: {options.points} entries per edge, sRGB in and out"))
    print(f"error against the graph on random colours: {baked.psnr:.1f} dB, "
          f"Delta E mean {baked.delta_e:.3f}, largest {baked.delta_e_max:.2f}")  # fmt: skip


def convert(options: argparse.Namespace) -> None:
    """The editor's form of a workflow to the API form, or back; out of a picture, the editor's form."""
    source, out = Path(options.workflow), Path(options.out)
    refuse_inputs([out], [source])
    kept = embedded_workflow(source).get("workflow") if is_picture(source) else None
    data = parse(kept or workflow_text(source))
    if kept is not None:
        document_of(data)
    forward = is_ui_form(data) and kept is None
    converted = data if kept else to_api(data) if forward else from_api(to_data(from_data(data)))
    with whole_file(out, options.force) as part:
        part.write_text(written(converted), encoding="utf-8")
    steps = len(converted) if forward else len(converted["nodes"])
    print(plain(f"{out}: {'API form' if forward else 'editor form'}, {steps} steps"))


__all__ = ["advise", "auto", "bake", "check", "convert", "diagnose", "fit", "info", "ops", "run", "sheet", "train"]

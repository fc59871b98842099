"""The commands: each takes parsed arguments and raises what `main` turns into one line."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..advice.auto import auto as first_guess
from ..api import workflow_text
from ..files.atomic import whole_file
from ..files.cube import write_cube
from ..files.encode import Canvas, depth_for, write_like_comfyui
from ..files.names import expanded, numbered
from ..files.save import save_rendered
from ..files.workflow import embedded_workflow, is_picture
from ..graph.bake import bake as bake_graph
from ..graph.embedding import workflow_texts
from ..graph.estimate import estimate
from ..graph.export import export_job
from ..graph.model import Graph, Link, Step
from ..graph.patch import apply
from ..graph.ports import PORTS
from ..graph.render import Job, Put, Settings, companions, origin
from ..graph.schema import dumps, from_data, parse, to_data
from ..graph.targets import gather_sources, target
from ..graph.ui_form import is_ui_form, to_api
from ..graph.ui_layout import from_api
from ..ops.spec import REGISTRY
from .check import describe, warnings_for
from .fitting import fit
from .pictures import info, sheet
from .problems import UsageError
from .schema import operations
from .show import Bar, plain, table
from .workflow import device, input_files, named_files, open_graph, read_photos, refuse_inputs


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
    link = target(graph, None) if len(graph.by_role("sink")) == 1 else None
    links = [link] if link else [next(iter(step.links.values())) for step in graph.by_role("sink")] or [target(graph)]
    photos = read_photos(graph, input_files(graph, options.input, links))
    for line in [*describe(graph), *(f"note: {note}" for note in warnings_for(graph, links, photos))]:
        print(plain(line))
    missing = [step for step in graph.by_role("source") if _unset(step) and step.id not in photos]
    if missing or len(links) > 1:
        return
    job = Job(graph, links, gather_sources(graph, photos, links), {})
    needs = estimate(job)
    size = job.plan.size(job.plan.outputs[0])
    print(f"result {size}; about {needs.run / 1e6:.0f} MB to render, {needs.gradient / 1e6:.0f} MB with gradients")


def _unset(step: Step) -> bool:
    return any(step.value(param.name) == "" for param in step.spec.params if param.name in ("file", "image"))


def run(options: argparse.Namespace) -> None:
    """Render a photo and write it."""
    graph = open_graph(options)
    link = target(graph, options.sink)
    files = input_files(graph, options.input, [link])
    sink = next((step for step in graph.by_role("sink") if link in step.links.values()), None)
    if options.sink is not None and graph.step(options.sink) in graph.by_role("sink"):
        sink = graph.step(options.sink)
    if options.size is not None and options.size < 1:
        raise UsageError(f"--size: expected 1 px or more; got {options.size}")
    inputs = [Path(options.workflow), *files.values(), *named_files(graph).values()]
    plan_output(Path(options.out), sink, options.force, inputs)
    with Bar("render") as bar:
        settings = Settings(device=device(options.device), progress=bar.tiles)
        job = _job(graph, link, read_photos(graph, files), sink, options.size, settings)
        size = job.plan.size(job.plan.outputs[0])
        out = numbered(Path(expanded(options.out, _metadata(job), (size.width, size.height))))
        plan_output(out, sink, options.force, inputs)
        render_to(out, job, graph, sink, options.force)


def _metadata(job: Job) -> Mapping[str, Any]:
    photo = origin(job)
    return photo.metadata if photo else {}


def _job(graph: Graph, link: Link, photos: Any, sink: Step | None, size: int | None, settings: Settings) -> Job:
    values = _save_values(sink)
    given = gather_sources(graph, photos, [link])
    if _like_comfyui(sink):
        values |= {"size": 0, "sharpen": "none"}
    return export_job(graph, link, given, values["size"], values["sharpen"], settings, proxy=size)


def _like_comfyui(sink: Step | None) -> bool:
    return sink is not None and sink.spec.id != "save_photo"


def plan_output(out: Path, sink: Step | None, force: bool, inputs: Sequence[Path]) -> None:
    """Refuse a name that cannot be written before anything is computed."""
    refuse_inputs([out], inputs)
    if _like_comfyui(sink) and out.suffix.lower() != ".png":
        raise UsageError(f"{out}: {sink} writes 8-bit PNG; end the name in .png, or use Save Photo")
    depth_for(out, _save_values(sink)["depth"])
    if out.exists() and not force:
        raise UsageError(f"{out}: it exists already; --force replaces it")


def _save_values(sink: Step | None) -> dict[str, Any]:
    if sink is not None and sink.spec.id == "save_photo":
        return sink.all_values()
    return {param.name: param.default for param in PORTS["luxgrad.save_photo"].params}


def render_to(out: Path, job: Job, graph: Graph, sink: Step | None, force: bool) -> None:
    """Render what a sink shows, straight into the codes of a file."""
    (ref,) = job.plan.outputs
    if _like_comfyui(sink):
        canvas = Canvas(job.plan.size(ref), "8", truncate=True)
        job.measured().render(ref, canvas.put)
        write_like_comfyui(out, canvas, force)
        return

    def render(put: Put) -> None:
        job.measured().render(ref, put)

    values = _save_values(sink)
    save_rendered(out, values, job.plan.size(ref), render, lambda: companions(job), workflow_texts(graph), force)


def bake(options: argparse.Namespace) -> None:
    """Write the look of a pointwise workflow as a .cube."""
    out = Path(options.out)
    if out.suffix.lower() != ".cube":
        raise UsageError(f"{out}: expected a name ending in .cube")
    if not 2 <= options.points <= 129:
        raise UsageError(f"--points: expected 2 to 129; got {options.points}")
    baked = bake_graph(open_graph(options), options.points, options.sink)
    write_cube(out, baked.lut, Path(options.workflow).stem, options.force)
    print(f"{out}: {options.points} entries per edge, sRGB in and out")
    print(f"error against the graph on random colours: {baked.psnr:.1f} dB, "
          f"Delta E mean {baked.delta_e:.3f}, largest {baked.delta_e_max:.2f}")  # fmt: skip


def auto(options: argparse.Namespace) -> None:
    """A first guess for a photo, as a patch or as a workflow."""
    graph = open_graph(options)
    link = target(graph, options.sink)
    files = input_files(graph, options.input, [link])
    given = gather_sources(graph, read_photos(graph, files), [link])
    photo = next(value for value in given.values() if hasattr(value, "metadata"))
    patch = first_guess(graph, photo, options.sink)
    if options.out is None:
        print(json.dumps(list(patch), indent=2))
        return
    out = Path(options.out)
    refuse_inputs([out], [Path(options.workflow), *files.values()])
    with whole_file(out, options.force) as part:
        part.write_text(dumps(apply(graph, patch)), encoding="utf-8")
    done = Counter(edit["edit"] for edit in patch)
    print(f"{out}: {', '.join(f'{count} x {kind}' for kind, count in done.items())}")


def convert(options: argparse.Namespace) -> None:
    """The editor's form of a workflow to the API form, or back; out of a picture, the editor's form."""
    source, out = Path(options.workflow), Path(options.out)
    refuse_inputs([out], [source])
    kept = embedded_workflow(source).get("workflow") if is_picture(source) else None
    data = parse(kept or workflow_text(source))
    forward = is_ui_form(data) and kept is None
    converted = data if kept else to_api(data) if forward else from_api(to_data(from_data(data)))
    with whole_file(out, options.force) as part:
        part.write_text(json.dumps(converted, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    steps = len(converted) if forward else len(converted["nodes"])
    print(f"{out}: {'API form' if forward else 'editor form'}, {steps} steps")


__all__ = ["auto", "bake", "check", "convert", "fit", "info", "ops", "run", "sheet"]

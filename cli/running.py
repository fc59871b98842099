"""`luxgrad run`: one photo, or each of many while the next is decoded, from the workflow into the codes of a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..advice.settling import settled
from ..engine.export import export_job
from ..engine.render import Job, Put, Settings, companions, origin
from ..files.ahead import read_ahead
from ..files.encode import Canvas, depth_for, write_like_comfyui
from ..files.names import expanded, numbered
from ..files.save import save_rendered
from ..graph.embedding import workflow_texts
from ..graph.model import Graph, Ref, Step
from ..graph.outputs import gather_sources, output_of
from ..graph.ports import PORTS
from ..light.photo import Photo
from .problems import UsageError, problem_line
from .show import Bar, plain
from .workflow import device, input_files, named_files, open_graph, read_photos, refuse_inputs


def run(options: argparse.Namespace) -> None:
    """Render a photo, or each of many, and write it."""
    if options.size is not None and options.size < 1:
        raise UsageError(f"--size: expected 1 px or more; got {options.size}")
    running = _Run(options)
    if options.each is None:
        files = running.files([])
        running.plan(Path(options.out), files)
        running.write(files, read_photos(running.graph, files), "render")
    else:
        _run_each(running, options.each)


def _run_each(running: _Run, texts: Sequence[str]) -> None:
    """One after another; what is wrong with a photo is said, and the others go on."""
    inputs = [running.files([text]) for text in texts]
    running.check_template(len(inputs))
    running.kept_from += [path for files in inputs for path in files.values()]
    failed = 0
    results = read_ahead(inputs, lambda files: read_photos(running.graph, files))
    for number, (files, photos) in enumerate(results, 1):
        try:
            out = running.write(files, photos(), f"{number} of {len(inputs)}")
            print(plain(f"{number} of {len(inputs)}: {out}"), flush=True)
        except Exception as error:
            line = problem_line(error)
            if line is None:
                raise
            failed += 1
            print(f"luxgrad: {line}", file=sys.stderr, flush=True)
    if failed:
        raise UsageError(f"{failed} of {len(inputs)} photos were not written")


class _Run:
    """A workflow, and how its pictures are written."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.graph = options, open_graph(options)
        self.link = output_of(self.graph, options.sink)
        self.sink = next((step for step in self.graph.by_role("sink") if self.link in step.links.values()), None)
        if options.sink is not None and self.graph.step(options.sink) in self.graph.by_role("sink"):
            self.sink = self.graph.step(options.sink)
        self.kept_from = [Path(options.workflow), *named_files(self.graph).values()]
        self.written: set[Path] = set()

    def files(self, more: Sequence[str]) -> dict[str, Path]:
        """The photos of the sources, by step."""
        return input_files(self.graph, [*self.options.input, *more], [self.link])

    def check_template(self, photos: int) -> None:
        """Refuse an --out that no photo could be written to, before any is read."""
        out = self.options.out
        if expanded(out, {}, (1, 1)) == out and "{counter" not in out and photos > 1:
            raise UsageError(f"--out: expected a template for {photos} photos, such as {{name}}.tif; got {out}")
        depth_for(Path(out), _save_values(self.sink)["depth"])

    def plan(self, out: Path, files: Mapping[str, Path]) -> None:
        """Refuse a name that cannot be written before anything is computed."""
        refuse_inputs([out], [*self.kept_from, *files.values()])
        if out.resolve() in self.written:
            raise UsageError(f"{out}: another photo of this run is there already; put {{name}} or {{counter}} into --out")
        if _like_comfyui(self.sink) and out.suffix.lower() != ".png":
            raise UsageError(f"{out}: {self.sink} writes 8-bit PNG; end the name in .png, or use Save Photo")
        depth_for(out, _save_values(self.sink)["depth"])
        if out.exists() and not self.options.force:
            raise UsageError(f"{out}: it exists already; --force replaces it")

    def write(self, files: Mapping[str, Path], photos: Mapping[str, Photo], label: str) -> Path:
        """Render what the sink shows of these photos; the file's name."""
        with Bar(label) as bar:
            settings = Settings(device=device(self.options.device), progress=bar.tiles)
            graph = settled(self.graph, [photos], [self.link], Settings(device=settings.device))
            link = self.link if graph is self.graph else output_of(graph, self.options.sink)
            job = _job(graph, link, photos, self.sink, self.options.size, settings)
            size = job.plan.size(job.plan.outputs[0])
            out = numbered(Path(expanded(self.options.out, _metadata(job), (size.width, size.height))))
            self.plan(out, files)
            render_to(out, job, self.graph, self.sink, self.options.force)
        self.written.add(out.resolve())
        return out


def _metadata(job: Job) -> Mapping[str, Any]:
    photo = origin(job)
    return photo.metadata if photo else {}


def _job(graph: Graph, link: Ref, photos: Any, sink: Step | None, size: int | None, settings: Settings) -> Job:
    values = _save_values(sink)
    given = gather_sources(graph, photos, [link])
    if _like_comfyui(sink):
        values |= {"size": 0, "sharpen": "none"}
    return export_job(graph, link, given, values["size"], values["sharpen"], settings, proxy=size)


def _like_comfyui(sink: Step | None) -> bool:
    return sink is not None and sink.spec.id != "save_photo"


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

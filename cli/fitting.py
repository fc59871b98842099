"""`luxgrad fit`: a folder with the fitted workflow, its inputs, the picture, a comparison and a report."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..advice.settling import settled
from ..api import Graph
from ..engine.render import Job, Settings, companions
from ..files.atomic import whole_folder
from ..files.comparison import Panels
from ..files.decode import read_photo
from ..files.encode import Canvas, write_photo
from ..fit.asked import looked_at
from ..fit.fit import fit as fit_graph
from ..fit.outcome import Tile
from ..fit.report import Fitted, PairResult, moves
from ..graph.model import Path as SliderPath, Ref
from ..graph.outputs import gather_sources
from ..graph.schema import save
from ..light.difference import Difference
from ..light.photo import Photo
from ..light.rectangle import Region, Size
from ..networks.weights_file import WEIGHTS
from .problems import UsageError
from .show import Bar, plain, table
from .workflow import device, input_files, named_files, open_graph, photo_sources, read_photos, refuse_inputs

_NAMES = ("fitted.json", "result.tif", "comparison.png", "report.json")


def fit(options: argparse.Namespace) -> None:
    """Fit, then write everything or nothing."""
    start = time.perf_counter()
    graph, out = open_graph(options), Path(options.out)
    files, targets = _pairs(graph, options, looked_at(graph, options.sink)[0])
    typed = [path for pair in files for path in pair.values()] + [path for path in targets if path]
    _refuse(out, options.force, [Path(options.workflow), *typed, *named_files(graph).values()])
    photos = [read_photos(graph, pair) for pair in files]
    settings = Settings(device=device(options.device))
    graph = settled(graph, photos, looked_at(graph, options.sink, targets), settings)
    kept: dict[int, _Kept] = {}

    def keep(index: int, size: Size) -> Callable[[Region, Tile], None]:
        kept[index] = _Kept(size)
        return kept[index].put

    with Bar("fit") as bar:
        fitted = fit_graph(
            graph,
            photos,
            [read_photo(path) if path else None for path in targets],
            free=options.free,
            method=options.method,
            seconds=options.seconds,
            seed=options.seed,
            sink=options.sink,
            progress=bar.share,
            exact=options.exact,
            keep=keep,
            device=settings.device,
        )
    with whole_folder(out) as part:
        for index, pair in enumerate(fitted.pairs):
            suffix = "" if index == 0 else f"_{index + 1}"
            save(_with_files(part, pair.graph, files[index], targets[index], f"inputs{suffix}"), part / f"fitted{suffix}.json")
            beside = _beside(pair, photos[index], looked_at(graph, options.sink)[0])
            write_photo(part / f"result{suffix}.tif", kept[index].canvas, beside.metadata, beside.alpha)
            kept[index].panels.write(part / f"comparison{suffix}.png")
        fitted = replace(fitted, seconds_total=time.perf_counter() - start)
        (part / "report.json").write_text(json.dumps(fitted.report(), indent=2) + "\n", encoding="utf-8")
    print(summary(fitted) + "\n")
    print(plain(f"comparison: {out / 'comparison.png'}"))


def _pairs(graph: Graph, options: argparse.Namespace, link: Ref) -> tuple[list[dict[str, Path]], list[Path | None]]:
    """For every pair, the photo files by source step, and the target's file."""
    files = [input_files(graph, options.input, [link])]
    targets = [Path(options.target) if options.target else None]
    if options.pair and not options.input and not options.target:
        files, targets = [], []
    for photo, wanted in options.pair:
        sources = photo_sources(graph, [link])
        if len(sources) != 1:
            raise UsageError(f"--pair: expected a workflow with one photo source; it has {len(sources)}")
        files.append({sources[0].id: Path(photo)})
        targets.append(Path(wanted))
    return files, targets


def _refuse(out: Path, force: bool, files: Sequence[Path]) -> None:
    if not out.parent.is_dir() or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out}: expected a folder, or a new name in one")
    there = [out / name for name in _NAMES if (out / name).exists()]
    if there and not force:
        raise UsageError(f"{there[0]}: it exists already; --force replaces it")
    refuse_inputs([out / name for name in _NAMES], files)


def _with_files(part: Path, graph: Graph, files: Mapping[str, Path], wanted: Path | None, folder: str) -> Graph:
    """The graph with its photos and tables copied into the folder, so that the folder runs by itself."""
    sources = named_files(graph)
    for step_id, path in files.items():
        sources[step_id, next(param.name for param in graph.steps[step_id].spec.params)] = path
    if wanted is not None:
        for fit_step in graph.by_role("fit"):
            origin = fit_step.links.get("target")
            if origin and graph.steps[origin.step] in graph.by_role("source"):
                sources[origin.step, next(param.name for param in graph.steps[origin.step].spec.params)] = wanted
    names: dict[SliderPath, str] = {}
    taken: dict[str, Path] = {}
    for (step_id, param), path in sources.items():
        name = re.sub("[\ud800-\udfff]", "_", path.name)  # the workflow that names it is UTF-8
        while taken.setdefault(name, path) != path:
            name = f"_{name}"
        (part / folder).mkdir(exist_ok=True)
        shutil.copyfile(path, part / folder / name)
        names[SliderPath(step_id, param)] = f"{folder}/{name}".removesuffix(WEIGHTS)
    return graph.with_paths(names)


class _Kept:
    """What is written of a pair, filled by the tiles that its figures are measured on."""

    def __init__(self, size: Size) -> None:
        self.canvas, self.panels = Canvas(size, "16"), Panels(size)

    def put(self, region: Region, tile: Tile) -> None:
        self.canvas.put_codes(region, tile["after"])
        self.panels.put(region, tile)


def _beside(pair: PairResult, photos: Mapping[str, Photo], link: Ref) -> Photo:
    """What travels beside the pixels of a result: alpha and metadata."""
    return companions(Job(pair.graph, [link], gather_sources(pair.graph, photos, [link]), {}))


def summary(fitted: Fitted) -> str:
    """The sliders as a table, and how close the photo came."""
    rows = [("slider", "start", "fitted", "+-", "")]
    for entry in fitted.free:
        spread = "" if entry.std is None else f"{entry.std:.2g}"
        rows.append((plain(entry.path), f"{entry.start:.6g}", f"{entry.value:.6g}", spread, "flat" if entry.flat else ""))
    lines = [table(rows, right=(1, 2, 3)), ""] if fitted.free else []
    lines += [f"{plain(entry.path)}  ->  {entry.file}, entries moved by {entry.moved:.3g}" for entry in fitted.entries]
    for names in fitted.trades:
        lines.append(f"trade against each other: {plain(', '.join(names))}")
    lines += moves(fitted)
    for number, pair in enumerate(fitted.pairs, start=1):
        if pair.before and pair.after:
            label = f"photo {number}: " if len(fitted.pairs) > 1 else ""
            lines.append(f"{label}{_shown(pair.before)}  ->  {_shown(pair.after)}")
    if fitted.loss_before is not None:
        lines.append(f"loss {fitted.loss_before:.5g}  ->  {fitted.loss_after:.5g}")
    end = "stopped early" if fitted.stopped else "converged" if fitted.converged else "did not converge"
    lines.append(f"{fitted.method}, {fitted.seconds:.1f} s of {fitted.seconds_total:.1f} s, {end}")
    return "\n".join(lines)


def _shown(difference: Difference) -> str:
    return f"{difference.psnr:.1f} dB, Delta E {difference.delta_e:.2f}"

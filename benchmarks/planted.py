"""Planted sliders: a photo is edited with known sliders, and the fit has to find them again.

Target number i uses photo i and graph i (in turn) and offsets drawn with seed 1000 + i: normal, sigma 0.25 of the soft
half range, cut at the bounds. PSNR is of the full picture.
"""

from __future__ import annotations

import io
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..api import Graph
from ..files.encode import Canvas
from ..fit.fit import Fitted
from ..fit.free import Unknown, read_free
from ..light.difference import compare
from ..light.photo import Photo
from ..light.rectangle import strips
from .photos import RESULTS, machine, photo_files, photo_of, write

PIXELS = 2_000_000
SIGMA = 0.25
FIRST_SEED = 1000
POINTWISE: dict[str, list[str]] = {
    "10 sliders": ["tone.exposure", "colour.white_balance", "tone.contrast", "colour.saturation", "effects.vignette"],
    "19 sliders": ["tone.exposure", "colour.white_balance", "tone.contrast", "tone.curve", "colour.saturation",
                   "effects.vignette", "tone.sigmoid"],
    "26 sliders": ["tone.exposure", "colour.hue_bands", "tone.contrast"],
    "33 sliders": ["tone.exposure", "colour.white_balance", "tone.curve", "colour.hue_bands"],
}  # fmt: skip
AREAL: dict[str, list[str]] = {
    "13 sliders": ["tone.exposure", "colour.white_balance", "tone.levels", "detail.clarity", "colour.saturation",
                   "detail.sharpen", "tone.contrast"],
    "20 sliders": ["tone.exposure", "colour.white_balance", "tone.contrast", "tone.levels", "colour.saturation",
                   "detail.clarity", "detail.sharpen", "effects.vignette", "tone.sigmoid"],
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One fit of one planted target.

    ceiling: PSNR of the true sliders against the target as stored. clean: PSNR of the fit against the edit before it was
    stored. inside: share of true values within 2 std.
    """

    kind: str
    seed: int
    photo: str
    graph: str
    sliders: int
    start: float
    psnr: float
    ceiling: float | None
    clean: float | None
    delta_e: float
    seconds: float
    converged: bool
    inside: float
    flat: int
    cmaes: float | None = None


def chain(operations: Sequence[str]) -> Graph:
    """A graph photo -> operations -> sink."""
    data: dict[str, Any] = {"photo": {"class_type": "luxgrad.load_photo", "inputs": {}}}
    before = "photo"
    for operation in operations:
        name = operation.rpartition(".")[2]
        data[name] = {"class_type": f"luxgrad.{operation}", "inputs": {"image": [before, 0]}}
        before = name
    data["out"] = {"class_type": "luxgrad.save_photo", "inputs": {"image": [before, 0]}}
    return Graph.of(data)


def plant(graph: Graph, seed: int) -> tuple[Graph, list[Unknown], list[float]]:
    """The graph with true values, its unknowns, and those values."""
    generator = torch.Generator().manual_seed(seed)
    unknowns = read_free(graph, "", set(graph.steps))
    truth = []
    for unknown in unknowns:
        value = unknown.from_half_ranges(torch.randn(1, generator=generator).item() * SIGMA)
        truth.append(min(max(value, unknown.low), unknown.high))
    return graph.with_paths({u.path: value for u, value in zip(unknowns, truth)}), unknowns, truth


def _rounded(photo: Photo) -> Photo:
    canvas = Canvas(photo.size, "8", dither=False)
    for region in strips(photo.size):
        canvas.put(region, photo.read(region))
    return canvas.photo()


def _through_jpeg(photo: Photo) -> Photo:
    canvas = Canvas(photo.size, "8", dither=False)
    for region in strips(photo.size):
        canvas.put(region, photo.read(region))
    buffer = io.BytesIO()
    Image.fromarray(canvas.codes).save(buffer, "JPEG", quality=90)
    canvas.codes[:] = np.asarray(Image.open(buffer))
    return canvas.photo()


TARGETS: dict[str, Callable[[Photo], Photo]] = {"float": lambda photo: photo, "8 bit": _rounded, "JPEG q 90": _through_jpeg}


def trial(kind: str, number: int, graphs: dict[str, list[str]], seconds: float, with_cmaes: bool, files: list[Path]) -> Trial:
    """Plant and fit target number `number`."""
    seed = FIRST_SEED + number
    name = list(graphs)[number % len(graphs)]
    path = files[number % len(files)]
    graph, photo = chain(graphs[name]), photo_of(path, PIXELS)
    planted, unknowns, truth = plant(graph, seed)
    clean = planted(photo)
    target = TARGETS[kind](clean)
    fitted = graph.fit(photo, target, seconds=seconds, seed=seed)
    after, before = fitted.pairs[0].after, fitted.pairs[0].before
    assert after is not None and before is not None  # noqa: PT018
    beside = graph.fit(photo, target, method="cmaes", seconds=max(0.1, fitted.seconds), seed=seed) if with_cmaes else None
    return Trial(
        kind, seed, path.name, name, len(unknowns), before.psnr, after.psnr,
        *_beside_storing(fitted, photo, clean, target), after.delta_e, fitted.seconds,
        fitted.converged, _inside(fitted, truth), sum(entry.flat for entry in fitted.free),
        beside.pairs[0].after.psnr if beside and beside.pairs[0].after else None,
    )  # fmt: skip


def _beside_storing(fitted: Fitted, photo: Photo, clean: Photo, target: Photo) -> tuple[float | None, float | None]:
    """PSNR of the edit against what was stored of it, and of the fit against the edit; None where nothing was stored."""
    return (None, None) if target is clean else (compare(clean, target).psnr, compare(fitted.graph(photo), clean).psnr)


def _inside(fitted: Fitted, truth: list[float]) -> float:
    near = [abs(entry.value - value) <= 2.0 * (entry.std or 0.0) for entry, value in zip(fitted.free, truth)]
    return sum(near) / len(near)


def run(name: str, graphs: dict[str, list[str]], wanted: dict[str, tuple[float, int]], seconds: float) -> None:
    """All targets of some kinds, kept one by one so that a stopped run goes on; then the table.

    wanted: kind of target -> (PSNR that counts as found, number of targets).
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    log = RESULTS / f"{name}.jsonl"
    done = [Trial(**json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []
    known = {(entry.kind, entry.seed, entry.photo) for entry in done}
    files = photo_files()
    for kind, (_, count) in wanted.items():
        for number in range(count):
            if (kind, FIRST_SEED + number, files[number % len(files)].name) in known:
                continue
            result = trial(kind, number, graphs, seconds, kind == "float", files)
            done.append(result)
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(result)) + "\n")
            print(f"{result.kind} {result.seed} {result.graph} {result.photo}: {result.start:.1f} -> {result.psnr:.1f} dB "
                  f"in {result.seconds:.1f} s", flush=True)  # fmt: skip
    write(f"{name}.md", table(name, done, wanted, seconds))


def table(name: str, trials: list[Trial], wanted: dict[str, tuple[float, int]], seconds: float) -> str:
    """The trials as a Markdown table, with the failures named."""
    lines = [
        f"# Planted sliders: {name}",
        "",
        f"{machine()}; photos of at most {PIXELS / 1e6:.0f} MP, {seconds:.0f} s allowed.",
        "",
    ]
    heads = ["target", "sliders", "found", "PSNR median (least)", "of the true sliders", "to the edit before storing"]
    heads += ["Delta E median", "seconds median (most)"]
    heads += ["CMA-ES, same seconds", "within 2 std", "flat"]
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for kind, (psnr, _) in wanted.items():
        for graph in [*dict.fromkeys(entry.graph for entry in trials), "all"]:
            group = [entry for entry in trials if entry.kind == kind and graph in (entry.graph, "all")]
            if not group:
                continue
            found = sum(entry.psnr >= psnr for entry in group)
            rivals = [entry.cmaes for entry in group if entry.cmaes is not None]
            lines.append(
                f"| {kind} | {graph} | {found} of {len(group)} >= {psnr:.0f} dB | "
                f"{_median(e.psnr for e in group):.1f} ({min(e.psnr for e in group):.1f}) | "
                f"{_stored(e.ceiling for e in group)} | {_stored(e.clean for e in group)} | "
                f"{_median(e.delta_e for e in group):.3f} | "
                f"{_median(e.seconds for e in group):.1f} ({max(e.seconds for e in group):.1f}) | "
                f"{f'{_median(rivals):.1f} dB' if rivals else '-'} | {statistics.mean(e.inside for e in group):.0%} | "
                f"{statistics.mean(e.flat for e in group):.1f} |"
            )
    missed = [e for e in trials if e.kind in wanted and e.psnr < wanted[e.kind][0]]
    lines += ["", "Not found: " + ("none." if not missed else "")]
    lines += [
        f"* {e.kind}, seed {e.seed}, {e.graph}, {e.photo}: {e.psnr:.1f} dB; the true sliders: {_stored([e.ceiling])}; "
        f"to the edit before storing: {_stored([e.clean])}; converged: {'yes' if e.converged else 'no'}"
        for e in missed
    ]
    return "\n".join(lines) + "\n"


def _stored(values: Iterable[float | None]) -> str:
    """Median and least of PSNRs; nothing where the target was not stored."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    return f"{_median(known):.1f}" + (f" ({min(known):.1f})" if len(known) > 1 else "")


def _median(values: Any) -> float:
    return statistics.median(values)


def pointwise(targets: int) -> None:
    """Pointwise graphs: float, 8-bit and JPEG targets."""
    run("pointwise", POINTWISE, {"float": (60.0, targets), "8 bit": (50.0, targets), "JPEG q 90": (38.0, targets // 3)}, 14.0)


def areal(targets: int) -> None:
    """Graphs with neighbourhoods, guides and statistics."""
    run("areal", AREAL, {"float": (45.0, targets // 2)}, 25.0)

"""Time and peak memory, each in a process of its own, beside peers of the same run."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ..api import Graph, open_workflow
from ..files.cube import read_cube
from ..files.decode import read_photo
from ..files.encode import Canvas, write_photo
from ..light.photo import Photo
from ..light.rectangle import strips
from ..ops.colour.lut3d import lut3d
from .photos import ROOT, machine, photo_files, write

PIXELS = 24_000_000
REPEATS = 3


def large_photo(out: Path, pixels: int = PIXELS) -> Path:
    """The largest photo at hand as a JPEG of so many px; enlarged where none is large enough."""
    source = max(photo_files(), key=lambda path: path.stat().st_size)
    photo = read_photo(source)
    edge = round(photo.size.long_edge * (pixels / photo.size.pixels) ** 0.5)
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "resize": {"class_type": "luxgrad.geometry.resize", "inputs": {"image": ["photo", 0], "long_edge": edge}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["resize", 0]}},
    })  # fmt: skip
    large = graph(photo)
    canvas = Canvas(large.size, "8", dither=False)
    for region in strips(large.size):
        canvas.put(region, large.read(region))
    write_photo(out, canvas, {}, force=True)
    return out


def child(code: str, *arguments: Any) -> dict[str, float]:
    """Run code in a fresh process; its seconds, and the peak of its resident memory in MB (Linux)."""
    wrapped = (
        "import sys, json, time\n" + code + "\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]\n"
        "print(json.dumps({'seconds': seconds, 'peak': int(peak) / 1024}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", wrapped, *map(str, arguments)], capture_output=True, text=True, check=True, cwd="/"
    )
    return json.loads(result.stdout.strip().splitlines()[-1])


RUN = """
from luxgrad.cli.main import main
start = time.perf_counter()
assert main(["run", sys.argv[1], "--input", sys.argv[2], "--out", sys.argv[3], "--force"]) == 0
seconds = time.perf_counter() - start
"""

COPY = """
import numpy, tifffile
from PIL import Image
start = time.perf_counter()
codes = numpy.asarray(Image.open(sys.argv[2])).astype(numpy.uint16) * 257
tifffile.imwrite(sys.argv[3], codes, photometric="rgb", compression="zlib", compressionargs={"level": 4}, predictor=True)
seconds = time.perf_counter() - start
"""

GRADIENT = """
import luxgrad, torch
from luxgrad.graph.model import Ref, Step
from luxgrad.engine.render import Job
from luxgrad.graph.outputs import gather_sources, output_of
from luxgrad.ops.spec import REGISTRY
graph, photo = luxgrad.open(sys.argv[1]), luxgrad.load(sys.argv[2])
shown = output_of(graph)
loss = Step("loss", REGISTRY["loss.l2"], {}, {"image": shown, "target": Ref("1")})
graph = type(graph)({**graph.steps, "loss": loss}, graph.read)
paths = [graph.path(text) for text in graph.paths()]
tensors = {path: torch.full((1, 1, 1, 1), float(graph.value(path)), requires_grad=True) for path in paths}
start = time.perf_counter()
job = Job(graph, [Ref("loss")], gather_sources(graph, {"1": photo}, [Ref("loss")]), tensors)
job.outputs()[0].sum().backward()
seconds = time.perf_counter() - start
assert all(torch.isfinite(t.grad).all() for t in tensors.values())
"""


def _median(function: Callable[[], float]) -> float:
    function()
    return statistics.median(function() for _ in range(REPEATS))


def _seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def run(_targets: int) -> None:
    """24 MP through the landscape workflow, its gradients, and the look-up table beside OpenColorIO."""
    lines = ["# Time and memory", "", machine(), "", "| what | seconds | ratio to the peer | peak MB |", "|---|---|---|---|"]
    workflow = ROOT / "workflows" / "landscape.json"
    with tempfile.TemporaryDirectory() as folder:
        photo = large_photo(Path(folder) / "large.jpg")
        peers = [child(COPY, "", photo, Path(folder) / "copy.tif") for _ in range(REPEATS)]
        copy = statistics.median(entry["seconds"] for entry in peers)
        lines.append(f"| peer: decode the JPEG with Pillow, write a 16-bit TIFF with tifffile | {copy:.1f} | 1.0 | "
                     f"{max(e['peak'] for e in peers):.0f} |")  # fmt: skip
        for name, code in (
            ("luxgrad run landscape.json, 24 MP", RUN),
            ("loss and gradient of all its sliders, 24 MP", GRADIENT),
        ):
            entries = [child(code, workflow, photo, Path(folder) / "out.tif") for _ in range(REPEATS)]
            seconds = statistics.median(entry["seconds"] for entry in entries)
            lines.append(f"| {name} | {seconds:.1f} | {seconds / copy:.1f} | {max(e['peak'] for e in entries):.0f} |")
            print(lines[-1], flush=True)
    lines += ["", *_devices(), "", *_look_up()]
    write("speed.md", "\n".join(lines) + "\n")


def _devices() -> list[str]:
    """The landscape workflow on a picture in memory, on the CPU and, where there is one, on the GPU."""
    graph = open_workflow(ROOT / "workflows" / "landscape.json", [])
    lines = [
        "| landscape.json, picture in memory | MP | forward, s | forward and backward, s | forward, MP per s |",
        "|---|---|---|---|---|",
    ]
    for device, pixels in (("cpu", 6_000_000), *([("cuda", 24_000_000)] if torch.cuda.is_available() else [])):
        height = int((pixels / 1.5) ** 0.5)
        photo = torch.rand(1, 3, height, height * 3 // 2).to(device) ** 2

        def forward(photo: torch.Tensor = photo, device: str = device) -> None:
            graph(photo, device=device)
            _wait(device)

        def both(photo: torch.Tensor = photo, device: str = device) -> None:
            values = {path: torch.tensor(float(graph.value(graph.path(path))), requires_grad=True) for path in graph.paths()}
            graph(photo, values, device=device).square().mean().backward()
            _wait(device)

        there, back = _median(lambda f=forward: _seconds(f)), _median(lambda f=both: _seconds(f))  # type: ignore[misc]
        name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
        lines.append(f"| {name} | {pixels / 1e6:.0f} | {there:.2f} | {back:.2f} | {pixels / 1e6 / there:.0f} |")
    return lines


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _look_up() -> list[str]:
    """The look-up table against OpenColorIO on 1 MP."""
    import PyOpenColorIO

    path = ROOT / "workflows" / "luts" / "vintage_400_film.cube"
    lut, light = read_cube(path), torch.rand(1, 3, 1000, 1000)
    transform = PyOpenColorIO.FileTransform(str(path), interpolation=PyOpenColorIO.INTERP_TETRAHEDRAL)
    processor = PyOpenColorIO.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
    pixels = light[0].permute(1, 2, 0).contiguous().numpy().copy()
    theirs = _median(lambda: _seconds(lambda: processor.applyRGB(pixels)))
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "table": {"class_type": "luxgrad.load_lut", "inputs": {}},
        "look": {"class_type": "luxgrad.colour.lut3d", "inputs": {"image": ["photo", 0], "lut": ["table", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["look", 0]}},
    })  # fmt: skip
    sources: dict[str, Any] = {"photo": Photo(light), "table": lut}
    tiled = _median(lambda: _seconds(lambda: graph(sources)))
    whole = _median(lambda: _seconds(lambda: lut3d(light, lut)))
    return [
        "| 3D look-up table, 1 MP | ms | ratio to the peer |",
        "|---|---|---|",
        f"| peer: OpenColorIO, tetrahedral, codes to codes | {theirs * 1e3:.0f} | 1.0 |",
        f"| lut3d in a graph, tiled, light to light | {tiled * 1e3:.0f} | {tiled / theirs:.1f} |",
        f"| lut3d by hand, whole picture | {whole * 1e3:.0f} | {whole / theirs:.1f} |",
    ]

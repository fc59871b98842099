"""In the real ComfyUI and its editor: from a slider's move to its picture, and a run of 12 MP beside ComfyUI's own nodes."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from ..api import open_workflow
from ..graph.schema import to_data
from ..tests.nodes.browser import editor, show
from ..tests.nodes.server import Server
from .photos import ROOT, machine, write
from .speed import REPEATS, large_photo

PIXELS = 12_000_000
_MOVES = 60

DRAG = """async ([id, moves]) => {
    const node = (app.rootGraph ?? app.graph).getNodeById(id), image = () => node.luxgradPreview?.image;
    const widget = node.widgets.find((entry) => typeof entry.value === "number"), start = widget.value, times = [];
    for (let move = 1; move <= moves; move += 1) {
        const before = image()?.src, began = performance.now();
        widget.value = start + move / 1000;
        widget.callback(widget.value);
        while (!image()?.src || image().src === before) await new Promise((done) => setTimeout(done, 1));
        await image().decode();
        times.push(performance.now() - began);
    }
    return [widget.name, times, window.__COMFYUI_FRONTEND_VERSION__ ?? ""];
}"""
"""Moves a slider step by step, as a hand does that waits for each picture; milliseconds for each move."""


def run(_targets: int) -> None:
    """Needs COMFYUI_ROOT, as the tests do; COMFYUI_FRONTEND adds a second editor."""
    if "COMFYUI_ROOT" not in os.environ:
        print("comfyui: left out, because COMFYUI_ROOT names no checkout of ComfyUI (see CONTRIBUTING)")
        return
    busy = f"{os.getloadavg()[0]:.1f} other tasks at work before" if hasattr(os, "getloadavg") else "load unknown"
    lines = ["# In ComfyUI", "", f"{machine()}, {busy}; landscape.json with a photo of {PIXELS / 1e6:.0f} MP", ""]
    with tempfile.TemporaryDirectory() as folder:
        photo = large_photo(Path(folder) / "large.jpg", PIXELS)
        for number, pinned in enumerate([True, False] if "COMFYUI_FRONTEND" in os.environ else [True]):
            server = Server(Path(folder) / f"comfyui {number}", pinned=pinned)
            try:
                lines += [*(_runs(server, photo) if not number else []), *_drags(server, photo, not number)]
            finally:
                server.stop()
    write("comfyui.md", "\n".join(lines) + "\n")


def _runs(server: Server, photo: Path) -> list[str]:
    """Whole runs, from the order to the saved picture, each with a photo that was not read before."""
    ours = to_data(open_workflow(ROOT / "workflows" / "landscape.json", []))
    sink = {"class_type": "luxgrad.save_photo", "inputs": {"image": ["in", 0]}}
    theirs = {"in": {"class_type": "luxgrad.load_photo"}, "out": sink}
    kinds = {
        "peer: LoadImage -> SaveImage": _by_comfyui(theirs),
        "LoadImage -> the operations of landscape.json -> SaveImage": _by_comfyui(ours),
        "landscape.json as it is: Load Photo -> ... -> Save Photo": ours,
    }
    lines = ["| a run of 12 MP | seconds | ratio to the peer |", "|---|---|---|"]
    peer = None
    for name, prompt in kinds.items():
        seconds = statistics.median(_seconds(server, prompt, photo) for _ in range(REPEATS))
        peer = peer or seconds
        lines.append(f"| {name} | {seconds:.2f} | {seconds / peer:.1f} |")
    return [*lines, ""]


def _by_comfyui(prompt: dict[str, Any]) -> dict[str, Any]:
    """The same prompt with ComfyUI's own nodes at both ends."""
    made = dict(prompt)
    for key, entry in prompt.items():
        if entry["class_type"] == "luxgrad.load_photo":
            made[key] = {"class_type": "LoadImage", "inputs": {"image": ""}}
        elif entry["class_type"] == "luxgrad.save_photo":
            made[key] = {"class_type": "SaveImage", "inputs": {"images": entry["inputs"]["image"], "filename_prefix": "run"}}
    return made


def _seconds(server: Server, prompt: dict[str, Any], photo: Path) -> float:
    name = f"{time.monotonic_ns()}.jpg"
    shutil.copy(photo, server.base / "input" / name)
    prompt = json.loads(json.dumps(prompt))
    for entry in prompt.values():
        for key, kind in (("image", "LoadImage"), ("file", "luxgrad.load_photo")):
            if entry["class_type"] == kind:
                entry["inputs"][key] = name
    start = time.perf_counter()
    outputs = server.run(prompt, every=0.02)
    seconds = time.perf_counter() - start
    if "error" in outputs:
        raise RuntimeError(str(outputs)[:500])
    return seconds


def _drags(server: Server, photo: Path, first: bool) -> list[str]:
    """From a slider's move to its decoded picture in the page, at the last operation."""
    shutil.copy(photo, server.base / "input" / "large.jpg")
    workflow = json.loads((ROOT / "workflows" / "landscape.json").read_text())
    sink = next(node for node in workflow["nodes"] if node["type"] == "luxgrad.save_photo")
    for node in workflow["nodes"]:
        if node["type"] == "luxgrad.load_photo":
            node["widgets_values"][0] = "large.jpg"
    last = next(link[1] for link in workflow["links"] if link[3] == sink["id"])
    with editor(server) as page:
        show(page, workflow)
        slider, times, version = page.evaluate(DRAG, [last, _MOVES])
    later = sorted(times[1:])
    row = f"| {version} | {times[0] / 1000:.1f} | {statistics.median(later):.0f} | {later[int(0.95 * len(later))]:.0f} |"
    head = [
        f"A slider of the last operation ({slider}) moves; its picture is 1024 px of the 12 MP.",
        "",
        "| front end | first picture, s | median of later ones, ms | 95 %, ms |",
        "|---|---|---|---|",
    ]
    return [*(head if first else []), row]

"""The shared workflows give the same pixels however the real ComfyUI keeps what nodes made, and whatever its precision."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import luxgrad
from luxgrad.graph.schema import to_data

from .prompts import fit, load, op, save, saved
from .server import ROOT, Server

pytestmark = pytest.mark.skipif("COMFYUI_ROOT" not in os.environ, reason="COMFYUI_ROOT names no checkout of ComfyUI")
WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
FLAGS = {
    "as it comes": (),
    "cache none": ("--cache-none",),
    "cache of two": ("--cache-lru", "2"),
    "half precision": ("--force-fp16", "--fp16-unet", "--fp16-vae", "--fp16-text-enc"),
}


@pytest.fixture(scope="module", params=FLAGS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("flags"), *FLAGS[request.param])
    yield running
    running.stop()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_shared_workflow_gives_the_same_pixels_as_the_terminal(server: Server, path: Path, tmp_path: Path) -> None:
    headless = luxgrad.open(path)
    prompt = to_data(headless)
    sink = next(key for key, entry in prompt.items() if entry["class_type"] == "luxgrad.save_photo")
    prompt[sink]["inputs"] |= {"file": f"{path.stem}.tif", "depth": "float"}
    outputs = server.run(prompt, json.loads(path.read_bytes()))
    assert "error" not in outputs, str(outputs)[-3000:]
    made = luxgrad.load(server.base / "output" / outputs[sink]["text"][0])
    expected = tmp_path / "expected.tif"
    luxgrad.save(headless({}), expected, depth="float")
    assert float((made.pixels - luxgrad.load(expected).pixels).abs().max()) < 1e-5


def test_a_fit_finds_the_same_twice(server: Server) -> None:
    first = server.run({"1": load(), "2": op("tone.exposure", ["1", 0], stops=0.6), "3": save(["2", 0])})
    shutil.copy(saved(server, first, "3"), server.base / "input" / "goal.png")
    prompt = {"1": load(), "2": op("tone.exposure", ["1", 0]), "3": load("goal.png"), "4": fit(["2", 0], ["3", 0]),
              "5": save(["4", 0])}  # fmt: skip
    found = []
    for name in ("once", "again"):
        prompt["5"]["inputs"]["filename_prefix"] = name
        with Image.open(saved(server, server.run(prompt), "5")) as picture:  # --cache-none forgets what a Fit reported
            found.append(json.loads(picture.info["prompt"])["2"]["inputs"]["stops"])
        prompt["2"]["inputs"]["stops"] = 0.0
    assert found[0] == found[1] == pytest.approx(0.6, abs=0.02)

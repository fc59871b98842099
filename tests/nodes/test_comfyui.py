"""In the real ComfyUI, unpatched: run with COMFYUI_ROOT naming a checkout (see CONTRIBUTING)."""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
import urllib.request
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .prompts import codes, fit, load, op, save, saved
from .server import Server

pytestmark = pytest.mark.skipif("COMFYUI_ROOT" not in os.environ, reason="COMFYUI_ROOT names no checkout of ComfyUI")


def test_a_neutral_operation_changes_no_saved_code(server: Server) -> None:
    prompt = {"1": load(), "2": op("tone.exposure", ["1", 0]), "3": save(["2", 0]), "4": save(["1", 0])}
    outputs = server.run(prompt)
    np.testing.assert_array_equal(codes(saved(server, outputs, "3")), codes(saved(server, outputs, "4")))


def test_a_fit_writes_values_back_into_prompt_and_png(server: Server) -> None:
    first = server.run({"1": load(), "2": op("tone.exposure", ["1", 0], stops=0.6),
                        "3": op("colour.saturation", ["2", 0], amount=0.4), "4": save(["3", 0])})  # fmt: skip
    shutil.copy(saved(server, first, "4"), server.base / "input" / "goal.png")
    prompt = {"1": load(), "2": op("tone.exposure", ["1", 0]), "3": op("colour.saturation", ["2", 0]),
              "5": load("goal.png"), "6": fit(["3", 0], ["5", 0]), "7": save(["6", 0])}  # fmt: skip
    outputs = server.run(prompt)
    assert "error" not in outputs, str(outputs)[-3000:]
    values = {(entry["node"], entry["name"]): entry["value"] for entry in outputs["6"]["luxgrad_values"]}
    assert values["2", "stops"] == pytest.approx(0.6, abs=0.02)
    assert values["3", "amount"] == pytest.approx(0.4, abs=0.03)
    with Image.open(saved(server, outputs, "7")) as picture:
        embedded = json.loads(picture.info["prompt"])
    assert embedded["2"]["inputs"]["stops"] == values["2", "stops"]
    assert np.abs(codes(saved(server, outputs, "7")).astype(int) - codes(saved(server, first, "4")).astype(int)).mean() < 1.0

    prompt["6"]["inputs"]["action"] = "keep"
    again = server.run(prompt)
    assert "luxgrad_values" not in again.get("6", {})


def test_batches_foreign_masks_and_alpha_go_through(server: Server) -> None:
    prompt = {
        "1": load(), "2": {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 4}},
        "3": op("tone.exposure", ["2", 0], stops=0.5),
        "5": {"class_type": "JoinImageWithAlpha", "inputs": {"image": ["3", 0], "alpha": ["9", 0]}},
        "6": op("tone.contrast", ["5", 0], amount=0.3), "7": save(["6", 0]),
        "8": {"class_type": "luxgrad.local.apply_mask",
              "inputs": {"before": ["2", 0], "after": ["3", 0], "mask": ["9", 0], "opacity": 1.0}},
        "9": {"class_type": "ImageToMask", "inputs": {"image": ["2", 0], "channel": "red"}}, "10": save(["8", 0]),
    }  # fmt: skip
    outputs = server.run(prompt)
    assert "error" not in outputs, str(outputs)[-3000:]
    assert len(outputs["7"]["images"]) == 4
    assert codes(saved(server, outputs, "7")).shape[2] == 4
    assert len(outputs["10"]["images"]) == 4


def test_stop_ends_a_fit_with_the_best_so_far(server: Server) -> None:
    prompt = {"1": load(), "2": op("tone.exposure", ["1", 0]), "3": op("colour.hue_bands", ["2", 0]),
              "5": load("kitten_reference.png"), "6": fit(["3", 0], ["5", 0], seconds=120.0, method="adam")}  # fmt: skip
    outputs = server.run(prompt, stop_after=8.0)
    assert "error" not in outputs, str(outputs)[-3000:]
    report = outputs["6"]["luxgrad_report"][0]
    assert report["stopped"]
    assert report["seconds"] < 60.0
    assert report["psnr_after"] > report["psnr_before"]


def test_two_fits_in_one_workflow_each_move_their_own_sliders(server: Server) -> None:
    prompt = {"1": load(), "2": op("tone.exposure", ["1", 0], "One"), "3": load("kitten_reference.png"),
              "4": fit(["2", 0], ["3", 0], seconds=3.0), "5": op("colour.saturation", ["1", 0], "Two"),
              "6": fit(["5", 0], ["3", 0], seconds=3.0)}  # fmt: skip
    outputs = server.run(prompt)
    assert {entry["node"] for entry in outputs["4"]["luxgrad_values"]} == {"2"}
    assert {entry["node"] for entry in outputs["6"]["luxgrad_values"]} == {"5"}


def test_a_preview_is_served_to_this_origin_only(server: Server) -> None:
    prompt = {"1": load(), "2": op("tone.exposure", ["1", 0], stops=0.5)}
    order = json.dumps({"prompt": prompt, "node": "2"}).encode()
    answers = []
    for headers in ({"Content-Type": "application/json"}, {"Content-Type": "text/plain"},
                    {"Content-Type": "application/json", "Origin": "http://elsewhere.example"}):  # fmt: skip
        try:
            with urllib.request.urlopen(urllib.request.Request(server.url + "/luxgrad/preview", order, headers)) as answer:
                answers.append((answer.status, answer.headers["Content-Type"]))
        except urllib.error.HTTPError as error:
            answers.append((error.code, ""))
    assert answers == [(200, "image/jpeg"), (403, ""), (403, "")]


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a target of another size": (
        {"1": load(), "2": op("tone.exposure", ["1", 0]), "3": load("lake.jpg"), "4": fit(["2", 0], ["3", 0])}, "; got "),
    "a slider out of range": (
        {"1": load(), "2": op("tone.exposure", ["1", 0], stops=99.0), "3": save(["2", 0])}, "bigger than max"),
    "no free slider": ({"1": load(), "4": fit(["1", 0], ["1", 0])}, "expected a slider to fit"),
    "a pattern for nothing": (
        {"1": load(), "2": op("tone.exposure", ["1", 0]), "4": fit(["2", 0], ["1", 0], free="Exposre.stops")},
        "nearest: Exposure.stops"),
    "a missing table": (
        {"1": load(), "2": {"class_type": "luxgrad.load_lut", "inputs": {"file": "../../etc/passwd"}},
         "3": {**op("colour.lut3d", ["1", 0]), "inputs": {**op("colour.lut3d", ["1", 0])["inputs"], "lut": ["2", 0]}},
         "4": save(["3", 0])}, "outside the folders"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_said_on_the_node(server: Server, case: str) -> None:
    prompt, message = MISTAKES[case]
    assert message in json.dumps(server.run(prompt))

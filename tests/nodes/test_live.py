"""Live previews: from files at once, from what nodes saw, never by running another pack's node."""

from __future__ import annotations

import importlib
import io
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from .conftest import ROOT, Editor
from .test_contract import image


@pytest.fixture
def live(pack: ModuleType) -> Any:
    assert pack.NODE_CLASS_MAPPINGS
    return importlib.import_module(f"{pack.__name__}.nodes.live")


def decoded(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture))).astype(float)


def exposed(stops: float, source: str = "1") -> dict[str, Any]:
    return {
        "1": {"class_type": "luxgrad.load_photo", "inputs": {"file": "kitten.png", "light": "auto"}},
        "8": {"class_type": "LoadImage", "inputs": {"image": "kitten.png"}},
        "2": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": [source, 0], "stops": stops}},
        "3": {"class_type": "luxgrad.fit", "inputs": {"photo": ["2", 0], "free": "", "action": "keep"}},
    }


@pytest.mark.parametrize("source", ["1", "8"])
def test_a_file_is_shown_before_any_run(live: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "workflows" / "photos" / "kitten.png", tmp_path)
    dark, stale = live.preview(exposed(-1.0, source), "2", 200)
    bright, _ = live.preview(exposed(1.0, source), "3", 200)
    assert decoded(dark).shape[1] == 200
    assert decoded(bright).mean() > decoded(dark).mean() + 40
    assert not stale
    with Image.open(tmp_path / "kitten.png") as picture:
        plain = np.asarray(picture.convert("RGB").resize(decoded(dark).shape[1::-1], Image.Resampling.BOX)).astype(float)
    assert np.abs(decoded(live.preview(exposed(0.0, source), "2", 200)[0]) - plain).mean() < 6


def test_another_packs_picture_is_shown_as_it_last_arrived_and_marked_stale_after_a_change(editor: Editor, live: Any) -> None:
    other = editor.foreign("SomeSampler", seed=1)
    pixels = image(60, 90)
    node, (lazy,) = editor.add("luxgrad.tone.exposure", image=((other, 0), pixels), stops=0.5)
    editor.prompt[node]["inputs"]["stops"] = -3.0
    picture, stale = live.preview(editor.prompt, node)
    assert not stale
    assert decoded(picture).shape == (60, 90, 3)
    assert decoded(picture).mean() < 255 * torch.Tensor.mean(lazy).item()
    editor.prompt[other]["inputs"]["seed"] = 2
    assert live.preview(editor.prompt, node)[1]


def test_what_has_not_run_and_what_is_wrong_is_said(live: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "workflows" / "photos" / "kitten.png", tmp_path)
    prompt = exposed(0.0)
    prompt["2"]["inputs"]["image"] = ["99", 0]
    with pytest.raises(ValueError, match="expected a node '99' in the prompt"):
        live.preview(prompt, "2")
    prompt["99"] = {"class_type": "Never", "inputs": {}}
    with pytest.raises(live.NotYet, match="node 99 has not run yet"):
        live.preview(prompt, "2")
    prompt = exposed(99.0)
    with pytest.raises(ValueError, match=r"expected a number from -8 to 8 EV"):
        live.preview(prompt, "2")
    prompt["1"]["inputs"]["file"] = "../../../etc/passwd"
    with pytest.raises(ValueError, match="outside the folders"):
        live.preview(prompt, "2")
    circle = {"2": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["2", 0], "stops": 0.0}}}
    with pytest.raises(ValueError, match="no circle"):
        live.preview(circle, "2")


@pytest.mark.parametrize("prompt", [
    [], {"2": 3}, {"2": {"class_type": "luxgrad.tone.exposure", "inputs": [1]}},
    {"2": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["8", 9]}}, "8": exposed(0.0)["8"]},
    {"2": {"class_type": "luxgrad.loss.l1", "inputs": {"image": ["8", 0], "target": ["8", 0]}}, "8": exposed(0.0)["8"]},
])  # fmt: skip
def test_a_hostile_prompt_is_one_line(live: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prompt: Any) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "workflows" / "photos" / "kitten.png", tmp_path)
    with pytest.raises(ValueError, match="expected") as found:
        live.preview(prompt, "2")
    assert "\n" not in str(found.value)


def test_a_picture_from_any_output_of_another_packs_node_is_shown(editor: Editor, live: Any) -> None:
    other = editor.foreign("Splitter")
    node, _ = editor.add("luxgrad.tone.exposure", image=((other, 2), image(60, 90)), stops=0.0)
    picture, stale = live.preview(editor.prompt, node)
    assert decoded(picture).shape == (60, 90, 3)
    assert not stale
    node, _ = editor.add("luxgrad.tone.exposure", image=((other, 1), image(30, 40)), stops=0.0)
    assert decoded(live.preview(editor.prompt, node)[0]).shape == (30, 40, 3)


def test_a_node_without_its_wire_or_with_one_of_another_kind_is_one_line(live: Any) -> None:
    prompt = exposed(0.0, "8")
    shutil.copy(ROOT / "workflows" / "photos" / "kitten.png", ".")
    prompt["2"]["inputs"]["image"] = ["8", 1]
    with pytest.raises(ValueError, match="node 2, image: expected IMAGE; got MASK from node 8"):
        live.preview(prompt, "2")
    del prompt["2"]["inputs"]["image"]
    with pytest.raises(ValueError, match=r"node 2, image: expected a wire \[node, output\]; got nothing"):
        live.preview(prompt, "3")

"""The real editor in Chromium: muted and bypassed steps, and markup in names."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luxgrad.graph.ui_layout import from_api

from .browser import show
from .prompts import codes, load, op, save
from .server import Server

pytestmark = pytest.mark.skipif("COMFYUI_ROOT" not in os.environ, reason="COMFYUI_ROOT names no checkout of ComfyUI")
ACTIVE, MUTED, BYPASSED = 0, 2, 4
MARKUP = '<img src=x onerror="window.wasRun=1"><script>window.wasRun=1</script>'


def press(page: Any, node: str, label: str) -> None:
    page.evaluate(
        """async ([id, label]) => {
            const node = (app.rootGraph ?? app.graph).getNodeById(Number(id));
            await node.widgets.find((w) => w.name === label || w.label === label).callback();
        }""",
        [node, label],
    )


def text_of(page: Any, node: str) -> str:
    return page.evaluate("(id) => (app.rootGraph ?? app.graph).getNodeById(Number(id)).luxgradText?.textContent ?? ''", node)


def wait_for_text(page: Any, node: str, part: str) -> None:
    end = time.monotonic() + 60
    while part not in text_of(page, node):
        assert time.monotonic() < end, text_of(page, node)
        page.wait_for_timeout(200)


def made(server: Server, page: Any, prefix: str) -> Path:
    """The picture that a run saves."""
    page.evaluate("async () => { await app.queuePrompt(0, 1) }")
    end = time.monotonic() + 60
    while not (found := list((server.base / "output").glob(f"{prefix}_*.png"))):
        assert time.monotonic() < end
        page.wait_for_timeout(200)
    page.wait_for_timeout(300)
    return found[0]


def chain(prefix: str) -> dict[str, Any]:
    prompt = {"1": load(), "2": op("tone.exposure", ["1", 0], stops=1.0), "3": op("colour.saturation", ["2", 0], amount=0.5),
              "4": save(["3", 0]), "5": save(["1", 0])}  # fmt: skip
    prompt["4"]["inputs"]["filename_prefix"], prompt["5"]["inputs"]["filename_prefix"] = prefix, f"plain {prefix}"
    return prompt


def with_mode(prompt: dict[str, Any], modes: dict[int, int]) -> dict[str, Any]:
    ui = from_api(prompt)
    for node in ui["nodes"]:
        node["mode"] = modes.get(node["id"], ACTIVE)
    return ui


def test_bypassed_operations_change_no_code(page: Any, server: Server) -> None:
    show(page, with_mode(chain("bypassed"), {2: BYPASSED, 3: BYPASSED}))
    bypassed = codes(made(server, page, "bypassed"))
    (plain,) = (server.base / "output").glob("plain bypassed_*.png")
    np.testing.assert_array_equal(bypassed, codes(plain))


def test_a_fit_leaves_a_bypassed_operation_alone(page: Any) -> None:
    prompt = {"1": load(), "2": op("tone.exposure", ["1", 0], "Bright"), "3": op("tone.contrast", ["2", 0], "Contrast"),
              "4": load("kitten_reference.png"),
              "5": {"class_type": "luxgrad.fit",
                    "inputs": {"photo": ["3", 0], "target": ["4", 0], "seconds": 3.0}}}  # fmt: skip
    show(page, with_mode(prompt, {2: BYPASSED}))
    press(page, "5", "Fit")
    page.wait_for_function(
        "() => (app.rootGraph ?? app.graph).getNodeById(5).luxgradText.textContent.includes('dB')", timeout=60_000
    )
    values = page.evaluate("""() => [2, 3].map((id) => (app.rootGraph ?? app.graph).getNodeById(id).widgets
        .filter((w) => typeof w.value === "number").map((w) => w.value))""")
    assert set(values[0]) == {0}
    assert any(value != 0 for value in values[1])


def test_a_muted_operation_is_missed_by_name(page: Any) -> None:
    show(page, with_mode(chain("muted"), {2: MUTED}))
    page.evaluate("async () => { await app.queuePrompt(0, 1) }")
    page.wait_for_timeout(1500)
    errors = page.evaluate("() => JSON.stringify(app.extensionManager.lastNodeErrors ?? app.lastNodeErrors ?? {})")
    assert "Required input is missing" in errors
    assert "image" in errors
    assert "luxgrad.colour.saturation" in errors
    page.keyboard.press("Escape")


def test_markup_in_titles_and_reports_is_shown_as_text(page: Any, server: Server) -> None:
    prompt = {
        "1": load(), "2": op("tone.exposure", ["1", 0], MARKUP),
        "3": {"class_type": "ImageQuantize", "inputs": {"image": ["2", 0], "colors": 64, "dither": "none"}},
        "4": op("colour.saturation", ["3", 0], f"After {MARKUP}"), "5": load("kitten_reference.png"),
        "6": {"class_type": "luxgrad.fit", "inputs": {"photo": ["4", 0], "target": ["5", 0], "seconds": 2.0}},
        "7": {"class_type": "luxgrad.auto", "inputs": {"photo": ["2", 0]}},
        "8": {"class_type": "luxgrad.compare", "inputs": {"before": ["1", 0], "photo": ["4", 0]}},
    }  # fmt: skip
    for entry in prompt.values():
        entry.setdefault("_meta", {"title": MARKUP})
    page.evaluate("(prompt) => { app.loadApiJson(prompt, 'markup') }", prompt)
    page.wait_for_timeout(1000)
    press(page, "6", "Fit")
    page.wait_for_function(
        "() => (app.rootGraph ?? app.graph).getNodeById(6).luxgradText.textContent.includes('dB')", timeout=60_000
    )
    assert f"no gradient reaches {MARKUP[:40]}" in text_of(page, "6")
    press(page, "7", "Advise")
    wait_for_text(page, "7", "change")
    page.evaluate("""() => {
        const fit = (app.rootGraph ?? app.graph).getNodeById(6);
        fit.widgets.find((w) => w.name === "free").value = '<img src=x onerror="window.wasRun=1">.stops';
        const widget = (app.rootGraph ?? app.graph).getNodeById(2).widgets.find((w) => w.name === "stops");
        widget.value = 0.5; widget.callback(0.5);
    }""")
    press(page, "6", "Fit")
    page.wait_for_timeout(3000)
    page.screenshot(path=str(server.base / "markup.png"))
    assert page.evaluate("() => window.wasRun") is None
    assert page.evaluate("() => document.querySelectorAll('img[src=x]').length") == 0
    page.keyboard.press("Escape")

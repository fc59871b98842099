"""The editor's side in Chromium, against the real ComfyUI: Fit button, write-back, undo, subgraph, save and reload."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from luxgrad.graph.ui_layout import from_api

from .browser import show
from .server import Server

pytestmark = pytest.mark.skipif("COMFYUI_ROOT" not in os.environ, reason="COMFYUI_ROOT names no checkout of ComfyUI")


def api_form(title: str = "Bright") -> dict[str, Any]:
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "kitten.png"}},
        "2": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["1", 0], "stops": 0.0}, "_meta": {"title": title}},
        "3": {"class_type": "luxgrad.tone.contrast", "inputs": {"image": ["2", 0], "amount": 0.0}},
        "4": {"class_type": "LoadImage", "inputs": {"image": "kitten_reference.png"}},
        "5": {"class_type": "luxgrad.fit", "inputs": {"photo": ["3", 0], "target": ["4", 0], "seconds": 3.0}},
        "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "edited"}},
        "7": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["5", 0], "file": "kept.png"}},
    }


def nested() -> dict[str, Any]:
    """The same with the exposure inside a subgraph, node 7."""
    ui = from_api(api_form())
    exposure = next(node for node in ui["nodes"] if node["id"] == 2)
    inside = json.loads(json.dumps(exposure)) | {"id": 12, "pos": [200, 0]}
    inside["inputs"][0]["link"], inside["outputs"][0]["links"] = 1, [2]
    box = {"bounding": [0, 0, 100, 60]}
    definition = {
        "id": "11111111-2222-4333-8444-555555555555", "version": 1, "name": "Look", "revision": 0, "config": {}, "groups": [],
        "state": {"lastNodeId": 12, "lastLinkId": 2, "lastGroupId": 0, "lastRerouteId": 0}, "widgets": [], "extra": {},
        "inputNode": {"id": -10, **box}, "outputNode": {"id": -20, "bounding": [600, 0, 100, 60]},
        "inputs": [{"id": "aaaaaaaa-0000-4000-8000-000000000001", "name": "image", "type": "IMAGE", "linkIds": [1]}],
        "outputs": [{"id": "aaaaaaaa-0000-4000-8000-000000000002", "name": "image", "type": "IMAGE", "linkIds": [2]}],
        "nodes": [inside],
        "links": [{"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 12, "target_slot": 0, "type": "IMAGE"},
                  {"id": 2, "origin_id": 12, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "IMAGE"}],
    }  # fmt: skip
    exposure |= {"type": definition["id"], "widgets_values": [], "properties": {}}
    return {**ui, "definitions": {"subgraphs": [definition]}}


NODE = "(app.rootGraph ?? app.graph).getNodeById(2)"
STOPS = "() => (app.rootGraph ?? app.graph).getNodeById(2).widgets.find((w) => w.name === 'stops').value"
PRESS = """async () => {
    const fit = (app.rootGraph ?? app.graph).getNodeById(5);
    await fit.widgets.find((w) => w.name === "Fit" || w.label === "Fit").callback();
}"""
PROMPT = "async () => JSON.parse(JSON.stringify((await app.graphToPrompt())))"


def fitted(page: Any, read: str = STOPS) -> float:
    page.evaluate(PRESS)
    page.wait_for_function(f"() => ({read})() !== 0", timeout=90_000)
    return page.evaluate(read)


def test_the_button_fits_writes_back_and_one_undo_takes_it_back(page: Any, server: Server) -> None:
    show(page, from_api(api_form()))
    before = page.evaluate(PROMPT)
    assert before["output"]["5"]["inputs"]["action"] == "keep"
    value = fitted(page)
    assert abs(value) > 0.05
    after = page.evaluate(PROMPT)
    assert after["output"]["2"]["inputs"]["stops"] == value
    assert after["output"]["5"]["inputs"]["action"] == "keep"
    assert "dB" in page.evaluate("() => (app.rootGraph ?? app.graph).getNodeById(5).luxgradText.textContent")
    page.wait_for_timeout(1500)
    page.screenshot(path=str(server.base / "editor.png"))
    page.evaluate("async () => { await app.extensionManager.workflow.activeWorkflow.changeTracker.undo() }")
    page.wait_for_timeout(500)
    assert page.evaluate(STOPS) == 0
    page.evaluate("async () => { await app.extensionManager.workflow.activeWorkflow.changeTracker.redo() }")
    page.wait_for_timeout(500)
    assert page.evaluate(STOPS) == value


def test_a_plain_run_after_a_fit_keeps_its_values_and_a_saved_png_restores_them(page: Any, server: Server) -> None:
    show(page, from_api(api_form()))
    value = fitted(page)
    page.evaluate("async () => { await app.queuePrompt(0, 1) }")
    page.wait_for_timeout(4000)
    assert page.evaluate(STOPS) == value
    for saved_by in ("edited", "kept"):
        picture = sorted((server.base / "output").glob(f"{saved_by}*.png"))[-1]
        show(page, from_api(api_form("Other")))
        assert page.evaluate(STOPS) == 0
        page.evaluate(
            """async ([url, name]) => {
                const blob = await (await fetch(url)).blob();
                await app.handleFile(new File([blob], name, { type: "image/png" }));
            }""",
            [f"/view?filename={picture.name}&type=output", picture.name],
        )
        page.wait_for_timeout(1500)
        assert page.evaluate(STOPS) == value
    saved = page.evaluate("() => JSON.parse(JSON.stringify((app.rootGraph ?? app.graph).serialize()))")
    show(page, saved)
    assert page.evaluate(STOPS) == value


def test_a_fit_reaches_into_a_subgraph(page: Any) -> None:
    show(page, nested())
    inside = STOPS.replace("getNodeById(2)", "getNodeById(2).subgraph.getNodeById(12)")
    assert "2:12" in page.evaluate(PROMPT)["output"]
    value = fitted(page, inside)
    assert page.evaluate(PROMPT)["output"]["2:12"]["inputs"]["stops"] == value


def test_the_menu_of_an_operation_holds_and_frees_its_sliders(page: Any) -> None:
    show(page, from_api(api_form()))
    found = page.evaluate("""() => {
        const graph = app.rootGraph ?? app.graph, free = graph.getNodeById(5).widgets.find((w) => w.name === "free");
        const extension = app.extensions.find((e) => e.name === "luxgrad");
        const press = (id) => extension.getNodeMenuItems(graph.getNodeById(id))[2].submenu.options[0].callback();
        const steps = [free.value];
        press(2); steps.push(free.value);
        press(2); steps.push(free.value);
        return steps;
    }""")
    assert found == ["", "3.amount", "3.amount\nBright.stops"] or found[1:] == [
        "Contrast.amount",
        "Contrast.amount\nBright.stops",
    ]


def test_a_slider_that_moves_is_shown_live_without_a_run(page: Any, server: Server) -> None:
    show(page, from_api(api_form()))
    page.evaluate("""() => {
        const node = (app.rootGraph ?? app.graph).getNodeById(2), widget = node.widgets.find((w) => w.name === "stops");
        widget.value = 1.5; widget.callback(1.5);
    }""")
    page.wait_for_function(f"() => {NODE}.luxgradPreview?.image.naturalWidth > 100", timeout=30_000)
    assert page.evaluate(f"() => {NODE}.luxgradPreview.label.textContent") == ""
    page.wait_for_timeout(500)
    page.screenshot(path=str(server.base / "live.png"))
    times = page.evaluate("""async () => {
        const graph = app.rootGraph ?? app.graph, node = graph.getNodeById(3), image = () => node.luxgradPreview?.image.src;
        const widget = node.widgets.find((w) => w.name === "amount"), times = [];
        for (let step = 0; step < 20; step += 1) {
            const before = image(), start = performance.now();
            widget.value = step / 100; widget.callback(widget.value);
            while (image() === before) await new Promise((done) => setTimeout(done, 2));
            times.push(performance.now() - start);
        }
        return times;
    }""")
    print("drag to picture, ms:", sorted(round(time) for time in times))
    assert len(times) == 20

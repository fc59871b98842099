"""What the editor shows of a fit, against the real ComfyUI: padlocks, live pictures, pulls, walls, and what Advice applies."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import pytest
from PIL import Image

from luxgrad.graph.ui_layout import from_api

from .browser import show
from .server import Server
from .test_editor import PRESS, PROMPT, STOPS, api_form, nested

pytestmark = pytest.mark.skipif("COMFYUI_ROOT" not in os.environ, reason="COMFYUI_ROOT names no checkout of ComfyUI")

GRAPH = "(app.rootGraph ?? app.graph)"
ROWS = f"""(id) => {{
    const strip = ({GRAPH}.getNodeById(id) ?? {GRAPH}.getNodeById(2).subgraph.getNodeById(id)).luxgradStrip;
    return strip ? [...strip.element.children].map((row) => [row.className.trim(), row.querySelector(".name").textContent,
        row.querySelector(".told")?.textContent ?? "", parseFloat(row.querySelector(".pull > i")?.style.width)]) : null;
}}"""
FREE = f"() => {GRAPH}.getNodeById(5).widgets.find((w) => w.name === 'free').value"
UNDO = "async () => { await app.extensionManager.workflow.activeWorkflow.changeTracker.undo() }"
SAVED = f"() => JSON.parse(JSON.stringify({GRAPH}.serialize()))"


def strip(page: Any, node: int) -> Any:
    page.wait_for_function(f"(id) => ({ROWS})(id) !== null", arg=node, timeout=10_000)
    return page.evaluate(ROWS, node)


def press(page: Any, node: int, row: int = 0) -> None:
    inner = f"{GRAPH}.getNodeById({node}) ?? {GRAPH}.getNodeById(2).subgraph.getNodeById({node})"
    page.evaluate(f"() => ({inner}).luxgradStrip.element.querySelectorAll('button')[{row}].click()")
    page.wait_for_timeout(300)


def fit(page: Any) -> None:
    """Press Fit and wait for its report."""
    page.evaluate(f"() => {{ {GRAPH}.getNodeById(5).luxgradText.textContent = '' }}")
    page.evaluate(PRESS)
    page.wait_for_function(f"() => {GRAPH}.getNodeById(5).luxgradText.textContent !== ''", timeout=90_000)
    page.wait_for_timeout(800)


def test_a_padlock_on_the_node_holds_and_frees_and_one_undo_takes_it_back(page: Any) -> None:
    before = from_api(api_form())
    show(page, before)
    assert strip(page, 2)[0][:3] == ["luxgrad-row free", "stops", ""]
    saved = page.evaluate(SAVED)
    node, original = (next(n for n in graph["nodes"] if n["id"] == 2) for graph in (saved, before))
    assert node["widgets_values"] == original["widgets_values"]
    assert list(node["size"])[1] <= original["size"][1]
    press(page, 2)
    assert page.evaluate(FREE) in ("3.amount", "Contrast.amount")
    assert strip(page, 2)[0][0] == "luxgrad-row held"
    assert strip(page, 3)[0][0] == "luxgrad-row free"
    press(page, 3)  # the last one stays free
    assert page.evaluate(FREE) in ("3.amount", "Contrast.amount")
    prompt = page.evaluate(PROMPT)["output"]
    assert set(prompt["2"]["inputs"]) == {"image", "stops"}
    page.evaluate(UNDO)
    page.wait_for_timeout(800)
    assert page.evaluate(FREE) == ""
    assert strip(page, 2)[0][0] == "luxgrad-row free"
    assert page.evaluate(SAVED)["nodes"] == saved["nodes"]


def test_a_strip_comes_and_goes_with_the_wire_to_a_fit(page: Any) -> None:
    show(page, from_api(api_form()))
    strip(page, 3)
    page.evaluate(f"""() => {{
        {GRAPH}.getNodeById(5).disconnectInput(0);
        const tracker = app.extensionManager.workflow.activeWorkflow.changeTracker;
        (tracker.captureCanvasState ?? tracker.checkState).call(tracker);
    }}""")
    page.wait_for_function(f"() => ({ROWS})(3) === null", timeout=10_000)
    assert page.evaluate(ROWS, 2) is None


def test_a_padlock_works_inside_a_subgraph(page: Any) -> None:
    show(page, nested())
    assert strip(page, 12)[0][0] == "luxgrad-row free"
    press(page, 3)
    assert page.evaluate(FREE) in ("2:12.stops", "Bright.stops")
    fit(page)
    assert " → " in strip(page, 12)[0][2]


def test_a_fit_shows_the_best_so_far_and_then_how_every_slider_was_pulled(page: Any, server: Server) -> None:
    form = api_form()
    form["5"]["inputs"] |= {"method": "adam", "seconds": 6.0}
    show(page, from_api(form))
    page.evaluate("""async () => {
        const { api } = await import("/scripts/api.js");
        window.pictures = [];
        api.addEventListener("b_preview_with_metadata", (event) => window.pictures.push(event.detail));
    }""")
    fit(page)
    sizes = page.evaluate("""async () => Promise.all(window.pictures.map(async ({ blob, displayNodeId, nodeId }) => {
        const picture = await createImageBitmap(blob);
        return [Math.max(picture.width, picture.height), String(displayNodeId ?? nodeId)];
    }))""")
    assert 2 <= len(sizes) <= 8
    assert all(size == [384, "5"] for size in sizes[:-1])
    assert sizes[-1] == [800, "5"]  # and the result, which the editor may go on showing
    ((kind, _, told, width),) = strip(page, 2)
    value = page.evaluate(STOPS)
    assert kind == "luxgrad-row free"
    assert told.startswith("0 → ")
    assert float(told.removeprefix("0 → ").split()[0].replace("\u2212", "-")) == pytest.approx(value, abs=0.01)
    assert max(width, strip(page, 3)[0][3]) == pytest.approx(100.0)
    page.screenshot(path=str(server.base / "pulls.png"))
    page.evaluate(UNDO)
    page.wait_for_timeout(800)
    assert strip(page, 2)[0][0] == "luxgrad-row free past"


def test_a_wall_to_gradients_is_marked_on_both_sides(page: Any, server: Server) -> None:
    form = api_form()
    form["7"] = {"class_type": "ImageQuantize", "inputs": {"image": ["2", 0], "colors": 64, "dither": "none"}}
    form["3"]["inputs"]["image"] = ["7", 0]
    page.evaluate("(data) => app.loadApiJson(data, 'wall')", form)
    page.wait_for_timeout(1000)
    fit(page)
    assert strip(page, 2)[0][0] == "luxgrad-row held"
    assert strip(page, 2)[0][2].startswith("no gradient through ")
    marks = f"""() => {{
        const node = {GRAPH}.getNodeById(7);
        const texts = (node.badges ?? []).map((b) => (typeof b === "function" ? b() : b).text);
        return [...texts, ...node.widgets.map((w) => w.element?.textContent)];
    }}"""
    assert page.evaluate(marks).count("no gradient") == 1
    assert page.evaluate(SAVED)["nodes"][-1]["widgets_values"] == [64, "none"]
    assert "no gradient reaches" in page.evaluate(f"() => {GRAPH}.getNodeById(5).luxgradText.textContent")
    page.wait_for_timeout(500)
    page.screenshot(path=str(server.base / "wall.png"))


ADVICE = f"(name) => {GRAPH}.getNodeById(8).widgets.find((w) => w.name === name || w.label === name).callback()"
ADVISED = f"() => {GRAPH}.getNodeById(8).luxgradAdvice"


def dark_photo(server: Server) -> dict[str, Any]:
    """A photo in the input folder that is two stops too dark, and the node that loads it."""
    with Image.open(server.base / "input" / "kitten.png") as picture:
        Image.fromarray((np.asarray(picture.convert("RGB")) * 0.5).astype(np.uint8)).save(server.base / "input" / "dark.png")
    return {"class_type": "LoadImage", "inputs": {"image": "dark.png"}}


@pytest.mark.parametrize("kind", ["luxgrad.advice", "luxgrad.auto"])
def test_apply_sets_sliders_and_puts_in_the_steps_that_are_missing(page: Any, server: Server, kind: str) -> None:
    form = {"1": dark_photo(server), "3": {**api_form()["3"]}}
    form["3"]["inputs"] = {**form["3"]["inputs"], "image": ["1", 0]}
    form["8"] = {"class_type": kind, "inputs": {"photo": ["3", 0]}}
    form["9"] = {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}}
    show(page, from_api(form))
    page.evaluate(ADVICE, "Advise")
    page.wait_for_function(ADVISED, timeout=60_000)
    assert "too dark" in page.evaluate(f"() => {GRAPH}.getNodeById(8).luxgradText.textContent")
    before = page.evaluate(PROMPT)["output"]
    page.evaluate(ADVICE, "Apply")
    page.wait_for_timeout(500)
    prompt = page.evaluate(PROMPT)["output"]
    (new,) = set(prompt) - set(before)
    assert prompt[new]["class_type"] == "luxgrad.tone.exposure"
    assert prompt[new]["inputs"]["image"] == ["1", 0]
    assert prompt[new]["inputs"]["stops"] > 0.5
    assert prompt["3"]["inputs"]["image"] == [new, 0]
    assert prompt["8"]["inputs"]["photo"] == ["3", 0]
    if kind == "luxgrad.advice":
        assert json.loads(prompt["8"]["inputs"]["conversation"])[0]["advisor"] == "auto"
    page.screenshot(path=str(server.base / "advice.png"))
    page.evaluate(ADVICE, "Apply")  # once is enough
    assert set(page.evaluate(PROMPT)["output"]) == set(prompt)
    page.evaluate(UNDO)
    page.wait_for_timeout(800)
    assert page.evaluate(PROMPT)["output"] == before


def test_advice_on_a_bare_photo_goes_before_everything_that_looks_at_it_but_comparisons(page: Any, server: Server) -> None:
    form: dict[str, Any] = {"1": dark_photo(server)}
    form["8"] = {"class_type": "luxgrad.advice", "inputs": {"photo": ["1", 0]}}
    form["9"] = {"class_type": "luxgrad.compare", "inputs": {"photo": ["1", 0], "before": ["1", 0]}}
    show(page, from_api(form))
    page.evaluate(ADVICE, "Advise")
    page.wait_for_function(ADVISED, timeout=60_000)
    page.evaluate(ADVICE, "Apply")
    page.wait_for_timeout(500)
    prompt = page.evaluate(PROMPT)["output"]
    last = prompt["8"]["inputs"]["photo"]
    assert prompt[last[0]]["class_type"].startswith("luxgrad.tone.")
    assert prompt["9"]["inputs"] == {"photo": last, "before": ["1", 0]}


def test_every_kind_of_edit_is_applied_as_one_step_of_undo(page: Any) -> None:
    form = {key: entry for key, entry in api_form().items() if key in "123"}
    form["8"] = {"class_type": "luxgrad.advice", "inputs": {"photo": ["3", 0]}}
    show(page, from_api(form))
    before = page.evaluate(PROMPT)["output"]
    edits = [
        {"edit": "set", "step": "3", "name": "amount", "value": 0.25},
        {"edit": "add", "step": "ends", "node": "luxgrad.measure.percentiles", "links": {"image": ["2", 0]}},
        {"edit": "add", "step": "levels", "node": "luxgrad.tone.levels", "values": {"white": 0.5},
         "links": {"image": ["2", 0], "percentiles": ["ends", 0]}},
        {"edit": "link", "step": "3", "input": "image", "from": ["levels", 0]},
        {"edit": "remove", "step": "2"},
    ]  # fmt: skip
    page.evaluate(f"(edits) => {{ {GRAPH}.getNodeById(8).luxgradAdvice = {{ edits, conversation: '[]' }} }}", edits)
    page.evaluate(ADVICE, "Apply")
    page.wait_for_timeout(500)
    prompt = page.evaluate(PROMPT)["output"]
    kinds = {entry["class_type"]: key for key, entry in prompt.items() if key not in before}
    ends, levels = kinds["luxgrad.measure.percentiles"], kinds["luxgrad.tone.levels"]
    assert "2" not in prompt
    assert prompt[ends]["inputs"]["image"] == prompt[levels]["inputs"]["image"] == ["1", 0]
    assert prompt[levels]["inputs"]["percentiles"] == [ends, 0]
    assert prompt[levels]["inputs"]["white"] == 0.5
    assert prompt["3"]["inputs"]["image"] == [levels, 0]
    assert prompt["3"]["inputs"]["amount"] == 0.25
    page.evaluate(UNDO)
    page.wait_for_timeout(800)
    assert page.evaluate(PROMPT)["output"] == before


def test_a_step_may_go_before_an_input_that_was_left_open(page: Any) -> None:
    form = {key: entry for key, entry in api_form().items() if key in "12"}
    form["3"] = {"class_type": "luxgrad.local.local_retouch", "inputs": {"image": ["2", 0], "what": "skin"}}
    form["8"] = {"class_type": "luxgrad.advice", "inputs": {"photo": ["3", 0]}}
    show(page, from_api(form))
    edits = [
        {"edit": "add", "step": "oval", "node": "luxgrad.local.radial_mask", "values": {"x": 20.0, "combine": "subtract"},
         "links": {"image": ["2", 0]}, "title": "Retouch skin, oval 1"},
        {"edit": "link", "step": "3", "input": "limit", "from": ["oval", 0]},
    ]  # fmt: skip
    page.evaluate(f"(edits) => {{ {GRAPH}.getNodeById(8).luxgradAdvice = {{ edits, conversation: '[]' }} }}", edits)
    page.evaluate(ADVICE, "Apply")
    page.wait_for_timeout(500)
    prompt = page.evaluate(PROMPT)["output"]
    (oval,) = set(prompt) - set(form)
    assert prompt["3"]["inputs"]["limit"] == [oval, 0]
    assert prompt["3"]["inputs"]["image"] == ["2", 0]
    assert (prompt[oval]["inputs"]["x"], prompt[oval]["inputs"]["combine"]) == (20.0, "subtract")


def test_a_shared_workflow_is_one_command_away_with_its_photos(page: Any, server: Server) -> None:
    assert not (server.base / "input" / "photos").exists()
    page.evaluate("async () => { await app.extensionManager.command.execute('Luxgrad.Open.match_reference') }")
    page.wait_for_timeout(1500)
    prompt = page.evaluate(PROMPT)["output"]
    assert "luxgrad.fit" in {entry["class_type"] for entry in prompt.values()}
    assert sorted(path.name for path in (server.base / "input" / "photos").iterdir()) == ["kitten.png", "kitten_reference.png"]
    listed = server.get("/object_info/luxgrad.load_photo")["luxgrad.load_photo"]["input"]["required"]["file"][0]
    assert "photos/kitten.png" in listed


def test_opening_an_api_form_shows_no_live_previews_but_a_hand_on_a_slider_does(page: Any) -> None:
    form = api_form()
    form["2"]["inputs"]["stops"] = 0.4
    page.evaluate("(data) => app.loadApiJson(data, 'quiet')", form)
    page.wait_for_timeout(2500)
    shown = f"() => {GRAPH}.nodes.filter((node) => node.luxgradPreview).length"
    assert page.evaluate(STOPS) == 0.4
    assert page.evaluate(shown) == 0
    page.evaluate(f"() => {GRAPH}.getNodeById(2).widgets.find((w) => w.name === 'stops').callback(0.5)")
    page.wait_for_function(f"() => ({shown})() === 1", timeout=20_000)


def test_the_setting_to_render_every_node_at_once_counts_from_the_next_run_on(page: Any, server: Server) -> None:
    between = {"7": {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}}}
    form = {**api_form(), **between}
    form["3"]["inputs"]["image"] = ["7", 0]
    said = f"() => {GRAPH}.getNodeById(5).luxgradText.textContent"
    told = {}
    for eager in (True, False):
        page.evaluate("(on) => app.extensionManager.setting.set('Luxgrad.Eager', on)", eager)
        page.wait_for_timeout(1000)
        form["2"]["inputs"]["stops"] += 0.1  # nothing of the other mode is reused
        page.evaluate("(data) => app.loadApiJson(data, 'eager')", form)
        page.wait_for_timeout(1000)
        fit(page)
        told[eager] = page.evaluate(said)
    assert "(ImageInvert) carries no gradient" in told[True]
    assert "carries no gradient" not in told[False]

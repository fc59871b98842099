"""Without the pack, in the real editor: its workflows open, and what is missing is named."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .browser import editor
from .server import ROOT, Server

pytestmark = pytest.mark.skipif("COMFYUI_ROOT" not in os.environ, reason="COMFYUI_ROOT names no checkout of ComfyUI")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    running = Server(tmp_path_factory.mktemp("without"), ours=False)
    with editor(running) as opened:
        yield opened
    running.stop()


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").glob("*.json")), ids=lambda path: path.stem)
def test_a_workflow_opens_whole_and_names_what_is_missing(page: Any, path: Path, tmp_path: Path) -> None:
    workflow = json.loads(path.read_text())
    page.keyboard.press("Escape")  # the list of what the workflow before missed
    page.wait_for_timeout(500)
    page.evaluate("(data) => { app.loadGraphData(data, true, true) }", workflow)
    page.wait_for_timeout(2500)
    details = page.get_by_text("View details")  # the newest front end lists them on a page of its own
    if details.count():
        details.first.click()
        page.wait_for_timeout(1500)
    page.screenshot(path=str(tmp_path / "without.png"))
    shown = page.evaluate("() => document.body.innerText")
    ours = {node["type"] for node in workflow["nodes"] if node["type"].startswith("luxgrad.")}
    assert all(kind in shown for kind in ours), sorted(kind for kind in ours if kind not in shown)
    kept = page.evaluate("() => JSON.parse(JSON.stringify((app.rootGraph ?? app.graph).serialize()))")
    before = {node["id"]: node for node in workflow["nodes"]}
    assert sorted(int(node["id"]) for node in kept["nodes"]) == sorted(before)
    for node in kept["nodes"]:
        was = before[int(node["id"])]
        assert (node["type"], node.get("widgets_values")) == (was["type"], was.get("widgets_values"))
    links = [sorted(tuple(map(str, link[:5])) for link in data["links"]) for data in (kept, workflow)]
    assert links[0] == links[1]

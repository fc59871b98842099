"""What a user does first: open a shared workflow in ComfyUI's real editor, by every way there is, and press Run.

The editor is that of comfyui-frontend-package, the oldest that we support and the newest, with canvas nodes and Nodes 2.0.
`make test` fetches both. Behind them is a stand-in for ComfyUI's server, and ComfyUI itself where COMFYUI_ROOT names it.
"""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from luxgrad.files.workflow import embedded_workflow
from luxgrad.graph.ui_form import to_api

from . import browser
from .server import ROOT, Server

EDITORS = sorted((ROOT / ".venv" / "editors").glob("comfyui_frontend_package-*.whl"))
HOSTS = ["a stand-in", *(["ComfyUI"] if "COMFYUI_ROOT" in os.environ else [])]
RELEASED = sorted(path for path in (ROOT / "tests" / "released").glob("*/*.json") if path.parent.name != "api")

GRAPH = "(app.rootGraph ?? app.graph)"
SHOWN = f"""async (id) => {{
    const [image] = {GRAPH}.getNodeById(id)?.imgs ?? [];
    const drawn = [image, ...document.querySelectorAll(`[data-node-id="${{id}}"] img`)];
    if (drawn.some((picture) => picture?.complete && picture.naturalWidth > 64)) return true;
    const [kept] = app.nodeOutputs[id]?.images ?? [];  // the Nodes 2.0 of 1.27, unfinished, draw none in a graph seen from afar
    return Boolean(kept && LiteGraph.vueNodesMode && (await fetch(`/view?${{new URLSearchParams(kept)}}`)).ok);
}}"""
TROUBLE = """() => {
    const shown = [...document.querySelectorAll(".p-dialog, [role=dialog], [role=alertdialog], [data-testid=error-overlay]"
        + ", .p-toast-message-error, .p-toast-message-warn")].map((element) => element.innerText);
    const wrong = app.extensionManager.lastNodeErrors ?? app.lastNodeErrors;
    return [...shown, ...(wrong && Object.keys(wrong).length ? [JSON.stringify(wrong)] : [])].filter(Boolean);
}"""


@dataclass
class FirstRun:
    """An editor in front of a server."""

    page: Any
    server: Any

    def open(self, way: str, path: Path) -> None:
        """Open a workflow, and wait until it and its photos are drawn; nothing is missed."""
        nodes = json.loads(path.read_text())["nodes"]
        self.page.evaluate(f"() => {GRAPH}.nodes.forEach((node) => {{ node.before = true; }})")
        WAYS[way](self.page, path)
        count = f"(count) => {GRAPH}.nodes.length === count && !{GRAPH}.nodes.some((node) => node.before)"
        self.page.wait_for_function(count, arg=len(nodes))
        for node in nodes:
            if node["type"] == "luxgrad.load_photo":
                self.shown(node["id"])
        self.page.wait_for_timeout(300)
        assert self.page.evaluate(TROUBLE) == []

    def shown(self, node: int) -> None:
        """Wait until a node shows its picture."""
        end = time.monotonic() + 30
        while not self.page.evaluate(SHOWN, node):  # which waits for a promise, as wait_for_function does not
            assert time.monotonic() < end, f"node {node} shows no picture"
            self.page.wait_for_timeout(100)

    def run(self, path: Path) -> Path:
        """Press Run, and wait for the file that Save writes and for its picture."""
        save = next(node for node in json.loads(path.read_text())["nodes"] if node["type"] == "luxgrad.save_photo")
        stem = save["widgets_values"][0].partition(".")[0]
        folder = self.server.base / "output"
        before = set(folder.glob(f"{stem}*"))
        self.page.locator("[data-testid=queue-button] button, button[data-testid=queue-button]").first.click()
        end = time.monotonic() + 60
        while not (made := set(folder.glob(f"{stem}*.tif")) - before):
            assert self.page.evaluate(TROUBLE) == []
            assert time.monotonic() < end, "nothing was written"
            self.page.wait_for_timeout(100)
        self.shown(save["id"])
        assert self.page.evaluate(TROUBLE) == []
        return made.pop()

    def prompt(self) -> dict[str, Any]:
        """What a run would send, step by step."""
        return inputs_of(self.page.evaluate("async () => JSON.parse(JSON.stringify((await app.graphToPrompt()).output))"))


def inputs_of(api: dict[str, Any]) -> dict[str, Any]:
    return {node: (entry["class_type"], entry["inputs"]) for node, entry in api.items()}


def from_templates(page: Any, path: Path) -> None:
    page.evaluate("async () => { await app.extensionManager.command.execute('Comfy.BrowseTemplates') }")
    card = page.locator(f"[data-testid=template-workflow-{path.stem}]")
    page.get_by_text("a.pack-of-ours").last.click()
    card.click()


def from_menu(page: Any, path: Path) -> None:
    page.locator("[data-testid=comfy-menu-button], .comfyui-logo-wrapper").first.click()
    page.get_by_role("menuitem", name="Luxgrad").first.hover()
    labels = {"match_reference": "Fit a photo to a reference", "landscape": "Retouch a landscape",
              "portrait": "Retouch a portrait", "film_look": "Give a photo a film look",
              "portrait_local_retouch": "Retouch flaws of the skin",
              "local_retouch_parts": "Local retouch, part by part",
              "diagnose_and_fix": "Say what is wrong and mend it", "say_it": "Say what you wish"}  # fmt: skip
    page.get_by_role("menuitem", name=labels[path.stem]).click()


def from_file(page: Any, path: Path) -> None:
    page.set_input_files("#comfy-file-input", path)


WAYS: dict[str, Callable[[Any, Path], None]] = {"templates": from_templates, "menu": from_menu, "file": from_file}


CASES = [(host, wheel, second) for host in HOSTS for wheel in EDITORS or [None] for second in (False, True)]


def first_runs(*, thorough: bool) -> Any:
    """Every editor and both drawings of nodes; thorough tests on the stand-in, which run everywhere, have canvas nodes only."""
    chosen = [case for case in CASES if not thorough or case[0] == "ComfyUI" or not case[2]]
    ids = [f"{host}, {wheel.name.split('-')[1] if wheel else 'no editor'}, {'Nodes 2.0' if second else 'canvas'}"
           for host, wheel, second in chosen]  # fmt: skip
    return pytest.mark.parametrize("first_run", chosen, ids=ids, indirect=True, scope="module")


@pytest.fixture(scope="module")
def first_run(request: Any, pack: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstRun]:
    host, wheel, second = request.param
    if wheel is None:
        pytest.skip("`make test` fetches ComfyUI's editors (comfyui-frontend-package) into .venv/editors")
    base = tmp_path_factory.mktemp("first") / "base"
    server = _comfyui(base, wheel) if host == "ComfyUI" else _stand_in(base, wheel, pack)
    try:
        with browser.editor(server, second) as page:
            page.keyboard.press("Escape")  # what the editor's own first workflow misses
            page.set_default_timeout(20_000)
            yield FirstRun(page, server)
    finally:
        server.stop()


def _stand_in(base: Path, wheel: Path, pack: ModuleType) -> Any:
    stand_in = pytest.importorskip("luxgrad.tests.nodes.stand_in", reason="the stand-in needs aiohttp: pip install '.[test]'")
    return stand_in.StandIn(base, wheel, pack.NODE_CLASS_MAPPINGS, pack.NODE_DISPLAY_NAME_MAPPINGS)


def _comfyui(base: Path, wheel: Path) -> Server:
    root = base.with_name("editor")
    with zipfile.ZipFile(wheel) as files:
        files.extractall(root)
    return Server(base, "--front-end-root", str(root / "comfyui_frontend_package" / "static"), pinned=True)


def opens_and_runs(first_run: FirstRun, way: str, path: Path) -> None:
    first_run.open(way, path)
    assert first_run.prompt() == inputs_of(to_api(json.loads(path.read_text())))
    made = first_run.run(path)
    with Image.open(made) as picture:
        assert picture.size[0] > 500
    assert "luxgrad.load_photo" in embedded_workflow(made)["prompt"]


@first_runs(thorough=False)
def test_a_template_opens_with_its_photos_and_runs(first_run: FirstRun) -> None:
    opens_and_runs(first_run, "templates", ROOT / "workflows" / "match_reference.json")


@first_runs(thorough=True)
@pytest.mark.parametrize(("way", "name"), [
    ("templates", "landscape"), ("menu", "portrait"), ("file", "film_look"), ("templates", "portrait_local_retouch"),
    ("menu", "local_retouch_parts"), ("templates", "diagnose_and_fix"), ("menu", "say_it"),
])  # fmt: skip
def test_every_workflow_runs_and_every_way_opens_it(first_run: FirstRun, way: str, name: str) -> None:
    opens_and_runs(first_run, way, ROOT / "workflows" / f"{name}.json")


@first_runs(thorough=True)
def test_the_editor_reads_released_files_as_we_read_them(first_run: FirstRun) -> None:
    for path in RELEASED:
        first_run.open("file", path)
        ours, theirs = inputs_of(to_api(json.loads(path.read_text()))), first_run.prompt()
        for node, (kind, inputs) in theirs.items():
            assert kind == ours[node][0]
            assert {name: inputs[name] for name in ours[node][1]} == ours[node][1], f"{path.parent.name}/{path.stem}: {node}"
            assert "image" not in inputs.values(), f"{path.parent.name}/{path.stem}: {node} {inputs}"
        assert ours.keys() == theirs.keys()
    first_run.run(RELEASED[-1])


OLD = {
    "nodes": [
        {"type": "luxgrad.load_photo", "widgets_values": ["photos/none.jpg", "auto", "image"]},
        {"type": "luxgrad.fit", "widgets_values": ["", "auto", 20.0, 7, "randomize", "keep"]},
        {"type": "luxgrad.tone.exposure", "widgets_values": [0.5, "of another pack"]},
        {"type": "TheirNode", "widgets_values": ["image"]},
        None,
    ],
    "definitions": {"subgraphs": [None, {"nodes": [{"type": "luxgrad.save_photo", "widgets_values": ["a.tif", "image"]}]}]},
}  # fmt: skip
MENDED = [
    ["photos/none.jpg", "auto", "full", "as shot", 5500, 0, "neutral", "auto", "off", 0, "image"],
    ["", "auto", 20, 7, "keep"],
    [0.5, "of another pack"],
    ["image"],
    ["a.tif", "auto", 95, True, "sRGB", "keep", 0, "none", True],
]


@first_runs(thorough=True)
def test_old_files_are_mended_also_inside_subgraphs_and_nothing_else_is(first_run: FirstRun) -> None:
    mend = """async (file) => {
        const extension = app.extensions.find((entry) => entry.name === "luxgrad");
        for (const odd of [null, {}, { nodes: 3, definitions: { subgraphs: 4 } }]) await extension.beforeConfigureGraph(odd);
        await extension.beforeConfigureGraph(file);
        return [...file.nodes, ...file.definitions.subgraphs[1].nodes].filter(Boolean).map((node) => node.widgets_values);
    }"""
    assert first_run.page.evaluate(mend, OLD) == MENDED

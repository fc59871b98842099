"""The editor in Chromium, for tests and measurements."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .server import Server

if TYPE_CHECKING:
    from .stand_in import StandIn

QUIET = {"Comfy.TutorialCompleted": True, "Comfy.Notification.ShowVersionUpdates": False, "Comfy.Minimap.Visible": False}


@contextlib.contextmanager
def editor(server: Server | StandIn, second: bool | None = None) -> Iterator[Any]:
    """A page of the editor, ready for a workflow.

    second: whether nodes are drawn as Nodes 2.0 (as COMFYUI_NODES says).
    """
    import pytest

    api = pytest.importorskip("playwright.sync_api", reason="the editor is tested with playwright: pip install '.[test]'")
    chromium = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if chromium is None:
        pytest.skip("the editor is tested in Chromium: apt install chromium")
    second = os.environ.get("COMFYUI_NODES") == "2" if second is None else second
    server.post("/settings", {**QUIET, "Comfy.VueNodes.Enabled": second})
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"])
        opened = browser.new_page(viewport={"width": 1500, "height": 950})
        opened.goto(server.url)
        opened.wait_for_function(
            "() => window.app?.graph && window.app?.extensionManager?.workflow?.activeWorkflow", timeout=90_000
        )
        opened.wait_for_timeout(1500)
        yield opened
        browser.close()


def show(page: Any, workflow: dict[str, Any]) -> None:
    """Open a workflow."""
    page.evaluate("async (data) => { await app.loadGraphData(data, true, true) }", workflow)
    page.wait_for_timeout(600)

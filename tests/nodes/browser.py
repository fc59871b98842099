"""The editor in Chromium, for tests and measurements."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

from .server import Server

QUIET = {"Comfy.TutorialCompleted": True, "Comfy.Notification.ShowVersionUpdates": False, "Comfy.Minimap.Visible": False}


@contextlib.contextmanager
def editor(server: Server) -> Iterator[Any]:
    """A page of the editor, ready for a workflow."""
    import pytest

    api = pytest.importorskip("playwright.sync_api", reason="the editor is tested with playwright: pip install '.[browser]'")
    chromium = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if chromium is None:
        pytest.skip("the editor is tested in Chromium: apt install chromium")
    server.post("/settings", {**QUIET, "Comfy.VueNodes.Enabled": os.environ.get("COMFYUI_NODES") == "2"})
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

"""The pack, loaded as ComfyUI loads it, without ComfyUI; node code runs in inference mode, as there."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from . import browser
from .server import Server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pack() -> Iterator[ModuleType]:
    """The root as a module under the kind of name that ComfyUI gives it."""
    name = str(ROOT).replace(".", "_x_") + "_pack"
    spec = importlib.util.spec_from_file_location(name, os.path.join(ROOT, "__init__.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    for loaded in [key for key in sys.modules if key == name or key.startswith(name + ".")]:
        del sys.modules[loaded]


class Editor:
    """A few nodes on a canvas: gives ids and titles, keeps the prompt, calls nodes as the executor does."""

    def __init__(self, pack: ModuleType) -> None:
        self.classes, self.prompt = pack.NODE_CLASS_MAPPINGS, {}
        self.made: dict[int, list[Any]] = {}

    def foreign(self, kind: str = "LoadImage", **wires: Any) -> str:
        """A node of another pack; returns its id."""
        node = str(len(self.prompt) + 1)
        self.prompt[node] = {"class_type": kind, "inputs": wires}
        return node

    def add(self, kind: str, title: str = "", **inputs: Any) -> tuple[str, Any]:
        """Run one of our nodes: inputs are widget values, or (link, value) pairs. Returns its id and what it gives."""
        node, cls = str(len(self.prompt) + 1), self.classes[kind]
        types = cls.INPUT_TYPES()
        entries = {**types["required"], **types["optional"]}
        values = {name: entry[1]["default"] for name, entry in entries.items() if "default" in entry[1]}
        wires = {name: list(value[0]) for name, value in inputs.items() if isinstance(value, tuple)}
        values |= {name: value[1] if isinstance(value, tuple) else value for name, value in inputs.items()}
        self.prompt[node] = {"class_type": kind, "inputs": {**values, **wires}, "_meta": {"title": title}}
        hidden = {"unique_id": node, "prompt": self.prompt}
        if getattr(cls, "INPUT_IS_LIST", False):
            values = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
            hidden = {name: [value] for name, value in hidden.items()}
        with torch.inference_mode():
            return node, getattr(cls(), cls.FUNCTION)(**values, **hidden)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever nodes write lands in a folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def editor(pack: ModuleType) -> Editor:
    return Editor(pack)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real ComfyUI with the pack; for tests that COMFYUI_ROOT switches on."""
    running = Server(tmp_path_factory.mktemp("comfyui"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Any]:
    """Its editor, in Chromium."""
    with browser.editor(server) as opened:
        yield opened

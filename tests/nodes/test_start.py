"""What the pack costs ComfyUI to start, and that a package which is broken stops only what needs it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

import luxgrad
from luxgrad.engine.execute import Execution
from luxgrad.files.errors import FileError
from luxgrad.graph.errors import WorkflowError
from luxgrad.light.photo import Photo
from luxgrad.light.rectangle import Region

from ..graph.graphs import chain
from .conftest import ROOT

LATE = (
    "kornia",
    "networkx",
    "cma",
    "scipy",
    "matplotlib",
    "pandas",
    "tifffile",
    "imagecodecs",
    "cv2",
    "torchvision",
    "aiohttp",
)
"""Packages that a start needs not; of ComfyUI's own, those that it has loaded long before."""

OF_OURS = ("cli", "api", "environment", "endpoint", "benchmarks", "training", "host")

BROKEN = {
    "absent": "raise ModuleNotFoundError(\"No module named '{name}'\", name={name!r})",
    "of another Python": "raise ImportError('DLL load failed while importing _core:\\nThe module could not be found.')",
    "without its library": "raise OSError('libsomething.so.6: cannot open shared object file')",
    "of another numpy": "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')",
}


def started(code: str, *before: Path) -> str:
    """What a Python prints that loads our root as ComfyUI does, under another name, and then runs some code."""
    load = (
        "import sys, torch, importlib.util as u\n"
        f"sys.path[:0] = {[str(path) for path in before]!r}\n"
        f"s = u.spec_from_file_location('p', {str(ROOT / '__init__.py')!r})\n"
        "m = u.module_from_spec(s); sys.modules['p'] = m; before = set(sys.modules)\n"
        "s.loader.exec_module(m)\n"
    )
    return subprocess.run([sys.executable, "-c", load + code], check=True, cwd="/", capture_output=True, text=True).stdout


def test_no_room_but_the_door_is_loaded_before_comfyui_asks_and_then_nothing_heavy() -> None:
    said = started(
        "assert not [key for key in sys.modules if key.startswith('p.')]\n"
        "m.NODE_CLASS_MAPPINGS, m.NODE_DISPLAY_NAME_MAPPINGS\n"
        "import json; print(json.dumps(sorted({*sys.modules} - before)))"
    )
    loaded = set(json.loads(said))
    assert not {name for name in loaded if name.partition(".")[0] in LATE}
    assert not {name for name in loaded if name.startswith("p.") and name.split(".")[1] in OF_OURS}
    assert not {name for name in loaded if name.startswith(("torch._dynamo", "torch._inductor", "torch.onnx", "sympy"))}
    assert "p.nodes.mappings" in loaded


def test_the_pack_starts_and_works_beside_broken_packages(tmp_path: Path) -> None:
    for name in ("imagecodecs", "tifffile", "cma"):
        (tmp_path / f"{name}.py").write_text(BROKEN["without its library"])
    said = started(
        "count = len(m.NODE_CLASS_MAPPINGS)\n"
        "node = m.NODE_CLASS_MAPPINGS['luxgrad.tone.exposure']\n"
        "(lit,) = node().answer(unique_id='1', image=torch.full((1, 4, 4, 3), 0.25), stops=1.0)\n"
        "photo = m.NODE_CLASS_MAPPINGS['luxgrad.load_photo']()\n"
        "(shown, _) = photo.answer(unique_id='2', file='photos/kitten.png', light='auto')\n"
        "print(count, lit.mean().item() > 0.3, tuple(shown.clone().shape)[-1])",
        tmp_path,
    )
    assert said.split()[1:] == ["True", "3"]


def test_comfyui_is_asked_for_room_where_memory_runs_out(pack: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pack.NODE_CLASS_MAPPINGS
    comfy = importlib.import_module(f"{pack.__name__}.nodes.comfy")
    asked: list[str] = []
    names = ("unload_all_models", "soft_empty_cache", "free_memory", "throw_exception_if_processing_interrupted")
    tell = {name: (lambda *_arguments, name=name: asked.append(name)) for name in names}
    management = SimpleNamespace(**tell, get_torch_device=lambda: torch.device("cpu"))
    monkeypatch.setitem(sys.modules, "comfy.model_management", management)
    comfy.CACHE.put("some key", torch.zeros(8))
    with comfy.rendering(100) as settings:
        assert asked == ["free_memory"]
        graph = chain("tone.exposure")
        sizes: list[int] = []
        lacking = torch.cuda.OutOfMemoryError("CUDA out of memory")

        def put(region: Region, _pixels: torch.Tensor) -> None:
            sizes.append(region.pixels)

        evaluate = Execution.evaluate

        def cramped(self: Execution, wanted: Any, *rest: Any) -> Any:
            if wanted[0][1].pixels > 5000:
                raise lacking
            return evaluate(self, wanted, *rest)

        monkeypatch.setattr(Execution, "evaluate", cramped)
        graph(Photo(torch.rand(1, 3, 80, 100)), memory=settings.memory, put=put)
    assert sizes == [4000, 4000]
    assert asked[1:3] == ["unload_all_models", "soft_empty_cache"]
    assert len(comfy.CACHE) == 0


@pytest.fixture(params=BROKEN)
def broken(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Three packages that fail to load, each as such packages do."""
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in ("imagecodecs", "tifffile", "cma"):
        (folder / f"{name}.py").write_text(BROKEN[request.param].format(name=name))
        for loaded in [key for key in sys.modules if key.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.syspath_prepend(folder)
    return request.param


def test_what_needs_a_broken_package_names_it_and_the_extra_that_brings_it(broken: str, tmp_path: Path) -> None:
    photo = Photo(torch.full((1, 3, 8, 8), 0.2))
    loads = "" if broken == "absent" else r", which fails to load \(\w+Error: .*\)"
    with pytest.raises(FileError, match=rf"TIFF needs the package tifffile{loads}: pip install .*'luxgrad\[files\]'$") as found:
        luxgrad.save(photo, tmp_path / "photo.tif")
    assert "\n" not in str(found.value)
    with pytest.raises(FileError, match=rf"16-bit PNG needs the package imagecodecs{loads}: pip install .*'luxgrad\[files\]'$"):
        luxgrad.save(photo, tmp_path / "photo.png", depth="16")
    with pytest.raises(WorkflowError, match=rf"cmaes needs the package cma{loads}: pip install .*'luxgrad\[fit\]'$"):
        chain("tone.exposure").fit(photo, photo, method="cmaes")
    luxgrad.save(photo, tmp_path / "photo.jpg")
    assert luxgrad.load(tmp_path / "photo.jpg").size == (8, 8)
    assert not list(tmp_path.glob("photo.t*"))

"""A new operation is a new file: one command writes all that follows from it, in a new family too."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("advice", "cli", "engine", "files", "fit", "graph", "light", "networks", "nodes", "ops")
FILES = ("__init__.py", "api.py", "README.md", "pyproject.toml", "docs/generate.py", "tests/inventory.txt")


def checkout(folder: Path) -> Path:
    """The part of the repository that generating needs, to write in."""
    tree = folder / "luxgrad"
    for room in ROOMS:
        shutil.copytree(ROOT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    return tree


def generate(tree: Path) -> tuple[list[str], str]:
    """What the command says, and why it refuses."""
    environment = {"PYTHONPATH": str(tree.parent), "PATH": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "docs/generate.py"]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    assert bool(done.returncode) == bool(done.stderr)
    return done.stdout.splitlines(), done.stderr


def test_one_command_writes_all_that_follows_from_a_new_file_and_refuses_to_change_an_old_one(tmp_path: Path) -> None:
    tree = checkout(tmp_path)
    family = tree / "ops" / "retouch"
    family.mkdir()
    (family / "__init__.py").write_text('"""Retouch: what a retoucher does by hand."""\n')
    for probe in ("highlights", "modules"):
        text = (ROOT / "tests" / "probes" / f"{probe}.py").read_text()
        text = text.replace("from luxgrad.ops.", "from ..").replace("from luxgrad.", "from ...")
        (family / f"{probe}.py").write_text(text)
    assert generate(tree)[0] == [
        "written: README.md",
        "written: nodes/web/docs/luxgrad.retouch.film.md",
        "written: nodes/web/docs/luxgrad.retouch.highlights.md",
        "written: nodes/web/docs/luxgrad.retouch.tone_equaliser.md",
        "written: nodes/web/docs/luxgrad.retouch.vibrance.md",
        "written: pyproject.toml",
        "written: tests/inventory.txt",
    ]
    row = "| retouch | what a retoucher does by hand | film, highlights, tone equaliser, vibrance |\n"
    assert row in (tree / "README.md").read_text()
    assert "luxgrad.ops.retouch" in tomllib.loads((tree / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    line = "retouch.film | image:IMAGE network:LUXGRAD_NETWORK | strength=1.0 stock=slide | IMAGE\n"
    assert line in (tree / "tests" / "inventory.txt").read_text()
    assert "| stock | slide, negative, mono | slide |" in (tree / "nodes/web/docs/luxgrad.retouch.film.md").read_text()

    exposure = tree / "ops" / "tone" / "exposure.py"
    exposure.write_text(exposure.read_text().replace('unit="EV")] = 0.0', 'unit="EV")] = 0.5'))
    (family / "highlights.py").unlink()
    before = (tree / "README.md").read_text()
    said, refused = generate(tree)
    assert said == []
    assert refused.splitlines() == [
        "retouch.highlights is gone: files that name it open no more",
        "tone.exposure: parameters are added at the end, and keep their names and defaults; 'stops=0.0' became 'stops=0.5'",
        "a change of these needs a new id; what was never released is taken out of tests/inventory.txt first",
    ]
    assert (tree / "README.md").read_text() == before

    exposure.write_text(exposure.read_text().replace('unit="EV")] = 0.5', 'unit="EV")] = 0.0'))
    inventory = tree / "tests" / "inventory.txt"
    inventory.write_text("".join(row for row in inventory.read_text().splitlines(True) if "retouch.highlights" not in row))
    assert generate(tree) == (["written: README.md", "written: nodes/web/docs/luxgrad.retouch.highlights.md"], "")
    assert not (tree / "nodes/web/docs/luxgrad.retouch.highlights.md").exists()

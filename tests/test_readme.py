"""What the README says is true: its Python runs as printed, its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from luxgrad.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_python_example_runs_as_printed(tmp_path: Path) -> None:
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    (tmp_path / "workflows").symlink_to(ROOT / "workflows")
    printed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert (tmp_path / "matched.tif").exists()
    before, after = (float(x) for x in re.findall(r"([\d.]+) dB", printed))
    assert after > before + 10


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/how-it-works.md", "docs/advice.md"])
def test_files_that_a_page_names_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    for name in re.findall(r"(?:\]\(|`)((?:docs|ops|tests|light|workflows|benchmarks|training)/[\w./-]+)", text):
        assert (ROOT / name.rstrip("/.")).exists(), f"{page} names {name}"


def test_the_terminal_commands_run_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "workflows").symlink_to(ROOT / "workflows")
    photos = ROOT / "workflows" / "photos"
    for name, source in (("mine.jpg", "lake.jpg"), ("before.png", "kitten.png"), ("after.png", "kitten_reference.png")):
        shutil.copy(photos / source, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    commands = [line.split("#")[0] for block in blocks("sh") for line in block.splitlines() if line.startswith("luxgrad ")]
    assert len(commands) >= 8
    for command in commands:
        words = shlex.split(command)[1:]
        assert main([*words, *(["--seconds", "2"] if words[0] == "fit" else [])]) == 0, command

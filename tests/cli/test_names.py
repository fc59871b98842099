"""Files whose names are no UTF-8, as inputs and outputs of every command: they work, or are refused in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import luxgrad
from luxgrad.cli.main import main
from luxgrad.graph.schema import to_data

from ..graph.graphs import chain

pytestmark = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="its file systems hold no such names")
STRANGE = os.fsdecode(b"caf\xe9 ")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder, itself of such a name, with a photo, a target and workflows of such names."""
    place = tmp_path / STRANGE
    place.mkdir()
    Image.linear_gradient("L").convert("RGB").resize((24, 16)).save(place / f"{STRANGE}.png")
    Image.linear_gradient("L").convert("RGB").resize((24, 16)).point(lambda code: code * 7 // 8).save(place / f"{STRANGE}t.png")
    graph = chain("tone.exposure")
    (place / f"{STRANGE}.json").write_text(json.dumps(to_data(graph)))
    source = next(step.id for step in graph.by_role("source"))
    named = graph.with_values({f"{source}.file": f"{STRANGE}.png"})
    (place / f"{STRANGE}n.json").write_text(json.dumps(to_data(named)))
    return place


COMMANDS = {
    "run": "run {w} --input {p} --out {o}.png",
    "run a workflow that names the photo": "run {n} --out {o}.tif",
    "run with a photo set": "run {w} --set photo.file={p} --out {o}.jxl",
    "run by a template": "run {w} --input {p} --out {d}/{{name}}.jpg",
    "run --each": "run {w} --each {p} {t} --out {d}/{{name}}_new.webp",
    "run from the picture": "run {w} --input {p} --out {o}.avif",
    "fit": "fit {w} --input {p} --target {t} --seconds 1 --out {o}",
    "fit a workflow that names the photo": "fit {n} --target {t} --seconds 1 --out {o}",
    "bake": "bake {w} --out {o}.cube --points 2",
    "check": "check {w} --input {p}",
    "check a workflow that names the photo": "check {n}",
    "convert": "convert {w} {o}.json",
    "convert a workflow that names the photo": "convert {n} {o}.json",
    "auto": "auto {w} --input {p} --out {o}.json",
    "auto on a workflow that names the photo": "auto {n} --out {o}.json",
    "info": "info {p} {t}",
    "info --json": "info --json {p} {t}",
    "sheet": "sheet {o}.png {p} {t}",
}


def arguments_of(words: str, desk: Path) -> list[str]:
    names = {"w": ".json", "n": "n.json", "p": ".png", "t": "t.png", "o": "out", "x": "missing"}
    places = {"d": desk, **{key: desk / f"{STRANGE}{name}" for key, name in names.items()}}
    return [word.format(**places) for word in words.split()]


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_works_with_names_that_are_no_utf_8(desk: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    before = set(desk.iterdir())
    code = main(arguments_of(COMMANDS[what], desk))
    said = capsys.readouterr()
    assert code == 0, said.err
    assert said.err == ""
    said.out.encode()
    if "out" in COMMANDS[what] or "{o}" in COMMANDS[what]:
        made = set(desk.iterdir()) - before
        assert made
        for path in made:
            if path.suffix == ".json":
                assert main(["check", str(path), "--input", str(desk / f"{STRANGE}.png")]) == 0
            elif path.is_dir():
                assert main(["check", str(path / "fitted.json")]) == 0
            elif path.suffix != ".cube":
                assert luxgrad.load(path).size.width >= 24


REFUSED = {
    "a photo that is missing": ("run {w} --input {x}.png --out {o}.png", "No such file"),
    "an output that is there": ("run {w} --input {p} --out {p}", "it is an input"),
    "an output of no format": ("run {w} --input {p} --out {o}.xyz", "expected a name ending in"),
    "a workflow that is a picture": ("check {p}", "got a picture without one"),
    "two photos of one name": ("run {w} --each {p} {p} --out {d}/{{name}}.png", "another photo of this run is there already"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_names_the_bytes_of_the_file_in_one_line(
    desk: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    words, expected = REFUSED[what]
    assert main(arguments_of(words, desk)) == 2
    first, *more = capsys.readouterr().err.strip().splitlines()
    assert len(more) == ("--each" in words)
    assert expected in first
    assert "caf\\xe9 " in first


def test_a_terminal_of_few_letters_stops_no_command(desk: Path) -> None:
    exif = Image.Exif()
    exif[0x013B] = "\N{SNOWMAN}"
    Image.new("RGB", (8, 8)).save(desk / f"{STRANGE}.jpg", exif=exif)
    for few in ("ascii:strict", "utf-8:strict"):
        done = subprocess.run(
            [sys.executable, "-m", "luxgrad", "info", desk / f"{STRANGE}.jpg"],
            env={**os.environ, "PYTHONIOENCODING": few}, capture_output=True,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        assert rb"caf\xe9 .jpg" in done.stdout

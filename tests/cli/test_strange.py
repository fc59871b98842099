"""Damaged workflows at the terminal: every command does its work or says in one line what is wrong."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import event, given, strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import luxgrad
from luxgrad.cli.main import main
from luxgrad.graph.schema import from_data, loads, to_data
from luxgrad.light.photo import Photo

from ..conftest import ROOT
from ..graph.strange import damaged
from ..graph.test_strange import SHIPPED

DOCUMENTS = [*SHIPPED, *(to_data(from_data(data)) for data in SHIPPED)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the photos of the shipped workflows, very small."""
    folder = tmp_path_factory.mktemp("strange")
    shutil.copytree(ROOT / "workflows" / "luts", folder / "luts")
    (folder / "photos").mkdir()
    for file in sorted((ROOT / "workflows" / "photos").glob("*.*g")):
        photo = luxgrad.load(file)
        luxgrad.save(Photo(photo.reduced(photo.size.scaled(24 / photo.size.long_edge)).pixels), folder / "photos" / file.name)
    return folder


def told(*arguments: str | Path) -> tuple[int, str, str]:
    """What a command returns, prints and complains, on a terminal that only knows ASCII."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=errors) for errors in ("strict", "backslashreplace")]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        code = main([str(argument) for argument in arguments])
    texts = []
    for stream in streams:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("ascii"))  # type: ignore[attr-defined]
    return code, *texts  # type: ignore[return-value]


def fine(*arguments: str | Path) -> bool:
    """Whether a command did its work; where it did not, it must have said why in one line."""
    code, _, complaint = told(*arguments)
    lines = complaint.splitlines()
    if code == 2:
        assert len(lines) == 1, complaint
        assert lines[0].startswith("luxgrad: "), complaint
    else:
        assert (code, lines) == (0, []), complaint
    return code == 0


@given(damaged(DOCUMENTS))
def test_a_damaged_workflow_is_checked_run_and_converted_or_refused_in_one_line(desk: Path, text: str) -> None:
    file, out, form = desk / "edit.json", desk / "out.png", desk / "form.json"
    file.write_text(text)
    checked = fine("check", file)
    ran = fine("run", file, "--out", out, "--size", "16", "--force")
    converted = fine("convert", file, form, "--force")
    event(f"check {checked}, run {ran}, convert {converted}")
    if converted:
        json.loads(form.read_text())
        assert fine("convert", form, desk / "back.json", "--force") or not checked
        assert not checked or loads((desk / "back.json").read_text())


@given(damaged(SHIPPED), st.sampled_from(("workflow", "prompt")))
def test_a_picture_that_carries_a_damaged_workflow_is_read_or_refused_in_one_line(desk: Path, text: str, name: str) -> None:
    file, texts = desk / "carrier.png", PngInfo()
    texts.add_text(name, text)
    Image.new("RGB", (8, 8)).save(file, pnginfo=texts)
    assert fine("info", file)
    fine("check", file)
    if fine("convert", file, desk / "carried.json", "--force"):
        json.loads((desk / "carried.json").read_text())


@pytest.mark.parametrize("text", ["[1]", "{}", "3", '"x"', '{"nodes": 3}', '{"1": {"class_type": "LoadImage"}}'])
def test_what_a_picture_carries_for_a_document_and_is_none_is_not_taken_out(desk: Path, text: str) -> None:
    texts = PngInfo()
    texts.add_text("workflow", text)
    Image.new("RGB", (8, 8)).save(desk / "none.png", pnginfo=texts)
    assert not fine("convert", desk / "none.png", desk / "none.json")
    assert not (desk / "none.json").exists()


NAMES = ("half \ud800 a pair", "r\udce9sum\udce9", "line\nbreak", "\x1b[31mred", "\u202eback", "光")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_of_any_letters_is_printed_and_written(desk: Path, name: str) -> None:
    data = {
        "1": {"class_type": "luxgrad.load_photo", "inputs": {"file": "photos/lake.jpg"}, "_meta": {"title": name}},
        name: {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["1", 0]}, "_meta": {"title": f"{name}."}},
        "3": {"class_type": "luxgrad.save_photo", "inputs": {"image": [name, 0]}, "_meta": {"title": f"{name}!"}},
    }
    file, form, back = desk / "named.json", desk / "named_ui.json", desk / "named_api.json"
    file.write_text(json.dumps(data))
    picture = desk / "named.png"
    for command in (("check", file), ("convert", file, form, "--force"), ("convert", form, back, "--force"),
                    ("run", file, "--out", picture, "--force"), ("info", picture), ("check", picture),
                    ("convert", picture, desk / "taken.json", "--force")):  # fmt: skip
        code, printed, complaint = told(*command)
        assert (code, complaint) == (0, "")
        assert all(line.isprintable() for line in printed.splitlines())
    assert [step.title for step in loads(back.read_text())] == [name, f"{name}.", f"{name}!"]
    data["1"]["inputs"]["file"] = name
    file.write_text(json.dumps(data))
    assert not fine("run", file, "--out", picture, "--force")
    assert not fine("check", file)

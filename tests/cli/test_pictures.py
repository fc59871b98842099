"""`luxgrad info` and `sheet`, workflows inside pictures, and names of files from what photos say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import luxgrad
from luxgrad.cli.main import main
from luxgrad.files.sheet import Sheet
from luxgrad.files.workflow import embedded_workflow
from luxgrad.graph.schema import to_data
from luxgrad.light.photo import Photo

from ..graph.graphs import chain
from .test_cli import refused


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """A small JPEG with what a camera writes."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112], exif[0x8298] = "NIKON CORPORATION", "NIKON D610", 6, "evil\x1b[2J\nname"
    exif[0x8769] = {
        0x829A: 1 / 250,
        0x829D: 2.8,
        0x8827: 100,
        0x920A: 35.0,
        0x9003: "2016:01:22 17:30:25",
        0xA434: "35 mm f/1.8",
    }
    exif[0x8825] = {1: "S", 2: (33.0, 51.0, 36.0), 3: "E", 4: (151.0, 12.0, 36.0)}
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(tmp_path / "shot.jpg", exif=exif)
    return tmp_path / "shot.jpg"


def test_info_says_what_a_photographer_asks(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(shot)]) == 0
    printed = capsys.readouterr().out
    facts = dict(line.strip().split("  ", 1) for line in printed.splitlines()[1:])
    facts = {name: text.strip() for name, text in facts.items()}
    assert facts["size"].startswith("40 x 60 px, 0.0 MP, ")
    assert facts["camera"] == "NIKON D610"
    assert facts["exposure"] == "1/250 s  f/2.8  ISO 100  35 mm"
    assert facts["date"] == "2016-01-22 17:30:25"
    assert facts["location"] == "33.86000 S, 151.21000 E"
    assert facts["orientation"] == "6, turned upright when opened"
    assert facts["workflow"] == "none"
    assert "\x1b" not in printed


def test_info_is_json_for_programs_and_goes_on_after_a_bad_file(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = shot.with_name("bad.jpg")
    bad.write_text("no photo")
    picture = luxgrad.save(
        luxgrad.load(shot), shot.with_name("made.tif"), workflow=chain("tone.exposure"), metadata="without location"
    )
    assert main(["info", str(bad), str(shot), str(picture), "--json"]) == 2
    captured = capsys.readouterr()
    one, two = json.loads(captured.out)
    assert (one["iso"], one["seconds"], one["location"]["latitude"]) == (100, pytest.approx(0.004), pytest.approx(-33.86))
    assert two["location"] is None
    assert two["steps"] == ["load_photo", "tone.exposure", "save_photo"]
    assert (two["width"], two["height"], two["bits"], two["light"]) == (40, 60, 16, "display")
    assert "bad.jpg: expected a photo" in captured.err


def test_a_sheet_shows_every_photo_in_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]
    for index, colour in enumerate(colours):
        Image.new("RGB", (80, 40) if index else (20, 80), colour).save(tmp_path / f"{index}.png")
    files = [str(tmp_path / f"{index}.png") for index in range(3)]
    out = tmp_path / "sheet.png"
    layout = ["--columns", "2", "--cell", "40", "--gap", "10", "--captions", "none", "--background", "100"]
    assert main(["sheet", str(out), *files, *layout]) == 0
    assert "3 photos, 110 x 90 px" in capsys.readouterr().out
    with Image.open(out) as image:
        codes = np.asarray(image) // 256 if image.mode.startswith("I") else np.asarray(image.convert("RGB"))
    middles = [(30, 30), (40, 80), (70, 30)]
    for (y, x), colour in zip(middles, colours):
        assert np.abs(codes[y, x].astype(int) - colour).max() <= 1
    assert (codes[5, 5] == 255).all()
    assert (codes[70, 80] == 255).all()


def test_a_sheet_has_captions_and_is_refused_where_it_cannot_be(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shot.with_name("sheet.jpg")
    assert main(["sheet", str(out), str(shot), "--cell", "200"]) == 0
    capsys.readouterr()
    size = luxgrad.load(out).size
    assert size == (24 + 60 + Sheet(cell=200).strip + 24, 24 + 200 + 24)
    strip = luxgrad.load(out).pixels[0, 1, -40:, :]
    assert strip.max() > 4 * strip.min()  # words on the paper
    assert "it is an input, and inputs are never overwritten" in refused(capsys, "sheet", shot, shot, "--force")
    assert "it exists already" in refused(capsys, "sheet", out, shot)
    assert "--cell: expected 32 to 4096" in refused(capsys, "sheet", out, shot, "--cell", "5", "--force")
    assert "expected a sheet of at most 200 MP" in refused(capsys, "sheet", out, *[shot] * 20, "--cell", "4096", "--force")


def test_a_picture_is_a_workflow_wherever_one_is_expected(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workflow = shot.with_name("edit.json")
    workflow.write_text(json.dumps(to_data(chain("tone.exposure"))))
    made = shot.with_name("made.png")
    run = ["--input", str(shot), "--set", "exposure.stops=1"]
    assert main(["run", str(workflow), *run, "--out", str(made)]) == 0
    assert main(["check", str(made)]) == 0
    assert "1 tone" in capsys.readouterr().out
    assert main(["run", str(made), "--input", str(shot), "--out", str(shot.with_name("again.png"))]) == 0
    np.testing.assert_array_equal(*(luxgrad.load(shot.with_name(name)).raster.values for name in ("made.png", "again.png")))
    assert main(["convert", str(made), str(shot.with_name("edit_ui.json"))]) == 0
    (exposure,) = (step for step in luxgrad.open(shot.with_name("edit_ui.json")) if step.spec.id == "tone.exposure")
    assert exposure.value("stops") == 1
    assert "expected a workflow; got a picture without one" in refused(capsys, "check", shot)


def test_run_obeys_what_save_photo_says(shot: Path) -> None:
    data = to_data(chain("tone.exposure"))
    data["out"]["inputs"] |= {"colour_space": "Display P3", "metadata": "none", "size": 30, "sharpen": "screen"}
    workflow = shot.with_name("edit.json")
    workflow.write_text(json.dumps(data))
    out = shot.with_name("o.jpg")
    assert main(["run", str(workflow), "--input", str(shot), "--out", str(out)]) == 0
    photo = luxgrad.load(out)
    assert photo.size == (30, 20)
    assert "Model" not in photo.metadata
    assert embedded_workflow(out) == {}
    assert "Display P3".encode("utf-16-be") in out.read_bytes()
    assert main(["run", str(workflow), "--input", str(shot), "--out", str(out), "--force", "--size", "15"]) == 0
    assert luxgrad.load(out).size == (15, 10)


def test_names_are_filled_in_before_anything_is_written(shot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workflow = shot.with_name("edit.json")
    workflow.write_text(json.dumps(to_data(chain("tone.exposure"))))
    run = ["run", str(workflow), "--input", str(shot), "--out"]
    for _ in range(2):
        assert main([*run, str(shot.with_name("{name}_{camera}_{counter:03}.png"))]) == 0
    assert shot.with_name("shot_NIKON D610_002.png").exists()
    assert "no field '{nmae}' (nearest: {name}" in refused(capsys, *run, shot.with_name("{nmae}.png"))
    assert "it is an input" in refused(capsys, *run, shot.with_name("{name}.jpg"), "--force")


def test_old_workflows_keep_loading_with_the_new_options_at_rest() -> None:
    graph = chain("tone.exposure")
    step = graph.step("out")
    assert list(step.all_values())[:4] == ["file", "depth", "quality", "dither"]
    values = step.all_values()
    assert (values["colour_space"], values["metadata"], values["size"], values["sharpen"]) == ("sRGB", "keep", 0, "none")
    photo = Photo(torch.full((1, 3, 4, 4), 0.2))
    assert graph(photo).size == (4, 4)

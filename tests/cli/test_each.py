"""Many photos through one workflow in one run."""

from __future__ import annotations

from pathlib import Path

import pytest

import luxgrad
from luxgrad.cli.main import main

from .test_cli import desk as desk, refused


@pytest.fixture
def shoot(desk: Path) -> list[Path]:
    photo = luxgrad.load(desk / "photo.png")
    files = [desk / f"{name}.png" for name in ("one", "two", "three")]
    for file in files:
        luxgrad.save(photo, file, depth="8", dither=False)
    return files


def run(desk: Path, out: str, files: list[Path], *more: str) -> list[str]:
    return ["run", str(desk / "edit.json"), "--out", str(desk / out), *more, "--each", *map(str, files)]


def test_each_photo_is_written_under_its_own_name(desk: Path, shoot: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run(desk, "{name}_done.tif", shoot, "--set", "exposure.stops=1")) == 0
    assert capsys.readouterr().out.splitlines()[2] == f"3 of 3: {desk / 'three_done.tif'}"
    alone = desk / "alone.tif"
    assert (
        main(["run", str(desk / "edit.json"), "--input", str(shoot[1]), "--set", "exposure.stops=1", "--out", str(alone)]) == 0
    )
    assert (luxgrad.load(desk / "two_done.tif").pixels == luxgrad.load(alone).pixels).all()


def test_a_damaged_photo_is_named_and_the_others_are_written(
    desk: Path, shoot: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shoot[1].write_bytes(shoot[1].read_bytes()[:100])
    assert main(run(desk, "{name}.tif", shoot)) == 2
    said = capsys.readouterr().err.splitlines()
    assert "two.png: damaged" in said[0]
    assert said[1] == "luxgrad: 1 of 3 photos were not written"
    assert sorted(path.name for path in desk.glob("*.tif")) == ["one.tif", "target.tif", "three.tif"]


def test_photos_never_overwrite_each_other_or_an_input(
    desk: Path, shoot: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(run(desk, "{width}.tif", shoot, "--force")) == 2
    said = capsys.readouterr().err.splitlines()
    assert sum("another photo of this run is there already" in line for line in said) == 2
    before = [file.read_bytes() for file in shoot]
    assert main(run(desk, "{name}.png", shoot, "--force")) == 2
    assert [file.read_bytes() for file in shoot] == before
    assert "inputs are never overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("all.tif", "--out: expected a template for 3 photos"),
        ("{nome}.tif", "a file name has no field '{nome}'"),
        ("{name}.xyz", "expected a name ending in"),
    ],
)
def test_a_bad_template_is_refused_before_any_photo_is_read(
    desk: Path, shoot: list[Path], capsys: pytest.CaptureFixture[str], out: str, expected: str
) -> None:
    assert expected in refused(capsys, *run(desk, out, shoot))

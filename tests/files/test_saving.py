"""Saving: what Save Photo's options do, names of files, the workflow inside, and nothing half-written."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile, PngImagePlugin

import luxgrad
from luxgrad.files.atomic import whole_file
from luxgrad.files.decode import glance
from luxgrad.files.metadata import WORKFLOW_TEXTS
from luxgrad.files.names import expanded, numbered, safe
from luxgrad.files.workflow import embedded_workflow
from luxgrad.graph.embedding import texts_of, workflow_texts
from luxgrad.graph.schema import dumps, to_data
from luxgrad.light.difference import compare
from luxgrad.light.photo import Photo

from ..graph.graphs import chain
from .oracles import program

WRITTEN = ["a.jpg", "a.png", "a.tif", "a.webp"]
TAKEN = {"Make": "Canon", "Model": "Canon EOS M", "LensModel": "EF-M 18-55/3.5", "ISOSpeedRatings": 100,
         "FNumber": 2.8, "ExposureTime": 1 / 250, "FocalLength": 35.0, "DateTimeOriginal": "2013:05:04 12:33:11",
         "FileName": "lake.one.CR2"}  # fmt: skip


@pytest.mark.parametrize("space", ["sRGB", "Display P3", "Rec.2020", "Adobe RGB"])
def test_a_photo_comes_back_through_every_colour_space(space: str, tmp_path: Path, picture: torch.Tensor) -> None:
    luxgrad.save(Photo(picture), tmp_path / "a.tif", colour_space=space)
    assert compare(luxgrad.load(tmp_path / "a.tif"), Photo(picture)).psnr > 80
    assert space.encode("utf-16-be") in (tmp_path / "a.tif").read_bytes()  # the name in the profile


def test_size_and_sharpening_are_our_own_operations(tmp_path: Path, picture: torch.Tensor) -> None:
    luxgrad.save(Photo(picture), tmp_path / "a.tif", size=45, sharpen="print")
    saved = luxgrad.load(tmp_path / "a.tif")
    graph = chain(("geometry.resize", {"long_edge": 45}),
                  ("detail.sharpen", {"amount": 1.0, "radius": 1.0, "threshold": 0.02}))  # fmt: skip
    assert saved.size == (30, 45)
    assert compare(saved, graph(Photo(picture))).psnr > 75
    luxgrad.save(Photo(picture), tmp_path / "b.tif", size=45)
    assert compare(luxgrad.load(tmp_path / "b.tif"), saved).psnr < 50


@pytest.mark.parametrize("quality", [60, 90, 100])
def test_pure_noise_can_be_saved_as_jpeg(quality: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    noise = torch.rand(1, 3, 200, 200, generator=torch.Generator().manual_seed(0))
    luxgrad.save(Photo(noise), tmp_path / "a.jpg", quality=quality)
    assert luxgrad.load(tmp_path / "a.jpg").size == (200, 200)
    capfd.readouterr()  # libjpeg says on standard error that its first buffer was too small


def test_sharpening_raises_edges_by_what_is_documented(tmp_path: Path) -> None:
    edge = torch.full((1, 3, 24, 24), 0.1)
    edge[..., 12:] = 0.4
    swing = {}
    for use in ("none", "screen", "print"):
        luxgrad.save(Photo(edge), tmp_path / f"{use}.tif", sharpen=use)
        row = luxgrad.load(tmp_path / f"{use}.tif").pixels[0, 1, 12].log2()
        swing[use] = (row.max() - row.min()).item()
        np.testing.assert_allclose(row[[0, -1]], np.log2([0.1, 0.4]), atol=2e-3)
    assert swing["none"] == pytest.approx(2.0, abs=0.01)
    assert 2.1 < swing["screen"] < 2.6
    assert swing["screen"] + 0.2 < swing["print"] < 3.6


def test_a_small_photo_is_never_enlarged_and_alpha_is_resized_too(tmp_path: Path) -> None:
    alpha = torch.linspace(0, 1, 60).expand(1, 1, 40, 60).clone()
    photo = Photo(torch.full((1, 3, 40, 60), 0.2), alpha)
    luxgrad.save(photo, tmp_path / "a.png", size=500)
    assert luxgrad.load(tmp_path / "a.png").size == (40, 60)
    luxgrad.save(photo, tmp_path / "b.png", size=30)
    assert luxgrad.load(tmp_path / "b.png").alpha.shape == (1, 1, 20, 30)


@pytest.mark.parametrize("options", [{"colour_space": "ProPhoto"}, {"metadata": "some"}, {"sharpen": "web"}, {"size": -1}])
def test_a_wrong_option_is_refused_by_name(options: dict, tmp_path: Path) -> None:
    with pytest.raises(luxgrad.FileError, match=f"{next(iter(options))}: expected"):
        luxgrad.save(Photo(torch.zeros(1, 3, 4, 4)), tmp_path / "a.tif", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("template", "name"), [
    ("{name}.tif", "lake.one.tif"),
    ("{date}_{time}.tif", "2013-05-04_12-33-11.tif"),
    ("{camera}-{lens}-{iso}.tif", "Canon EOS M-EF-M 18-55-3.5-100.tif"),
    ("{shutter} {aperture} {focal} {width}x{height}.tif", "1-250 f2.8 35mm 30x20.tif"),
    ("{artist}.tif", "unknown.tif"),
    ("{year}/{month}/{day}.tif", "2013/05/04.tif"),
])  # fmt: skip
def test_names_are_made_of_what_the_photo_says(template: str, name: str) -> None:
    assert expanded(template, TAKEN, (30, 20)) == name


@pytest.mark.parametrize(("value", "name"), [
    ("../../etc/passwd", "etc-passwd"), ("a/b\\c:d", "a-b-c-d"), ("CON", "_CON"), ("nul.txt", "_nul.txt"), ("...", "unknown"),
    ("", "unknown"), ("a\x00b\nc", "a-b-c"), ("{name}%date%", "name-date"), ("x" * 300, "x" * 80), ("\u202egnp.exe", "gnp.exe"),
    ("\ud800", "unknown"),
])  # fmt: skip
def test_a_value_can_be_part_of_a_name_on_every_system(value: str, name: str) -> None:
    assert safe(value) == name


def test_an_unknown_field_is_one_error_with_the_nearest_names() -> None:
    with pytest.raises(luxgrad.FileError, match=r"no field '\{camra\}' \(nearest: \{camera\}"):
        expanded("{camra}.tif", TAKEN, (1, 1))
    with pytest.raises(luxgrad.FileError, match="no field"):
        expanded("{name.__class__}{}.tif", TAKEN, (1, 1))


def test_the_counter_is_the_next_free_number(tmp_path: Path) -> None:
    photo = Photo(torch.zeros(1, 3, 4, 4), metadata=TAKEN)
    paths = [luxgrad.save(photo, tmp_path / "{name}_{counter:04}.png") for _ in range(3)]
    assert [path.name for path in paths] == [f"lake.one_{number:04}.png" for number in (1, 2, 3)]
    with pytest.raises(luxgrad.FileError, match="at most 240 bytes"):
        numbered(tmp_path / ("x" * 300 + ".png"))


def test_comfyuis_date_token_is_understood() -> None:
    assert re.fullmatch(r"a_20\d\d-\d\d-\d\d.png", expanded("a_%date:yyyy-MM-dd%.png", {}, (1, 1)))


@pytest.mark.parametrize("name", WRITTEN)
def test_the_workflow_inside_opens_again(name: str, tmp_path: Path) -> None:
    graph = chain(("tone.exposure", {"stops": 0.7}), "colour.saturation")
    path = luxgrad.save(Photo(torch.full((1, 3, 9, 9), 0.2)), tmp_path / name, workflow=graph)
    assert to_data(luxgrad.open(path)) == to_data(graph)
    again = luxgrad.save(luxgrad.load(path), tmp_path / f"again_{name}")
    assert embedded_workflow(again) == {}
    with pytest.raises(luxgrad.WorkflowError, match="expected a workflow; got a picture without one"):
        luxgrad.open(again)
    bare = luxgrad.save(Photo(torch.zeros(1, 3, 9, 9)), tmp_path / f"bare_{name}", workflow=graph, metadata="none")
    assert embedded_workflow(bare) == {}


def test_the_editors_form_travels_beside_the_api_form(tmp_path: Path, root: Path) -> None:
    graph = luxgrad.open(root / "workflows" / "landscape.json")
    path = luxgrad.save(Photo(torch.zeros(1, 3, 9, 9)), tmp_path / "a.png", workflow=graph)
    assert json.loads(embedded_workflow(path)["workflow"]) == json.loads(dumps(graph))
    with Image.open(path) as image:  # as ComfyUI's editor looks for it
        assert json.loads(image.text["workflow"])["nodes"]
        assert json.loads(image.text["prompt"]) == to_data(graph)


def test_pictures_of_comfyuis_own_nodes_open(tmp_path: Path) -> None:
    prompt = json.dumps({**to_data(chain("tone.exposure"))}).replace('"class_type"', '"is_changed": [NaN], "class_type"', 1)
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", prompt)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=info)
    exif = Image.Exif()
    exif[0x0110], exif[0x010F] = "prompt:" + prompt, 'workflow:{"nodes": []}'
    Image.new("RGB", (8, 8)).save(tmp_path / "a.webp", exif=exif)
    for name in ("a.png", "a.webp"):
        assert "exposure" in luxgrad.open(tmp_path / name).steps
    assert "Model" not in luxgrad.load(tmp_path / "a.webp").metadata


def test_webp_carries_the_workflow_where_comfyuis_editor_looks(tmp_path: Path) -> None:
    photo = Photo(torch.zeros(1, 3, 9, 9))
    path = luxgrad.save(photo, tmp_path / "a.webp", workflow=chain("tone.exposure"))
    with Image.open(path) as image:
        found = [value for value in image.getexif().values() if isinstance(value, str) and value.startswith("prompt:")]
    assert "exposure" in json.loads(found[0].removeprefix("prompt:"))


@pytest.mark.parametrize(("text", "expected"), [
    ("{", "expected a workflow in JSON"), ('{"1": {"class_type": "evil"}}', "unknown node"),
    ("[" * 100_000, "nested too deeply"), ('{"a": 1, "a": 2}', "expected every name once"),
])  # fmt: skip
def test_a_hostile_workflow_in_a_picture_is_refused_as_in_a_file(text: str, expected: str, tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", text)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(luxgrad.WorkflowError, match=f"a.png: .*{expected}"):
        luxgrad.open(tmp_path / "a.png")


def test_keys_and_folders_are_not_embedded() -> None:
    prompt = {"1": {"class_type": "Api", "inputs": {"api_key": "sk-123456", "text": "a token of love", "max_tokens": 5}}}
    document = {"nodes": [{"id": 1, "widgets_values": ["sk-123456", "a token of love", 5]}], "links": []}
    texts = texts_of(prompt, document)
    assert set(texts) == set(WORKFLOW_TEXTS)
    assert "sk-123456" not in str(texts)
    assert "a token of love" in texts["prompt"]
    graph = chain("tone.exposure").with_values({"photo.file": "/home/me/private/a.jpg"})
    assert "private" not in str(workflow_texts(graph))
    assert "a.jpg" in workflow_texts(graph)["prompt"]


SAVE = """
import sys, torch, luxgrad, resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
noise = torch.rand(1, 3, 200, 200, generator=torch.Generator().manual_seed(0)) * 0.1
for name in sys.argv[1:]:
    try:
        luxgrad.save(luxgrad.Photo(noise), name, force=True)
    except luxgrad.FileError as error:
        print(error)
"""


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_half_written(tmp_path: Path) -> None:
    for name in WRITTEN:
        (tmp_path / name).write_text("mine")
    run = subprocess.run([sys.executable, "-c", SAVE, *WRITTEN], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert [line.partition(":")[0] for line in run.stdout.splitlines()] == WRITTEN
    assert all("could not be written" in line for line in run.stdout.splitlines())
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(WRITTEN, "mine")


WAIT = """
import sys, time, pathlib
from luxgrad.files.atomic import whole_file
with whole_file(pathlib.Path(sys.argv[1])) as part:
    part.write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_writer_that_is_killed_leaves_only_a_part_that_the_next_one_removes(tmp_path: Path) -> None:
    goal, other = tmp_path / "a.png", tmp_path / ".a.png.0badcafe-1.xyz.part.png"
    other.write_text("of another machine")
    child = subprocess.Popen([sys.executable, "-c", WAIT, str(goal)], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"writing\n"
    with whole_file(goal) as part:  # meanwhile another writer leaves it alone
        part.write_text("whole")
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(left) == 2
    goal.unlink()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert not goal.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(left)
    assert all(re.fullmatch(r"\.a\.png\.[0-9a-f]{8}-\d+(-\d+)?\.\w+\.part\.png", name) for name in left)
    with whole_file(goal) as part:
        part.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", other.name}


def test_a_link_is_replaced_and_what_it_points_to_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "kept.png"
    target.write_text("kept")
    (tmp_path / "a.png").symlink_to(target)
    with pytest.raises(luxgrad.FileError, match="it exists already"):
        luxgrad.save(Photo(torch.zeros(1, 3, 4, 4)), tmp_path / "a.png")
    luxgrad.save(Photo(torch.zeros(1, 3, 4, 4)), tmp_path / "a.png", force=True)
    assert target.read_text() == "kept"
    assert not (tmp_path / "a.png").is_symlink()
    (tmp_path / "b.png").symlink_to(tmp_path / "nowhere")
    luxgrad.save(Photo(torch.zeros(1, 3, 4, 4)), tmp_path / "b.png", force=True)
    assert not (tmp_path / "nowhere").exists()


def test_a_large_picture_is_glanced_at_without_decoding_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (9000, 6000)).save(tmp_path / "a.jpg", quality=20)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda *_: pytest.fail("the pixels were decoded"))
    assert glance(tmp_path / "a.jpg").values.size == 0


@pytest.mark.parametrize("name", WRITTEN)
def test_exiftool_reads_the_workflow(name: str, tmp_path: Path) -> None:
    graph = chain("tone.exposure")
    path = luxgrad.save(Photo(torch.zeros(1, 3, 9, 9)), tmp_path / name, workflow=graph)
    run = subprocess.run(
        [program("exiftool"), "-b", "-XMP-luxgrad:Prompt", str(path)], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == to_data(graph)

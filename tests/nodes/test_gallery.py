"""Save Photo's options, Photo Info and Contact Sheet, driven without ComfyUI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

import luxgrad
from luxgrad.files.workflow import embedded_workflow

from .conftest import Editor
from .test_contract import image


@pytest.fixture
def shot(tmp_path: Path) -> str:
    exif = Image.Exif()
    exif[0x0110] = "Camera One"
    exif[0x8769] = {0x829A: 0.004, 0x829D: 2.8, 0x8827: 640, 0x920A: 35.0, 0x9003: "2016:01:22 17:30:25"}
    Image.new("RGB", (60, 40), (90, 120, 60)).save(tmp_path / "shot.jpg", exif=exif)
    return "shot.jpg"


def test_photo_info_gives_typed_values(editor: Editor, shot: str) -> None:
    node, (photo, _) = editor.add("luxgrad.load_photo", file=shot)
    crop, (half,) = editor.add("luxgrad.geometry.crop", image=((node, 0), photo), left=50.0)
    _, found = editor.add("luxgrad.photo_info", photo=((crop, 0), half))
    names = editor.classes["luxgrad.photo_info"].RETURN_NAMES
    facts = dict(zip(names, found["result"]))
    assert facts["shutter"] == pytest.approx(0.004)
    assert (facts["aperture"], facts["iso"], facts["focal_length"]) == (pytest.approx(2.8), 640, 35.0)
    assert (facts["camera"], facts["date"], facts["file"]) == ("Camera One", "2016-01-22 17:30:25", "shot.jpg")
    assert (facts["width"], facts["height"]) == (30, 40)
    assert "1/250 s  f/2.8  ISO 640  35 mm" in found["ui"]["text"][0]
    kinds = {"FLOAT": float, "INT": int, "STRING": str}
    for socket, value in zip(editor.classes["luxgrad.photo_info"].RETURN_TYPES, found["result"]):
        assert type(value) is kinds[socket]


def test_photo_info_of_an_ordinary_image_is_zeros_and_its_size(editor: Editor) -> None:
    source = editor.foreign()
    _, found = editor.add("luxgrad.photo_info", photo=((source, 0), image()))
    assert found["result"] == (0.0, 0.0, 0, 0.0, "", "", "", 36, 24, "", "36 x 24 px")


def test_a_contact_sheet_takes_lists_and_batches(editor: Editor, shot: str) -> None:
    node, (photo, _) = editor.add("luxgrad.load_photo", file=shot)
    wired = (node, 0), [photo, image(batch=2), photo]
    _, found = editor.add("luxgrad.contact_sheet", photos=wired, columns=3, cell=50, gap=10, captions="none")
    (sheet,) = found["result"]
    row = 33
    assert tuple(sheet.shape) == (1, 3 * 10 + 2 * row, 4 * 10 + 3 * 50, 3)
    pixels = sheet.clone()
    first, last = pixels[0, 10 + row // 2, 10 + 25], pixels[0, 20 + row + row // 2, 10 + 25]
    torch.testing.assert_close(first * 255, torch.tensor([90.0, 120.0, 60.0]), atol=1.0, rtol=0)
    torch.testing.assert_close(first, last, atol=1e-6, rtol=0)
    torch.testing.assert_close(pixels[0, 5, 5] * 100, torch.full((3,), 13.0), atol=0.1, rtol=0)
    exposed = editor.add("luxgrad.tone.exposure", image=((node, 0), sheet), stops=1.0)[1][0]
    assert exposed.mean() > sheet.mean()


def test_save_photo_embeds_the_running_prompt_and_the_editors_workflow(editor: Editor, shot: str) -> None:
    node, (photo, _) = editor.add("luxgrad.load_photo", file=shot)
    sink = editor.classes["luxgrad.save_photo"]
    assert sink.INPUT_TYPES()["hidden"]["extra_pnginfo"] == "EXTRA_PNGINFO"
    document = {"nodes": [{"id": 1, "widgets_values": ["sk-secret"]}], "links": []}
    editor.prompt["9"] = {"class_type": "SomeApi", "inputs": {"api_key": "sk-secret"}}
    types = sink.INPUT_TYPES()
    entries = {**types["required"], **types["optional"]}
    values = {name: entry[1]["default"] for name, entry in entries.items() if "default" in entry[1]}
    editor.prompt["5"] = {"class_type": "luxgrad.save_photo", "inputs": {**values, "image": [node, 0]}}
    values |= {"file": "{name}_{camera}.png", "size": 30, "colour_space": "Rec.2020"}
    with torch.inference_mode():
        sink().answer(unique_id="5", prompt=editor.prompt, extra_pnginfo={"workflow": document}, image=photo, **values)
    path = Path("shot_Camera One.png")
    texts = embedded_workflow(path)
    assert json.loads(texts["prompt"])["5"]["class_type"] == "luxgrad.save_photo"
    assert json.loads(texts["workflow"])["nodes"][0]["id"] == 1
    assert "sk-secret" not in path.read_bytes().decode("latin-1")
    assert luxgrad.load(path).size == (20, 30)
    assert luxgrad.load(path).metadata["Model"] == "Camera One"


@pytest.mark.parametrize("name", ["../out.png", "/tmp/out.png", "a/../../out.png"])
def test_a_name_that_leaves_the_output_folder_is_refused(editor: Editor, name: str) -> None:
    source = editor.foreign()
    with pytest.raises(ValueError, match="lies outside the output folder"):
        editor.add("luxgrad.save_photo", image=((source, 0), image()), file=name)


def test_a_contact_sheet_in_a_workflow_of_the_terminal_is_refused_by_name() -> None:
    graph = luxgrad.Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "sheet": {"class_type": "luxgrad.contact_sheet", "inputs": {"photos": ["photo", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["sheet", 0]}},
    })  # fmt: skip
    with pytest.raises(luxgrad.WorkflowError, match=r"step sheet .*made in ComfyUI, or by luxgrad sheet"):
        graph(luxgrad.Photo(torch.zeros(1, 3, 4, 4)))

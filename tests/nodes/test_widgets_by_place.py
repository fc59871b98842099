"""The editor reads the values of widgets by their place: shipped files and files released once say what they meant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import luxgrad
from luxgrad.graph.schema import dumps, from_data, loads
from luxgrad.graph.ui_form import to_api
from luxgrad.graph.ui_layout import from_api

from .conftest import ROOT, Editor

SHIPPED = sorted((ROOT / "workflows").glob("*.json"))
RELEASED = sorted((ROOT / "tests" / "released").glob("*/*.json"))
VALUES = ("INT", "FLOAT", "STRING", "BOOLEAN")


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def widgets(cls: Any) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """What the editor draws below a node's sockets: name, kind and options; last, the button that uploads."""
    types = cls.INPUT_TYPES()
    declared = {**types["required"], **types["optional"]}
    for name, (kind, options) in declared.items():
        if not options.get("forceInput") and (isinstance(kind, list) or kind in VALUES):
            yield name, kind, options
            if options.get("control_after_generate", name in ("seed", "noise_seed")):
                yield f"{name} after a run", ["fixed", "increment", "decrement", "randomize"], {}
    if any(options.get("image_upload") for _, options in types["required"].values()):
        yield "upload", ["image"], {}


def takes(kind: Any, options: dict[str, Any], value: Any) -> bool:
    if isinstance(kind, list):
        return value in kind
    if kind in ("INT", "FLOAT"):
        number = type(value) is int or (kind == "FLOAT" and type(value) is float)
        return number and options["min"] <= value <= options["max"]
    return isinstance(value, {"STRING": str, "BOOLEAN": bool}[kind])


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_every_shipped_node_has_a_fitting_value_for_every_widget_in_its_place(editor: Editor, path: Path) -> None:
    document = json.loads(path.read_text())
    steps = to_api(document)
    for node in document["nodes"]:
        if node["type"] == "MarkdownNote":  # the editor's own
            continue
        drawn = list(widgets(editor.classes[node["type"]]))
        values, where = node["widgets_values"], f"{path.stem}: {node['title']}"
        assert len(values) == len(drawn), f"{where} has {len(values)} values for {[name for name, *_ in drawn]}"
        for value, (name, kind, options) in zip(values, drawn):
            assert takes(kind, options, value), f"{where}: {name} cannot be {value!r}"
        read = dict(zip([name for name, *_ in drawn], values))
        ours = {name: value for name, value in steps[str(node["id"])]["inputs"].items() if name in read}
        assert ours == {name: value for name, value in read.items() if name != "upload"}


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_what_a_shipped_workflow_opens_is_a_choice_and_is_found(editor: Editor, path: Path) -> None:
    for node in json.loads(path.read_text())["nodes"]:
        if node["type"] in ("luxgrad.load_photo", "luxgrad.load_lut"):
            cls, name = editor.classes[node["type"]], node["widgets_values"][0]
            choices, options = cls.INPUT_TYPES()["required"]["file"]
            assert name in choices
            assert node["type"] == "luxgrad.load_lut" or name in options["luxgrad_shared"]
            assert cls.VALIDATE_INPUTS(name) is True


def test_the_users_own_photos_come_before_the_shared_ones_and_none_twice(editor: Editor, tmp_path: Path) -> None:
    for name in ("mine.jpg", "photos/lake.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    choices, options = editor.classes["luxgrad.load_photo"].INPUT_TYPES()["required"]["file"]
    assert choices[:2] == ["mine.jpg", "photos/lake.jpg"]
    assert len(choices) == len(set(choices))
    assert {"photos/kitten.png", "photos/spices.jpg"} < set(choices)
    assert options["default"] == "mine.jpg"
    assert set(options["luxgrad_shared"]) < set(choices)


def test_a_file_that_we_write_for_the_editor_has_a_value_in_every_place(editor: Editor) -> None:
    api = {str(number): {"class_type": kind, "inputs": {}} for number, kind in enumerate(sorted(editor.classes), start=1)}
    for node in from_api(api)["nodes"]:
        drawn = list(widgets(editor.classes[node["type"]]))
        assert len(node["widgets_values"]) == len(drawn), node["type"]
        for value, (name, kind, options) in zip(node["widgets_values"], drawn):
            assert name == "file" or takes(kind, options, value), f"{node['type']}: {name} cannot be {value!r}"


@pytest.mark.parametrize("path", RELEASED, ids=name_of)
def test_a_released_workflow_says_what_it_said(path: Path) -> None:
    then, now = loads(path.read_text()), luxgrad.open(ROOT / "workflows" / path.name)
    assert [step.spec.node_id for step in then] == [step.spec.node_id for step in now]
    for before, after in zip(then, now):
        assert (before.title, before.all_values()) == (after.title, after.all_values())


def old(path: Path, title: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An old document, and one of its nodes."""
    document = json.loads(path.read_text())
    return document, next(node for node in document["nodes"] if node["title"] == title)


def test_a_value_put_into_an_old_file_lands_in_its_own_place() -> None:
    document, node = old(ROOT / "tests" / "released" / "before_raw" / "landscape.json", "Save")
    assert node["widgets_values"] == ["landscape.tif", "auto", 95, True, "image"]
    written = json.loads(dumps(from_data(document).with_values({"Save.size": 900, "Photo.kelvin": 4000})))
    found = {node["title"]: node["widgets_values"] for node in written["nodes"]}
    assert found["Save"] == ["landscape.tif", "auto", 95, True, "sRGB", "keep", 900, "none", True]
    assert found["Photo"] == ["photos/lake.jpg", "auto", "full", "as shot", 4000, 0, "neutral", "auto", "off", 0, "image"]


def test_every_earlier_length_of_every_node_is_read_as_its_first_parameters(editor: Editor) -> None:
    for kind, cls in editor.classes.items():
        spec = cls.SPEC
        uploads = kind == "luxgrad.load_photo"
        for count in range(1, len(spec.params) + 1):
            given = {param.name: param.default for param in spec.params[:count]}
            values = [*given.values(), *(["image"] if uploads else [])]
            node = {"id": 1, "type": kind, "inputs": [], "widgets_values": values}
            assert to_api({"nodes": [node], "links": []})["1"]["inputs"] == given

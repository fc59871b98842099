"""Advice in ComfyUI: what arrives as words, what leaves as words, and what the editor's buttons are told."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import torch

from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.patch import apply
from luxgrad.graph.schema import from_data

from .conftest import Editor


def image(height: int, width: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 6, 8, generator=rng)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear").movedim(1, -1).contiguous()


@pytest.fixture
def obeying(pack: ModuleType) -> Iterator[None]:
    """An advisor of the pack's own modules that does what it is told, in the words of a patch."""
    asking = importlib.import_module(f"{pack.__name__}.advice.advisor")
    findings = importlib.import_module(f"{pack.__name__}.advice.findings")

    def obey(view: Any) -> Any:
        mask = torch.zeros(1, 1, 4, 4)
        mask[..., 0] = 1.0
        seen = findings.Finding("left edge", "It is on the left.", 0.9, aspect="local", mask=mask)
        return findings.Advice([seen], json.loads(view.say or "[]"), f"turn {len(view.history) + 1}")

    asking.ADVISORS["obey"] = asking.Advisor("obey", obey, "Obeys.")
    yield
    del asking.ADVISORS["obey"]


def dark(editor: Editor) -> tuple[str, Any]:
    source = editor.foreign()
    exposure, (lazy,) = editor.add("luxgrad.tone.exposure", "Light", image=((source, 0), image(60, 80) * 0.3))
    return exposure, lazy


def test_advice_gives_its_report_patch_and_conversation_as_text(editor: Editor) -> None:
    exposure, lazy = dark(editor)
    _, found = editor.add("luxgrad.advice", photo=((exposure, 0), lazy))
    report, patch, conversation = found["result"]
    assert all(type(text) is str for text in found["result"])
    assert report.startswith("too dark (")
    assert "Light.stops = " in report
    assert found["ui"]["text"] == [report]
    edits = json.loads(patch)
    assert edits[0]["path"] == f"{exposure}.stops"
    assert "EV under white" in edits[0]["reason"]
    assert json.loads(conversation)[0]["undo"][0] == {"edit": "set", "path": f"{exposure}.stops", "value": 0.0}


def test_the_buttons_are_told_nodes_and_widgets(editor: Editor) -> None:
    exposure, lazy = dark(editor)
    node, found = editor.add("luxgrad.advice", photo=((exposure, 0), lazy))
    (advice,) = found["ui"]["luxgrad_advice"]
    assert advice["conversation"] == found["result"][2]
    assert advice["edits"][0]["step"] == exposure
    assert advice["edits"][0]["name"] == "stops"
    graph = {key: entry for key, entry in editor.prompt.items() if key != node}
    assert from_data(graph).steps[exposure].value("stops") == 0.0  # looking changes nothing


def test_a_sentence_may_come_from_any_node(editor: Editor, obeying: None) -> None:
    exposure, lazy = dark(editor)
    words = json.dumps([{"edit": "set", "path": "Light.stops", "value": 1.0}])
    text = editor.foreign("PrimitiveString", value=words)
    _, found = editor.add("luxgrad.advice", photo=((exposure, 0), lazy), words=((text, 0), words), advisor="obey")
    (advice,) = found["ui"]["luxgrad_advice"]
    assert advice["edits"] == [{"edit": "set", "value": 1.0, "step": exposure, "name": "stops"}]
    report, _, conversation = found["result"]
    assert report.startswith("turn 1\nleft edge (90 % sure)")
    _, again = editor.add("luxgrad.advice", photo=((exposure, 0), lazy), advisor="obey", conversation=conversation)
    assert again["result"][0].startswith("turn 2")


def test_where_something_was_found_is_shown(editor: Editor, obeying: None, tmp_path: Any) -> None:
    exposure, lazy = dark(editor)
    _, found = editor.add("luxgrad.advice", photo=((exposure, 0), lazy), advisor="obey")
    assert (tmp_path / found["ui"]["images"][0]["filename"]).exists()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"say": "x" * 4001}, "say: expected text of at most 4000 characters"),
        ({"words": ["x"]}, "words: expected text of at most 4000 characters; got list"),
        ({"conversation": "["}, "conversation: expected turns in JSON"),
        ({"advisor": "obey", "say": '[{"edit": "paint"}]'}, "advisor obey: edit 1: expected edit to be one of"),
        ({"advisor": "nobody"}, "there is no advisor 'nobody'"),
    ],
)
def test_hostile_words_are_refused_in_one_line_that_names_the_step(
    editor: Editor, obeying: None, values: dict[str, Any], expected: str
) -> None:
    exposure, lazy = dark(editor)
    with pytest.raises(ValueError, match=rf"step \d+ .*{expected}") as caught:
        editor.add("luxgrad.advice", photo=((exposure, 0), lazy), **values)
    assert "\n" not in str(caught.value)


def test_the_menu_lists_the_advisors_and_the_sentence_is_a_wire(pack: ModuleType) -> None:
    types = pack.NODE_CLASS_MAPPINGS["luxgrad.advice"].INPUT_TYPES()
    assert "auto" in types["optional"]["advisor"][0]
    assert "Rules for exposure" in types["optional"]["advisor"][1]["tooltip"]
    assert types["optional"]["words"] == ("STRING", {"tooltip": types["optional"]["words"][1]["tooltip"], "forceInput": True})


def test_the_older_auto_node_gives_its_patch_and_says_that_it_is_old(editor: Editor, pack: ModuleType) -> None:
    exposure, lazy = dark(editor)
    _, found = editor.add("luxgrad.auto", photo=((exposure, 0), lazy))
    (patch,) = found["result"]
    graph = {key: entry for key, entry in editor.prompt.items() if entry["class_type"].startswith("luxgrad.tone")}
    graph |= {"1": {"class_type": "luxgrad.load_photo", "inputs": {}}}
    assert apply(from_data(graph), json.loads(patch)).steps[exposure].value("stops") > 0.5
    assert found["ui"]["luxgrad_advice"]
    assert pack.NODE_CLASS_MAPPINGS["luxgrad.auto"].DEPRECATED is True


def test_a_file_may_wire_words_between_our_nodes() -> None:
    data = {
        "1": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "2": {"class_type": "luxgrad.photo_info", "inputs": {"photo": ["1", 0]}},
        "3": {"class_type": "luxgrad.advice", "inputs": {"photo": ["1", 0], "words": ["2", 10]}},
        "4": {"class_type": "luxgrad.advice", "inputs": {"photo": ["1", 0], "words": ["3", 0]}},
    }
    assert from_data(data).steps["4"].links["words"] == ("3", 0)
    data["4"]["inputs"]["words"] = ["2", 0]
    with pytest.raises(WorkflowError, match="words: expected STRING; got FLOAT"):
        from_data(data)


# Diagnose -----------------------------------------------------------------------------------------------------------


def test_diagnose_gives_the_photo_as_the_patch_would_make_it_and_the_mask(editor: Editor, obeying: None) -> None:
    exposure, lazy = dark(editor)
    words = json.dumps([{"edit": "set", "path": "Light.stops", "value": 1.0}])
    node, found = editor.add("luxgrad.diagnose", photo=((exposure, 0), lazy), advisor="obey", say=words)
    photo, patch, reasoning, evidence, conversation = found["result"]
    torch.testing.assert_close(linear(photo), linear(lazy) * 2.0, rtol=1e-3, atol=1e-4)
    assert json.loads(patch)[0]["value"] == 1.0
    assert reasoning.startswith("turn 1\nleft edge (90 % sure)")
    assert tuple(evidence.shape) == (1, 60, 80)
    assert evidence[0, 30, 2] == 1.0
    assert evidence[0, 30, 70] == 0.0
    assert json.loads(conversation)[0]["undo"][0]["value"] == 0.0
    assert found["ui"]["luxgrad_advice"][0]["edits"] == [{"edit": "set", "value": 1.0, "step": exposure, "name": "stops"}]
    graph = {key: entry for key, entry in editor.prompt.items() if key != node}
    assert from_data(graph).steps[exposure].value("stops") == 0.0, "looking changes nothing"


def linear(image: torch.Tensor) -> torch.Tensor:
    codes = torch.as_tensor(image).as_subclass(torch.Tensor) + 0.0
    return torch.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055).clamp_min(0.0) ** 2.4)


def test_what_comes_after_diagnose_is_recorded_behind_the_steps_it_puts_in(editor: Editor) -> None:
    exposure, lazy = dark(editor)
    diagnosed, found = editor.add("luxgrad.diagnose", photo=((exposure, 0), lazy), advisor="style", say="much more contrast")
    photo, _, reasoning, evidence, _ = found["result"]
    assert "insert Wished contrast: amount = 0.44" in reasoning
    assert evidence.max() == 0.0
    _, (after,) = editor.add("luxgrad.tone.exposure", image=((diagnosed, 0), photo), stops=0.5)
    assert tuple(after.shape) == (1, 60, 80, 3)
    kinds = [step.spec.id for step in after.recipe.graph]
    assert kinds.count("tone.contrast") == 1
    assert "diagnose" not in kinds


def test_a_whole_batch_is_changed_as_its_first_picture_asks(editor: Editor) -> None:
    source = editor.foreign()
    images = torch.cat([image(20, 30) * 0.3, image(20, 30) * 0.6])
    exposure, (lazy,) = editor.add("luxgrad.tone.exposure", "Light", image=((source, 0), images))
    _, found = editor.add("luxgrad.diagnose", photo=((exposure, 0), lazy), advisor="style", say="brighter")
    photo = found["result"][0]
    assert tuple(photo.shape) == (2, 20, 30, 3)
    torch.testing.assert_close(linear(photo), linear(lazy) * 2.0**0.51, rtol=1e-3, atol=1e-4)


def test_advice_is_the_older_node_and_says_so(pack: ModuleType) -> None:
    assert pack.NODE_CLASS_MAPPINGS["luxgrad.advice"].DEPRECATED is True
    assert not getattr(pack.NODE_CLASS_MAPPINGS["luxgrad.diagnose"], "DEPRECATED", False)
    assert pack.NODE_CLASS_MAPPINGS["luxgrad.diagnose"].RETURN_NAMES == (
        "photo", "patch", "reasoning", "evidence", "conversation"
    )  # fmt: skip

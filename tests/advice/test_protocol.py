"""Advisors are one file each, see the edited picture, and what they give is checked before anybody sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch

import luxgrad
from luxgrad.advice.advisor import ADVISORS, Advisor, advisor
from luxgrad.advice.asking import advise, advisors
from luxgrad.advice.conversation import Turn, text_of, turns_of
from luxgrad.advice.findings import Advice, Finding
from luxgrad.advice.view import View
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.model import Graph
from luxgrad.graph.patch import apply
from luxgrad.graph.schema import from_data
from luxgrad.light.photo import Photo
from luxgrad.ops.spec import DeclarationError

from ..graph.graphs import chain

SET = {"edit": "set", "path": "exposure.stops", "value": 0.5}


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Asks an advisor that gives just this."""

    def ask(given: Any, graph: Graph | None = None, **options: Any) -> Any:
        monkeypatch.setitem(ADVISORS, "parrot", Advisor("parrot", lambda view: given, "Repeats."))
        return advise(graph or chain("tone.exposure"), Photo(torch.rand(1, 3, 30, 40)), "parrot", **options)

    return ask


def parts(graph: Graph) -> dict[str, Any]:
    return {step.id: (step.spec.id, step.all_values(), dict(step.links)) for step in graph}


def test_a_new_file_is_an_advisor(probe: str, spices: Photo) -> None:
    assert advisors()[probe].summary == "Brightens by half a stop when it is told to, and says where the picture is dark."
    advised = advise(chain("tone.exposure"), spices, probe)
    assert advised.lines() == ["What do you wish?", "dark corners (70 % sure): They are dark."]
    assert advised.patch == ()


def test_an_advisor_is_named_as_its_file_and_says_what_it_does() -> None:
    def other(view: View) -> Advice:
        """Says nothing."""
        return Advice()

    def test_protocol(view: View) -> Advice:
        return Advice()

    with pytest.raises(DeclarationError, match="name the function test_protocol, as its file"):
        advisor(other)
    with pytest.raises(DeclarationError, match="write a docstring"):
        advisor(test_protocol)


def test_an_unknown_advisor_is_refused_with_the_nearest(spices: Photo) -> None:
    with pytest.raises(WorkflowError, match=r"there is no advisor 'outo' \(nearest: auto\)"):
        advise(chain("tone.exposure"), spices, "outo")


def test_every_edit_is_reported_with_its_reason_and_the_graph_as_advised_runs(answering: Any) -> None:
    reason = "Half a stop is missing."
    advised = answering(Advice(patch=[{**SET, "reason": reason}]))
    assert advised.lines() == [f"exposure.stops = 0.5 ({reason})"]
    assert json.loads(json.dumps(advised.report()))["patch"] == [{**SET, "reason": reason}]
    light = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(advised.graph(light), light * 2.0**0.5)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("brighter", "expected an Advice; got str"),
        (Advice(patch=[{**SET, "value": 99}]), "edit 1: step exposure .*expected a number from -8 to 8"),
        (Advice(patch=[{**SET, "path": "exposure.stop"}]), r"has no parameter 'stop' \(nearest: exposure.stops\)"),
        (Advice(patch=["rm -rf"]), "expected edit to be one of"),
        (Advice(["dark"]), "expected findings; got str"),
        (Advice([Finding("dark", "", 1.5)]), "finding 'dark': expected a confidence from 0 to 1; got 1.5"),
        (Advice([Finding("dark", "", float("nan"))]), "expected a confidence from 0 to 1; got nan"),
        (Advice([Finding("dark", "", 0.5, aspect="soul")]), "expected an aspect of light, colour"),
        (Advice([Finding("dark", "", 0.5, evidence={"EV": float("inf")})]), "expected finite numbers as evidence; got inf"),
        (Advice([Finding("dark", "", 0.5, mask=torch.rand(3, 4))]), r"expected a mask of shape \(B,1,H,W\)"),
        (Advice([Finding("dark", "", 0.5)] * 201), "at most 200 findings; got 201"),
    ],
)
def test_advice_that_does_not_fit_is_refused_whole_in_one_line(answering: Any, given: Any, expected: str) -> None:
    with pytest.raises(WorkflowError, match=f"advisor parrot: .*{expected}") as caught:
        answering(given)
    assert "\n" not in str(caught.value)


HOSTILE = "\x1b[2Jlift\u202e the\u0000 shadows \ud800"


def test_words_of_an_advisor_are_cut_and_hold_nothing_that_moves_a_cursor(answering: Any) -> None:
    finding = Finding(HOSTILE, HOSTILE * 1000, 0.5, evidence={HOSTILE: 1.0})
    advised = answering(Advice([finding], [{**SET, "reason": "so\nbe it" * 1000}], HOSTILE * 500_000))
    text = "".join(advised.lines()) + json.dumps(advised.report(), ensure_ascii=False)
    assert text.isprintable()
    assert len(text) < 15_000
    assert advised.findings[0].what == "[2Jlift the shadows"


def test_what_is_said_to_an_advisor_is_made_plain_or_refused(answering: Any) -> None:
    assert answering(Advice(), say=f" {HOSTILE}\r\nplease ").view.say == "[2Jlift the shadows\nplease"
    with pytest.raises(WorkflowError, match="say: expected text of at most 4000 characters; got 4001 characters"):
        answering(Advice(), say="x" * 4001)
    with pytest.raises(WorkflowError, match="say: expected text of at most 4000 characters; got list"):
        answering(Advice(), say=["x"])


def test_a_conversation_goes_on_over_text_and_every_turn_can_be_taken_back(probe: str, spices: Photo) -> None:
    start = graph = chain("tone.exposure")
    text = ""
    for number in range(1, 4):
        advised = advise(graph, spices, probe, "brighter, please", history=turns_of(text))
        assert advised.reply == f"Done, for the {number}. time."
        graph, text = advised.graph, text_of(advised.conversation)
    assert graph.steps["exposure"].value("stops") == 1.5
    turns = turns_of(text)
    assert [turn.say for turn in turns] == ["brighter, please"] * 3
    for turn in reversed(turns):
        graph = apply(graph, turn.undo)
    assert parts(graph) == parts(start)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "conversation: expected turns in JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"say": "x"}', "expected a list of at most 100 turns"),
        (json.dumps([{}] * 101), "expected a list of at most 100 turns"),
        ('["x"]', "turn 1: expected an object of say, advisor"),
        ('[{"role": "system"}]', "turn 1: expected an object of say, advisor"),
        ('[{}, {"say": 3}]', "turn 2: say: expected text"),
        ('[{"reply": "' + "x" * 4001 + '"}]', "turn 1: reply: expected text of at most 4000"),
        ('[{"patch": [{"edit": "paint"}]}]', "turn 1: edit 1: expected edit to be one of"),
        ("x" * 1_000_001, "expected text of at most 1000000 characters"),
        (3, "expected text of at most 1000000 characters"),
    ],
)
def test_a_conversation_from_a_file_is_trusted_as_little_as_the_file(text: Any, expected: str) -> None:
    with pytest.raises(WorkflowError, match=f"conversation: .*{expected}|^{expected}"):
        turns_of(text)


def test_a_long_conversation_loses_its_oldest_turns() -> None:
    kept = turns_of(text_of([Turn(say=str(number)) for number in range(130)]))
    assert [kept[0].say, kept[-1].say, len(kept)] == ["30", "129", 100]
    assert len(turns_of(text_of([Turn(reply="x" * 4000, patch=[{**SET, "reason": "y" * 600}] * 20)] * 90))) < 90
    assert text_of([]) == ""


def test_an_advisor_sees_the_edited_picture_at_the_place_asked_for(spices: Photo) -> None:
    graph = chain(("tone.exposure", {"stops": -1.0}), ("tone.contrast", {"amount": 0.2}))
    here, there = View.of(graph, spices), View.of(graph, spices, "exposure")
    torch.testing.assert_close(there.shown, spices.pixels * 0.5)
    assert not torch.allclose(here.shown, there.shown)
    assert there.measured.bright == pytest.approx(View.of(chain("tone.curve"), spices).measured.bright - 1.0, abs=1e-3)
    assert [step.id for step in here.way] == ["photo", "exposure", "contrast"]


def test_other_values_are_looked_at_before_they_are_advised_and_gradients_flow(spices: Photo) -> None:
    view = View.of(chain("tone.exposure"), spices, size=64)
    brighter = view.after([{**SET, "value": 1.0}])
    assert brighter.measured.middle == pytest.approx(view.measured.middle + 1.0, abs=1e-3)
    stops = torch.tensor(0.0, requires_grad=True)
    view.render({"exposure.stops": stops}).mean().backward()
    assert stops.grad is not None
    assert stops.grad.item() == pytest.approx(view.shown.mean().item() * 0.6931, rel=1e-3)
    assert max(view.shown.shape[-2:]) == 64


def test_scene_light_is_looked_at_as_a_display_would_show_it(spices: Photo) -> None:
    scene = Photo(spices.pixels * 6.0, light="scene")
    assert View.of(chain("tone.exposure"), Photo(scene.pixels)).measured.bright > 4.0
    assert View.of(chain("tone.exposure"), scene).measured.bright < 2.8
    assert View.of(chain("tone.exposure", "tone.sigmoid"), scene).shown.max() <= 1.0


def test_side_branches_behind_a_mask_are_not_on_the_way() -> None:
    graph = from_data({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "all": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0]}},
        "mask": {"class_type": "luxgrad.local.luminance_mask", "inputs": {"image": ["all", 0]}},
        "part": {"class_type": "luxgrad.colour.white_balance", "inputs": {"image": ["all", 0]}},
        "local": {"class_type": "luxgrad.local.apply_mask",
                  "inputs": {"before": ["all", 0], "after": ["part", 0], "mask": ["mask", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["local", 0]}},
    })  # fmt: skip
    assert [step.id for step in View.of(graph, torch.rand(1, 3, 30, 30)).way] == ["photo", "all", "local"]


def test_masks_of_findings_become_one_as_large_as_the_picture(answering: Any) -> None:
    one, two = torch.zeros(1, 1, 3, 4), torch.zeros(1, 1, 60, 80)
    one[..., 0, 0], two[..., -1, -1] = 1.0, 0.5
    mask = answering(Advice([Finding("a", "", 0.5, mask=one), Finding("b", "", 0.5, mask=two), Finding("c", "", 0.5)])).mask
    assert mask.shape == (1, 1, 30, 40)
    assert mask[0, 0, 0, 0] == 1.0
    assert 0.0 < mask[0, 0, -1, -1] <= 0.5
    assert answering(Advice([Finding("c", "", 0.5)])).mask is None


def test_the_python_face_asks_by_name(spices: Photo) -> None:
    graph = chain("tone.exposure")
    dark = Photo(spices.pixels * 0.2)
    assert luxgrad.advise(graph, dark).patch == luxgrad.auto(graph, dark)

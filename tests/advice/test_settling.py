"""A workflow with a Diagnose step in its way is settled before it is fitted, baked and checked, as before it runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import luxgrad
from luxgrad.advice.language import files
from luxgrad.cli.main import main
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.model import Ref
from luxgrad.light.photo import Photo

from ..graph.graphs import chain
from .test_modes import asking


@pytest.fixture(autouse=True)
def _no_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_source", lambda: ("none", "a test"))


@pytest.fixture
def small(spices: Photo) -> Photo:
    return Photo(spices.reduced(spices.size.scaled(0.3)).pixels)


def test_a_fit_starts_from_what_is_advised_and_goes_past_the_step(small: Photo) -> None:
    target = Photo(asking("brighter")(small, {"4.amount": 0.3}).pixels)
    fitted = asking("brighter").fit(small, target, free="4.amount", seconds=5)
    assert fitted.graph.steps["4"].value("amount") == pytest.approx(0.3, abs=1e-3)
    assert fitted.graph.steps["2"].value("stops") == pytest.approx(0.51)
    assert fitted.graph.steps["4"].links["image"] == Ref("2"), "it is not asked again"
    torch.testing.assert_close(fitted.graph(small).pixels, target.pixels, atol=1e-4, rtol=1e-3)


def test_a_target_that_comes_through_a_diagnosis_is_asked_for_too(small: Photo) -> None:
    own = {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["1", 0]}}
    fit = {"class_type": "luxgrad.fit", "inputs": {"photo": ["6", 0], "target": ["4", 0], "seconds": 5.0}}
    graph = asking("brighter", **{"6": own, "7": fit, "5": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["7", 0]}}})
    fitted = graph.fit(small)
    (pair,) = fitted.pairs
    assert pair.after is not None
    assert pair.before is not None
    assert pair.after.psnr > pair.before.psnr + 10.0
    assert fitted.graph.steps["6"].value("stops") > 0.4


def test_advice_is_for_one_photo_so_a_fit_of_several_is_refused(small: Photo) -> None:
    with pytest.raises(WorkflowError, match=r"step 3 .*expected one photo to ask about; got 2: apply its patch first"):
        asking("brighter").fit([small, small], [small, small])


def test_a_baked_table_is_that_of_the_workflow_as_advised(small: Photo) -> None:
    baked = asking("2.stops = 0.51", "parameter").bake(9, photo=small)
    by_hand = chain(("tone.exposure", {"stops": 0.51}), ("tone.contrast", {"amount": 0.1})).bake(9)
    torch.testing.assert_close(baked.lut.cube, by_hand.lut.cube)
    with pytest.raises(WorkflowError, match=r"^step 1 .*no folder to read from"):
        asking("brighter").bake(9)


def test_plain_values_of_a_call_are_seen_by_the_advisor(small: Photo) -> None:
    """Brighter moves on from where the slider stands."""
    torch.testing.assert_close(
        asking("brighter")(small, {"2.stops": -1.0, "4.amount": 0.0}).pixels, small.pixels * 2.0 ** (0.51 - 1.0)
    )


def test_check_asks_nobody_and_says_so(small: Photo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    luxgrad.save(small, tmp_path / "photo.png")
    graph = asking("brighter").with_values({"1.file": "photo.png", "3.advisor": "nobody"})
    graph.save(tmp_path / "workflow.json")
    assert main(["check", str(tmp_path / "workflow.json")]) == 0
    told = capsys.readouterr().out
    assert "advice  3 (luxgrad.diagnose) nobody: asked where the workflow runs" in told
    assert f"result {small.size}" in told

"""Auto mends what is wrong, leaves alone what may be meant, and says why."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

import luxgrad
from luxgrad.advice.asking import Advised, advise
from luxgrad.advice.beliefs import Usual, belief
from luxgrad.advice.measuring import light_of, measure
from luxgrad.graph.model import Graph
from luxgrad.graph.patch import apply
from luxgrad.graph.schema import from_data
from luxgrad.light.adaptation import illuminant_cones
from luxgrad.light.difference import compare
from luxgrad.light.photo import Photo
from luxgrad.ops.colour.white_balance import white_balance

from ..graph.graphs import chain

PLAIN = chain("detail.sharpen")


def found(advised: Advised) -> set[str]:
    return {finding.what for finding in advised.findings if not finding.keep}


def kept(advised: Advised) -> set[str]:
    return {finding.what for finding in advised.findings if finding.keep}


def gains(graph: Graph, bad: Photo, good: Photo) -> float:
    """By how much auto brings a spoiled photo nearer to the good one, in Delta E."""
    after = advise(graph, bad).graph(bad)
    return compare(bad, good).delta_e - compare(after, good).delta_e


@pytest.mark.parametrize("stops", [-1.0, -2.0])
def test_a_dark_photo_comes_back(spices: Photo, stops: float) -> None:
    dark = Photo(spices.pixels * 2.0**stops)
    advised = advise(PLAIN, dark)
    assert "too dark" in found(advised)
    assert gains(PLAIN, dark, spices) > 3.0


def test_a_cast_that_all_ways_agree_on_is_taken_back_in_part(photos: Path) -> None:
    good = luxgrad.load(photos / "sunset.jpg")
    grey = Photo(good.reduced(good.size.scaled(0.2)).pixels.mean(1, keepdim=True).expand(-1, 3, -1, -1) * 0.9 + 0.02)
    for kelvin, word in ((9500.0, "yellow cast"), (4600.0, "blue cast")):
        spoiled = Photo(white_balance(grey.pixels, kelvin))
        assert word in found(advise(PLAIN, spoiled))
        assert gains(PLAIN, spoiled, grey) > 1.0


@pytest.mark.parametrize("name", ["lake.jpg", "portrait.jpg", "spices.jpg", "sunset.jpg", "kitten.png"])
def test_good_photos_are_moved_little(photos: Path, name: str) -> None:
    photo = luxgrad.load(photos / name)
    small = Photo(photo.reduced(photo.size.scaled(0.25)).pixels)
    assert gains(PLAIN, small, small) > -1.5


def test_black_and_white_keeps_its_tones_without_colour() -> None:
    grey = torch.linspace(0.0, 1.0, 3600).view(1, 1, 60, 60).square().expand(-1, 3, -1, -1)
    advised = advise(PLAIN, Photo(grey * 0.2))
    assert "black and white" in kept(advised)
    assert {edit["node"] for edit in advised.patch if edit["edit"] == "add"} <= {
        "luxgrad.tone.exposure",
        "luxgrad.tone.contrast",
    }


def test_night_and_high_key_and_coloured_light_are_left_alone(spices: Photo) -> None:
    night = spices.pixels.clamp(0.0, 1.0) * 0.012
    night[..., ::17, ::19] = 0.9
    grey = spices.pixels.clamp(0.0, 1.0).mean(1, keepdim=True).expand(-1, 3, -1, -1)
    gold = (0.1 + grey) * torch.tensor([0.9, 0.55, 0.06]).view(1, 3, 1, 1)
    for pixels, word in ((night, "low key"), (0.9 - 0.25 * grey, "high key"), (gold, "coloured light")):
        advised = advise(PLAIN, Photo(pixels))
        assert word in kept(advised)
        assert advised.patch == ()


def test_a_fault_is_said_with_the_numbers_it_was_seen_by(spices: Photo) -> None:
    advised = advise(PLAIN, Photo(spices.pixels * 0.25))
    (finding,) = (finding for finding in advised.findings if finding.what == "too dark")
    below = finding.evidence["bright end (EV under white)"]
    assert f"lie {below:.1f} EV under white" in finding.why
    assert below == pytest.approx(-math.log2(0.18) - advised.view.measured.bright)
    assert 0.6 < finding.confidence <= 1.0
    (edit,) = (edit for edit in advised.patch if edit.get("node") == "luxgrad.tone.exposure")
    assert edit["reason"] == finding.why


def test_sliders_that_are_there_are_moved_on_from_where_they_stand(spices: Photo) -> None:
    graph = chain(("tone.exposure", {"stops": -2.0}), ("colour.white_balance", {"kelvin": 5000.0}))
    advised = advise(graph, spices)
    assert advised.graph.steps["exposure"].value("stops") > -1.3
    assert "exposure.stops" in {edit.get("path") for edit in advised.patch}
    assert "luxgrad.tone.exposure" not in {edit.get("node") for edit in advised.patch}
    again = advise(advised.graph, spices)
    moved = abs(again.graph.steps["exposure"].value("stops") - advised.graph.steps["exposure"].value("stops"))
    assert moved < 0.5 * abs(advised.graph.steps["exposure"].value("stops") + 2.0)


def test_steps_behind_a_mask_are_not_moved_for_the_whole_picture(spices: Photo) -> None:
    graph = from_data({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "mask": {"class_type": "luxgrad.local.luminance_mask", "inputs": {"image": ["photo", 0]}},
        "part": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0]}},
        "local": {"class_type": "luxgrad.local.apply_mask",
                  "inputs": {"before": ["photo", 0], "after": ["part", 0], "mask": ["mask", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["local", 0]}},
    })  # fmt: skip
    advised = advise(graph, Photo(spices.pixels * 0.25))
    assert advised.graph.steps["part"].values == {"stops": 0.0}
    (first,) = (edit for edit in advised.patch if edit.get("node") == "luxgrad.tone.exposure")
    assert first["links"] == {"image": ["photo", 0]}
    assert {step.id for step in advised.graph for link in step.links.values() if link.step == "photo"} == {first["step"]}


def test_new_steps_leave_the_before_of_a_comparison_and_the_target_of_a_fit_alone(spices: Photo) -> None:
    graph = from_data({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "view": {"class_type": "luxgrad.compare", "inputs": {"photo": ["photo", 0], "before": ["photo", 0]}},
        "fit": {"class_type": "luxgrad.fit", "inputs": {"photo": ["photo", 0], "target": ["photo", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["fit", 0]}},
    })  # fmt: skip
    after = advise(graph, Photo(spices.pixels * 0.25)).graph
    assert after.steps["view"].links["before"] == ("photo", 0)
    assert after.steps["fit"].links["target"] == ("photo", 0)
    assert after.steps["view"].links["photo"] == after.steps["fit"].links["photo"] != ("photo", 0)


def test_a_fault_that_the_sliders_cannot_reach_is_said_and_left(spices: Photo) -> None:
    advised = advise(chain("tone.contrast"), Photo(spices.pixels * 0.25), sink="photo")
    assert advised.patch == ()
    (dark,) = (finding for finding in advised.findings if finding.what == "too dark")
    assert dark.keep
    assert "do not mend it" in dark.why


def test_advice_applied_is_a_workflow_like_any_other(spices: Photo) -> None:
    advised = advise(PLAIN, Photo(spices.pixels * 0.25))
    assert apply(PLAIN, advised.patch).steps.keys() == advised.graph.steps.keys()
    assert apply(advised.graph, advised.turn.undo).steps.keys() == PLAIN.steps.keys()


@pytest.mark.parametrize("flat", [0.0, 0.18, 1.0, 40.0])
def test_flat_fields_black_and_glare_are_measured_without_trouble(flat: float) -> None:
    advised = advise(PLAIN, Photo(torch.full((1, 3, 20, 30), flat)))
    assert all(math.isfinite(value) for finding in advised.findings for value in finding.evidence.values())


@pytest.mark.parametrize(("kelvin", "tint"), [(9000.0, 0.0), (5000.0, 0.0), (6500.0, 35.0), (4300.0, -20.0)])
def test_the_colour_of_the_light_is_found_on_grey_things(kelvin: float, tint: float) -> None:
    ratios = [math.log2(x / y) for x, y in zip(illuminant_cones(kelvin, tint), illuminant_cones(6500.0, 0.0))]
    back, green = light_of(ratios[0] - ratios[1], ratios[2] - ratios[1])
    assert back == pytest.approx(kelvin, rel=0.02)
    assert green == pytest.approx(tint, abs=1.0)
    grey = 0.02 + 0.4 * torch.rand(1, 1, 50, 60, generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1, -1)
    cast = measure(white_balance(grey, kelvin, tint)).cast
    assert cast.cool == pytest.approx(1e6 / kelvin - 1e6 / 6500.0, abs=10.0)
    assert cast.cool_doubt < 15.0


def test_beliefs_are_the_posterior_of_a_fault() -> None:
    usual, fault, chance, seen = Usual(0.2, 0.9, 0.3), 0.6, 0.3, 0.8
    sizes = torch.linspace(-8.0, 8.0, 32001, dtype=torch.float64)

    def normal(x: torch.Tensor, sigma: float) -> torch.Tensor:
        return torch.exp(-0.5 * (x / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))

    weights = normal(seen - sizes, 0.2) * normal(sizes, fault)
    meant = (normal(seen - sizes, 0.2) * normal(sizes, 0.9)).sum().item()
    fine = normal(torch.tensor(seen), 0.2).item() / 0.0005
    faulty = weights.sum().item()
    found = belief(seen, usual, fault, chance)
    assert found.confidence == pytest.approx(0.3 * faulty / (0.3 * faulty + 0.7 * (0.3 * meant + 0.7 * fine)), rel=1e-5)
    assert found.size == pytest.approx((weights * sizes).sum().item() / faulty, rel=1e-5)


def test_small_deviations_and_those_too_large_for_a_fault_are_left() -> None:
    usual = Usual(0.1, 0.7, 0.25)
    small, clear, huge = (belief(x, usual, 0.3, 0.35) for x in (0.05, 0.4, 2.5))
    assert small.confidence < 0.3 < 0.5 < clear.confidence
    assert huge.confidence < 0.01
    assert belief(-0.4, usual, 0.3, 0.35) == (clear.confidence, -clear.size)
    assert belief(1e6, usual, 0.3, 0.35).expected == 0.0

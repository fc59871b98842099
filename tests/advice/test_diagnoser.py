"""The diagnoser finds what was spoiled, says it with numbers and a place, and leaves alone what is good or meant."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

import luxgrad
from luxgrad.advice.asking import Advised, advise
from luxgrad.advice.dials import DIALS, dial_graph, moves_of, turned
from luxgrad.advice.faults import COLOURS, DETAIL, FAULTS, KINDS, LOOKS, MEANT
from luxgrad.advice.fine import places
from luxgrad.advice.statistics import FINE, STATISTICS, fine_statistics, light_of, small_codes, statistics
from luxgrad.advice.view import View
from luxgrad.graph.model import Graph
from luxgrad.light.difference import compare
from luxgrad.light.gamut import to_display
from luxgrad.light.photo import Photo
from luxgrad.networks.weights import load_network, manifest
from luxgrad.ops.spec import REGISTRY

from ..graph.graphs import chain

PLAIN = chain("detail.clarity")


def ask(photo: Photo, graph: Graph = PLAIN) -> Advised:
    return advise(graph, photo, "diagnoser")


def found(advised: Advised) -> set[str]:
    return {finding.what for finding in advised.findings if not finding.keep}


def after(advised: Advised, photo: Photo) -> Photo:
    return luxgrad.Graph.of(advised.graph)(photo)


def test_the_weights_know_as_many_things_as_have_names() -> None:
    arguments = manifest()["diagnoser"]["arguments"]
    names = {"statistics": STATISTICS, "fine": FINE, "faults": len(FAULTS), "meant": len(MEANT), "dials": len(DIALS)}
    assert arguments == {**names, "detail": len(DETAIL)}
    assert set(LOOKS) == set(MEANT)
    assert {dial for kind in KINDS for dial in kind.dials} == {dial.name for dial in DIALS}
    assert {dial.name for dial in DIALS} > COLOURS


def test_every_dial_is_a_move_of_sliders_that_are_there() -> None:
    for number, dial in enumerate(DIALS):
        for move in moves_of(number, dial.width, "so"):
            param = REGISTRY[move.op].param(move.slider)
            assert param is not None
            assert math.isfinite(move.by)
            assert move.by != 0.0


def test_dials_turn_what_their_sliders_turn(spices: Photo) -> None:
    light = spices.pixels[..., :40, :60]
    turns = torch.zeros(1, len(DIALS))
    torch.testing.assert_close(turned(dial_graph(), light, turns), light, rtol=1e-4, atol=1e-5)
    turns[0, 0] = 1.0
    torch.testing.assert_close(turned(dial_graph(), light, turns), 2.0 * light, rtol=1e-4, atol=1e-5)
    turns = torch.zeros(1, len(DIALS))
    turns[0, 1] = 40.0
    warmer = REGISTRY["colour.white_balance"].function(light, 1e6 / (1e6 / 6500.0 - 40.0), 0.0)
    torch.testing.assert_close(turned(dial_graph(), light, turns), warmer, rtol=1e-4, atol=1e-4)
    assert (warmer[:, 0] - warmer[:, 2]).mean() > (light[:, 0] - light[:, 2]).mean()


@pytest.mark.parametrize("stops", [-1.2, -2.0])
def test_a_dark_photo_is_called_dark_and_comes_back(spices: Photo, stops: float) -> None:
    dark = Photo(spices.pixels * 2.0**stops)
    advised = ask(dark)
    (finding,) = (finding for finding in advised.findings if finding.what == "under-exposed")
    assert finding.confidence > 0.4
    assert finding.severity > 0.2
    assert finding.evidence["exposure (EV)"] > 0.4
    assert compare(after(advised, dark), spices).delta_e < compare(dark, spices).delta_e - 3.0


def test_a_finding_shows_where_its_cure_would_be_seen(spices: Photo) -> None:
    half = spices.pixels * 0.2
    half[..., : half.shape[3] // 2] = 0.0
    advised = ask(Photo(half))
    (mask,) = (finding.mask for finding in advised.findings if finding.what == "under-exposed")
    assert mask is not None
    assert mask[..., :40].mean() < 0.2 * mask[..., 56:].mean()
    assert advised.mask is not None
    assert tuple(advised.mask.shape[2:]) == tuple(advised.view.picture.size)


@pytest.mark.parametrize("name", ["lake.jpg", "portrait.jpg", "spices.jpg", "sunset.jpg", "kitten.png"])
def test_good_photos_are_moved_little(photos: Path, name: str) -> None:
    photo = luxgrad.load(photos / name)
    small = Photo(photo.reduced(photo.size.scaled(0.25)).pixels)
    assert compare(after(ask(small), small), small).delta_e < 4.0


def test_black_and_white_gets_no_colour(spices: Photo) -> None:
    grey = Photo(REGISTRY["colour.saturation"].function(spices.pixels, -8.0))
    advised = ask(grey)
    assert "black and white" in {finding.what for finding in advised.findings if finding.keep}
    assert not {edit.get("node") for edit in advised.patch} & {
        "luxgrad.colour.white_balance", "luxgrad.colour.saturation", "luxgrad.colour.hue_bands",
    }  # fmt: skip


def test_sliders_that_are_there_are_moved_on_from_where_they_stand(spices: Photo) -> None:
    graph = chain(("tone.exposure", {"stops": -1.5}))
    advised = ask(spices, graph)
    assert advised.graph.steps["exposure"].value("stops") > -1.3
    assert "luxgrad.tone.exposure" not in {edit.get("node") for edit in advised.patch}


def test_every_edit_says_why_and_words_hold_the_numbers(spices: Photo) -> None:
    advised = ask(Photo(spices.pixels * 0.25))
    edits = [edit for edit in advised.patch if edit["edit"] != "link"]
    assert edits
    assert all(edit["reason"] for edit in edits)
    (dark,) = (finding for finding in advised.findings if finding.what == "under-exposed")
    assert f"at {advised.view.measured.middle:+.1f} EV" in dark.why
    assert f"{dark.evidence['exposure (EV)']:.1f} EV brighter" in dark.why


def test_faults_that_the_sliders_cannot_reach_are_said_and_left(spices: Photo) -> None:
    advised = advise(chain("tone.contrast"), Photo(spices.pixels * 0.25), "diagnoser", sink="photo")
    assert advised.patch == ()
    (dark,) = (finding for finding in advised.findings if finding.what == "under-exposed")
    assert dark.keep
    assert "do not mend it" in dark.why


def test_noise_that_a_small_picture_hides_is_seen_at_full_size(photos: Path) -> None:
    photo = luxgrad.load(photos / "spices.jpg")
    noise = 0.05 * torch.randn(photo.pixels.shape, generator=torch.Generator().manual_seed(0))
    codes = (to_display(photo.pixels) + noise).clamp(0.0, 1.0)
    noisy = luxgrad.advise(PLAIN, Photo(light_of(codes)), "diagnoser")
    (finding,) = (finding for finding in noisy.findings if finding.what == "noise")
    assert finding.aspect == "detail"
    assert 2.0 < finding.evidence["noise (% of white)"] < 8.0
    assert "noise" not in found(ask(photo))


def test_a_soft_photo_is_sharpened(photos: Path) -> None:
    photo = luxgrad.load(photos / "spices.jpg")
    soft = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(photo.pixels, (2, 2, 2, 2), mode="replicate"), 5, 1)
    advised = ask(Photo(soft))
    assert "softness" in found(advised)
    (edit,) = (edit for edit in advised.patch if edit.get("node") == "luxgrad.detail.sharpen")
    assert edit["values"]["amount"] > 0.3


def test_the_finest_pixels_are_those_of_the_edited_picture_at_full_size(photos: Path) -> None:
    photo = luxgrad.load(photos / "spices.jpg")
    graph = chain(("tone.levels", {"black": 0.5, "white": 0.5}), ("detail.sharpen", {"amount": 1.0}))
    whole = graph(photo).pixels
    parts = View.of(graph, photo, size=100).parts(places)
    assert parts is not None
    for part, region in zip(parts.split(1), places(photo.size)):
        torch.testing.assert_close(part, region.cut(whole), rtol=1e-4, atol=1e-5)
    assert View.of(graph, photo).parts(lambda size: []) is None


def test_a_tiny_picture_has_no_detail_to_speak_of(spices: Photo) -> None:
    tiny = Photo(spices.pixels[..., :50, :300])
    assert not found(ask(tiny)) & set(DETAIL)


@pytest.mark.parametrize("flat", [0.0, 0.18, 1.0, 40.0])
def test_flat_fields_black_and_glare_are_diagnosed_without_trouble(flat: float) -> None:
    advised = ask(Photo(torch.full((1, 3, 80, 90), flat)))
    assert all(math.isfinite(value) for finding in advised.findings for value in finding.evidence.values())


def test_statistics_are_finite_and_as_many_as_are_said(spices: Photo) -> None:
    for light in (spices.pixels, torch.zeros(1, 3, 9, 9), torch.full((1, 3, 70, 9), 7.0)):
        found_here = statistics(small_codes(light))
        assert found_here.shape == (1, STATISTICS)
        assert torch.isfinite(found_here).all()
    fine = fine_statistics(torch.rand(5, 3, 96, 96))
    assert fine.shape == (1, FINE)
    assert torch.isfinite(fine_statistics(torch.zeros(2, 3, 64, 64))).all()


def test_the_network_says_the_same_of_a_picture_alone_and_in_a_batch(spices: Photo) -> None:
    network = load_network("diagnoser")
    codes = torch.cat([small_codes(spices.pixels), small_codes(0.3 * spices.pixels)])
    numbers = torch.cat([statistics(code) for code in codes.split(1)])
    together, alone = network("look", codes, numbers), network("look", codes[:1], numbers[:1])
    for one, two in zip(together, alone):
        torch.testing.assert_close(one[:1], two, rtol=1e-4, atol=1e-4)

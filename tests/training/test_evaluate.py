"""Scores of local retouching: through the operation, beside the classical ways, at any resolution, flaw by flaw."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from luxgrad.benchmarks import local_retouch as bench
from luxgrad.light.transfer import srgb_decode, srgb_encode
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.networks.weights import WeightsError, save_weights
from luxgrad.ops.blend.local_layer import tiny
from luxgrad.ops.composite import by_hand
from luxgrad.ops.local.local_retouch import local_retouch
from luxgrad.ops.spec import spec_of
from luxgrad.training.abpn.classical import change, guided, median, where_large, where_masked
from luxgrad.training.abpn.data import Example
from luxgrad.training.abpn.evaluate import Found, Score, by_network, by_operation
from luxgrad.training.abpn.held_out import cases, flawed, photo, smaller, surfaces
from luxgrad.training.abpn.report import report
from luxgrad.training.abpn.sheet import CELL, rows, sheet


def codes(seed: int = 1, height: int = 64, width: int = 96) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def network():
    torch.manual_seed(0)
    return tiny()["network"]


def test_the_operation_in_a_graph_is_scored_and_training_computes_the_same_masks() -> None:
    picture, net = codes(), network()
    found = by_operation(net, 2)(picture)
    wanted = by_hand(spec_of(local_retouch), {"image": srgb_decode(picture), "network": net, "levels": 2})
    torch.testing.assert_close(found.codes, srgb_encode(wanted.image), rtol=0, atol=1e-5)
    torch.testing.assert_close(found.mask, wanted.mask, rtol=0, atol=1e-5)
    module = BlendPyramid(0.01).train(False)
    module.load_state_dict({**net.constants, **net.weights})
    trained = by_network(module, 2)(picture)
    torch.testing.assert_close(found.probability, trained.probability, rtol=0, atol=1e-5)
    assert 0 < found.mask.mean() < 1
    odd = codes(2, 45, 71)
    assert by_operation(net)(odd).codes.shape == odd.shape


def test_scores_are_those_worked_out_by_hand() -> None:
    clean = torch.full((3, 32, 32), 0.5)
    masks = torch.zeros(3, 32, 32)
    masks[1, 8:16, 8:16] = 1.0
    before = clean + 0.1 * masks[1]
    after = clean + 0.01 * masks[1]
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:16, 8:12] = 1.0
    score = Score()
    example = Example(before, clean, masks, torch.ones(3))
    score.add(Found(after[None], mask, mask), example)
    score.add(Found(clean[None], mask, mask), Example(clean, clean, 0 * masks, torch.ones(3)))
    row = score.row()
    assert row["inside_before"] == pytest.approx(20.0, abs=1e-3)
    assert row["inside_after"] == pytest.approx(40.0, abs=1e-3)
    assert row["gain"] == pytest.approx(20.0, abs=1e-3) == score.gains().item()
    assert row["overlap"] == pytest.approx(0.5)
    assert (row["outside"], row["untouched"]) == (pytest.approx(100.0), pytest.approx(100.0))


def test_smoothing_takes_a_spot_off_and_leaves_an_even_ground_and_fine_texture() -> None:
    even = torch.full((1, 3, 80, 80), 0.5)
    spotted = even.clone()
    spotted[..., 32:48, 32:48] = 0.3
    fine = 0.02 * (torch.arange(80) % 2).float() - 0.01
    for smooth in (median, guided):
        assert where_large(even, change(even, smooth)).codes.sub(even).abs().max() < 1e-5
        textured = spotted + fine
        moved = where_large(textured, change(textured, smooth)).codes - textured
        assert moved[..., :10, :10].abs().max() < 1e-4, "texture stays"
    found = where_large(spotted, change(spotted, median))
    assert (found.codes - even)[..., 36:44, 36:44].abs().max() < 0.02
    shut = where_masked(spotted, change(spotted, median), torch.zeros(1, 1, 40, 40))
    assert torch.equal(shut.codes, spotted)


def test_a_guided_filter_keeps_a_strong_edge_and_smooths_a_weak_one() -> None:
    step = (torch.arange(64) >= 32).float().expand(1, 3, 64, 64)
    strong, weak = (guided(0.2 + height * step) for height in (0.6, 0.02))
    assert (strong[..., 32] - strong[..., 31]).min() > 0.9 * 0.6
    assert (weak[..., 32] - weak[..., 31]).max() < 0.3 * 0.02


def test_a_smaller_trial_has_the_same_flaws_as_means_of_light(photos: Path) -> None:
    whole = flawed(photo(photos / "portrait.jpg", 240), 3, count=4)
    half = smaller(whole, 2)
    light = srgb_decode(whole.flawed)
    wanted = (light[:, ::2, ::2] + light[:, 1::2, ::2] + light[:, ::2, 1::2] + light[:, 1::2, 1::2]) / 4
    torch.testing.assert_close(srgb_decode(half.flawed), wanted, rtol=0, atol=1e-5)
    assert half.masks.mean().item() == pytest.approx(whole.masks.mean().item(), rel=1e-5)
    assert (half.flawed == half.clean)[:, half.masks.amax(0) == 0].all()


def test_a_report_scores_every_way_on_the_same_pictures(photos: Path) -> None:
    seen = [*cases([photos / "portrait.jpg"], 160, 3, each=2), *surfaces(2, 96, 1), flawed(codes(), 0, count=0)]
    reports = report(network(), seen)
    assert len({found.flaws.count() for found in reports.values()}) == 1
    assert next(iter(reports.values())).flaws.count() > 3
    before = [tuple(found.score.inside_before) for found in reports.values()]
    assert len(set(before)) == 1
    assert len(before[0]) + 1 == len(seen)
    assert reports["median, the true mask"].score.row()["outside"] == pytest.approx(100.0)
    assert reports["network"].score.row()["overlap"] != reports["median, the true mask"].score.row()["overlap"]
    assert len(bench._pixels("network", reports["network"].score)) == 11
    assert sum(tally.count() for tally in reports["network"].groups.values()) >= reports["network"].flaws.count()


def test_the_sheet_shows_each_group_and_a_failure(photos: Path) -> None:
    found = rows(by_operation(network()), [photos / "portrait.jpg"], tries=2, seed=0)
    assert [row.group for row in found[:3]] == ["skin", "cloth", "dust"]
    assert all(panel.shape == (1, 3, CELL, CELL) for row in found for panel in row.panels)
    assert all((row.panels[0] != row.panels[3]).any() for row in found)
    assert sheet(found).size.width > 4 * CELL


def test_weights_are_judged_from_the_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"architecture": "BlendPyramid", "arguments": {"scale": 0.02}}
    for name in ("mine", "sigmoid_proxy"):
        save_weights(BlendPyramid(0.02), tmp_path / f"{name}.safetensors", about)
    monkeypatch.setenv("LUXGRAD_WEIGHTS", str(tmp_path / "mine.safetensors"))
    assert bench.weights()[1].about == about
    monkeypatch.setenv("LUXGRAD_WEIGHTS", str(tmp_path / "sigmoid_proxy.safetensors"))
    with pytest.raises(WeightsError, match="expected a name that no weights have that ship"):
        bench.weights()

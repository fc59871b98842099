"""Training of the diagnoser: faults are made and labelled truly, plans learn through the graph, confidence is calibrated."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import torch

import luxgrad
from luxgrad.advice.dials import DIALS, NUMBER, dial_graph, turned
from luxgrad.advice.faults import DETAIL, FAULTS, MEANT
from luxgrad.advice.statistics import light_of
from luxgrad.files.errors import FileError
from luxgrad.light.gamut import to_display
from luxgrad.networks.diagnoser import Detail
from luxgrad.training.diagnoser.calibration import auc, expected_error, platt, reliability
from luxgrad.training.diagnoser.detail import DetailExamples, fitted
from luxgrad.training.diagnoser.evaluate import plans, said
from luxgrad.training.diagnoser.examples import Examples, apart, kept
from luxgrad.training.diagnoser.spoiling import IGNORED, Spoiled, spoiled
from luxgrad.training.diagnoser.train import ARGUMENTS, Config, by_pixels, train


@pytest.fixture(scope="module")
def good() -> torch.Tensor:
    photo = luxgrad.load(Path(__file__).resolve().parents[2] / "workflows" / "photos" / "spices.jpg")
    return photo.reduced(photo.size.scaled(0.1)).pixels


@pytest.fixture(scope="module")
def drawn(good: torch.Tensor) -> list[Spoiled]:
    return [spoiled(good, random.Random(seed)) for seed in range(120)]


def psnr(one: torch.Tensor, two: torch.Tensor) -> float:
    return -10.0 * (one - two).square().mean().clamp_min(1e-6).log10().item()


def test_a_third_is_left_as_it_is_and_some_looks_are_meant(drawn: list[Spoiled]) -> None:
    untouched = [found for found in drawn if not found.cure.any()]
    assert 0.25 < len(untouched) / len(drawn) < 0.6
    for found in untouched:
        assert torch.equal(found.codes, found.good)
        assert (found.faults == 0.0).all()
    meant = [found for found in drawn if found.meant.any()]
    assert {MEANT[int(found.meant.argmax())] for found in meant} == set(MEANT)
    assert all(not found.cure.any() for found in meant)


def test_labels_say_what_the_cure_takes_back(drawn: list[Spoiled]) -> None:
    signs = {"under-exposed": ("exposure", 1), "over-exposed": ("exposure", -1), "flat": ("contrast", 1),
             "harsh": ("contrast", -1), "warm cast": ("warmth", -1), "cool cast": ("warmth", 1), "green cast": ("tint", 1),
             "magenta cast": ("tint", -1), "over-saturated": ("saturation", -1), "pale": ("saturation", 1),
             "haze": ("black", 1), "crushed shadows": ("shadows", -1)}  # fmt: skip
    seen = set()
    for found in drawn:
        for fault, (dial, sign) in signs.items():
            if found.faults[FAULTS.index(fault)] == 1.0:
                seen.add(fault)
                assert found.cure[NUMBER[dial]] * sign > 0.0
    assert len(seen) >= 10
    assert all(set(found.faults.tolist()) <= {0.0, 1.0, IGNORED} for found in drawn)


def test_the_cure_brings_the_good_photo_back(drawn: list[Spoiled]) -> None:
    gains = []
    for found in drawn:
        clipped = found.faults[FAULTS.index("clipped highlights")] != 0.0
        if found.cure.any() and not clipped:
            after = to_display(turned(dial_graph(), light_of(found.codes), found.cure[None]))
            gains.append(psnr(after, found.good) - psnr(found.codes, found.good))
    assert sum(gains) / len(gains) > 6.0
    assert sum(gain > 0.0 for gain in gains) > 0.9 * len(gains)


def test_the_loss_by_pixels_reaches_every_dial_truly(good: torch.Tensor) -> None:
    codes = to_display(torch.nn.functional.interpolate(good, (96, 96), mode="area")).double()
    bad = (0.8 * codes).requires_grad_(False)
    dials = (0.1 * torch.randn(1, len(DIALS), generator=torch.Generator().manual_seed(1))).double().requires_grad_()

    def loss(turns: torch.Tensor) -> torch.Tensor:
        return by_pixels(dial_graph(), turns, bad, codes, torch.Generator().manual_seed(2))

    (gradient,) = torch.autograd.grad(loss(dials), dials)
    for number in range(len(DIALS)):
        step = torch.zeros_like(dials)
        step[0, number] = 1e-4
        slope = (loss((dials + step).detach()) - loss((dials - step).detach())).item() / 2e-4
        assert gradient[0, number].item() == pytest.approx(slope, rel=2e-2, abs=1e-5), DIALS[number].name
    assert (gradient.abs() > 1e-7).sum() >= len(DIALS) - 2


def pile(count: int = 48) -> Examples:
    """Grey ramps, half of them darkened by a stop."""
    draw = torch.Generator().manual_seed(0)
    ramp = torch.linspace(0.1, 0.9, 96).expand(count, 3, 96, 96) * (0.9 + 0.1 * torch.rand(count, 3, 1, 1, generator=draw))
    dark = torch.arange(count) % 2 == 1
    codes = torch.where(dark.view(-1, 1, 1, 1), to_display(0.5 * light_of(ramp)), ramp)
    cure, faults = torch.zeros(count, len(DIALS)), torch.zeros(count, len(FAULTS))
    cure[dark, 0], faults[dark, 0] = 1.0, 1.0
    numbers = torch.zeros(count, ARGUMENTS["statistics"])
    numbers[:, 0] = dark.float()
    as_bytes = ((picture * 255.0).round().to(torch.uint8) for picture in (codes, ramp))
    return Examples(*as_bytes, numbers, cure, faults, torch.zeros(count, len(MEANT)), torch.arange(count))


def test_a_stopped_training_goes_on_and_another_one_is_refused(tmp_path: Path) -> None:
    config, seen = Config(minutes=0.03, batch=4, seeing=0.5), pile()
    train(config, seen, tmp_path)
    rows = (tmp_path / "curve.csv").read_text().splitlines()
    train(replace(config, minutes=0.06), seen, tmp_path)
    more = (tmp_path / "curve.csv").read_text().splitlines()
    assert more[: len(rows)] == rows
    assert len(more) > len(rows)
    assert int(more[len(rows)].partition(",")[0]) == len(rows)
    with pytest.raises(FileError, match="expected the state of the same training; it differs in rate"):
        train(replace(config, rate=1e-3), seen, tmp_path)


def test_both_ways_of_training_learn_to_brighten_what_was_darkened(tmp_path: Path) -> None:
    seen = pile()
    for pixels in (True, False):
        config = Config(minutes=100.0, batch=8, pixels=pixels, seeing=0.4, rate=1e-2)
        module = train(config, seen, tmp_path / str(pixels), count().__next__)
        found = said(module.look, seen)
        exposure = found.dials[:, 0]
        assert exposure[1::2].mean() > exposure[::2].mean() + 0.15
        assert auc(found.faults[:, 0], seen.faults[:, 0]) > 0.9
        before, after = plans(seen, torch.zeros_like(seen.cure)), plans(seen, found.dials)
        assert after["spoiled_psnr"] > before["spoiled_psnr"] + 1.0


def test_confidence_too_high_is_brought_down_to_what_happens() -> None:
    draw = torch.Generator().manual_seed(0)
    honest = 2.0 * torch.randn(4000, 2, generator=draw) - 1.0
    truth = (torch.rand(4000, 2, generator=draw) < torch.sigmoid(honest)).float()
    truth[:50, 1] = IGNORED
    boasting = 3.0 * honest + 1.0
    scale, offset = platt(boasting, truth)
    assert scale.tolist() == pytest.approx([1.0 / 3.0] * 2, abs=0.05)
    before, after = (expected_error(reliability(torch.sigmoid(x), truth)) for x in (boasting, boasting * scale + offset))
    assert before > 0.08
    assert after < 0.02
    assert sum(b.cases for b in reliability(torch.sigmoid(boasting), truth)) == 8000 - 50


def test_the_area_under_the_curve_is_the_chance_to_rank_right() -> None:
    truth = torch.tensor([1.0, 1.0, 0.0, 0.0, IGNORED])
    assert auc(torch.tensor([0.9, 0.4, 0.5, 0.1, 9.0]), truth) == pytest.approx(0.75)
    assert auc(torch.tensor([0.5, 0.5, 0.5, 0.5, 0.0]), truth) == 0.5
    assert auc(torch.ones(5), torch.ones(5)) != auc(torch.ones(5), torch.ones(5))


def test_photos_are_kept_apart_by_name_and_examples_are_made_once(tmp_path: Path, photos: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.jpg").symlink_to(photos / "lake.jpg")
    parts = apart([tmp_path])
    assert [[path.stem for path in part] for part in parts] == [["1", "2", "3", "5", "6", "7"], ["4"], ["0", "8"]]
    made = kept(parts.held, 4, 3, tmp_path / "kept", "held")
    again = kept([], 4, 3, tmp_path / "kept", "held")
    assert all(torch.equal(one, two) for one, two in zip(made, again))
    assert made.photo.tolist() == [0, 1, 0, 1]
    with pytest.raises(FileError, match="expected a folder of photographs"):
        apart([tmp_path / "none"])


def test_the_part_for_detail_learns_from_numbers_that_tell(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    numbers = torch.randn(400, ARGUMENTS["fine"], generator=draw)
    faults = torch.stack([numbers[:, 0] > 0.3, numbers[:, 5] < -0.2], dim=1).float()
    seen = DetailExamples(numbers, faults, 2.0 * faults, torch.arange(400))
    torch.manual_seed(0)
    detail = Detail(ARGUMENTS["fine"], len(DETAIL))
    fitted(detail, seen, steps=200)
    chances, amounts = detail(numbers)
    assert auc(chances[:, 0].detach(), faults[:, 0]) > 0.97
    assert amounts[faults[:, 1] == 1.0, 1].mean().item() == pytest.approx(2.0, abs=0.3)


def test_the_terminal_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    said_here = subprocess.run([sys.executable, "-m", "luxgrad.training.diagnoser", str(tmp_path / "none")],
                               capture_output=True, text=True, check=False)  # fmt: skip
    assert said_here.returncode == 1
    assert said_here.stderr == f"error: {tmp_path / 'none'}: expected a folder of photographs\n"

"""Local flaws are read from the mask branch of a blend pyramid: of which kind, where, how large."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import luxgrad
from luxgrad.advice.flaws import flaws, found, spots
from luxgrad.advice.view import View
from luxgrad.light.photo import Photo
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.ops.types import Network

from ..graph.graphs import chain


def test_connected_places_are_counted_with_their_middle_and_size() -> None:
    mask = torch.zeros(1, 1, 100, 50)
    mask[..., 10:20, 5:10] = 0.9
    mask[..., 80:84, 30:48] = 0.7
    mask[..., 84, 47] = 0.7
    mask[..., 50, 25] = 0.4
    upper, lower = sorted(spots(mask), key=lambda spot: spot.y)
    assert (upper.y, upper.x) == pytest.approx((0.15, 0.15), abs=0.01)
    assert upper.size == pytest.approx(0.1)
    assert upper.place == "upper left"
    assert upper.chance == pytest.approx(0.9)
    assert lower.size == pytest.approx(0.18)
    assert lower.place == "lower right"
    assert spots(torch.zeros(1, 1, 30, 40)) == []


class _Seeing(BlendPyramid):
    """A pyramid that sees dust where the picture is dark."""

    def __init__(self, scale: float, chance: float = 0.8) -> None:
        super().__init__(scale)
        self.chance = chance

    def forward(self, part: str, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...] | torch.Tensor:
        if part != "local":
            return super().forward(part, *inputs)
        dark = (inputs[0].mean(1, keepdim=True) < 0.1).float()
        return inputs[0], torch.cat([0.0 * dark, 0.0 * dark, self.chance * dark], dim=1)


def test_flaws_become_findings_by_kind_with_place_and_mask() -> None:
    light = torch.full((1, 3, 90, 120), 0.5)
    light[..., 70:76, 100:106] = 0.0
    view = View.of(chain("tone.exposure"), Photo(light))
    (finding,) = found(view, Network(_Seeing(0.01)))
    assert finding.what == "flaws: dust"
    assert finding.aspect == "local"
    assert "lower right" in finding.why
    assert finding.evidence["largest (% of the long edge)"] == pytest.approx(5.0)
    assert finding.confidence == pytest.approx(0.8)
    assert finding.mask is not None
    assert finding.mask.sum() == pytest.approx(0.8 * 36.0)


def test_the_real_branch_is_asked_as_it_answers() -> None:
    torch.manual_seed(0)
    pyramid = BlendPyramid(0.02)
    with torch.no_grad():
        pyramid.local.mask_head.bias.copy_(torch.tensor([-9.0, 9.0, -9.0]))
        pyramid.local.mask_head.weight.zero_()
    view = View.of(chain("tone.exposure"), Photo(torch.rand(1, 3, 70, 80)))
    (finding,) = found(view, Network(pyramid))
    assert finding.what == "flaws: cloth"
    assert finding.evidence["largest (% of the long edge)"] == pytest.approx(100.0)


def test_flaws_are_said_only_where_the_weights_that_ship_are_very_sure(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lake", "sunset"):
        assert flaws(View.of(chain("tone.exposure"), luxgrad.load(root / "workflows" / "photos" / f"{name}.jpg"))) == []
    light = torch.full((1, 3, 90, 120), 0.5)
    light[..., 70:76, 100:106] = 0.0
    view = View.of(chain("tone.exposure"), Photo(light))
    for chance, said in ((0.94, []), (0.96, ["flaws: dust"])):
        monkeypatch.setattr("luxgrad.advice.flaws.load_network", lambda name, c=chance: Network(_Seeing(0.01, c)))
        assert [finding.what for finding in flaws(view)] == said

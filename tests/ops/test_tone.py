"""Truth of the tone operations: numbers from closed forms and independent code."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from luxgrad.light.transfer import MIDDLE_GREY
from luxgrad.ops.measure.percentiles import percentiles
from luxgrad.ops.tone.contrast import contrast
from luxgrad.ops.tone.curve import curve
from luxgrad.ops.tone.exposure import exposure
from luxgrad.ops.tone.levels import levels
from luxgrad.ops.tone.sigmoid import sigmoid


def grey(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).view(1, 1, 1, -1).expand(1, 3, 1, -1)


def test_one_stop_doubles_the_light_and_one_stop_back_is_the_identity(picture: Tensor) -> None:
    assert torch.equal(exposure(picture, 1.0), picture * 2.0)
    assert torch.equal(exposure(exposure(picture, 1.0), -1.0), picture)
    assert torch.equal(exposure(-picture, 3.0), -8.0 * picture)


def test_contrast_is_the_power_about_middle_grey() -> None:
    light = grey(0.01, 0.05, MIDDLE_GREY, 0.5, 1.0, 4.0)
    for amount in (-0.7, 0.5, 1.0):
        expected = MIDDLE_GREY * (light / MIDDLE_GREY) ** (2.0**amount)
        torch.testing.assert_close(contrast(light, amount), expected, rtol=1e-5, atol=0)
    assert contrast(grey(MIDDLE_GREY), 0.9)[0, 0, 0, 0].item() == pytest.approx(MIDDLE_GREY, abs=1e-15)


def spline(x: float, knots: np.ndarray, slopes: list[float], fixed: int) -> float:
    """Gregory and Delbourgo's rational quadratic, written from the paper: knots, heights, knot slopes."""
    step, rises = knots[1] - knots[0], [2.0**s for s in slopes]
    climb = np.concatenate([[0.0], np.cumsum(np.array(rises) * step)])
    heights = knots[fixed] + climb - climb[fixed]
    ends = [rises[0], *(math.sqrt(a * b) for a, b in itertools.pairwise(rises)), rises[-1]]
    if x <= knots[0]:
        return heights[0] + rises[0] * (x - knots[0])
    if x >= knots[-1]:
        return heights[-1] + rises[-1] * (x - knots[-1])
    k = int((x - knots[0]) // step)
    t, delta = (x - knots[k]) / step, rises[k]
    above = delta * t * t + ends[k] * t * (1 - t)
    below = delta + (ends[k + 1] + ends[k] - 2 * delta) * t * (1 - t)
    return heights[k] + (heights[k + 1] - heights[k]) * above / below


SLOPES = [0.7, -0.4, 0.9, 0.3, -1.1, 0.2]


def test_the_curve_is_the_rational_quadratic_spline_of_the_paper_on_the_ev_axis() -> None:
    stops = np.linspace(-9.0, 5.0, 57)
    light = grey(*(MIDDLE_GREY * 2.0**stops))
    expected = [MIDDLE_GREY * 2.0 ** spline(s, np.linspace(-8, 4, 7), SLOPES, 4) for s in stops]
    np.testing.assert_allclose(curve(light, *SLOPES)[0, 0, 0].numpy(), expected, rtol=5e-4)


def test_the_curve_is_the_spline_on_the_encoded_axis() -> None:
    from luxgrad.light.transfer import srgb_decode, srgb_encode

    codes = np.linspace(0.0, 1.2, 49)
    light = srgb_decode(grey(*codes))
    bent = srgb_encode(curve(light, *SLOPES, axis="encoded"))[0, 0, 0].numpy()
    np.testing.assert_allclose(bent, [spline(c, np.linspace(0, 1, 7), SLOPES, 3) for c in codes], atol=1e-9)


@pytest.mark.parametrize("axis", ["EV", "encoded"])
def test_the_curve_rises_whatever_its_sliders(axis: str) -> None:
    generator = torch.Generator().manual_seed(0)
    light = grey(*np.linspace(-0.02, 6.0, 4001))
    for _ in range(20):
        slopes = (torch.rand(6, generator=generator) * 6 - 3).tolist()
        bent = curve(light, *slopes, axis=axis)[0, 0, 0]
        assert (bent[1:] > bent[:-1]).all()


def test_middle_grey_stays_where_it_is_under_the_curve() -> None:
    assert curve(grey(MIDDLE_GREY), *SLOPES)[0, 0, 0, 0].item() == pytest.approx(MIDDLE_GREY, rel=1e-6)


@pytest.mark.parametrize("steepness", [0.8, 1.5, 3.0])
@pytest.mark.parametrize("skew", [-1.0, 0.0, 1.0])
def test_the_sigmoid_keeps_middle_grey_with_the_slope_asked_for(steepness: float, skew: float) -> None:
    near = MIDDLE_GREY * torch.tensor([2.0**-1e-4, 1.0, 2.0**1e-4], dtype=torch.float64)
    low, middle, high = sigmoid(near.view(1, 1, 1, 3).expand(1, 3, 1, 3), steepness, skew)[0, 0, 0].tolist()
    assert middle == pytest.approx(MIDDLE_GREY, rel=1e-4)
    assert math.log2(high / low) / 2e-4 == pytest.approx(steepness, rel=1e-3)


def test_the_sigmoid_is_naka_rushton_without_skew_and_never_passes_white() -> None:
    light = grey(0.001, 0.01, 0.1, 0.5, 2.0, 10.0)
    a = 2.0 / (1.0 - MIDDLE_GREY)
    u = (light / MIDDLE_GREY) ** a
    torch.testing.assert_close(sigmoid(light, 2.0), u / (u + (1.0 / MIDDLE_GREY - 1.0)), rtol=1e-3, atol=1e-6)
    assert sigmoid(grey(0.0, 1e6), 2.0).amin().item() == 0.0
    assert 0.999 < sigmoid(grey(1e6), 2.0).amax().item() <= 1.0
    assert (sigmoid(-light, 2.0) == -sigmoid(light, 2.0)).all()


def test_a_stop_of_grey_is_a_stop_of_exposure_before_the_sigmoid() -> None:
    light = grey(0.01, 0.1, 0.7)
    torch.testing.assert_close(sigmoid(light, 1.5, 0.2, 1.0), sigmoid(light * 2.0, 1.5, 0.2, 0.0))


def test_levels_bring_the_bright_end_to_white_and_the_dark_end_near_black() -> None:
    light = (torch.rand(1, 1, 200, 200, dtype=torch.float64) * 0.5 + 0.1).expand(1, 3, -1, -1)
    measured = percentiles(light)
    stretched = levels(light, measured, black=1.0, white=1.0)
    assert isinstance(stretched, Tensor)
    assert np.percentile(stretched.numpy(), 99.5) == pytest.approx(1.0, abs=0.03)
    low = (measured.low / measured.high).item()
    expected = (low - low / (1.0 + low)) / (1.0 - low / (1.0 + low))
    assert np.percentile(stretched.numpy(), 0.5) == pytest.approx(expected, abs=0.01)
    assert expected < low / 5.0


def test_the_middle_of_levels_keeps_black_and_white() -> None:
    measured = percentiles(grey(0.1, 0.2, 0.3))
    ends = levels(grey(0.0, 1.0), measured, middle=0.8)[0, 0, 0]
    torch.testing.assert_close(ends, torch.tensor([0.0, 1.0], dtype=torch.float64), atol=1e-6, rtol=0)
    assert levels(grey(0.25), measured, middle=1.0)[0, 0, 0, 0].item() == pytest.approx(0.5, rel=1e-4)

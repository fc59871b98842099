"""What a fit shows while it runs, and how each slider was pulled."""

from __future__ import annotations

import types

import pytest
import torch

from luxgrad import Graph
from luxgrad.fit import clock as clock_module
from luxgrad.fit.clock import Clock
from luxgrad.fit.fit import fit
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.schema import to_data
from luxgrad.light.photo import Photo
from luxgrad.light.primaries import REC2020_TO_SRGB, mix
from luxgrad.light.transfer import srgb_encode

from .graphs import chain


class Time:
    """A clock that a test moves."""

    now = 0.0


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    moved = Time()
    monkeypatch.setattr(clock_module, "time", types.SimpleNamespace(perf_counter=lambda: moved.now))
    return moved


def u(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


def test_the_best_is_shown_once_a_second_and_for_a_twentieth_of_the_time(time: Time) -> None:
    shown: list[tuple[float, float]] = []
    cost = 0.01

    def show(best: torch.Tensor) -> None:
        shown.append((time.now, best.item()))
        time.now += cost

    clock = Clock(1000.0, show=show)
    for step in range(1000):
        time.now += 0.01
        clock.better(u(step), 1.0 / (step + 1))
        clock.over()
    assert len(shown) == 9
    assert shown[-1][1] > shown[0][1]
    cost = 2.0
    before = len(shown)
    start = time.now
    for step in range(1000, 11_000):
        time.now += 0.01
        clock.better(u(step), 1.0 / (step + 1))
        clock.over()
    assert len(shown) - before == 3
    assert 2.0 * (len(shown) - before) <= 0.06 * (time.now - start)


def test_what_is_shown_is_never_worse_and_is_shown_once(time: Time) -> None:
    shown: list[float] = []
    clock = Clock(1000.0, show=lambda best: shown.append(best.item()))

    def tell(value: float, cost: float, sure: bool) -> None:
        time.now += 2.0
        clock.better(u(value), cost, sure)
        clock.over()

    tell(1, 0.5, False)
    tell(2, 0.7, False)  # worse
    tell(3, 0.9, True)  # measured as at the end: only such costs count from here on
    tell(4, 0.1, False)
    tell(5, 0.8, True)
    assert shown == [1, 3, 5]


@pytest.mark.parametrize("method", ["lm", "adam", "cmaes"])
def test_a_watcher_sees_small_pictures_that_come_nearer_to_the_target(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "_PAUSE", 0.0)
    monkeypatch.setattr(clock_module, "_SHARE", 1e9)
    graph = chain("tone.exposure", "colour.saturation")
    photo = Photo(torch.rand(1, 3, 30, 900, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.1)
    target = graph.with_values({"exposure.stops": 0.7, "saturation.amount": 0.3})(photo)
    seen: list[torch.Tensor] = []
    fit(graph, photo, target, method=method, seconds=4.0, watch=seen.append)
    assert all(picture.shape == (1, 3, 13, 384) for picture in seen)
    goal = target.reduced(target.size.scaled(384 / 900)).pixels
    errors = [(picture - goal).abs().mean().item() for picture in seen]
    assert len(errors) > 1
    assert errors[-1] < errors[0]
    assert not any(picture.requires_grad for picture in seen)


def test_a_pull_is_the_slope_of_the_loss_before_the_fit() -> None:
    graph = chain("tone.exposure", "tone.contrast")
    photo = Photo(torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(2)) * 0.4 + 0.1)
    target = graph.with_values({"exposure.stops": 0.5})(photo)
    half_range = 3.0  # the soft range of exposure is -3..3 EV

    def loss(stops: float) -> float:
        made = graph.with_values({"exposure.stops": stops})(photo)
        return (srgb_encode(_srgb(made)) - srgb_encode(_srgb(target))).square().mean().item()

    slope = (loss(0.01) - loss(-0.01)) / 0.02 * half_range
    pulled = {entry.path: entry for entry in fit(graph, photo, target, method="lm", seconds=2.0).free}
    assert pulled["exposure.stops"].pull == pytest.approx(slope, rel=0.05)  # the fit looks at a sample of the pixels
    assert pulled["exposure.stops"].moves == ("exposure.stops",)
    assert all(entry.reached for entry in pulled.values())
    assert fit(graph, photo, target, method="cmaes", seconds=0.2).free[0].pull is None
    followed = {entry.path: entry.pull for entry in fit(graph, photo, target, method="adam", seconds=0.3).free}
    assert followed["exposure.stops"] < 0.0
    assert abs(followed["exposure.stops"]) > abs(followed["contrast.amount"])


def _srgb(photo: Photo) -> torch.Tensor:
    return torch.cat(mix(REC2020_TO_SRGB, *photo.pixels.double().split(1, dim=1)), dim=1)


def test_a_slider_that_the_loss_does_not_see_is_named() -> None:
    data = to_data(chain("tone.exposure", "tone.contrast"))
    data["fit"] = {"class_type": "luxgrad.fit", "inputs": {"photo": ["contrast", 0], "loss": ["loss", 0]}}
    data["loss"] = {"class_type": "luxgrad.loss.l2", "inputs": {"image": ["exposure", 0], "target": ["photo", 0]}}
    graph = Graph.of(data).with_values({"exposure.stops": 0.5})
    photo = Photo(torch.rand(1, 3, 30, 40) * 0.5 + 0.1)
    reached = {entry.path: entry.reached for entry in fit(graph, photo, seconds=0.3).free}
    assert reached == {path: path == "exposure.stops" for path in reached}
    assert "contrast.amount" in reached
    with pytest.raises(WorkflowError, match=r"no free slider reaches the loss: contrast\.amount"):
        fit(graph, photo, free=["contrast.amount"], seconds=0.3)

"""Every law that looks at operations from an unusual side catches the operation that breaks it, and no other law does."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import pad

from luxgrad.light.planes import join, planes, stack
from luxgrad.light.rectangle import Size
from luxgrad.ops.errors import DeclarationError
from luxgrad.ops.example import Example
from luxgrad.ops.frame import Frame
from luxgrad.ops.loss.per_pixel import mean
from luxgrad.ops.params import Choice, Slider
from luxgrad.ops.reach import POINTWISE, Interval, Reach, halo, reducer
from luxgrad.ops.spec import REGISTRY, OpSpec, declare
from luxgrad.ops.types import Image, Loss, Network, Scalar

from .cases import draw
from .enacted import LAWS, laws_of

Amount = Annotated[Scalar, Slider(-1, 1)]
Radius = Annotated[Scalar, Slider(4, 8, unit="px", log=True)]


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Declares an operation for the length of a test; gives the laws that it breaks."""

    def plant(function: Callable, reach: Reach, **facts: Any) -> list[str]:
        spec = declare(function, reach, f"planted.{function.__name__}", **facts)
        monkeypatch.setitem(REGISTRY, spec.id, spec)
        return [name for name in laws_of(spec) if breaks(spec, name)]

    return plant


def breaks(spec: OpSpec, name: str) -> bool:
    try:
        LAWS[name].check(spec)
    except (AssertionError, RuntimeError):
        return True
    return False


def good(image: Image, amount: Amount = 0.0) -> Image:
    """Brighten the photo.

    image: the photo to change.
    amount: how much brighter.

    Neutral: amount = 0.
    """
    return image * 2.0**amount


def test_an_operation_that_does_well_breaks_no_law(planted: Callable[..., list[str]]) -> None:
    assert planted(good, POINTWISE) == []


def rows_from_the_first(image: Image, frame: Frame, amount: Amount = 0.0) -> Image:
    """Darken downwards, by rows counted from the first rectangle at hand.

    image: the photo to change.
    amount: how much darker.
    """
    top = frame.region.top
    rows = torch.arange(image.shape[2]) + (int(top[0]) if isinstance(top, Tensor) else top)
    return image * 2.0 ** (amount * (rows / frame.size.height).view(1, 1, -1, 1))


def test_an_operation_that_knows_one_place_only_fails_on_sampled_rectangles(planted: Callable[..., list[str]]) -> None:
    assert planted(rows_from_the_first, POINTWISE) == ["sampled_rectangles_are_crops_of_the_whole_each_with_sliders_of_its_own"]


def _blurred(image: Image, radius: Scalar, taps: int, scale: float) -> list[Tensor]:
    """Each plane under a tent that ends `radius` px of the full size away."""
    weights = [(1.0 - k / (torch.as_tensor(radius) * scale)).clamp_min(0.0) for k in range(taps + 1)]
    whole = weights[0] + 2.0 * sum(weights[1:])
    found = []
    for plane in planes(image):
        padded = pad(plane, (taps, taps, taps, taps), mode="replicate")
        for axis in (2, 3):
            length = padded.shape[axis] - 2 * taps
            parts = [
                weight * padded.narrow(axis, taps + sign * k, length)
                for k, weight in enumerate(weights)
                for sign in ((-1, 1) if k else (1,))
            ]
            padded = sum(parts[1:], parts[0]) / whole
        found.append(padded)
    return found


def blur(image: Image, frame: Frame, radius: Radius = 5.0) -> Image:
    """Blur the photo.

    image: the photo to change.
    radius: how far the blur reaches.
    """
    return join(*_blurred(image, radius, frame.halo, frame.scale), like=image)


def blur_of_its_own_size(image: Image, frame: Frame, radius: Radius = 5.0) -> Image:
    """Blur the photo by px of whatever picture comes, proxies too.

    image: the photo to change.
    radius: how far the blur reaches.
    """
    return join(*_blurred(image, radius, frame.halo, 1.0), like=image)


def _margin(radius: Interval, scale: float) -> int:
    return math.ceil(radius.high * scale) - 1


def blur_beyond_its_reach(image: Image, frame: Frame, amount: Amount = 0.5) -> Image:
    """Blur the photo by 6 px of the full size, and look further than its reach says on a proxy.

    image: the photo to change.
    amount: how much of the blur.
    """
    blurred = join(*_blurred(image, 6.0, math.ceil(6.0 * frame.scale) - 1, frame.scale), like=image)
    return image + amount * (blurred - image)


def _too_small_on_proxies(scale: float) -> int:
    return math.ceil(6.0 * scale * scale) - 1


def _for_the_full_size(radius: Interval) -> int:
    return math.ceil(radius.high) - 1


def test_reaches_and_lengths_are_held_against_a_proxy(planted: Callable[..., list[str]]) -> None:
    assert planted(blur, halo(_margin)) == []
    assert planted(blur_beyond_its_reach, halo(_too_small_on_proxies)) == ["on_a_proxy_of_half_size_too"]
    assert planted(blur_of_its_own_size, halo(_for_the_full_size)) == ["a_proxy_shows_what_the_full_size_shows"]
    assert planted(blur_of_its_own_size, halo(_for_the_full_size), example=Example(scales=False)) == []


def pole(image: Image, low: Amount = 0.0, high: Amount = 0.0) -> Image:
    """Undo a blend, which cannot be undone where light is 1, low at its lowest and high at its highest.

    image: the photo to change.
    low: what was blended into the shadows.
    high: what was blended into the highlights.
    """
    return (image - 0.1 * low) / (1.0 - 0.5 * (high - low) * image)


def steep(image: Image, amount: Amount = 0.0, kind: Annotated[str, Choice("smooth", "root")] = "smooth") -> Image:
    """Bend tones, by a root if asked for.

    image: the photo to change.
    amount: how far they bend.
    kind: the shape of the bend.
    """
    light = stack(image)
    return light + amount * (light * light if kind == "smooth" else light.abs().sqrt())


def test_poles_between_the_ends_of_sliders_and_behind_choices_are_found(planted: Callable[..., list[str]]) -> None:
    corners = "values_and_gradients_are_finite_in_every_corner_of_the_hard_ranges"
    assert planted(pole, POINTWISE) == [corners]
    assert planted(steep, POINTWISE) == [corners]


def leaking(image: Image, amount: Amount = 0.0) -> Image:
    """Brighten the photo, and count the light of all others without need.

    image: the photo to change.
    amount: how much brighter.
    """
    light = stack(image)
    return light * 2.0**amount + 0.0 * light.sum()


def _contribute(image: Image) -> Tensor:
    light = stack(image).double()
    return light.square().sum((1, 2, 3)) + 0.0 * light.sum()


def leaking_mean(image: Image) -> Loss:
    """Measure the light of a photo, and that of all others without need.

    image: the photo to measure.
    """
    return mean(_contribute(image), Size(*image.shape[-2:]))


def test_a_broken_picture_shows_who_looks_at_the_others_of_its_batch(planted: Callable[..., list[str]]) -> None:
    leak = ["a_broken_picture_of_a_batch_leaves_the_others_as_they_were"]
    assert planted(leaking, POINTWISE) == leak
    assert planted(leaking_mean, reducer(_contribute, mean)) == leak


def training(image: Image, network: Network) -> Image:
    """Change the photo by a network that is left in training mode.

    image: the photo to change.
    network: the weights, from Load Network.
    """
    return functional_call(network.module.train(), {**network.constants, **network.weights}, (stack(image),))


def _normalised() -> dict[str, Network]:
    return {"network": Network(nn.Sequential(nn.Conv2d(3, 4, 1), nn.SiLU(), nn.Conv2d(4, 3, 1)))}


def test_a_network_that_trains_while_it_runs_is_found(planted: Callable[..., list[str]]) -> None:
    assert planted(training, POINTWISE, example=Example(sockets=_normalised)) == ["a_network_is_evaluated_never_trained"]


def test_an_operation_that_names_a_network_is_told_to_give_one_for_its_laws() -> None:
    spec = declare(training, POINTWISE, "planted.training")
    with pytest.raises(AssertionError, match=r"planted.training: say what its laws shall wire to network .*Example\(sockets="):
        LAWS["planes_and_tensors_give_the_same"].check(spec)


def test_an_example_sets_only_what_is_there() -> None:
    with pytest.raises(DeclarationError, match="its example sets amount, which is no count, choice or switch"):
        declare(good, POINTWISE, "planted.good", example=Example(values={"amount": 1.0}))
    with pytest.raises(DeclarationError, match="its example sets kind: expected one of smooth, root; got 'rough'"):
        declare(steep, POINTWISE, "planted.steep", example=Example(values={"kind": "rough"}))


def floored(image: Image, floor: Annotated[Scalar, Slider(0.2, 0.8)] = 0.5) -> Image:
    """Lift all that is darker than half of white.

    image: the photo to change.
    floor: how bright the dark becomes.
    """
    light = stack(image)
    return light + floor * (0.5 - light).clamp_min(0.0)


def test_an_example_says_the_kind_and_size_of_pictures_and_where_slopes_jump(planted: Callable[..., list[str]]) -> None:
    coarse = Example(light=lambda light: (4.0 * light).round() / 4.0)
    assert planted(floored, POINTWISE, example=coarse) == ["gradients_of_the_image_and_of_every_slider_are_the_true_ones"]
    assert planted(floored, POINTWISE, example=replace(coarse, kinks=(0.5,))) == []
    spec = declare(floored, POINTWISE, "planted.floored", example=replace(coarse, size=Size(20, 30)))
    (picture,) = draw(spec, 1).pictures.values()
    assert picture.shape == (1, 3, 20, 30)
    assert torch.equal(picture, (4.0 * picture).round() / 4.0)

"""Gradients through other packs' nodes: by tape where it is true, frozen and named where it is not."""

from __future__ import annotations

import gc
import itertools
import sys
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from .conftest import Editor
from .test_contract import image


def smooth(height: int = 48, width: int = 64) -> torch.Tensor:
    """A picture of soft colours, which blurring does not level."""
    coarse = image(6, 8, seed=3).movedim(-1, 1)
    with torch.inference_mode():
        return F.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0.05, 0.95).movedim(1, -1)


def blur(x: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(F.pad(x.movedim(-1, 1), (1, 1, 1, 1), mode="reflect"), 3, stride=1).movedim(1, -1)


def scale(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x.movedim(-1, 1), size=(24, 32), mode="bicubic").movedim(1, -1)


def invert(x: torch.Tensor) -> torch.Tensor:
    return 1.0 - x


def blend(x: torch.Tensor) -> torch.Tensor:
    return torch.clamp(x * 0.7 + 0.3 * x.flip(2), 0.0, 1.0)


def eroded(x: torch.Tensor) -> torch.Tensor:
    patches = F.pad(x.movedim(-1, 1), (1, 1, 1, 1), mode="reflect").unfold(2, 3, 1).unfold(3, 3, 1).flatten(4)
    smallest, _ = torch.min(patches, 4)
    return torch.cat(smallest.unbind(1)).unsqueeze(0).movedim(1, -1)


def noise(x: torch.Tensor) -> torch.Tensor:
    return x + 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))


def filled(x: torch.Tensor) -> torch.Tensor:
    out = torch.zeros_like(x)
    out[:, 2:-2] = x[:, 2:-2]
    return out


def padded(x: torch.Tensor) -> torch.Tensor:
    out = torch.ones(len(x), x.shape[1] + 8, x.shape[2] + 8, 3) * 0.5
    out[:, 4:-4, 4:-4, :] = x
    return out.permute(0, 2, 1, 3)


def in_place(x: torch.Tensor) -> torch.Tensor:
    out = x.clone()
    view = out[:, ::2]
    out.mul_(0.8)
    view += 0.1
    out[:, 1::2] *= 0.9
    return torch.sub(out, 0.05, out=torch.empty(x.shape))


def through_what_it_keeps(x: torch.Tensor) -> torch.Tensor:
    out, weight = x.clone(), x.mean(-1, keepdim=True)
    out[:, :, 8:40] = out[:, :, 8:40] * weight[:, :, 8:40]
    out[:, 8:32] = out[:, 8:32].sqrt()
    return out


def composited(x: torch.Tensor) -> torch.Tensor:
    below = smooth(x.shape[1], x.shape[2]).flip(2).expand(len(x), -1, -1, -1).clone().movedim(-1, 1)
    weight = x.movedim(-1, 1).mean(1, keepdim=True)[..., 4:44]
    portion = (1.0 - weight) * below[..., 4:44]
    below[..., 4:44] = weight * x.movedim(-1, 1)[..., 4:44] + portion
    return below.movedim(1, -1)


def smallest_into_what_it_compares(x: torch.Tensor) -> torch.Tensor:
    out = torch.full_like(x, 1e3)
    for shift in (-1, 0, 1):
        torch.minimum(out, x.roll(shift, 1), out=out)
    return out.mul_(out)


def its_own_input(x: torch.Tensor) -> torch.Tensor:
    return x.mul_(0.7)


def overlay(x: torch.Tensor) -> torch.Tensor:
    other = x.flip(1)
    return torch.where(x <= 0.5, 2 * x * other, 1 - 2 * (1 - x) * (1 - other))


def picked(x: torch.Tensor) -> torch.Tensor:
    out = x.clone()
    dark = out < 0.3
    out[dark] = out[dark] * 0.5 + 0.15
    return out


def by_numpy(x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.clip(x.cpu().numpy() * 0.9, 0, 1))


def quantized(x: torch.Tensor) -> torch.Tensor:
    result = torch.zeros_like(x)
    result.numpy()[...] = np.round(x.cpu().numpy() * 8) / 8
    return result


def half_by_numpy(x: torch.Tensor) -> torch.Tensor:
    return x * 0.5 + torch.from_numpy(np.sqrt(x.cpu().numpy())) * 0.5


def half_by_a_number(x: torch.Tensor) -> torch.Tensor:
    return x * (0.5 / x.mean().item())


def written_by_numpy(x: torch.Tensor) -> torch.Tensor:
    out = x.clone()
    out.numpy()[...] *= 0.9
    return out


def thresholded(x: torch.Tensor) -> torch.Tensor:
    return (x > 0.5).float()


def detached(x: torch.Tensor) -> torch.Tensor:
    return x.detach() * 0.9


def random(x: torch.Tensor) -> torch.Tensor:
    return x + 0.1 * torch.rand_like(x)


def chained(editor: Editor, pixels: torch.Tensor, between: Callable[..., Any], before: float, after: float) -> tuple[Any, ...]:
    source = editor.foreign()
    one, (lazy,) = editor.add("luxgrad.tone.exposure", "Before", image=((source, 0), pixels), stops=before)
    with torch.inference_mode():
        seen = between(lazy)
    other = editor.foreign("Theirs", image=[one, 0])
    two, (last,) = editor.add("luxgrad.colour.saturation", "After", image=((other, 0), seen), amount=after)
    return two, last, one


FOLLOWED = [
    blur,
    detached,
    scale,
    invert,
    blend,
    noise,
    eroded,
    filled,
    padded,
    in_place,
    through_what_it_keeps,
    composited,
    smallest_into_what_it_compares,
    its_own_input,
    overlay,
    picked,
]
WALLS = [by_numpy, half_by_numpy, half_by_a_number, written_by_numpy, quantized, random, thresholded]


@pytest.fixture
def _counted(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that passes by being looked at: a fit takes the same steps on every machine."""
    looks = itertools.count()
    clock = sys.modules[package_of(editor) + ".fit.clock"]
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: next(looks) * 0.008))


@pytest.mark.usefixtures("_counted")
@pytest.mark.parametrize("between", FOLLOWED, ids=lambda f: f.__name__)
def test_sliders_on_both_sides_of_a_foreign_node_are_found(editor: Editor, between: Callable[..., Any]) -> None:
    pixels = smooth()
    _, goal, _ = chained(editor, pixels, between, 0.4, 0.5)
    with torch.inference_mode():
        target = torch.Tensor.clone(goal)
    after, last, before = chained(editor, pixels, between, 0.0, 0.0)
    _, found = editor.add("luxgrad.fit", photo=((after, 0), last), target=((editor.foreign(), 0), target), action="fit",
                          seconds=5.0, free="*.stops\n*.amount")  # fmt: skip
    values = {(entry["node"], entry["name"]): entry["value"] for entry in found["ui"]["luxgrad_values"]}
    assert values[before, "stops"] == pytest.approx(0.4, abs=0.03)
    assert values[after, "amount"] == pytest.approx(0.5, abs=0.05)
    assert found["ui"]["luxgrad_report"][0]["method"] == "adam"
    torch.testing.assert_close(found["result"][0][0].clone(), target, rtol=0, atol=0.03)


@pytest.mark.parametrize("between", WALLS, ids=lambda f: f.__name__)
def test_where_a_foreign_node_carries_no_gradient_its_front_is_frozen_and_named(
    editor: Editor, between: Callable[..., Any]
) -> None:
    pixels = smooth()
    after, last, _ = chained(editor, pixels, between, 0.3, 0.0)
    _, goal, _ = chained(editor, pixels, between, 0.3, 0.4)
    with torch.inference_mode():
        target = torch.Tensor.clone(goal)
    _, found = editor.add(
        "luxgrad.fit", photo=((after, 0), last), target=((editor.foreign(), 0), target), action="fit", seconds=2.0
    )
    assert {entry["node"] for entry in found["ui"]["luxgrad_values"]} <= {after}
    assert "no gradient reaches Before (stops)" in found["ui"]["text"][0]


def test_what_two_nodes_read_of_a_foreign_node_is_one_source(editor: Editor) -> None:
    source = editor.foreign()
    one, (lazy,) = editor.add("luxgrad.tone.exposure", image=((source, 0), smooth()))
    with torch.inference_mode():
        seen = blur(lazy)
    other = editor.foreign("ImageBlur", image=[one, 0])
    _, (left,) = editor.add("luxgrad.tone.exposure", image=((other, 0), seen))
    _, (right,) = editor.add("luxgrad.tone.contrast", image=((other, 0), seen))
    _, (mask,) = editor.add("luxgrad.local.luminance_mask", image=((other, 0), seen))
    _, (joined,) = editor.add(
        "luxgrad.local.apply_mask", before=(("5", 0), left), after=(("6", 0), right), mask=(("7", 0), mask)
    )
    assert not [name for name in joined.recipe.graph.steps if "#" in name]


@pytest.mark.usefixtures("_counted")
def test_two_photos_that_meet_in_a_foreign_node_are_both_followed(editor: Editor) -> None:
    pixels, source = smooth(), editor.foreign()

    def built(left: float, right: float) -> tuple[str, str, str, Any]:
        one, (a,) = editor.add("luxgrad.tone.exposure", image=((source, 0), pixels), stops=left)
        two, (b,) = editor.add("luxgrad.colour.saturation", image=((source, 0), pixels), amount=right)
        with torch.inference_mode():
            seen = 0.5 * a + 0.5 * b.flip(1)
        other = editor.foreign("ImageBlend", image1=[one, 0], image2=[two, 0])
        return one, two, other, seen

    *_, goal = built(0.4, -0.6)
    with torch.inference_mode():
        target = torch.Tensor.clone(goal)
    one, two, other, seen = built(0.0, 0.0)
    _, found = editor.add("luxgrad.fit", photo=((other, 0), seen), target=((editor.foreign(), 0), target), action="fit",
                          seconds=5.0, free="*.stops\n*.amount")  # fmt: skip
    values = {(entry["node"], entry["name"]): entry["value"] for entry in found["ui"]["luxgrad_values"]}
    assert values[one, "stops"] == pytest.approx(0.4, abs=0.03)
    assert values[two, "amount"] == pytest.approx(-0.6, abs=0.06)


def two() -> torch.Tensor:
    with torch.inference_mode():
        return torch.cat([smooth(), smooth().flip(2) * 0.8 + 0.1])


BATCHES: dict[str, tuple[Callable[..., Any], Callable[[], torch.Tensor]]] = {
    "each picture by itself": (blur, two),
    "in another order": (lambda x: x.flip(0), two),
    "mixed": (lambda x: 0.6 * x + 0.4 * x.roll(1, 0), two),
    "the second alone": (lambda x: x[1:2].clone(), two),
    "repeated": (lambda x: x.repeat(2, 1, 1, 1), smooth),
    "with noise of its own": (lambda x: x + 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1)), two),
}


@pytest.mark.usefixtures("_counted")
@pytest.mark.parametrize("case", BATCHES)
def test_a_batch_is_followed_through_a_foreign_node(editor: Editor, case: str) -> None:
    between, pixels = BATCHES[case]
    _, goal, _ = chained(editor, pixels(), between, 0.4, 0.5)
    with torch.inference_mode():
        target = torch.Tensor.clone(goal)
    after, last, before = chained(editor, pixels(), between, 0.0, 0.0)
    assert last.shape == target.shape
    _, found = editor.add("luxgrad.fit", photo=((after, 0), last), target=((editor.foreign(), 0), target), action="fit",
                          seconds=6.0, free="*.stops\n*.amount")  # fmt: skip
    values = {(entry["node"], entry["name"]): entry["value"] for entry in found["ui"]["luxgrad_values"]}
    assert values[before, "stops"] == pytest.approx(0.4, abs=0.03)
    assert values[after, "amount"] == pytest.approx(0.5, abs=0.06)
    for photo, wanted in zip(found["result"][0], target):
        torch.testing.assert_close(photo[0].clone(), wanted, rtol=0, atol=0.03)


@pytest.mark.usefixtures("_counted")
def test_a_mask_is_followed_through_a_foreign_node(editor: Editor) -> None:
    pixels, source = smooth(), editor.foreign()

    def built(low: float, stops: float) -> tuple[str, str, str, Any]:
        one, (mask,) = editor.add("luxgrad.local.luminance_mask", "Tones", image=((source, 0), pixels), low=low, feather=2.0)
        with torch.inference_mode():
            grown = F.avg_pool2d(1.0 - mask, 3, stride=1, padding=1)
        other = editor.foreign("BlurMask", mask=[one, 0])
        two, (bright,) = editor.add("luxgrad.tone.exposure", "Bright", image=((source, 0), pixels), stops=stops)
        three, (last,) = editor.add("luxgrad.local.apply_mask", before=((source, 0), pixels), after=((two, 0), bright),
                                    mask=((other, 0), grown))  # fmt: skip
        return one, two, three, last

    *_, goal = built(-1.0, 1.0)
    with torch.inference_mode():
        target = torch.Tensor.clone(goal)
    one, two, three, last = built(-1.6, 0.6)
    _, found = editor.add("luxgrad.fit", photo=((three, 0), last), target=((editor.foreign(), 0), target), action="fit",
                          seconds=8.0, free="Tones.low\nBright.stops")  # fmt: skip
    values = {(entry["node"], entry["name"]): entry["value"] for entry in found["ui"]["luxgrad_values"]}
    assert values[one, "low"] == pytest.approx(-1.0, abs=0.08)
    assert values[two, "stops"] == pytest.approx(1.0, abs=0.05)


def test_a_tape_keeps_no_pixels_of_what_lies_between(editor: Editor) -> None:
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((editor.foreign(), 0), smooth()))
    with torch.inference_mode():
        between = lazy * 2.0
        memory = weakref.ref(between)
        last = between - 1.0
    del between
    gc.collect()
    assert memory() is None
    assert last.value.made.function is torch.Tensor.sub


def test_replaying_writes_into_nothing_that_was_handed_over(editor: Editor) -> None:
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((editor.foreign(), 0), smooth()), stops=0.5)
    constant = torch.full((1, 48, 64, 3), 0.25)
    with torch.inference_mode():
        out = constant.expand_as(lazy).clone()
        view = torch.maximum(constant, lazy)
        view[:, :4] = constant[:, :4]
        out[:, 4:] = view[:, 4:]
    kept = lazy.rendered().clone()
    tape = replay_of(editor).tape_of(out)
    replay_of(editor).followed(tape, out, lambda made: made)
    torch.testing.assert_close(lazy.rendered(), kept, rtol=0, atol=0)
    assert bool((constant == 0.25).all())


def replay_of(editor: Editor) -> Any:
    return sys.modules[package_of(editor) + ".nodes.replay"]


def package_of(editor: Editor) -> str:
    return str(editor.classes["luxgrad.fit"].__mro__[1].__module__.rpartition(".nodes.")[0])

"""Gradients through other packs' nodes: by tape where it is true, frozen and named where it is not."""

from __future__ import annotations

from collections.abc import Callable
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


def by_numpy(x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.clip(x.cpu().numpy() * 0.9, 0, 1))


def quantized(x: torch.Tensor) -> torch.Tensor:
    result = torch.zeros_like(x)
    result.numpy()[...] = np.round(x.cpu().numpy() * 8) / 8
    return result


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


@pytest.mark.parametrize("between", [blur, scale, invert, blend, noise, eroded], ids=lambda f: f.__name__)
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


@pytest.mark.parametrize("between", [filled, by_numpy, quantized, random], ids=lambda f: f.__name__)
def test_where_a_foreign_node_leaves_torch_its_front_is_frozen_and_named(editor: Editor, between: Callable[..., Any]) -> None:
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

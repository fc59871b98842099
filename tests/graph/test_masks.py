"""What a mask does not select is not computed: the same picture, less work, and gradients as if nothing were left out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from luxgrad import Graph
from luxgrad.engine.plan import within
from luxgrad.engine.rectangle import Rectangle
from luxgrad.engine.render import Job, Settings
from luxgrad.graph.model import Ref
from luxgrad.graph.outputs import gather_sources
from luxgrad.graph.schema import to_data
from luxgrad.light.photo import Photo
from luxgrad.light.planes import planes
from luxgrad.light.rectangle import Region
from luxgrad.ops.errors import DeclarationError
from luxgrad.ops.local.luminance_mask import luminance_mask
from luxgrad.ops.reach import through
from luxgrad.ops.spec import declare
from luxgrad.ops.types import Image, Mask

HEIGHT, WIDTH, TILE = 70, 90, 400


def light(seed: int = 0) -> Tensor:
    return torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.01


def islands() -> Tensor:
    """Nothing is selected but three places, one of them a line and one a corner."""
    mask = torch.zeros(1, 1, HEIGHT, WIDTH, dtype=torch.float64)
    mask[..., 20:31, 40:52], mask[..., 50, 5:80], mask[..., -2:, -3:] = 0.5, 0.2, 1.0
    return mask


def graph(**values: Any) -> Graph:
    """A photo, sharpened where its mask selects, and there again made brighter where a second mask selects."""
    return Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "second": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "sharp": {"class_type": "luxgrad.detail.sharpen", "inputs": {"image": ["photo", 0], "amount": 1.0}},
        "one": {
            "class_type": "luxgrad.local.apply_mask",
            "inputs": {"before": ["photo", 0], "after": ["sharp", 0], "mask": ["photo", 1], **values},
        },
        "bright": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["one", 0], "stops": 1.0}},
        "two": {
            "class_type": "luxgrad.local.apply_mask",
            "inputs": {"before": ["one", 0], "after": ["bright", 0], "mask": ["second", 1]},
        },
    })  # fmt: skip


def job(outputs: list[Ref], mask: Tensor, second: Tensor, tile: int = TILE, **tensors: Tensor) -> Job:
    given = {"photo": Photo(light(), alpha=mask), "second": Photo(light(1), alpha=second)}
    made = graph()
    sliders = {made.path(name.replace("__", ".")): value.view(-1, 1, 1, 1) for name, value in tensors.items()}
    return Job(made, outputs, gather_sources(made, given, outputs), sliders, 1.0, Settings(tile_pixels=tile))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many px every step has computed."""
    pixels: dict[str, int] = {}
    apply = Rectangle._apply

    def counting(self: Rectangle, step: Any, region: Region, selected: Any) -> list[Any]:
        if within(selected, step, region) == region:
            pixels[step.id] = pixels.get(step.id, 0) + region.pixels
        return apply(self, step, region, selected)

    monkeypatch.setattr(Rectangle, "_apply", counting)
    return pixels


def whole(mask: Tensor, second: Tensor) -> Tensor:
    """Everything computed everywhere, as with gradients."""
    made = job([Ref("two")], mask, second).measured()
    with torch.enable_grad():
        (found,) = made.evaluate([(Ref("two"), Region(0, 0, HEIGHT, WIDTH))], made.inputs, made.measured)
    return torch.cat(planes(found), dim=1)


@pytest.mark.parametrize("tile", [1 << 30, 4000, TILE])
def test_the_picture_is_the_same_however_little_is_computed(tile: int, counted: dict[str, int]) -> None:
    second = islands().flip(2)
    wanted = whole(islands(), second)
    counted.clear()
    (found,) = job([Ref("two")], islands(), second, tile).outputs()
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-14)
    untouched = ((islands() == 0) & (second == 0)).expand_as(found)
    assert torch.equal(found[untouched], light()[untouched])
    if tile == TILE:
        assert counted["sharp"] < 0.2 * HEIGHT * WIDTH
        assert counted["bright"] < 0.2 * HEIGHT * WIDTH


def test_where_nothing_is_selected_nothing_is_computed(counted: dict[str, int]) -> None:
    nothing = torch.zeros(1, 1, HEIGHT, WIDTH, dtype=torch.float64)
    (found,) = job([Ref("two")], nothing, nothing).outputs()
    assert torch.equal(found, light())
    assert counted == {}


def test_what_is_asked_for_beside_the_picture_is_computed_whole() -> None:
    found, sharp = job([Ref("two"), Ref("sharp")], islands(), islands()).outputs()
    torch.testing.assert_close(found, whole(islands(), islands()), rtol=1e-12, atol=1e-14)
    assert sharp.shape == found.shape
    assert (sharp != light()).any(dim=1).float().mean().item() > 0.9


def test_a_mask_that_is_drawn_from_what_another_mask_selects_comes_after_it() -> None:
    second, ref = islands().flip(3), Ref("three")
    made = Graph.of({
        **to_data(graph()),
        "tones": {"class_type": "luxgrad.local.luminance_mask", "inputs": {"image": ["two", 0], "low": -1.0}},
        "dark": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["two", 0], "stops": -1.0}},
        "three": {
            "class_type": "luxgrad.local.apply_mask",
            "inputs": {"before": ["two", 0], "after": ["dark", 0], "mask": ["tones", 0]},
        },
    })  # fmt: skip
    given = {"photo": Photo(light(), alpha=islands()), "second": Photo(light(1), alpha=second)}
    two = whole(islands(), second)
    for tile in (TILE, 1 << 30):
        (found,) = Job(made, [ref], gather_sources(made, given, [ref]), {}, 1.0, Settings(tile_pixels=tile)).outputs()
        torch.testing.assert_close(found, two - 0.5 * two * luminance_mask(two, low=-1.0), rtol=1e-9, atol=1e-12)


def test_what_a_mask_selects_is_cut_to_what_a_mask_after_it_selects() -> None:
    data = to_data(graph())
    data["two"]["inputs"]["before"] = ["photo", 0]
    made, ref = Graph.of(data), Ref("two")
    corner = torch.zeros_like(islands())
    corner[..., :30, :60] = 1.0
    given = {"photo": Photo(light(), alpha=1.0 - corner), "second": Photo(light(1), alpha=islands())}
    for tile in (TILE, 1 << 30):
        (found,) = Job(made, [ref], gather_sources(made, given, [ref]), {}, 1.0, Settings(tile_pixels=tile)).outputs()
        everywhere = Job(made, [Ref("sharp")], gather_sources(made, given, [Ref("sharp")]), {}).outputs()[0]
        wanted = light() + islands() * (2.0 * torch.where(corner == 0, everywhere, light()) - light())
        torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)


def test_a_slider_for_each_picture_of_a_batch_is_applied_to_each() -> None:
    amounts = torch.tensor([0.2, 0.9], dtype=torch.float64)
    nothing = torch.zeros(1, 1, HEIGHT, WIDTH, dtype=torch.float64)
    (both,) = job([Ref("two")], islands(), nothing, one__opacity=amounts).outputs()
    assert both.shape[0] == 2
    for picture, amount in zip(both, amounts):
        (one,) = job([Ref("two")], islands(), nothing, one__opacity=amount).outputs()
        torch.testing.assert_close(picture, one[0], rtol=1e-12, atol=1e-14)


def test_gradients_are_those_of_the_formula_where_the_mask_is_0_too() -> None:
    mask, amount = islands().requires_grad_(), torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
    nothing = torch.zeros(1, 1, HEIGHT, WIDTH, dtype=torch.float64)
    (found,) = job([Ref("one")], mask, nothing, one__opacity=amount).outputs()
    (sharp,) = job([Ref("sharp")], islands(), nothing).outputs()
    slopes = torch.autograd.grad(found.sum(), [mask, amount])
    change = (sharp - light()).sum(dim=1, keepdim=True)
    torch.testing.assert_close(slopes[0], 0.8 * change, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(slopes[1], (islands() * change).sum(), rtol=1e-9, atol=1e-12)


def test_through_names_a_mask_and_a_picture_after_the_one_that_stays() -> None:
    def wrong(image: Image, mask: Mask) -> Image:
        """Change the photo where a mask selects.

        image: the photo.
        mask: where.
        """
        return image * mask

    with pytest.raises(DeclarationError, match="`through` names a mask and a picture"):
        declare(wrong, through("mask", masked="image"), "probes.wrong")

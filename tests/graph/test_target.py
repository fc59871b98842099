"""Targets: the same view edited is believed, whatever the edit; other scenes, mirrored, shifted and cut ones are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import luxgrad
from luxgrad import Graph
from luxgrad.fit.fit import fit
from luxgrad.graph.errors import WorkflowError
from luxgrad.light.gamut import to_display
from luxgrad.light.photo import Codes, Photo
from luxgrad.light.primaries import SRGB_TO_REC2020, mix
from luxgrad.light.rectangle import Size
from luxgrad.light.shift import shifted
from luxgrad.light.transfer import srgb_decode

from .graphs import chain

EDIT = chain("tone.exposure", "colour.saturation")
SIZE = Size(240, 360)
Edit = Callable[[Tensor], Tensor]


def taken(root: Path, name: str) -> Photo:
    """A photo of the repository, cut and reduced to one size."""
    whole = luxgrad.load(root / "workflows" / "photos" / name)
    wide = Size(whole.size.height, round(whole.size.height * 1.5))
    if wide.width > whole.size.width:
        wide = Size(round(whole.size.width / 1.5), whole.size.width)
    return Photo(Photo(whole.pixels[..., : wide.height, : wide.width]).reduced(SIZE).pixels)


def stored(light: Tensor) -> Photo:
    """Light as a file of 8 bits brings it."""
    codes = (to_display(light) * 255.0).round() / 255.0
    return Photo(torch.cat(mix(SRGB_TO_REC2020, *srgb_decode(codes).split(1, dim=1)), dim=1))


def started(photo: Photo, target: Photo) -> tuple[float, float] | None:
    """A short fit; by how much the target was moved."""
    return EDIT.fit(photo, target, seconds=0.1).pairs[0].moved


def noisy(light: Tensor) -> Tensor:
    return light + 0.1 * torch.randn(light.shape, generator=torch.Generator().manual_seed(1))


def half_black(light: Tensor) -> Tensor:
    return light * (torch.arange(light.shape[-1]) > light.shape[-1] // 2)


def vignetted(light: Tensor) -> Tensor:
    down, right = (torch.linspace(-1.0, 1.0, edge) for edge in light.shape[-2:])
    return light * torch.exp2(-4.0 * (down[:, None].square() + right.square()))


EDITS: dict[str, Edit] = {
    "black and white": lambda light: light.mean(1, keepdim=True).expand_as(light),
    "red against blue": lambda light: (2.0 * light[:, :1] - light[:, 2:]).clamp_min(0.0).expand_as(light),
    "negative": lambda light: 1.0 - light,
    "seven stops darker": lambda light: light / 128.0,
    "three stops lighter": lambda light: light * 8.0,
    "four tones": lambda light: (light.clamp(0.0, 1.0).sqrt() * 3.0).round() / 3.0,
    "blurred": lambda light: torch.nn.functional.avg_pool2d(light, 15, 1, 7, count_include_pad=False),
    "noise": noisy,
    "vignette": vignetted,
    "half of it masked": half_black,
    "faded to almost grey": lambda light: 0.18 + 0.02 * light,
    "channels exchanged": lambda light: light.flip(1),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", ["spices.jpg", "lake.jpg"])
def test_a_heavy_edit_of_the_same_view_is_believed(root: Path, name: str, edit: str) -> None:
    photo = taken(root, name)
    assert started(photo, stored(EDITS[edit](photo.pixels))) is None


@pytest.mark.parametrize("level", [0.0, 0.18, 1.0])
def test_a_target_that_says_too_little_is_believed(root: Path, level: float) -> None:
    photo = taken(root, "lake.jpg")
    card = Photo(torch.full_like(photo.pixels, level))
    assert started(photo, card) is None
    assert started(card, photo) is None


@pytest.mark.parametrize("one", ["spices.jpg", "lake.jpg", "sunset.jpg", "kitten.png"])
@pytest.mark.parametrize("two", ["spices.jpg", "lake.jpg", "sunset.jpg", "portrait.jpg"])
def test_another_scene_is_refused_with_what_to_do_instead(root: Path, one: str, two: str) -> None:
    if one != two:
        with pytest.raises(WorkflowError, match=r"another scene.*wire a loss such as loss\.histogram_distance"):
            started(taken(root, one), taken(root, two))


@pytest.mark.parametrize(
    ("dims", "words"), [((3,), "mirrored left to right"), ((2,), "mirrored top to bottom"), ((2, 3), "turned by 180 degrees")]
)
def test_a_mirrored_target_is_named(root: Path, dims: tuple[int, ...], words: str) -> None:
    photo = taken(root, "spices.jpg")
    with pytest.raises(WorkflowError, match=words):
        started(photo, stored(EDITS["negative"](photo.pixels.flip(dims))))


def test_a_square_target_turned_by_a_quarter_is_named_by_the_way_it_was_turned(root: Path) -> None:
    square = taken(root, "spices.jpg").pixels[..., :240]
    for turns, words in ((1, "to the left"), (-1, "to the right")):
        with pytest.raises(WorkflowError, match=f"turned a quarter {words}"):
            started(Photo(square), Photo(square.rot90(turns, (2, 3))))


@pytest.mark.parametrize(("down", "right"), [(2.0, -3.0), (-0.7, 0.0), (1.5, 4.3), (0.0, 6.0)])
def test_a_target_a_few_px_beside_is_moved_and_that_is_reported(root: Path, down: float, right: float) -> None:
    whole = taken(root, "spices.jpg")
    beside = shifted(whole, down, right)
    photo, aside = (Photo(picture.pixels[..., 10:-10, 10:-10]) for picture in (whole, beside))
    truth = EDIT.with_values({"exposure.stops": 0.7, "saturation.amount": 0.3})
    fitted = EDIT.fit(photo, truth(aside), seconds=5)
    moved = fitted.pairs[0].moved
    assert moved == pytest.approx((-down, -right), abs=0.1)
    assert fitted.report()["pairs"][0]["target_moved"] == moved
    assert fitted.graph.steps["exposure"].value("stops") == pytest.approx(0.7, abs=0.02)
    assert fitted.report()["psnr_after"] > 25.0  # moved twice between pixels


def test_where_the_moved_target_shows_nothing_nothing_is_compared(root: Path) -> None:
    whole = taken(root, "lake.jpg")
    photo, aside = (Photo(picture.pixels[..., 10:-10, 10:-10]) for picture in (whole, shifted(whole, 3.0, -2.0)))
    fitted = EDIT.fit(photo, EDIT.with_values({"exposure.stops": 0.5})(aside), seconds=5)
    assert fitted.pairs[0].moved == pytest.approx((-3.0, 2.0), abs=0.02)
    assert fitted.report()["psnr_after"] > 40.0


def test_a_target_shifted_farther_is_refused_with_the_offset(root: Path) -> None:
    whole = taken(root, "spices.jpg").pixels
    with pytest.raises(WorkflowError, match=r"shifted by 20\.\d px left and (11\.9|12\.\d) px down"):
        started(Photo(whole[..., 30:-30, 30:-30]), Photo(whole[..., 18:-42, 50:-10]))


@pytest.mark.parametrize("share", [0.97, 0.9, 0.75])
def test_a_target_cut_differently_is_refused_with_how_much_it_shows(root: Path, share: float) -> None:
    whole = luxgrad.load(root / "workflows" / "photos" / "spices.jpg")
    wide = whole.pixels[..., :800, :1200] if whole.size.height >= 800 else whole.pixels
    height, width = (round(edge * share) for edge in wide.shape[-2:])
    small = Size(round(wide.shape[-2] / 2.5), round(wide.shape[-1] / 2.5))
    cut = Photo(wide[..., 10 : 10 + height, 20 : 20 + width]).reduced(small)
    with pytest.raises(WorkflowError, match=f"about {100 * share:.0f} % of its edges|scaled to|about 9[0-2] %|about 7[4-6] %"):
        started(Photo(wide).reduced(small), cut)


def test_what_the_graph_makes_is_compared_and_not_the_photo(root: Path) -> None:
    graph = chain("tone.exposure", ("geometry.rotate", {"angle": 8.0}), ("geometry.crop", {"left": 12.0}))
    photo = taken(root, "spices.jpg")
    truth = graph.with_values({"exposure.stops": 0.4})
    fitted = graph.fit(photo, truth(photo), free=["exposure.*"], seconds=5)
    assert fitted.graph.steps["exposure"].value("stops") == pytest.approx(0.4, abs=1e-3)


def test_free_geometry_may_find_where_the_target_lies(root: Path) -> None:
    graph = chain(("geometry.rotate", {"angle": 0.0}))
    photo = taken(root, "spices.jpg")
    turned = graph.with_values({"rotate.angle": 6.0})(photo)
    assert graph.fit(photo, turned, free=["rotate.angle"], seconds=0.3).pairs[0].moved is None


def test_a_loss_may_follow_the_look_of_another_scene(root: Path) -> None:
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "look": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "exposure": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0]}},
        "loss": {"class_type": "luxgrad.loss.histogram_distance",
                 "inputs": {"image": ["exposure", 0], "target": ["look", 0]}},
        "fit": {"class_type": "luxgrad.fit", "inputs": {"photo": ["exposure", 0], "loss": ["loss", 0]}},
    })  # fmt: skip
    pictures = {"photo": taken(root, "lake.jpg"), "look": taken(root, "spices.jpg")}
    fitted = fit(graph, pictures, seconds=1)
    assert fitted.loss_after is not None
    assert fitted.loss_before is not None
    assert fitted.loss_after <= fitted.loss_before


def test_of_several_photos_the_one_with_the_wrong_target_is_named(root: Path) -> None:
    one, two = taken(root, "lake.jpg"), taken(root, "spices.jpg")
    with pytest.raises(WorkflowError, match="photo 2: the target shows another scene"):
        EDIT.fit([one, two], [one, one], seconds=0.1)
    with pytest.raises(WorkflowError, match=r"photo 2: expected a target of the size .* 360 x 240 px; got 180 x 120 px"):
        EDIT.fit([one, two], [one, two.reduced(Size(120, 180))], seconds=0.1)


def test_a_photo_in_codes_moves_exactly_by_whole_px_and_closely_between() -> None:
    values = torch.randint(0, 256, (9, 11, 3), dtype=torch.uint8)
    photo = Photo(Codes(values, torch.linspace(0.0, 1.0, 256).expand(3, -1), SRGB_TO_REC2020))
    moved = shifted(photo, 2.0, -3.0).raster
    assert isinstance(moved, Codes)
    assert torch.equal(moved.values[2:, :-3], values[:-2, 3:])
    assert torch.equal(moved.values[0, :-3], values[0, 3:])
    slope = Photo(torch.arange(20.0).expand(1, 1, 8, 20))
    torch.testing.assert_close(shifted(slope, 0.0, 0.25).pixels[..., 3:-3], slope.pixels[..., 3:-3] - 0.25)

"""Truth of detail, geometry, effects, local and measure operations."""

import math

import kornia
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from luxgrad import Graph
from luxgrad.light.transfer import MIDDLE_GREY
from luxgrad.ops.detail.clarity import clarity
from luxgrad.ops.detail.sharpen import _blur, sharpen
from luxgrad.ops.effects.vignette import vignette
from luxgrad.ops.frame import Frame
from luxgrad.ops.local.apply_mask import apply_mask
from luxgrad.ops.local.luminance_mask import luminance_mask
from luxgrad.ops.local.radial_mask import radial_mask
from luxgrad.ops.measure.guide import guide, spread
from luxgrad.ops.measure.percentiles import percentiles


def flat_grey(height: int, width: int, stops: float = 0.0) -> Tensor:
    return torch.full((1, 3, height, width), MIDDLE_GREY * 2.0**stops, dtype=torch.float64)


def through(node: str, image: Tensor, **values) -> Tensor:
    """An image through one step of a graph."""
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "op": {"class_type": f"luxgrad.{node}", "inputs": {"image": ["photo", 0], **values}},
    })  # fmt: skip
    return graph(image, sink="op")


@pytest.mark.parametrize("radius", [0.7, 1.0, 2.0, 3.0])
def test_the_neighbourhood_of_sharpen_sums_to_one_and_has_the_radius_as_deviation(radius: float) -> None:
    impulse = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    impulse[..., 20, 20] = 1.0
    bell = _blur(impulse, math.sqrt(11.0) * radius, math.ceil(math.sqrt(11.0) * radius))[0, 0]
    assert bell.sum().item() == pytest.approx(1.0, abs=1e-12)
    place = torch.arange(41.0, dtype=torch.float64) - 20
    assert (bell.sum(0) * place**2).sum().sqrt().item() == pytest.approx(radius, rel=0.02)
    assert bell[20, 20 + math.ceil(math.sqrt(11.0) * radius) :].abs().max().item() == 0.0


def test_sharpen_leaves_flat_areas_alone_and_steepens_an_edge() -> None:
    edge = torch.cat([flat_grey(30, 20, -1.0), flat_grey(30, 20, 1.0)], dim=3)
    sharp = sharpen(edge, Frame.whole(edge, halo=4), amount=1.0, radius=1.0)
    torch.testing.assert_close(sharp[..., :10], edge[..., :10])
    torch.testing.assert_close(sharp[..., 30:], edge[..., 30:])
    row = torch.log2(sharp[0, 0, 15] / MIDDLE_GREY)
    assert row[19].item() < -1.0
    assert row[20].item() > 1.0


def test_sharpen_spares_detail_below_its_threshold() -> None:
    noise = flat_grey(20, 20) * 2.0 ** (0.01 * torch.randn(1, 1, 20, 20, dtype=torch.float64))
    kept = sharpen(noise, Frame.whole(noise, halo=4), amount=2.0, threshold=0.3)
    assert (kept / noise - 1.0).abs().max().item() < 1e-3


def step_picture(stops: float) -> Tensor:
    return torch.cat([flat_grey(120, 90, -0.5 * stops), flat_grey(120, 90, 0.5 * stops)], dim=3)


@pytest.mark.parametrize(("stops", "halo"), [(1.0, 0.06), (3.0, 0.01), (6.0, 0.005)])
def test_clarity_makes_no_halo_at_an_edge(stops: float, halo: float) -> None:
    edge = step_picture(stops)
    clear = clarity(edge, guide(edge, Frame.whole(edge)), Frame.whole(edge), amount=1.0)
    assert (clear / edge).log2().abs().max().item() < halo


def test_clarity_raises_soft_texture_by_its_amount() -> None:
    x = torch.arange(256, dtype=torch.float64)
    texture = 0.05 * torch.sin(x * (2 * math.pi / 16.0))
    image = flat_grey(200, 256) * 2.0 ** texture.view(1, 1, 1, -1)
    frame = Frame.whole(image)
    stops = torch.log2(clarity(image, guide(image, frame, radius=5.0), frame, amount=1.0)[0, 0, 100] / MIDDLE_GREY)
    assert (stops.amax() - stops.amin()).item() == pytest.approx(0.2, rel=0.1)


def test_the_guide_of_a_step_follows_it_at_the_edge_alone() -> None:
    edge = step_picture(3.0)
    frame = Frame.whole(edge)
    slope, offset = spread(guide(edge, frame), frame, edge)
    assert slope[0, 0, 60, 90].item() > 0.99
    assert slope[0, 0, 60, 5].item() < 0.01
    light = torch.log2(edge[:, :1] / MIDDLE_GREY)
    torch.testing.assert_close(slope * light + offset, light, atol=0.01, rtol=0)


def test_percentiles_agree_with_numpy(picture: Tensor) -> None:
    from luxgrad.light.primaries import luminance

    light = luminance(*picture.split(1, dim=1)).flatten().numpy()
    measured = percentiles(picture, low=2.0, middle=50.0, high=98.0)
    for value, percent in zip(measured, (2.0, 50.0, 98.0)):
        assert abs(math.log2(value.item() / np.percentile(light, percent))) < 1 / 16


def test_the_vignette_darkens_the_corners_by_its_amount_and_not_the_centre() -> None:
    image = flat_grey(201, 301)
    for roundness in (0.0, 1.0):
        dark = vignette(image, Frame.whole(image), amount=-2.0, size=1.0, feather=2.0, roundness=roundness)
        stops = torch.log2(dark[0, 0] / MIDDLE_GREY)
        assert stops[0, 0].item() == pytest.approx(-2.0, abs=0.05)
        assert stops[100, 150].item() == pytest.approx(0.0, abs=1e-6)


def test_a_round_vignette_depends_on_the_distance_alone_and_an_oval_one_follows_the_frame() -> None:
    image = flat_grey(200, 400)
    circle = vignette(image, Frame.whole(image), amount=-2.0, roundness=1.0)[0, 0]
    assert circle[0, 200].item() == pytest.approx(circle[100, 99].item(), rel=0.02)
    oval = vignette(image, Frame.whole(image), amount=-2.0, roundness=0.0)[0, 0]
    assert oval[0, 200].item() == pytest.approx(oval[100, 0].item(), rel=0.02)


def test_crop_keeps_the_pixels_between_its_edges() -> None:
    image = torch.rand(1, 3, 50, 80, dtype=torch.float64)
    assert torch.equal(through("geometry.crop", image, left=10.0, right=5.0, top=20.0, bottom=4.0), image[:, :, 10:48, 8:76])


def test_resize_agrees_with_pillow() -> None:
    image = torch.rand(1, 3, 60, 90)
    for edge in (33, 45, 200):
        ours = through("geometry.resize", image, long_edge=edge)
        size = (ours.shape[3], ours.shape[2])
        for mine, channel in zip(ours[0], image[0]):
            theirs = np.asarray(Image.fromarray(channel.numpy(), "F").resize(size, Image.Resampling.BICUBIC))
            np.testing.assert_allclose(mine.numpy(), theirs, atol=2e-5)


@pytest.mark.parametrize("angle", [-12.0, 3.0, 30.0])
def test_rotate_turns_a_smooth_picture_as_its_formula_says(angle: float) -> None:
    height, width = 80, 120

    def scene(y: Tensor, x: Tensor) -> Tensor:
        return 0.5 + 0.3 * torch.sin(x / 9.0 + 0.4) * torch.cos(y / 11.0)

    y, x = torch.meshgrid(torch.arange(height) + 0.5 - 40, torch.arange(width) + 0.5 - 60, indexing="ij")
    image = scene(y, x).double().expand(1, 3, -1, -1)
    turn = math.radians(angle)
    source_x, source_y = math.cos(turn) * x + math.sin(turn) * y, math.cos(turn) * y - math.sin(turn) * x
    expected = scene(source_y, source_x)
    turned = through("geometry.rotate", image, angle=angle, fill=False)[0, 0]
    inside = (source_x.abs() < 56) & (source_y.abs() < 36)
    assert (turned - expected)[inside].abs().max().item() < 5e-3


def test_rotate_agrees_with_kornia() -> None:
    image = torch.rand(1, 3, 60, 90, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours = through("geometry.rotate", image, angle=7.0, fill=False)
    options = {"mode": "bicubic", "padding_mode": "border", "align_corners": False}
    theirs = kornia.geometry.rotate(image, torch.tensor([-7.0], dtype=torch.float64), **options)
    torch.testing.assert_close(ours, theirs, atol=1e-11, rtol=0)


def test_a_filled_rotation_shows_no_empty_corner() -> None:
    image = torch.ones(1, 3, 60, 90, dtype=torch.float64)
    image[:, :, :1] = image[:, :, -1:] = image[..., :1] = image[..., -1:] = 0.0
    assert through("geometry.rotate", image, angle=9.0)[0, 0, 2:-2, 2:-2].amin().item() > 0.99


def test_a_positive_angle_turns_clockwise() -> None:
    image = torch.zeros(1, 3, 61, 61, dtype=torch.float64)
    image[:, :, 10:13, 29:32] = 1.0
    turned = through("geometry.rotate", image, angle=30.0, fill=False)[0, 0]
    row, column = divmod(int(turned.argmax()), 61)
    assert column > 35
    assert row < 20


def test_a_luminance_mask_is_one_half_at_its_ends() -> None:
    light = torch.tensor([-6.0, -3.0, 0.0, 2.0, 5.0], dtype=torch.float64)
    image = (MIDDLE_GREY * 2.0**light).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    mask = luminance_mask(image, low=-3.0, high=2.0, feather=0.3)[0, 0, 0]
    np.testing.assert_allclose(mask.numpy(), [0.0, 0.5, 1.0, 0.5, 0.0], atol=1e-4)
    inverted = luminance_mask(image, low=-3.0, high=2.0, feather=0.3, invert=True)[0, 0, 0]
    torch.testing.assert_close(inverted, 1.0 - mask)


def test_a_mask_mixes_light() -> None:
    before, after = torch.zeros(1, 3, 1, 3, dtype=torch.float64), torch.ones(1, 3, 1, 3, dtype=torch.float64)
    mask = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64).view(1, 1, 1, 3)
    assert apply_mask(before, after, mask, 0.5)[0, 0, 0].tolist() == [0.0, 0.25, 0.5]


def test_a_radial_mask_is_an_oval_of_the_size_said_turned_clockwise_and_combined() -> None:
    image = torch.zeros(1, 3, 100, 200, dtype=torch.float64)
    frame = Frame.whole(image)
    oval = {"x": 25.0, "y": 40.0, "width": 40.0, "height": 20.0, "feather": 50.0}
    mask = radial_mask(image, frame, **oval)[0, 0]
    assert mask[40, 50].item() == 1.0
    assert ((mask > 0.0).sum().item(), (mask == 1.0).sum().item()) == pytest.approx(
        (math.pi * 40 * 20, math.pi * 20 * 10), rel=0.01
    )
    assert (mask[40, 8:92] > 0.0).tolist() == [False] * 2 + [True] * 80 + [False] * 2
    quarter = (1.0 - 0.625) / 0.75
    middle = radial_mask(image[..., :1, :1], Frame.whole(image[..., :1, :1]), x=50 + 5 * math.sqrt(10), width=40.0, height=40.0)
    assert middle.item() == pytest.approx(quarter**2 * (3 - 2 * quarter), abs=1e-9)
    turned = radial_mask(image, frame, **oval, angle=45.0)[0, 0]
    assert turned[40 + 18, 50 + 18] > 0.4
    assert turned[40 - 18, 50 + 18] == 0.0
    before = torch.full_like(image[:, :1], 0.5)
    combined = [radial_mask(image, frame, before, **oval, opacity=0.5, combine=how) for how in ("add", "subtract", "intersect")]
    assert [one[0, 0, 40, 50].item() for one in combined] == [0.75, 0.25, 0.25]
    assert [one[0, 0, 90, 150].item() for one in combined] == [0.5, 0.5, 0.0]
    assert radial_mask(image, frame, **oval, combine="subtract")[0, 0].add(mask).unique().tolist() == [1.0]

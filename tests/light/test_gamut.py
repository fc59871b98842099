"""What a display cannot show, and how pictures are compared."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

import luxgrad
from luxgrad.light.difference import Comparer, lattice
from luxgrad.light.gamut import fit_gamut, to_display
from luxgrad.light.photo import Photo
from luxgrad.light.primaries import REC2020_TO_SRGB, SRGB_TO_REC2020, mix
from luxgrad.light.rectangle import Region, Size
from luxgrad.light.shrink import Shrinking
from luxgrad.light.spaces import to_oklab
from luxgrad.light.transfer import srgb_decode


def _planes(*rgb: float) -> list[Tensor]:
    return [torch.full((1, 1, 1, 1), value, dtype=torch.float64) for value in rgb]


def _to_rec2020(rgb) -> tuple[Tensor, ...]:
    return mix(SRGB_TO_REC2020, *rgb)


def test_every_colour_up_to_and_on_the_boundary_stays() -> None:
    axis = torch.linspace(0.0, 1.0, 12)
    cube = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, 1, 1, -1, 1)
    for before, after in zip(cube, fit_gamut(*_to_rec2020(cube))):
        assert (before - after).abs().max().item() < 2e-6


@pytest.mark.parametrize("light", [(1.0, 0.2, -0.3), (-0.2, 0.9, 0.1), (0.05, -0.04, 0.6), (0.4, 0.8, -0.1)])
def test_colours_outside_keep_their_hue(light: tuple[float, float, float]) -> None:
    before = _to_rec2020(_planes(*light))
    after = fit_gamut(*before)
    assert all(0.0 <= channel.item() <= 1.0 for channel in after)

    def hue(planes) -> float:
        _, a, b = to_oklab(*planes)
        return math.degrees(math.atan2(b.item(), a.item()))

    assert hue(_to_rec2020(after)) == pytest.approx(hue(before), abs=0.01)


def test_clipped_neutral_highlights_become_white_and_negative_grey_black() -> None:
    assert [c.item() for c in fit_gamut(*_planes(7.0, 7.0, 7.0))] == pytest.approx([1.0, 1.0, 1.0], abs=1e-5)
    assert [c.item() for c in fit_gamut(*_planes(-0.1, -0.1, -0.1))] == pytest.approx([0.0, 0.0, 0.0], abs=1e-5)


def test_fitting_the_gamut_has_no_jump_at_its_boundary() -> None:
    inside = torch.tensor([0.3, 0.9999999, 0.2], dtype=torch.float64)
    outside = torch.tensor([0.3, 1.0001, 0.2], dtype=torch.float64)
    results = [torch.cat(fit_gamut(*_to_rec2020(rgb.view(3, 1, 1, 1, 1)))) for rgb in (inside, outside)]
    assert (results[0] - results[1]).abs().max().item() < 1e-3


def test_psnr_and_delta_e_of_a_known_error(photos) -> None:
    codes = torch.full((1, 3, 40, 50), 0.5)
    one, two = (Photo(torch.cat(_to_rec2020(srgb_decode(c).split(1, dim=1)), dim=1)) for c in (codes, codes + 0.01))
    difference = luxgrad.compare(one, two)
    assert difference.psnr == pytest.approx(40.0, abs=0.01)
    assert difference.delta_e == pytest.approx(1.0, abs=0.15)
    assert difference.delta_e_95 == pytest.approx(difference.delta_e, abs=0.02)


def test_photos_of_two_sizes_are_not_compared() -> None:
    with pytest.raises(ValueError, match=r"4 x 3 px and 5 x 3 px"):
        luxgrad.compare(Photo(torch.zeros(1, 3, 3, 4)), Photo(torch.zeros(1, 3, 3, 5)))


def test_a_reduced_photo_has_the_mean_light_of_the_areas() -> None:
    photo = Photo(torch.rand(1, 3, 40, 60, dtype=torch.float64))
    small = photo.reduced(Size(10, 15)).pixels
    torch.testing.assert_close(small, torch.nn.functional.avg_pool2d(photo.pixels, 4), rtol=1e-6, atol=1e-7)
    odd = photo.reduced(Size(7, 11)).pixels
    torch.testing.assert_close(odd.mean((2, 3)), photo.pixels.mean((2, 3)), rtol=1e-6, atol=1e-7)


def test_display_codes_of_srgb_primaries_are_ones_and_zeros() -> None:
    light = torch.cat(mix(SRGB_TO_REC2020, *torch.eye(3).view(3, 1, 1, 1, 3)), dim=1)
    torch.testing.assert_close(to_display(light)[0, :, 0], torch.eye(3), atol=3e-5, rtol=0)
    assert REC2020_TO_SRGB[0][0] > 1.0


def test_the_fit_to_the_gamut_is_differentiable_inside_at_the_edges_and_beyond() -> None:
    generator = torch.Generator().manual_seed(3)
    light = torch.rand(3, 400, generator=generator, dtype=torch.float64) * 1.6 - 0.3
    light[:, :5] = torch.tensor([0.0, 1.0, -1.0, 50.0, 1e-5], dtype=torch.float64)
    light.requires_grad_()
    weight = torch.rand(3, 400, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((torch.stack(fit_gamut(*light)) * weight).sum(), light)
    with torch.no_grad():
        for channel in range(3):
            step = torch.zeros_like(light)
            step[channel] = 1e-4
            up, down = (torch.stack(fit_gamut(*(light + sign * step))) for sign in (1.0, -1.0))
            expected = ((up - down) * weight).sum(0) / 2e-4
            error = (gradient[channel] - expected).abs()
            assert (error < 0.01 + 0.02 * expected.abs()).double().mean().item() > 0.97  # kinks lie in between for some
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_its_derivatives_are_finite_at_black_white_and_the_corners(dtype: torch.dtype) -> None:
    values = torch.tensor([0.0, 1.0, 1.0 + 1e-5, 1.5, -1e-6, -1.0, 50.0], dtype=dtype)
    light = torch.cartesian_prod(values, values, values).T.clone().requires_grad_()
    codes = to_display(light.view(1, 3, 1, -1))
    codes.sum().backward()
    assert light.grad is not None
    assert torch.isfinite(light.grad).all()
    photo = torch.rand(1, 3, 60, 60, dtype=dtype).round(decimals=2)  # many greys and primaries, through rounded matrices
    photo[:, :, :30] = photo[:, :1, :30]
    light = torch.cat(mix(SRGB_TO_REC2020, *(photo * 1.5).split(1, dim=1)), dim=1).requires_grad_()
    to_display(light).sum().backward()
    assert light.grad is not None
    assert torch.isfinite(light.grad).all()


def test_delta_e_of_a_lattice_is_close_to_that_of_every_pixel_and_psnr_is_the_same(photos: Path) -> None:
    photo = luxgrad.load(photos / "spices.jpg")
    one, two = (to_display(pixels) for pixels in (photo.pixels, photo.pixels * 1.1))
    whole, some = Comparer(), Comparer(every=5)
    whole.add(Region.whole(photo.size), one, two)
    for region in (Region(0, 0, 301, photo.size.width), Region(301, 0, photo.size.height - 301, photo.size.width)):
        some.add(region, region.cut(one), region.cut(two))
    assert some.result().one_in == 25
    assert some.result().psnr == pytest.approx(whole.result().psnr, abs=1e-6)
    assert some.result().delta_e == pytest.approx(whole.result().delta_e, rel=0.02)
    assert lattice(Size(600, 800)) == 1
    assert lattice(Size(4000, 6000)) == 7


def test_a_lattice_does_not_depend_on_how_a_picture_is_cut(photos: Path) -> None:
    photo = luxgrad.load(photos / "spices.jpg")
    one, two = (to_display(photo.pixels[..., :90, :120] * gain) for gain in (1.0, 1.2))
    cuts = ([Region(0, 0, 90, 120)], [Region(0, 0, 90, 31), Region(0, 31, 47, 89), Region(47, 31, 43, 89)])
    results = []
    for regions in cuts:
        comparer = Comparer(every=7)
        for region in regions:
            comparer.add(region, region.cut(one), region.cut(two))
        results.append(comparer.result())
    assert results[0].delta_e == pytest.approx(results[1].delta_e, rel=1e-6)


def test_a_picture_shrinks_the_same_from_tiles_in_any_order() -> None:
    pixels = torch.rand(1, 3, 50, 83, dtype=torch.float64)
    small = Shrinking(Size(50, 83), Size(7, 12))
    for region in (Region(20, 40, 30, 43), Region(0, 0, 20, 83), Region(20, 0, 30, 40)):
        small.add(region, region.cut(pixels))
    torch.testing.assert_close(small.result(), Photo(pixels).reduced(Size(7, 12)).pixels)
    assert small.result().mean().item() == pytest.approx(pixels.mean().item(), abs=1e-12)

"""Colour spaces and transfer functions against colour-science and published numbers."""

import colour
import numpy as np
import pytest
import torch

from luxgrad.light.adaptation import illuminant_xyz
from luxgrad.light.difference import delta_e_2000
from luxgrad.light.primaries import CAT16, D50, D65, PRIMARIES, REC2020_TO_XYZ, adaptation, rgb_to_rgb, rgb_to_xyz
from luxgrad.light.spaces import from_lab, from_oklab, to_lab, to_oklab
from luxgrad.light.transfer import acescct_decode, acescct_encode, cube_root, odd_power, srgb_decode, srgb_encode

from .sharma import PAIRS

LIGHT = torch.rand(3, 1, 1, 4000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 1.5 - 0.1
INVERSES = {
    "lab": (to_lab, from_lab),
    "oklab": (to_oklab, from_oklab),
    "srgb": (lambda *p: tuple(map(srgb_encode, p)), lambda *p: tuple(map(srgb_decode, p))),
    "acescct": (lambda *p: tuple(map(acescct_encode, p)), lambda *p: tuple(map(acescct_decode, p))),
}


@pytest.mark.parametrize("name", INVERSES)
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-6), (torch.float32, 1e-5)])
def test_a_space_and_back_is_the_identity(name: str, dtype: torch.dtype, within: float) -> None:
    there, back = INVERSES[name]
    light = LIGHT.to(dtype)
    for before, after in zip(light, back(*there(*light))):
        assert (before - after).abs().max().item() <= within


@pytest.mark.parametrize("name", INVERSES)
@pytest.mark.parametrize("value", [0.0, 1e-30, 1e-9, -1e-9, 0.18, 1.0, 50.0, -0.05])
def test_gradients_of_spaces_are_finite_everywhere(name: str, value: float) -> None:
    there, back = INVERSES[name]
    for dtype in (torch.float32, torch.float64):
        planes = [torch.full((1, 1, 1, 1), value, dtype=dtype, requires_grad=True) for _ in range(3)]
        total = sum(p.sum() for p in back(*there(*planes)))
        for gradient in torch.autograd.grad(total, planes):
            assert torch.isfinite(gradient).all()


def _rows(planes) -> np.ndarray:
    return np.stack([plane.flatten().numpy() for plane in planes], axis=1)


def test_lab_agrees_with_colour_science() -> None:
    xyz = _rows(LIGHT) @ np.array(REC2020_TO_XYZ).T
    white = colour.CCS_ILLUMINANTS["CIE 1931 2 Degree Standard Observer"]["D65"]
    np.testing.assert_allclose(_rows(to_lab(*LIGHT)), colour.XYZ_to_Lab(xyz, white), atol=1e-9)


def test_oklab_agrees_with_colour_science_but_for_its_older_rounding_of_white() -> None:
    light = LIGHT.clamp_min(0.001)
    xyz = _rows(light) @ np.array(REC2020_TO_XYZ).T
    np.testing.assert_allclose(_rows(to_oklab(*light)), colour.XYZ_to_Oklab(xyz), atol=2e-4)


def test_grey_is_exactly_neutral_in_oklab() -> None:
    grey = torch.linspace(0.0, 2.0, 50).view(1, 1, 1, -1)
    lightness, a, b = to_oklab(grey, grey, grey)
    assert max(a.abs().max().item(), b.abs().max().item()) < 5e-7
    assert lightness[0, 0, 0, 0].item() == 0.0
    white = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    assert to_oklab(white, white, white)[0].item() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("srgb", "sRGB"), ("rec2020", "ITU-R BT.2020"), ("p3", "P3-D65"), ("adobe", "Adobe RGB (1998)"), ("acescg", "ACEScg")],
)
def test_primaries_agree_with_colour_science(ours: str, theirs: str) -> None:
    space = colour.RGB_COLOURSPACES[theirs]
    derived = colour.normalised_primary_matrix(space.primaries, PRIMARIES[ours][3])
    np.testing.assert_allclose(rgb_to_xyz(ours), derived, atol=1e-12)


def test_srgb_and_acescct_agree_with_colour_science() -> None:
    positive = LIGHT.clamp_min(1e-9)
    np.testing.assert_allclose(srgb_encode(positive).numpy(), colour.cctf_encoding(positive.numpy(), "sRGB"), atol=1e-12)
    np.testing.assert_allclose(
        acescct_encode(positive).numpy(), colour.models.log_encoding_ACEScct(positive.numpy()), atol=1e-12
    )


def test_negative_light_is_the_mirror_image_of_positive_light() -> None:
    for function in (srgb_encode, srgb_decode, cube_root, lambda x: odd_power(x, 1.7)):
        torch.testing.assert_close(function(-LIGHT), -function(LIGHT))


def test_adaptation_and_cat16_agree_with_colour_science() -> None:
    theirs = colour.adaptation.matrix_chromatic_adaptation_VonKries(
        colour.xy_to_XYZ(np.array(D50)), colour.xy_to_XYZ(np.array(D65)), "Bradford"
    )
    np.testing.assert_allclose(adaptation(D50, D65), theirs, atol=1e-12)
    theirs = colour.adaptation.matrix_chromatic_adaptation_VonKries(
        colour.xy_to_XYZ(np.array(D50)), colour.xy_to_XYZ(np.array(D65)), "CAT16"
    )
    np.testing.assert_allclose(adaptation(D50, D65, CAT16), theirs, atol=1e-12)


def test_there_and_back_between_primaries_is_the_identity() -> None:
    product = np.array(rgb_to_rgb("srgb", "rec2020")) @ np.array(rgb_to_rgb("rec2020", "srgb"))
    np.testing.assert_allclose(product, np.eye(3), atol=1e-14)


@pytest.mark.parametrize("kelvin", [2000.0, 3200.0, 5000.0, 6500.0, 9000.0, 15000.0])
def test_illuminants_lie_on_krysteks_locus_and_tint_is_the_distance_from_it(kelvin: float) -> None:
    uv = colour.temperature.CCT_to_uv_Krystek1985(kelvin)
    np.testing.assert_allclose(colour.UCS_to_uv(colour.XYZ_to_UCS(illuminant_xyz(kelvin, 0.0))), uv, atol=1e-12)
    tinted = colour.UCS_to_uv(colour.XYZ_to_UCS(illuminant_xyz(kelvin, 60.0)))
    assert np.linalg.norm(tinted - uv) == pytest.approx(0.02, abs=1e-9)
    assert tinted[1] > uv[1]


def test_delta_e_agrees_with_the_published_pairs() -> None:
    table = torch.tensor(PAIRS, dtype=torch.float64)
    one, two = ([table[:, start + i].view(-1, 1, 1, 1) for i in range(3)] for start in (0, 3))
    np.testing.assert_allclose(delta_e_2000(tuple(one), tuple(two)).flatten().numpy(), table[:, 6], atol=1e-4)


def test_delta_e_agrees_with_colour_science_on_random_colours() -> None:
    generator = torch.Generator().manual_seed(3)
    one = torch.randn(3, 3000, 1, 1, 1, generator=generator, dtype=torch.float64) * 35
    two = one + torch.randn(3, 3000, 1, 1, 1, generator=generator, dtype=torch.float64) * 8
    one[0], two[0] = one[0].abs(), two[0].abs()
    theirs = colour.delta_E(_rows(one), _rows(two), method="CIE 2000")
    np.testing.assert_allclose(delta_e_2000(tuple(one), tuple(two)).flatten().numpy(), theirs, atol=1e-4)


@pytest.mark.parametrize("colours", ["equal", "grey", "black", "one grey", "opposite"])
def test_delta_e_has_a_finite_gradient_where_textbooks_divide_by_zero(colours: str) -> None:
    rows = {
        "equal": ([50.0, 20.0, 10.0], [50.0, 20.0, 10.0]),
        "grey": ([50.0, 0.0, 0.0], [60.0, 0.0, 0.0]),
        "black": ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        "one grey": ([50.0, 0.0, 0.0], [50.0, 30.0, -20.0]),
        "opposite": ([50.0, 10.0, 5.0], [50.0, -10.0, -5.0]),
    }[colours]
    for dtype in (torch.float32, torch.float64):
        tensors = [torch.tensor(value, dtype=dtype).view(1, 1, 1, 1).requires_grad_() for row in rows for value in row]
        value = delta_e_2000(tuple(tensors[:3]), tuple(tensors[3:]))
        assert torch.isfinite(value).all()
        for gradient in torch.autograd.grad(value.sum(), tensors):
            assert torch.isfinite(gradient).all()

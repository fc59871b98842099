"""Truth of the colour operations, against colour-science and OpenColorIO."""

from pathlib import Path

import colour
import numpy as np
import PyOpenColorIO
import pytest
import torch
from torch import Tensor

from luxgrad.files.cube import read_cube
from luxgrad.light.primaries import REC2020_TO_XYZ, SRGB_TO_REC2020, XYZ_TO_REC2020, mix
from luxgrad.light.spaces import from_oklab, to_oklab
from luxgrad.light.transfer import srgb_decode, srgb_encode
from luxgrad.ops.colour.hue_bands import hue_bands
from luxgrad.ops.colour.lut3d import lut3d
from luxgrad.ops.colour.saturation import saturation
from luxgrad.ops.colour.white_balance import white_balance
from luxgrad.ops.cube_text import cube_text
from luxgrad.ops.types import Lut

UNIT = torch.tensor([[0.0] * 3, [1.0] * 3])


def macbeth() -> np.ndarray:
    """The 24 patches of the ColorChecker (after November 2014) under D65, as XYZ rows."""
    checker = colour.CCS_COLOURCHECKERS["ColorChecker24 - After November 2014"]
    xyz = colour.xyY_to_XYZ(list(checker.data.values()))
    white = colour.xy_to_XYZ(checker.illuminant)
    return colour.adaptation.chromatic_adaptation_VonKries(xyz, white, colour.xy_to_XYZ([0.3127, 0.3290]), "CAT16")


def as_picture(xyz: np.ndarray) -> Tensor:
    rgb = torch.from_numpy(xyz @ np.array(XYZ_TO_REC2020).T)
    return rgb.T.reshape(1, 3, 1, -1)


def as_xyz(picture: Tensor) -> np.ndarray:
    return picture[0, :, 0].T.numpy() @ np.array(REC2020_TO_XYZ).T


@pytest.mark.parametrize(("kelvin", "tint"), [(3200.0, 0.0), (5000.0, 20.0), (9500.0, -35.0), (14000.0, 80.0)])
def test_white_balance_of_the_macbeth_chart_is_cat16_as_in_colour_science(kelvin: float, tint: float) -> None:
    u, v = colour.temperature.CCT_to_uv_Krystek1985(kelvin)
    step = np.array(colour.temperature.CCT_to_uv_Krystek1985(kelvin * 1.001))
    step -= np.array(colour.temperature.CCT_to_uv_Krystek1985(kelvin * 0.999))
    above = np.array([step[1], -step[0]]) / np.linalg.norm(step)
    xy = colour.UCS_uv_to_xy(np.array([u, v]) + above * tint / 3000.0)
    day = colour.UCS_uv_to_xy(colour.temperature.CCT_to_uv_Krystek1985(6500.0))
    expected = colour.adaptation.chromatic_adaptation_VonKries(macbeth(), colour.xy_to_XYZ(xy), colour.xy_to_XYZ(day), "CAT16")
    ours = as_xyz(white_balance(as_picture(macbeth()), kelvin, tint))
    np.testing.assert_allclose(ours, expected, atol=1e-9)


def test_more_kelvin_is_warmer_and_more_tint_more_magenta() -> None:
    grey = torch.full((1, 3, 1, 1), 0.18, dtype=torch.float64)
    r, g, b = white_balance(grey, 9000.0, 0.0)[0, :, 0, 0].tolist()
    assert r > b
    r, g, b = white_balance(grey, 6500.0, 50.0)[0, :, 0, 0].tolist()
    assert g < min(r, b)


def test_the_default_white_balance_changes_no_bit(picture: Tensor) -> None:
    assert torch.equal(white_balance(picture), picture)
    assert torch.equal(saturation(picture), picture)


def test_saturation_doubles_oklab_chroma_and_keeps_lightness_and_hue() -> None:
    before = colour.XYZ_to_Oklab(macbeth())
    after = colour.XYZ_to_Oklab(as_xyz(saturation(as_picture(macbeth()), 1.0)))
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=1e-3)
    np.testing.assert_allclose(after[:18, 1:], 2.0 * before[:18, 1:], atol=2e-3)


def test_vibrance_moves_muted_colours_more_than_strong_ones() -> None:
    lab = torch.tensor([[0.6, 0.6], [0.02, 0.2], [0.0, 0.0]], dtype=torch.float64).view(3, 1, 1, 1, 2)
    image = torch.cat(from_oklab(*lab), dim=1)
    after = saturation(image, 0.0, 1.0)
    muted, strong = (to_oklab(*after.split(1, dim=1))[1] / lab[1])[0, 0, 0].tolist()
    assert muted == pytest.approx(2.0 ** (1 / (1 + (0.02 / 0.12) ** 2)), rel=1e-5)
    assert strong == pytest.approx(2.0 ** (1 / (1 + (0.2 / 0.12) ** 2)), rel=1e-5)
    assert muted > strong


def test_grey_stays_grey_under_every_colour_operation() -> None:
    grey = torch.linspace(0.0, 3.0, 64, dtype=torch.float64).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    names = ("red", "orange", "yellow", "green", "aqua", "blue", "purple", "magenta")
    bands = {f"{name}_{kind}": value for name in names for kind, value in (("hue", 20.0), ("chroma", 0.8), ("lightness", 0.4))}
    for changed in (saturation(grey, 1.0, 0.5), hue_bands(grey, **bands)):
        torch.testing.assert_close(changed, grey, atol=1e-9, rtol=1e-6)


def colours_of_hue(degrees: float) -> Tensor:
    angle = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    lab = [
        torch.full((1, 1, 1, 1), v, dtype=torch.float64) for v in (0.6, 0.12 * angle.cos().item(), 0.12 * angle.sin().item())
    ]
    return torch.cat(from_oklab(*lab), dim=1)


def lch(image: Tensor) -> tuple[float, float, float]:
    lightness, a, b = (plane.item() for plane in to_oklab(*image.split(1, dim=1)))
    return lightness, (a * a + b * b) ** 0.5, float(np.degrees(np.arctan2(b, a)) % 360)


def test_all_bands_together_turn_and_strengthen_every_hue_alike() -> None:
    names = ("red", "orange", "yellow", "green", "aqua", "blue", "purple", "magenta")
    turned = {f"{name}_hue": 12.0 for name in names} | {f"{name}_chroma": 0.5 for name in names}
    for degrees in (0.0, 25.0, 47.0, 120.0, 200.0, 280.0, 359.0):
        lightness, chroma, hue = lch(hue_bands(colours_of_hue(degrees), **turned))
        assert lightness == pytest.approx(0.6, abs=1e-6)
        assert chroma == pytest.approx(0.12 * 2**0.5, rel=1e-4)
        assert (hue - degrees) % 360 == pytest.approx(12.0, abs=1e-3)


def test_a_band_acts_most_at_its_centre_and_not_on_the_opposite_hue() -> None:
    at_centre = lch(hue_bands(colours_of_hue(25.0), red_hue=10.0))[2] - 25.0
    neighbour = lch(hue_bands(colours_of_hue(70.0), red_hue=10.0))[2] - 70.0
    opposite = lch(hue_bands(colours_of_hue(205.0), red_hue=10.0))[2] - 205.0
    assert at_centre == pytest.approx(5.97, abs=0.01)
    assert 1.5 < neighbour < 2.5
    assert abs(opposite) < 1e-3


def applied(lut: Lut, codes: Tensor, **options) -> Tensor:
    """sRGB codes (N, 3) through lut3d, as sRGB codes."""
    light = torch.cat(mix(SRGB_TO_REC2020, *srgb_decode(codes.T.reshape(3, 1, 1, 1, -1))), dim=1)
    looked = lut3d(light, lut, **options)
    from luxgrad.light.primaries import REC2020_TO_SRGB

    return srgb_encode(torch.cat(mix(REC2020_TO_SRGB, *looked.split(1, dim=1)), dim=1))[0, :, 0].T


def with_ocio(path: Path, codes: Tensor, interpolation=PyOpenColorIO.INTERP_TETRAHEDRAL) -> np.ndarray:
    transform = PyOpenColorIO.FileTransform(str(path), interpolation=interpolation)
    processor = PyOpenColorIO.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
    pixels = codes.numpy().astype(np.float32).copy()
    processor.applyRGB(pixels)
    return pixels


CODES = torch.rand(4000, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("interpolation", ["tetrahedral", "trilinear"])
def test_a_real_film_look_agrees_with_opencolorio(root: Path, interpolation: str) -> None:
    path = root / "workflows" / "luts" / "vintage_400_film.cube"
    kind = PyOpenColorIO.INTERP_TETRAHEDRAL if interpolation == "tetrahedral" else PyOpenColorIO.INTERP_LINEAR
    ours = applied(read_cube(path), CODES, interpolation=interpolation).numpy()
    np.testing.assert_allclose(ours, with_ocio(path, CODES, kind), atol=2e-5)


def test_a_one_dimensional_table_with_a_domain_agrees_with_opencolorio(tmp_path: Path) -> None:
    domain = torch.tensor([[-0.1, 0.0, 0.1], [1.2, 1.0, 0.9]])
    curve = torch.linspace(0, 1, 17)[:, None] ** torch.tensor([0.7, 1.0, 1.6])
    path = tmp_path / "curve.cube"
    path.write_text(cube_text(Lut(curve, domain, None, UNIT), "curve"))
    np.testing.assert_allclose(applied(read_cube(path), CODES).numpy(), with_ocio(path, CODES), atol=2e-5)


def test_a_shaper_before_a_cube_agrees_with_opencolorio(tmp_path: Path) -> None:
    cube = torch.rand(9, 9, 9, 3, generator=torch.Generator().manual_seed(2))
    curve = torch.linspace(0, 1, 33)[:, None].expand(-1, 3) ** 0.6
    wide = torch.tensor([[-0.05] * 3, [1.1] * 3])
    path = tmp_path / "shaped.cube"
    path.write_text(cube_text(Lut(curve, wide, cube, UNIT), "shaped"))
    np.testing.assert_allclose(applied(read_cube(path), CODES).numpy(), with_ocio(path, CODES), atol=3e-5)


def test_an_identity_cube_is_the_identity_and_keeps_greys_neutral() -> None:
    axis = torch.linspace(0, 1, 17, dtype=torch.float64)
    identity = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
    torch.testing.assert_close(applied(Lut(None, UNIT, identity, UNIT), CODES), CODES, atol=1e-6, rtol=0)
    bent = identity**1.7
    grey = torch.linspace(0, 1, 50, dtype=torch.float64)[:, None].expand(-1, 3)
    looked = applied(Lut(None, UNIT, bent, UNIT), grey)
    assert (looked - looked.mean(1, keepdim=True)).abs().max().item() < 1e-9


def test_a_table_in_log_expects_and_returns_acescct() -> None:
    axis = torch.linspace(0, 1, 17, dtype=torch.float64)
    identity = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
    light = torch.rand(1, 3, 4, 5, dtype=torch.float64) * 20
    torch.testing.assert_close(lut3d(light, Lut(None, UNIT, identity, UNIT), encoding="log"), light, rtol=1e-6, atol=1e-7)


def test_a_table_can_be_learned_through_the_operation() -> None:
    light = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(4))
    axis = torch.linspace(0, 1, 5)
    cube = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).requires_grad_()
    lut3d(light, Lut(None, UNIT, cube, UNIT)).sum().backward()
    assert cube.grad is not None
    assert (cube.grad != 0).float().mean().item() > 0.5

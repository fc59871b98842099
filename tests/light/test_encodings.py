"""Transfer functions: against PyOpenColorIO and the standards' numbers, there and back, with finite gradients everywhere."""

from __future__ import annotations

import numpy as np
import PyOpenColorIO
import pytest
import torch

from luxgrad.light.encodings import SPACES, decoder, encoder
from luxgrad.light.primaries import rgb_to_rgb

BOTH_WAYS = ("srgb", "linear", "bt709", "gamma:2.2", "gamma:1.8")
EVERY = (*BOTH_WAYS, "pq", "hlg")


def through_ocio(values: np.ndarray, style: str) -> np.ndarray:
    transform = PyOpenColorIO.BuiltinTransform(style)
    processor = PyOpenColorIO.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
    pixels = np.repeat(values.astype(np.float32)[:, None], 3, axis=1)
    processor.applyRGB(pixels)
    return pixels[:, 0]


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_light_returns_from_its_codes(name: str) -> None:
    light = torch.linspace(-0.5, 4.0, 10001, dtype=torch.float64)
    torch.testing.assert_close(decoder(name)(encoder(name)(light)), light, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("name", EVERY)
def test_transfer_functions_rise_and_have_finite_gradients_everywhere(name: str) -> None:
    codes = torch.cat([torch.zeros(1), torch.linspace(-1.5, 1.5, 3001)]).double().requires_grad_()
    for function in (decoder(name), encoder(name) if name in BOTH_WAYS else decoder(name)):
        values = function(codes)
        (slope,) = torch.autograd.grad(values.sum(), codes)
        assert torch.isfinite(values).all()
        assert torch.isfinite(slope).all()
        assert (slope >= 0.0).all()
        assert values[0] == 0.0 or name == "pq"


def test_pq_is_the_standards_with_reference_white_at_one() -> None:
    codes = np.linspace(0.0, 1.0, 1001)
    theirs = through_ocio(codes, "CURVE - ST-2084_to_LINEAR") * 100.0 / 203.0
    np.testing.assert_allclose(decoder("pq")(torch.from_numpy(codes)), theirs, rtol=2e-3, atol=1e-6)
    assert decoder("pq")(torch.tensor(0.58)).item() == pytest.approx(1.0, abs=0.01)
    assert decoder("pq")(torch.ones(1)).item() == pytest.approx(10000 / 203, rel=1e-5)


def test_bt709_meets_the_numbers_of_its_standard() -> None:
    light = torch.tensor([0.0, 0.018, 0.5, 1.0], dtype=torch.float64)
    expected = torch.tensor([0.0, 0.081, 1.099 * 0.5**0.45 - 0.099, 1.0], dtype=torch.float64)
    torch.testing.assert_close(encoder("bt709")(light), expected, atol=2e-4, rtol=0)


@pytest.mark.parametrize("space", SPACES.values(), ids=list(SPACES))
def test_a_space_leads_there_and_back_and_white_is_white(space) -> None:
    there, back = torch.tensor(space.from_rec2020), torch.tensor(space.to_rec2020)
    torch.testing.assert_close(there @ back, torch.eye(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(back.sum(1), torch.ones(3), atol=1e-6, rtol=0)
    assert space.to_rec2020 == rgb_to_rgb(space.primaries, "rec2020")


@pytest.mark.parametrize("name", ["gamma:", "gamma:0", "gamma:nan", "log", "gamma:x"])
def test_a_transfer_function_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"expected a transfer function|could not convert"):
        decoder(name)

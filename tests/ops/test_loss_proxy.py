"""Truth of the losses, and of the proxy against what it imitates."""

import colour
import numpy as np
import pytest
import torch
from kornia.metrics import ssim as kornia_ssim
from torch import Tensor

from luxgrad.light.planes import planes
from luxgrad.light.primaries import REC2020_TO_SRGB, REC2020_TO_XYZ, luminance, mix
from luxgrad.light.spaces import from_oklab
from luxgrad.light.transfer import srgb_encode
from luxgrad.networks.weights import load_network
from luxgrad.ops.loss.add import add
from luxgrad.ops.loss.delta_e import delta_e
from luxgrad.ops.loss.histogram_distance import histogram_distance
from luxgrad.ops.loss.l1 import l1
from luxgrad.ops.loss.l2 import l2
from luxgrad.ops.loss.pull_to_default import pull_to_default
from luxgrad.ops.loss.ssim import _map, ssim
from luxgrad.ops.measure.percentiles import percentiles
from luxgrad.ops.proxy.sigmoid import sigmoid as proxy
from luxgrad.ops.tone.sigmoid import sigmoid
from luxgrad.ops.types import Distances, Metadata

ONE, TWO = (torch.rand(1, 3, 30, 40, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in (0, 1))


def encoded(image: Tensor) -> Tensor:
    return torch.cat([srgb_encode(p) for p in mix(REC2020_TO_SRGB, *planes(image))], dim=1)


def test_l1_and_l2_are_means_over_pixels_and_channels() -> None:
    assert l1(ONE, TWO, axis="linear").item() == pytest.approx((ONE - TWO).abs().mean().item())
    assert l2(ONE, TWO, axis="linear").item() == pytest.approx((ONE - TWO).square().mean().item())
    assert l2(ONE, TWO).item() == pytest.approx((encoded(ONE) - encoded(TWO)).square().mean().item())
    assert l1(ONE, TWO).item() == pytest.approx((encoded(ONE) - encoded(TWO)).abs().mean().item())


def test_delta_e_is_the_mean_of_colour_sciences() -> None:
    white = colour.CCS_ILLUMINANTS["CIE 1931 2 Degree Standard Observer"]["D65"]
    one, two = (colour.XYZ_to_Lab(image[0].flatten(1).T.numpy() @ np.array(REC2020_TO_XYZ).T, white) for image in (ONE, TWO))
    assert delta_e(ONE, TWO).item() == pytest.approx(colour.delta_E(one, two, method="CIE 2000").mean(), abs=1e-4)


def test_ssim_agrees_with_kornia_away_from_the_edges() -> None:
    mine = _map(ONE, TWO)[..., 6:-6, 6:-6]
    one, two = (srgb_encode(luminance(*planes(image))) for image in (ONE, TWO))
    theirs = kornia_ssim(one, two, 11)[..., 6:-6, 6:-6]
    torch.testing.assert_close(mine, theirs, atol=1e-9, rtol=0)
    assert ssim(ONE, ONE).item() == pytest.approx(0.0, abs=1e-12)
    assert 0.5 < ssim(ONE, TWO).item() < 1.5


def test_histogram_distance_is_the_distance_that_tones_have_to_travel() -> None:
    generator = torch.Generator().manual_seed(3)
    lightness = 0.3 + 0.4 * torch.rand(1, 1, 60, 60, generator=generator, dtype=torch.float64)
    grey = torch.zeros_like(lightness)
    one = torch.cat(from_oklab(lightness, grey, grey), dim=1)
    two = torch.cat(from_oklab(lightness + 0.1, grey, grey), dim=1)
    assert histogram_distance(one, two).item() == pytest.approx(0.1, abs=1e-4)
    assert histogram_distance(one, one.flip(3)).item() == pytest.approx(0.0, abs=1e-12)


def test_histograms_of_pictures_of_two_sizes_are_compared() -> None:
    assert histogram_distance(ONE, torch.cat([ONE, ONE], dim=3)).item() == pytest.approx(0.0, abs=1e-12)


def test_losses_add_with_their_weights_and_the_pull_is_the_mean_square_distance() -> None:
    distances = Distances(torch.tensor([0.0, 1.0, -2.0, 1.0]))
    assert pull_to_default(distances).item() == pytest.approx(1.5)
    assert add(l2(ONE, TWO), pull_to_default(distances), 2.0, 0.1).item() == pytest.approx(2 * l2(ONE, TWO).item() + 0.15)


def photo_psnr(one: Tensor, two: Tensor) -> float:
    return -10.0 * torch.log10((encoded(one) - encoded(two)).square().mean()).item()


@pytest.mark.parametrize(("contrast", "skew"), [(1.5, 0.0), (1.0, -0.6), (2.4, 0.7)])
def test_the_proxy_renders_a_photo_as_the_sigmoid_that_it_imitates(picture: Tensor, contrast: float, skew: float) -> None:
    statistics = percentiles(picture)
    rendered = proxy(picture, load_network("sigmoid_proxy"), statistics, Metadata(), contrast, skew)
    assert photo_psnr(rendered, sigmoid(picture, contrast, skew)) > 45.0


def test_the_proxy_listens_to_metadata_and_to_statistics(picture: Tensor) -> None:
    network, statistics = load_network("sigmoid_proxy"), percentiles(picture)
    brighter = proxy(picture, network, statistics, Metadata(BaselineExposure=0.8), 1.5)
    grey = 2.0 * np.tanh(0.4)
    assert photo_psnr(brighter, sigmoid(picture, 1.5, 0.0, grey)) > 45.0
    adapted = proxy(picture, network, statistics, Metadata(), 1.5, adapt=1.0)
    middle = float(2.0 * np.tanh(0.5 * np.log2(0.18 / statistics.middle.item())))
    assert photo_psnr(adapted, sigmoid(picture, 1.5, 0.0, middle)) > 45.0

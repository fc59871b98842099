"""The blend pyramid's parts against closed forms: the blend and its inverse, the pyramid, the network's shapes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import luxgrad
from luxgrad.light.rectangle import Size
from luxgrad.light.transfer import srgb_decode, srgb_encode
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.ops.blend.adaptive_blend import adaptive_blend, factors
from luxgrad.ops.blend.blend_curve import blend_curve
from luxgrad.ops.blend.high_frequencies import high_frequencies
from luxgrad.ops.blend.local_layer import local_layer, tiny
from luxgrad.ops.blend.reverse_blend import limited_inverse, reverse_blend
from luxgrad.ops.composite import by_hand, place
from luxgrad.ops.geometry.halve import halve
from luxgrad.ops.local.local_retouch import levels_for, local_retouch
from luxgrad.ops.spec import spec_of
from luxgrad.ops.types import Network, SmallPicture

PEGTOP = (0.0, 2.0, -2.0, 0.0, 0.0, 1.0)


def light(*codes: float) -> Tensor:
    return srgb_decode(torch.tensor(codes, dtype=torch.float64)).view(1, 1, 1, -1).expand(1, 3, 1, -1)


def test_soft_light_as_pegtop_has_it_is_one_of_the_curves() -> None:
    """result = (1 - 2 layer) I^2 + 2 layer I, by Pegtop's formula."""
    layer = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    blended = srgb_encode(adaptive_blend(light(0.3, 0.6, 0.8), layer, blend_curve(*PEGTOP)))
    for index, (code, amount) in enumerate([(0.3, 0.2), (0.6, 0.5), (0.8, 0.9)]):
        wanted = (1 - 2 * amount) * code**2 + 2 * amount * code
        assert blended[0, 0, 0, index].item() == pytest.approx(wanted, abs=1e-12)


def test_above_white_a_blend_is_a_gain() -> None:
    layer = torch.full((1, 3, 1, 2), -0.25, dtype=torch.float64)
    at_white, above = srgb_encode(adaptive_blend(light(1.0, 1.6), layer, blend_curve()))[0, 0, 0].tolist()
    assert at_white == pytest.approx(0.75)
    assert above == pytest.approx(0.75 * 1.6)


@pytest.mark.parametrize("seed", range(5))
def test_reverse_blend_is_the_exact_inverse_where_the_divisor_is_not_limited(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    curve = blend_curve(*(4.0 * torch.rand(6, generator=generator) - 2.0).tolist())
    image = torch.linspace(-0.1, 4.0, 400).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    layer = 2.0 * torch.rand(1, 3, 1, 400, generator=generator) - 1.0
    found = reverse_blend(image, adaptive_blend(image, layer, curve), curve)
    assert torch.isfinite(found).all()
    sure = factors(srgb_encode(image), curve)[0].abs() >= 0.1
    assert ((found - layer)[sure].abs().max().item() if sure.any() else 0.0) < 1e-5


def test_the_limited_inverse_goes_on_smoothly_and_has_no_pole() -> None:
    x = torch.linspace(-0.3, 0.3, 6001, dtype=torch.float64, requires_grad=True)
    inverse = limited_inverse(x)
    assert inverse.abs().max().item() < 10.9
    (slope,) = torch.autograd.grad(inverse.sum(), x)
    assert (inverse.diff() / x.diff() - 0.5 * (slope[1:] + slope[:-1])).abs().max().item() < 0.5
    beyond = x.abs() >= 0.1
    torch.testing.assert_close(inverse[beyond], 1.0 / x[beyond])


def test_a_level_of_the_pyramid_adds_up_to_the_picture_again() -> None:
    picture = torch.rand(1, 3, 7, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    smaller = place(halve, picture)
    assert smaller.shape[2:] == (4, 5)
    torch.testing.assert_close(smaller[..., :3, :], torch.nn.functional.avg_pool2d(picture[..., :6, :], 2), rtol=0, atol=0.3)
    high = place(high_frequencies, picture, smaller)
    enlarged = torch.nn.functional.interpolate(smaller, (7, 10), mode="bilinear")
    torch.testing.assert_close(high + enlarged, picture, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("scale", "millions"), [(1.0, 46.98), (0.2, 1.91)])
def test_the_network_has_the_size_that_the_paper_leads_to(scale: float, millions: float) -> None:
    with torch.device("meta"):
        module = BlendPyramid(scale)
        layer, masks = module("local", torch.zeros(1, 3, 256, 320), torch.ones(3))
    assert sum(parameter.numel() for parameter in module.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)
    assert layer.shape == masks.shape == (1, 3, 256, 320)


def test_a_fresh_network_changes_nothing() -> None:
    module = BlendPyramid(0.05).train(False)
    layer, _ = module("local", torch.rand(1, 3, 40, 50), torch.ones(3))
    assert not layer.any()
    assert torch.equal(module("refinement", layer, torch.rand(1, 3, 40, 50)), layer)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (65, 63)])
def test_the_network_takes_pictures_of_any_size(size: tuple[int, int]) -> None:
    layer, mask = local_layer(SmallPicture(torch.rand(1, 3, *size)), tiny()["network"])
    assert layer.pixels.shape == mask.pixels.shape == (1, 3, *size)
    assert 0.0 <= mask.pixels.min().item() <= mask.pixels.max().item() <= 1.0


def test_a_group_that_is_not_asked_for_is_not_in_the_mask() -> None:
    module = BlendPyramid(0.01).train(False)
    with torch.no_grad():
        module.local.mask_head.weight.zero_()
        module.local.mask_head.bias.copy_(torch.tensor([-0.61904, -9.0, 9.0]))
    small, network = SmallPicture(torch.rand(1, 3, 64, 64)), Network(module)
    masks = {what: local_layer(small, network, what).mask.pixels for what in ("all", "skin", "cloth", "dust")}
    assert masks["cloth"].max() == 0.0
    torch.testing.assert_close(masks["skin"], torch.full_like(masks["skin"], 0.5))
    assert masks["dust"].min() == masks["all"].min() == 1.0


@pytest.mark.parametrize(("edge", "levels"), [(1, 0), (512, 0), (1024, 0), (1025, 1), (2048, 1), (4096, 2), (6000, 3)])
def test_a_photo_is_halved_until_the_network_sees_it_at_its_usual_size(edge: int, levels: int) -> None:
    assert levels_for(Size(edge, 10)) == levels


def test_strength_and_limit_hold_the_retouch_back() -> None:
    image, network = torch.rand(1, 3, 40, 56), tiny()["network"]
    limit = torch.zeros(1, 1, 40, 56)
    limit[..., :28] = 1.0
    spec = spec_of(local_retouch)
    assert torch.equal(by_hand(spec, {"image": image, "network": network, "strength": 0.0}).image, image)
    limited = by_hand(spec, {"image": image, "network": network, "limit": limit}).image
    assert torch.equal(limited[..., 28:], image[..., 28:])
    assert not torch.equal(limited[..., :28], image[..., :28])


def test_another_network_is_refused_by_the_name_of_the_step() -> None:
    graph = luxgrad.Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "net": {"class_type": "luxgrad.load_network", "inputs": {"name": "sigmoid_proxy"}},
        "op": {"class_type": "luxgrad.local.local_retouch", "inputs": {"image": ["photo", 0], "network": ["net", 0]}},
    })  # fmt: skip
    told = r"step op \(local.local_retouch\): expected the weights of a blend pyramid; got those of a PointwiseMLP"
    with pytest.raises(luxgrad.WorkflowError, match=told):
        graph(torch.rand(1, 3, 20, 30), sink="op")

"""Local retouch as people use it: a node with weights of its own, on photos of every kind, and the parts it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import luxgrad
from luxgrad import Graph, Photo
from luxgrad.engine.render import Job, Settings
from luxgrad.graph.model import Ref
from luxgrad.graph.outputs import gather_sources
from luxgrad.light.rectangle import Region
from luxgrad.networks import weights
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.ops.blend.local_layer import tiny
from luxgrad.ops.types import Network

ABOUT = {"architecture": "BlendPyramid", "arguments": {"scale": 0.01}}


def graph(**values: Any) -> Graph:
    return Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "op": {"class_type": "luxgrad.local.local_retouch", "inputs": {"image": ["photo", 0], **values}},
    })  # fmt: skip


def retouched(image: Tensor, network: Network | None = None, tile: int = 1 << 17, **values: Any) -> tuple[Tensor, ...]:
    """The photo, the mask and the layer. network: in the place of the weights that the operation brings itself."""
    given: dict[str, Any] = {"photo": Photo(image), **({} if network is None else {"op.network": network})}
    refs, made = [Ref("op", slot) for slot in range(3)], graph(**values)
    return Job(made, refs, gather_sources(made, given, refs), {}, 1.0, Settings(tile_pixels=tile)).outputs()


def pyramid(doubt: float) -> Network:
    """A small random blend pyramid that takes about as much for a flaw as told: 9 everything, -9 nothing."""
    torch.manual_seed(0)
    network = tiny()["network"]
    bias = "local.mask_head.bias"
    return network.with_weights({**network.weights, bias: torch.full_like(network.weights[bias], doubt)})


def picture(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height)) * 0.8 + 0.05


def test_unwired_it_has_the_weights_that_ship_and_load_network_gives_it_others() -> None:
    image = picture(96, 130)
    own, handed = retouched(image), retouched(image, weights.load_network("abpn_small"))
    assert all(torch.equal(one, other) for one, other in zip(own, handed))
    wired = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "net": {"class_type": "luxgrad.load_network", "inputs": {"name": "abpn_small"}},
        "op": {"class_type": "luxgrad.local.local_retouch", "inputs": {"image": ["photo", 0], "network": ["net", 0]}},
    })  # fmt: skip
    assert torch.equal(wired(image, sink="op"), own[0])
    others = wired({"photo": Photo(image), "net": pyramid(9.0)}, sink="op")
    assert (others.pixels - own[0]).abs().max() > 1e-3


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (65, 63), (129, 517), (301, 1100)])
def test_it_takes_photos_of_any_size(size: tuple[int, int]) -> None:
    image = picture(*size)
    for network in (None, pyramid(9.0)):
        found, mask, layer = retouched(image, network)
        assert found.shape == layer.shape == image.shape
        assert mask.shape == (1, 1, *size)
        assert all(torch.isfinite(tensor).all() for tensor in (found, mask, layer))


@pytest.mark.parametrize("levels", [0, 3])
def test_tiles_show_what_the_whole_shows(levels: int) -> None:
    image = picture(301, 611)
    for doubt in (-0.9, 9.0):
        for one, other in zip(*(retouched(image, pyramid(doubt), tile, levels=levels) for tile in (9000, 1 << 30))):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=2e-6)


def test_where_the_mask_is_0_a_photo_stays_as_it_is_to_the_bit() -> None:
    image = picture(200, 300)
    found, mask, _ = retouched(image, pyramid(-9.0))
    assert not mask.any()
    assert torch.equal(found, image)
    plain = torch.full((1, 3, 300, 400), 0.2)
    assert torch.equal(retouched(plain)[0], plain)
    limit = torch.zeros(1, 1, 200, 300)
    limit[..., 50:90, 60:200] = 1.0
    made = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "op": {"class_type": "luxgrad.local.local_retouch", "inputs": {"image": ["photo", 0], "limit": ["photo", 1]}},
    })  # fmt: skip
    limited = made({"photo": Photo(image, alpha=limit), "op.network": pyramid(9.0)}, sink="op").pixels
    outside = (limit == 0).expand_as(image)
    assert torch.equal(limited[outside], image[outside])
    assert (limited != image).any(dim=1)[0, 50:90, 60:200].float().mean() > 0.9


@pytest.mark.parametrize("light", [0.0, -0.05, 1e-7, 1.0, 4.0, 60.0])
def test_black_white_and_light_beyond_white_come_out_finite(light: float) -> None:
    image = torch.full((1, 3, 90, 70), light)
    found, mask, _ = retouched(image, pyramid(9.0))
    assert mask.min() == 1.0
    assert torch.isfinite(found).all()
    assert torch.equal(retouched(image)[0], image)


def test_light_above_white_keeps_its_steps() -> None:
    """The blend there is a gain: stops above white stay stops above what white becomes."""
    bright = torch.ones(1, 3, 64, 64)
    white = retouched(bright, pyramid(9.0), levels=1)[0]
    found = retouched(4.0 * bright, pyramid(9.0), levels=1)[0]
    encoded = [luxgrad.light.transfer.srgb_encode(tensor) for tensor in (white, found)]
    gain = luxgrad.light.transfer.srgb_encode(torch.tensor(4.0))
    torch.testing.assert_close(encoded[1], gain * encoded[0], rtol=1e-5, atol=1e-5)


def test_16_bit_photos_come_in_and_go_out_in_16_bits(tmp_path: Path) -> None:
    image = picture(60, 80)
    luxgrad.save(Photo(image), tmp_path / "in.tif", depth="16", dither=False)
    photo = luxgrad.load(tmp_path / "in.tif")
    out = graph()({"photo": photo, "op.network": pyramid(-9.0)}, sink="op")
    luxgrad.save(out, tmp_path / "out.tif", depth="16", dither=False)
    assert torch.equal(luxgrad.load(tmp_path / "out.tif").pixels, photo.pixels)


def test_on_an_accelerator_no_value_of_a_mask_is_waited_for() -> None:
    """`meta` has no values at all: who reads one there fails."""
    made, refs = graph(), [Ref("op", 0)]
    given = gather_sources(made, {"photo": Photo(picture(300, 400))}, refs)
    job = Job(made, refs, given, {}, 1.0, Settings(device="meta"))
    with torch.no_grad():
        execution = job.measured()
        (found,) = execution.evaluate([(job.plan.outputs[0], Region(9, 9, 64, 90))], execution.inputs, execution.measured)
    assert found.shape == (1, 3, 64, 90)
    assert found.r.device.type == "meta"


def test_the_parts_by_hand_are_the_whole_to_the_bit(root: Path) -> None:
    whole, parts = (
        luxgrad.open(root / "workflows" / f"{name}.json") for name in ("portrait_local_retouch", "local_retouch_parts")
    )
    for size in (None, 1100):
        found = [made({"Photo": luxgrad.load(root / "workflows" / "photos" / "portrait_flaws.jpg")}, size=size).pixels
                 for made in (whole, parts)]  # fmt: skip
        assert torch.equal(*found)
    network = pyramid(1.0)
    handed = [
        {"Local retouch.network": network},
        {f"{step}.network": network for step in ("Find flaws", "Layer, full size", "How it blends")},
    ]
    photo = Photo(picture(64, 1050))  # one halving, as the parts have
    one, other = (made({"Photo": photo, **own}).pixels for made, own in zip((whole, parts), handed))
    assert torch.equal(one, other)
    assert (one - whole.with_values({"Local retouch.strength": 0.0})({"Photo": photo}).pixels).abs().max() > 1e-3


def test_the_shared_portrait_is_changed_where_flaws_are_found_and_nowhere_else(root: Path) -> None:
    photo = luxgrad.load(root / "workflows" / "photos" / "portrait_flaws.jpg")
    found, mask, _ = retouched(photo.pixels, what="skin")
    changed = (found - photo.pixels).abs().amax(dim=1, keepdim=True)
    assert 0.0 < (mask > 0).float().mean() < 0.1
    assert changed[mask > 0].max() > 0.0005
    assert not changed[mask == 0].any()


@pytest.mark.parametrize(("damage", "told"), [
    (lambda data: data[: len(data) // 2], "cut.safetensors: "),
    (lambda data: b"", "cut.safetensors: "),
    (lambda data: b"\xff" * 64, "cut.safetensors: "),
    (lambda data: data.replace(b"BlendPyramid", b"ScrewPyramid"), "expected an architecture of PointwiseMLP, BlendPyramid"),
    (lambda data: data.replace(b"coefficients", b"coefficientz"), "missing tensor 'coefficients'"),
])  # fmt: skip
def test_weights_that_are_cut_off_damaged_or_foreign_are_refused_in_one_line(tmp_path: Path, damage: Any, told: str) -> None:
    weights.save_weights(BlendPyramid(0.01), tmp_path / "cut.safetensors", ABOUT, torch.float16)
    (tmp_path / "cut.safetensors").write_bytes(damage((tmp_path / "cut.safetensors").read_bytes()))
    with pytest.raises(weights.WeightsError, match=told) as error:
        weights.load_network("cut", [tmp_path])
    assert len(str(error.value).splitlines()) == 1


def test_half_precision_weights_that_are_not_finite_are_refused_by_the_name_of_the_tensor(tmp_path: Path) -> None:
    module = BlendPyramid(0.01)
    with torch.no_grad():
        module.coefficients[0] = float("nan")
    weights.save_weights(module, tmp_path / "odd.safetensors", ABOUT, torch.float16)
    with pytest.raises(weights.WeightsError, match=r"odd.safetensors, coefficients: expected finite values"):
        weights.load_network("odd", [tmp_path])

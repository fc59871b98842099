"""Values and gradients of whole graphs, tiled, against autograd on whole pictures without the executor."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from luxgrad import Graph
from luxgrad.light.rectangle import Region, Size
from luxgrad.ops.colour.saturation import saturation
from luxgrad.ops.colour.white_balance import white_balance
from luxgrad.ops.detail.clarity import clarity
from luxgrad.ops.detail.sharpen import sharpen
from luxgrad.ops.frame import Frame
from luxgrad.ops.geometry.resize import resize
from luxgrad.ops.geometry.rotate import rotate
from luxgrad.ops.local.apply_mask import apply_mask
from luxgrad.ops.local.luminance_mask import luminance_mask
from luxgrad.ops.measure.guide import guide
from luxgrad.ops.measure.percentiles import percentiles
from luxgrad.ops.tone.exposure import exposure
from luxgrad.ops.tone.levels import levels
from luxgrad.ops.tone.sigmoid import sigmoid

from .graphs import POINTWISE, TWELVE, chain


def moved(size: Size, out: Size) -> Frame:
    return Frame(out, Region.whole(out), out, input=Frame(size, Region.whole(size), size))


def by_hand(photo: Tensor, v: dict[str, Tensor]) -> Tensor:
    """The twelve steps of `TWELVE` as plain calls on the whole picture."""
    exposed = exposure(photo, v["exposure.stops"])
    balanced = white_balance(exposed, v["balance.kelvin"], v["balance.tint"])
    levelled = levels(balanced, percentiles(balanced), v["levels.black"], v["levels.white"], v["levels.middle"])
    whole = Frame.whole(levelled, halo=3)
    clear = clarity(levelled, guide(levelled, whole), whole, v["clarity.amount"])
    sharp = sharpen(clear, whole, v["sharpen.amount"], v["sharpen.radius"], v["sharpen.threshold"])
    mask = luminance_mask(exposed, v["mask.low"], v["mask.high"], v["mask.feather"])
    coloured = saturation(sharp, v["colour.amount"], v["colour.vibrance"])
    local = apply_mask(sharp, coloured, mask, v["local.opacity"])
    size = Size(*photo.shape[2:])
    turned = rotate(local, moved(size, size), v["rotate.angle"])
    top, bottom, left = round(size.height * 0.09), round(size.height * 0.03), round(size.width * 0.06)
    cropped = turned[:, :, top : size.height - bottom, left:]
    before = Size(*cropped.shape[2:])
    small = resize(cropped, moved(before, before.scaled(120 / before.long_edge)))
    return sigmoid(small, v["sigmoid.contrast"], v["sigmoid.skew"], v["sigmoid.grey"])


def gradients(photo: Tensor, dtype: torch.dtype, tile: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """Value, slider gradients (float64) and photo gradient of a weighted square of the result."""
    graph = Graph.of(TWELVE)
    sliders = {p: torch.full((1, 1, 1, 1), float(graph.value(graph.path(p))), dtype=dtype) for p in graph.paths()}
    sliders = {path: value.requires_grad_() for path, value in sliders.items()}
    source = photo.to(dtype).requires_grad_()
    if tile is None:
        out = by_hand(source, sliders)
    else:
        out = graph(source, {p: v.flatten() for p, v in sliders.items()}, tile_pixels=tile)
    weight = torch.linspace(0.5, 1.5, out.numel(), dtype=dtype).view(out.shape)
    loss = (out * weight).square().sum()
    *found, source_gradient = torch.autograd.grad(loss, [*sliders.values(), source])
    return out.detach(), torch.stack([g.sum().double() for g in found]), source_gradient


@pytest.fixture
def photo(photos) -> Tensor:
    import luxgrad

    return luxgrad.load(photos / "sunset.jpg").pixels[:, :, 300:420, 700:901].double()


@pytest.mark.parametrize("tile", [1 << 30, 2500, 700])
def test_tiles_agree_with_whole_autograd_to_1e_9_in_float64(photo: Tensor, tile: int) -> None:
    value, sliders, source = gradients(photo, torch.float64, None)
    tiled_value, tiled_sliders, tiled_source = gradients(photo, torch.float64, tile)
    torch.testing.assert_close(tiled_value, value, rtol=1e-9, atol=1e-12)
    assert ((tiled_sliders - sliders).norm() / sliders.norm()).item() < 1e-9
    assert ((tiled_sliders - sliders).abs() / sliders.abs()).max().item() < 1e-9
    assert ((tiled_source - source).norm() / source.norm()).item() < 1e-9


def test_float32_tiles_agree_with_float64_to_5e_5_and_2e_4_in_the_worst_slider(photo: Tensor) -> None:
    _, sliders, source = gradients(photo, torch.float64, None)
    _, tiled_sliders, tiled_source = gradients(photo, torch.float32, 2500)
    assert ((tiled_sliders - sliders).norm() / sliders.norm()).item() < 5e-5
    assert ((tiled_sliders - sliders).abs() / sliders.abs()).max().item() < 2e-4
    assert ((tiled_source - source).norm() / source.norm()).item() < 2e-4


def test_gradients_agree_with_finite_differences(photo: Tensor) -> None:
    graph = Graph.of(TWELVE)
    paths = ["exposure.stops", "levels.white", "clarity.amount", "rotate.angle", "mask.low"]
    values = {p: torch.tensor(float(graph.value(graph.path(p))), dtype=torch.float64, requires_grad=True) for p in paths}
    graph(photo, values, tile_pixels=3000).square().mean().backward()
    for path, value in values.items():
        ends = [graph(photo, {path: value.detach() + step}).square().mean().item() for step in (-1e-5, 1e-5)]
        assert value.grad is not None
        assert value.grad.item() == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("loss", ["l2", "l1", "delta_e", "ssim", "histogram_distance"])
def test_a_loss_at_the_end_gives_the_same_gradients_tiled_and_whole(photo: Tensor, loss: str) -> None:
    from luxgrad.engine.render import Job, Settings
    from luxgrad.graph.model import Ref
    from luxgrad.graph.outputs import gather_sources

    data = {
        "target": {"class_type": "luxgrad.load_photo", "inputs": {}},
        **{k: v for k, v in TWELVE.items() if k not in ("resize", "crop", "rotate", "sigmoid", "out")},
        "loss": {"class_type": f"luxgrad.loss.{loss}", "inputs": {"image": ["local", 0], "target": ["target", 0]}},
    }
    graph = Graph.of(data)
    target = photo.roll(3, dims=3) * 1.1
    results = []
    for tile in (1 << 30, 900):
        tensors = {
            graph.path(p): torch.full((1, 1, 1, 1), float(graph.value(graph.path(p))), dtype=torch.float64, requires_grad=True)
            for p in graph.paths()
        }
        from luxgrad.light.photo import Photo

        given = gather_sources(graph, {"photo": Photo(photo), "target": Photo(target)}, [Ref("loss")])
        job = Job(graph, [Ref("loss")], given, tensors, 1.0, Settings(tile_pixels=tile))
        (value,) = job.outputs()
        results.append((value, torch.stack([g.sum() for g in torch.autograd.grad(value.sum(), list(tensors.values()))])))
    torch.testing.assert_close(results[1][0], results[0][0], rtol=1e-10, atol=0)
    assert ((results[1][1] - results[0][1]).norm() / results[0][1].norm()).item() < 1e-10


def test_gradients_reach_tables_masks_and_network_weights(photo: Tensor, root) -> None:
    from luxgrad.files.cube import read_cube
    from luxgrad.light.photo import Photo
    from luxgrad.networks.weights import load_network

    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "table": {"class_type": "luxgrad.load_lut", "inputs": {}},
        "net": {"class_type": "luxgrad.load_network", "inputs": {}},
        "look": {"class_type": "luxgrad.colour.lut3d", "inputs": {"image": ["photo", 0], "lut": ["table", 0]}},
        "proxy": {"class_type": "luxgrad.proxy.sigmoid", "inputs": {"image": ["look", 0], "network": ["net", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["proxy", 0]}},
    })  # fmt: skip
    lut = read_cube(root / "workflows" / "luts" / "vintage_400_film.cube")
    results = []
    for tile in (1 << 30, 2000):
        cube = lut.cube.double().requires_grad_()
        network = load_network("sigmoid_proxy")
        network = network.with_weights({name: w.double().requires_grad_() for name, w in network.weights.items()})
        given = {"photo": Photo(photo), "table": lut._replace(cube=cube), "net": network}
        out = graph(given, tile_pixels=tile).pixels
        results.append(torch.autograd.grad(out.square().sum(), [cube, *network.weights.values()]))
    for whole, tiled in zip(*results):
        assert whole.abs().max().item() > 0
        torch.testing.assert_close(tiled, whole, rtol=1e-9, atol=1e-9)


def test_a_batch_shares_sliders_or_has_its_own() -> None:
    graph = chain(*POINTWISE)
    pair = torch.rand(2, 3, 20, 30, dtype=torch.float64)
    stops = torch.tensor([0.5, -0.5], dtype=torch.float64, requires_grad=True)
    both = graph(pair, {"exposure.stops": stops})
    for index in (0, 1):
        alone = graph(pair[index : index + 1], {"exposure.stops": stops[index].item()})
        torch.testing.assert_close(both[index : index + 1], alone)
    both.sum().backward()
    assert stops.grad is not None
    assert (stops.grad != 0).all()


def test_a_ten_step_fan_out_is_computed_once_per_tile(photo: Tensor) -> None:
    calls = []
    data = {"photo": {"class_type": "luxgrad.load_photo", "inputs": {}}}
    before = "photo"
    for level in range(40):
        data[f"mask{level}"] = {"class_type": "luxgrad.local.luminance_mask", "inputs": {"image": [before, 0]}}
        data[f"s{level}"] = {
            "class_type": "luxgrad.local.apply_mask",
            "inputs": {"before": [before, 0], "after": [before, 0], "mask": [f"mask{level}", 0], "opacity": 0.3},
        }
        before = f"s{level}"
    data["out"] = {"class_type": "luxgrad.save_photo", "inputs": {"image": [before, 0]}}
    graph = Graph.of(data)
    out = graph(photo, progress=lambda done, total: calls.append(total))
    torch.testing.assert_close(out, photo)
    assert calls == [1]

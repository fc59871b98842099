"""Operations with several outputs, composites, pyramids and networks on a small copy: tiled as whole, with every gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from luxgrad import Graph
from luxgrad.engine.render import Job, Settings
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.model import Ref
from luxgrad.graph.outputs import gather_sources
from luxgrad.graph.schema import dumps, loads
from luxgrad.light.photo import Photo
from luxgrad.light.planes import planes
from luxgrad.light.primaries import luminance
from luxgrad.light.rectangle import Region
from luxgrad.ops.composite import by_hand, place
from luxgrad.ops.errors import DeclarationError
from luxgrad.ops.geometry.halve import halve
from luxgrad.ops.reach import COMPOSITE, POINTWISE, reducer
from luxgrad.ops.spec import REGISTRY, declare
from luxgrad.ops.types import Image, Network

from ..probes.declared import PROBES
from ..probes.even import even
from ..probes.frequencies import frequencies
from ..probes.moments import _moments, _sums
from ..probes.retouch import Skeleton


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for op, spec in PROBES.items():
        monkeypatch.setitem(REGISTRY, op, spec)


def graph_of(op: str, slot: int = 0, **values: Any) -> Graph:
    inputs = {"image": ["photo", 0], **values}
    if "network" in {entry.name for entry in REGISTRY[op].inputs}:
        inputs["network"] = ["weights", 0]
    return Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "weights": {"class_type": "luxgrad.load_network", "inputs": {}},
        "op": {"class_type": f"luxgrad.{op}", "inputs": inputs},
        "after": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["op", slot], "stops": 0.2}},
    })  # fmt: skip


def light(height: int = 61, width: int = 83) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand(1, 3, 9, 12, generator=generator, dtype=torch.float64)
    return F.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0.01) + 0.05 * torch.rand(
        1, 3, height, width, generator=generator, dtype=torch.float64
    )


def network(seed: int = 0) -> Network:
    torch.manual_seed(seed)
    module = Skeleton()
    module.local[1].running_mean.uniform_(-0.1, 0.1)
    return Network(module.double())


def job(graph: Graph, outputs: list[Ref], given: dict[str, Any], tile: int, **sliders: Tensor) -> Job:
    tensors = {graph.path(name.replace("__", ".")): value.view(1, 1, 1, 1) for name, value in sliders.items()}
    return Job(graph, outputs, gather_sources(graph, given, outputs), tensors, 1.0, Settings(tile_pixels=tile))


def test_both_pictures_of_one_operation_come_out_in_tiles_as_they_do_whole() -> None:
    graph, photo = graph_of("probes.frequencies"), light()
    wanted = by_hand(REGISTRY["probes.frequencies"], {"image": photo, "amount": 0.8})
    for tile in (1 << 30, 400):
        low, high = job(
            graph, [Ref("op", 0), Ref("op", 1)], {"photo": photo}, tile, op__amount=torch.tensor(0.8, dtype=torch.float64)
        ).outputs()
        torch.testing.assert_close(low, wanted.low, rtol=1e-9, atol=1e-10)
        torch.testing.assert_close(high, wanted.high, rtol=1e-9, atol=1e-10)


def test_the_second_picture_can_be_wired_on_and_fitted() -> None:
    graph, photo = graph_of("probes.frequencies", slot=1, amount=0.4), Photo(light().float())
    target = graph.with_values({"op.amount": 1.3})(photo, sink="after")
    fitted = graph.fit(photo, target, free="op.amount", seconds=20, sink="after")
    assert fitted.graph.value(graph.path("op.amount")) == pytest.approx(1.3, abs=1e-3)


def test_a_reducer_may_measure_several_values_at_once() -> None:
    photo = light()
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "op": {"class_type": "luxgrad.probes.moments", "inputs": {"image": ["photo", 0]}},
        "sum": {"class_type": "luxgrad.loss.add", "inputs": {"one": ["op", 0], "two": ["op", 1]}},
    })  # fmt: skip
    mean, square, both = job(graph, [Ref("op", 0), Ref("op", 1), Ref("sum")], {"photo": photo}, 400).outputs()
    grey = luminance(*planes(photo))
    torch.testing.assert_close(mean.squeeze(), grey.mean(), rtol=1e-9, atol=0)
    torch.testing.assert_close(square.squeeze(), grey.square().mean(), rtol=1e-9, atol=0)
    torch.testing.assert_close(both, mean + square, rtol=1e-9, atol=0)


def test_an_operation_that_gives_pictures_and_values_from_one_function_is_told_to_be_a_composite() -> None:
    with pytest.raises(DeclarationError, match="write it as a composite"):
        declare(even, POINTWISE, "probes.even")
    with pytest.raises(DeclarationError, match="a reducer gives values without pixels"):
        declare(frequencies, reducer(_sums, _moments), "probes.frequencies")


def test_a_composite_gives_pictures_and_statistics_and_only_what_is_asked_is_computed() -> None:
    graph, photo = graph_of("probes.even"), light()
    wanted = by_hand(REGISTRY["probes.even"], {"image": photo, "amount": 0.3})
    for tile in (1 << 30, 400):
        found = job(graph, [Ref("op", slot) for slot in range(3)], {"photo": photo}, tile).outputs()
        for one, other in zip(found, wanted):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)
    names = {step.id.rpartition("\0")[2] for step in job(graph, [Ref("op", 1)], {"photo": photo}, 400).plan.steps}
    assert names == {"frequencies", "moments"}


def test_a_composite_survives_its_file_as_one_step() -> None:
    graph = graph_of("probes.even", amount=0.7)
    again = loads(dumps(graph))
    assert again.steps["op"].all_values() == {"amount": 0.7}
    assert len(again.steps) == len(graph.steps)


def test_a_composite_whose_parts_change_the_size_is_refused_by_name() -> None:
    def shrunk(image: Image) -> Image:
        """Half the picture, which a composite may not give.

        image: the photo.
        """
        return place(halve, image)

    spec = declare(shrunk, COMPOSITE, "probes.even")
    graph = graph_of("probes.even")
    steps = dict(graph.steps)
    steps["op"] = type(steps["op"])("op", spec, {}, {"image": Ref("photo")})
    with pytest.raises(WorkflowError, match=r"step op .*expected its parts to give a picture of 83 x 61 px; got 42 x 31 px"):
        type(graph)(steps)(light(), sink="op")


def retouched(tile: int, levels: int = 2, height: int = 61, width: int = 83) -> list[Tensor]:
    """Picture, mask, and the gradients of photo, strength and every weight."""
    photo, net = light(height, width).requires_grad_(), network()
    strength = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    graph = graph_of("probes.retouch", levels=levels)
    given = {"photo": Photo(photo), "weights": net}
    picture, mask = job(graph, [Ref("op", 0), Ref("op", 1)], given, tile, op__strength=strength).outputs()
    ramp = torch.linspace(0.5, 1.5, picture.numel(), dtype=torch.float64).view(picture.shape)
    total = (picture * ramp).sum() + mask.square().sum()
    return [picture, mask, *torch.autograd.grad(total, [photo, strength, *net.weights.values()])]


def test_a_blend_pyramid_in_tiles_is_the_whole_with_gradients_of_photo_weights_and_strength() -> None:
    for levels in (1, 2, 3):
        for whole, tiled in zip(retouched(1 << 30, levels), retouched(350, levels)):
            torch.testing.assert_close(tiled, whole, rtol=1e-9, atol=1e-11)
            assert whole.abs().max() > 0


def test_a_blend_pyramid_in_a_graph_is_the_function_called_by_hand() -> None:
    photo, net = light(), network()
    wanted = by_hand(REGISTRY["probes.retouch"], {"image": photo, "network": net, "strength": 0.7})
    picture, mask = retouched(350)[:2]
    torch.testing.assert_close(picture, wanted.image, rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(mask, wanted.mask, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (37, 2), (7, 5)])
def test_pictures_too_small_for_a_pyramid_go_through_it(size: tuple[int, int]) -> None:
    picture, mask, *gradients = retouched(350, 3, *size)
    assert picture.shape[2:] == mask.shape[2:] == size
    assert all(torch.isfinite(tensor).all() for tensor in (picture, mask, *gradients))


def test_gradients_of_a_blend_pyramid_are_the_true_ones() -> None:
    """Central differences along random directions, over photo, strength and weights at once."""
    photo, net = light(20, 27), network()
    tensors = [photo, torch.tensor(0.6, dtype=torch.float64), *net.weights.values()]
    names = list(net.weights)

    def loss(photo: Tensor, strength: Tensor, *weights: Tensor) -> Tensor:
        given = {"photo": Photo(photo), "weights": net.with_weights(dict(zip(names, weights)))}
        (picture,) = job(graph_of("probes.retouch"), [Ref("op")], given, 200, op__strength=strength).outputs()
        return picture.square().mean()

    leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    gradients = torch.autograd.grad(loss(*leaves), leaves)
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        step = [1e-7 * torch.randn(tensor.shape, generator=generator, dtype=torch.float64) for tensor in tensors]
        ends = [loss(*(tensor.detach() + sign * move for tensor, move in zip(tensors, step))).item() for sign in (1, -1)]
        slope = sum((gradient * move).sum().item() for gradient, move in zip(gradients, step))
        assert slope == pytest.approx(0.5 * (ends[0] - ends[1]), rel=1e-4)


def test_sampled_pixels_of_a_blend_pyramid_are_those_of_the_whole() -> None:
    """A fit evaluates many small rectangles as a batch; a fit of strength on a blend pyramid finds it."""
    photo = Photo(light(160, 200).float())
    net = Network(Skeleton().requires_grad_(False))
    graph = graph_of("probes.retouch", strength=0.3)
    given = {"photo": photo, "weights": net}
    target = graph.with_values({"op.strength": 0.8})(given, sink="after")
    fitted = graph.fit(given, target, free="op.strength", seconds=20, sink="after", method="lm")
    assert fitted.graph.value(graph.path("op.strength")) == pytest.approx(0.8, abs=2e-3)


def test_a_small_picture_is_the_mean_of_every_area_at_any_scale_and_tiling() -> None:
    photo = light(60, 84)
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "small": {"class_type": "luxgrad.measure.small_picture", "inputs": {"image": ["photo", 0], "long_edge": 14}},
    })  # fmt: skip
    wanted = F.avg_pool2d(photo, 6)
    for tile in (1 << 30, 300):
        (found,) = job(graph, [Ref("small")], {"photo": photo}, tile).outputs()
        torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-11)
    uneven = light(61, 83)
    (found,) = job(graph, [Ref("small")], {"photo": uneven}, 300).outputs()
    assert found.shape[2:] == (10, 14)
    torch.testing.assert_close(found.mean((2, 3)), uneven.mean((2, 3)), rtol=1e-9, atol=0)
    assert by_hand(REGISTRY["measure.small_picture"], {"image": light(5, 7)}).pixels.shape[2:] == (5, 7)


def test_composites_keep_what_feeds_them_and_measure_anew_when_their_sliders_move() -> None:
    from luxgrad.engine.cache import Cache

    graph, photo, cache = graph_of("probes.even"), light(), Cache()
    for amount in (0.1, 0.5):
        found = graph(photo, {"op.amount": torch.tensor(amount)}, sink="op", cache=cache, editing=["op.amount"])
        torch.testing.assert_close(found, by_hand(REGISTRY["probes.even"], {"image": photo, "amount": amount}).image)


def test_alpha_and_metadata_pass_a_composite_untouched() -> None:
    photo = Photo(light().float(), alpha=torch.rand(1, 1, 61, 83), metadata={"Artist": "A"})
    made = graph_of("probes.retouch")({"photo": photo, "weights": Network(Skeleton().requires_grad_(False))}, sink="after")
    assert torch.equal(made.alpha, photo.alpha)
    assert made.metadata["Artist"] == "A"


def test_a_statistic_that_can_be_measured_from_nothing_is_asked_for_by_name() -> None:
    graph = Graph.of({
        "net": {"class_type": "luxgrad.load_network", "inputs": {}},
        "layer": {"class_type": "luxgrad.blend.local_layer", "inputs": {"network": ["net", 0]}},
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "placed": {"class_type": "luxgrad.blend.placed", "inputs": {"image": ["photo", 0], "small": ["layer", 0]}},
    })  # fmt: skip
    with pytest.raises(WorkflowError, match=r"step layer .*: its input small is not wired, and it has no picture to measure"):
        graph({"photo": Photo(light().float()), "net": network()}, sink="placed")


def test_many_rectangles_are_united_and_cut_each_by_its_own_place() -> None:
    """In a pyramid, what two samples need lies at even and at odd places, and so differently within its surroundings."""
    pixels = torch.arange(2 * 10 * 12, dtype=torch.float64).view(2, 1, 10, 12)
    outer = Region(torch.tensor([1, 2]), torch.tensor([0, 3]), 7, 8)
    inner = Region(torch.tensor([2, 5]), torch.tensor([4, 3]), 3, 4)
    held = torch.stack([pixels[n, :, outer.top[n] : outer.top[n] + 7, outer.left[n] : outer.left[n] + 8] for n in range(2)])
    wanted = torch.stack([pixels[n, :, inner.top[n] : inner.top[n] + 3, inner.left[n] : inner.left[n] + 4] for n in range(2)])
    assert torch.equal(inner.out_of(outer, held), wanted)
    both = inner.union(Region(torch.tensor([2, 7]), torch.tensor([4, 3]), 2, 2))
    assert both.top.tolist() == [2, 5]
    assert both.height == 4

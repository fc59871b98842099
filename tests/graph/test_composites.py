"""Operations with several outputs, composites, pyramids and networks on a small copy: tiled as whole, with every gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from luxgrad import Graph
from luxgrad.engine.render import Job, Settings
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.model import Ref
from luxgrad.graph.outputs import gather_sources
from luxgrad.graph.schema import dumps, loads
from luxgrad.light.photo import Photo
from luxgrad.light.planes import each, join, planes, stack
from luxgrad.light.primaries import luminance
from luxgrad.light.transfer import srgb_decode, srgb_encode
from luxgrad.ops.composite import by_hand, part, place
from luxgrad.ops.frame import Frame
from luxgrad.ops.measure.small_picture import read, small_picture
from luxgrad.ops.params import Count, Slider
from luxgrad.ops.pyramid import enlarged, half, halved
from luxgrad.ops.reach import COMPOSITE, POINTWISE, Arithmetic, halo, reducer
from luxgrad.ops.spec import REGISTRY, DeclarationError, declare
from luxgrad.ops.types import Image, Loss, Mask, Network, Scalar, SmallPicture


class Frequencies(NamedTuple):
    low: Image
    high: Image


def frequencies(image: Image, amount: Annotated[Scalar, Slider(0, 2)] = 1.0) -> Frequencies:
    """Separate a picture into its coarse part and the rest.

    image: the photo to separate.
    amount: how much of the detail counts as detail.
    """
    pixels = stack(image)
    padded = F.pad(pixels, (2, 2, 2, 2), mode="replicate")
    low = F.avg_pool2d(padded, 5, stride=1)
    low = pixels - amount * (pixels - low)
    return Frequencies(low, pixels - low)


class Spread(NamedTuple):
    mean: Loss
    square: Loss


def _sums(image: Image, frame: Frame) -> Tensor:
    light = frame.counted(luminance(*planes(image)))
    return torch.stack([light.sum((1, 2, 3)), light.square().sum((1, 2, 3))], dim=1)


def _moments(total: Tensor, size: Any) -> Spread:
    return Spread(*((total[:, i] / size.pixels).view(-1, 1, 1, 1) for i in range(2)))


def moments(image: Image, frame: Frame) -> Spread:
    """Measure mean and mean square of the light.

    image: the photo to measure.
    """
    return _moments(_sums(image, frame), frame.size)


class Even(NamedTuple):
    image: Image
    mean: Loss
    mask: Mask


@part(reach=POINTWISE)
def _towards(image: Image, mean: Loss, amount: Annotated[Scalar, Slider(-1, 1)] = 0.0) -> Image:
    """Towards the mean."""
    return image + amount * (mean - image)


@part(reach=POINTWISE)
def _above(image: Image, mean: Loss) -> Mask:
    """Where light is above the mean, softly."""
    return torch.sigmoid(4.0 * (luminance(*planes(image)) - mean))


def even(image: Image, amount: Annotated[Scalar, Slider(-1, 1)] = 0.3) -> Even:
    """Bring a picture nearer to its own mean, and say what that is and where the picture lies above.

    image: the photo to even out.
    amount: how far.
    """
    low, _ = place(frequencies, image)
    mean, _ = place(moments, low)
    return Even(place(_towards, image, mean, amount), mean, place(_above, low, mean))


class Retouched(NamedTuple):
    image: Image
    mask: Mask


class Skeleton(nn.Module):
    """What stands for the networks of a blend pyramid: a mask and a layer on the small picture, and the refinement."""

    def __init__(self) -> None:
        super().__init__()
        self.local = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Tanh(), nn.Conv2d(8, 4, 3, padding=1))
        self.first, self.second = nn.Conv2d(6, 5, 3, padding=1), nn.Conv2d(5, 3, 3, padding=1)

    def forward(self, small: Tensor, high: Tensor | None = None) -> Tensor:
        if high is None:
            return self.local(small)
        return self.second(F.leaky_relu(self.first(torch.cat([small, high], dim=1)), 0.2)) + small


@part(reach=POINTWISE)
def _codes(image: Image) -> Image:
    """Light as sRGB codes."""
    return each(image, srgb_encode)


@part(reach=POINTWISE)
def _difference(image: Image, other: Image) -> Image:
    """What one picture has and the other has not."""
    return image - other


class Local(NamedTuple):
    layer: SmallPicture
    mask: SmallPicture


@part(reach=Arithmetic())
def _local(small: SmallPicture, network: Network) -> Local:
    """The blend layer and the mask of the small picture."""
    found = network(small.pixels)
    return Local(SmallPicture(found[:, :3]), SmallPicture(torch.sigmoid(found[:, 3:])))


@part(reach=POINTWISE)
def _layer(image: Image, small: SmallPicture, frame: Frame) -> Image:
    """A small picture at the size of another."""
    return join(*read(small, frame).split(1, dim=1), like=image)


@part(reach=POINTWISE)
def _mask(image: Image, small: SmallPicture, frame: Frame) -> Mask:
    """A small mask at the size of a picture."""
    return read(small, frame)


@part(reach=halo(2))
def _refined(image: Image, high: Image, network: Network) -> Image:
    """A blend layer refined by the detail of its level."""
    return network(stack(image), stack(high))


@part(reach=POINTWISE)
def _blended(image: Image, layer: Image, mask: Mask, strength: Annotated[Scalar, Slider(0, 1)] = 1.0) -> Image:
    """Adaptive blend, soft light for all coefficients at rest; codes in, light out."""
    return each(image + (strength * mask) * ((image - image * image) * layer), srgb_decode)


def retouch(
    image: Image,
    network: Network,
    frame: Frame,
    strength: Annotated[Scalar, Slider(0, 1)] = 0.7,
    levels: Annotated[int, Count(1, 5)] = 2,
) -> Retouched:
    """Retouch locally: networks on the small picture, a blend pyramid back to full size.

    image: the photo to retouch.
    network: its weights.
    strength: how much of the retouch shows.
    levels: how often the picture is halved.
    """
    codes = place(_codes, image)
    below, size, stack_of = codes, frame.full, []
    for _ in range(levels):
        smaller = place(halved, below)
        stack_of.append((size, place(_difference, below, place(enlarged, smaller, height=size.height, width=size.width))))
        below, size = smaller, half(size)
    layer_small, mask_small = place(_local, place(small_picture, below, long_edge=4096), network)
    layer = place(_layer, below, layer_small)
    for size, high in reversed(stack_of):
        layer = place(_refined, place(enlarged, layer, height=size.height, width=size.width), high, network)
    mask = place(_mask, codes, mask_small)
    return Retouched(place(_blended, codes, layer, mask, strength), mask)


@pytest.fixture(autouse=True, scope="module")
def _probes() -> Iterator[None]:
    """The operations above, as if their files stood in a family `probe`."""
    reaches = {frequencies: halo(2), moments: reducer(_sums, _moments), even: COMPOSITE, retouch: COMPOSITE}
    specs = [declare(function, reach, f"probe.{function.__name__}") for function, reach in reaches.items()]
    REGISTRY.update({spec.id: spec for spec in specs})
    yield
    for spec in specs:
        del REGISTRY[spec.id]


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
    graph, photo = graph_of("probe.frequencies"), light()
    wanted = by_hand(REGISTRY["probe.frequencies"], {"image": photo, "amount": 0.8})
    for tile in (1 << 30, 400):
        low, high = job(
            graph, [Ref("op", 0), Ref("op", 1)], {"photo": photo}, tile, op__amount=torch.tensor(0.8, dtype=torch.float64)
        ).outputs()
        torch.testing.assert_close(low, wanted.low, rtol=1e-9, atol=1e-10)
        torch.testing.assert_close(high, wanted.high, rtol=1e-9, atol=1e-10)


def test_the_second_picture_can_be_wired_on_and_fitted() -> None:
    graph, photo = graph_of("probe.frequencies", slot=1, amount=0.4), Photo(light().float())
    target = graph.with_values({"op.amount": 1.3})(photo, sink="after")
    fitted = graph.fit(photo, target, free="op.amount", seconds=20, sink="after")
    assert fitted.graph.value(graph.path("op.amount")) == pytest.approx(1.3, abs=1e-3)


def test_a_reducer_may_measure_several_values_at_once() -> None:
    photo = light()
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "op": {"class_type": "luxgrad.probe.moments", "inputs": {"image": ["photo", 0]}},
        "sum": {"class_type": "luxgrad.loss.add", "inputs": {"one": ["op", 0], "two": ["op", 1]}},
    })  # fmt: skip
    mean, square, both = job(graph, [Ref("op", 0), Ref("op", 1), Ref("sum")], {"photo": photo}, 400).outputs()
    grey = luminance(*planes(photo))
    torch.testing.assert_close(mean.squeeze(), grey.mean(), rtol=1e-9, atol=0)
    torch.testing.assert_close(square.squeeze(), grey.square().mean(), rtol=1e-9, atol=0)
    torch.testing.assert_close(both, mean + square, rtol=1e-9, atol=0)


def test_an_operation_that_gives_pictures_and_values_from_one_function_is_told_to_be_a_composite() -> None:
    with pytest.raises(DeclarationError, match="write it as a composite"):
        declare(even, POINTWISE, "probe.even")
    with pytest.raises(DeclarationError, match="a reducer gives values without pixels"):
        declare(frequencies, reducer(_sums, _moments), "probe.frequencies")


def test_a_composite_gives_pictures_and_statistics_and_only_what_is_asked_is_computed() -> None:
    graph, photo = graph_of("probe.even"), light()
    wanted = by_hand(REGISTRY["probe.even"], {"image": photo, "amount": 0.3})
    for tile in (1 << 30, 400):
        found = job(graph, [Ref("op", slot) for slot in range(3)], {"photo": photo}, tile).outputs()
        for one, other in zip(found, wanted):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)
    names = {step.id.rpartition("\0")[2] for step in job(graph, [Ref("op", 1)], {"photo": photo}, 400).plan.steps}
    assert names == {"frequencies", "moments"}


def test_a_composite_survives_its_file_as_one_step() -> None:
    graph = graph_of("probe.even", amount=0.7)
    again = loads(dumps(graph))
    assert again.steps["op"].all_values() == {"amount": 0.7}
    assert len(again.steps) == len(graph.steps)


def test_a_composite_whose_parts_change_the_size_is_refused_by_name() -> None:
    def shrunk(image: Image) -> Image:
        """Half the picture, which a composite may not give.

        image: the photo.
        """
        return place(halved, image)

    spec = declare(shrunk, COMPOSITE, "probe.even")
    graph = graph_of("probe.even")
    steps = dict(graph.steps)
    steps["op"] = type(steps["op"])("op", spec, {}, {"image": Ref("photo")})
    with pytest.raises(WorkflowError, match=r"step op .*expected its parts to give a picture of 83 x 61 px; got 42 x 31 px"):
        type(graph)(steps)(light(), sink="op")


def retouched(tile: int, levels: int = 2, height: int = 61, width: int = 83) -> list[Tensor]:
    """Picture, mask, and the gradients of photo, strength and every weight."""
    photo, net = light(height, width).requires_grad_(), network()
    strength = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    graph = graph_of("probe.retouch", levels=levels)
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
    wanted = by_hand(REGISTRY["probe.retouch"], {"image": photo, "network": net, "strength": 0.7})
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
        (picture,) = job(graph_of("probe.retouch"), [Ref("op")], given, 200, op__strength=strength).outputs()
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
    graph = graph_of("probe.retouch", strength=0.3)
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

    graph, photo, cache = graph_of("probe.even"), light(), Cache()
    for amount in (0.1, 0.5):
        found = graph(photo, {"op.amount": torch.tensor(amount)}, sink="op", cache=cache, editing=["op.amount"])
        torch.testing.assert_close(found, by_hand(REGISTRY["probe.even"], {"image": photo, "amount": amount}).image)


def test_alpha_and_metadata_pass_a_composite_untouched() -> None:
    photo = Photo(light().float(), alpha=torch.rand(1, 1, 61, 83), metadata={"Artist": "A"})
    made = graph_of("probe.retouch")({"photo": photo, "weights": Network(Skeleton().requires_grad_(False))}, sink="after")
    assert torch.equal(made.alpha, photo.alpha)
    assert made.metadata["Artist"] == "A"

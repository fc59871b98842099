"""Laws that every operation keeps, generated from the declarations. Truth is tested per operation in tests/ops."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from luxgrad.engine.render import Job, Settings
from luxgrad.graph.model import Ref
from luxgrad.graph.outputs import gather_sources
from luxgrad.graph.schema import dumps, loads
from luxgrad.light.photo import Photo
from luxgrad.light.planes import Planes, stack
from luxgrad.light.rectangle import Region
from luxgrad.ops.params import Choice, Count, Slider, Switch
from luxgrad.ops.reach import Geometry, Pointwise, Reducer
from luxgrad.ops.spec import REGISTRY
from luxgrad.ops.types import leaves

from .cases import (
    ALL,
    NEUTRAL,
    PICTURES,
    WITH_PICTURES,
    WITH_SLIDERS,
    as_graph,
    as_photos,
    call,
    draw_picture,
    draw_pictures,
    draw_sliders,
    flat,
    other_inputs,
)

ODD_LIGHT = {
    "black": torch.zeros(1, 3, 5, 6, dtype=torch.float64),
    "grey": torch.full((1, 3, 5, 6), 0.18, dtype=torch.float64),
    "white": torch.ones(1, 3, 5, 6, dtype=torch.float64),
    "faint": torch.full((1, 3, 5, 6), 1e-7, dtype=torch.float64),
    "HDR": torch.linspace(0.0, 50.0, 90, dtype=torch.float64).view(1, 3, 5, 6),
    "very bright": torch.full((1, 3, 5, 6), 1e4, dtype=torch.float64),
    "slightly negative": torch.linspace(-0.05, 0.05, 90, dtype=torch.float64).view(1, 3, 5, 6),
}


@pytest.mark.parametrize("op", ALL)
def test_the_declaration_reads_as_a_help_page(op: str) -> None:
    spec = REGISTRY[op]
    assert spec.summary.endswith((".", "tones."))
    for entry in (*spec.inputs, *spec.params):
        assert len(entry.tip) > 10, f"{op}.{entry.name} needs a tooltip"
    for param in spec.params:
        assert isinstance(param.kind, (Slider, Count, Choice, Switch))
    assert spec.function.__module__.endswith(op)


@pytest.mark.parametrize("light", ODD_LIGHT)
@pytest.mark.parametrize("op", WITH_PICTURES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_finite_on_odd_light(op: str, light: str, dtype: torch.dtype) -> None:
    spec = REGISTRY[op]
    for place in ("default", "low", "high", "drawn"):
        sliders: dict[str, Tensor] = {}
        drawn = draw_sliders(spec, 3)
        for param in spec.sliders:
            kind: Any = param.kind
            number = {"default": param.default, "low": kind.comfortable[0], "high": kind.comfortable[1]}.get(place)
            value = drawn[param.name] if number is None else torch.full((1, 1, 1, 1), float(number), dtype=torch.float64)
            sliders[param.name] = value.to(dtype).requires_grad_()
        image = ODD_LIGHT[light].to(dtype)
        pictures = {e.name: (image if e.socket == "IMAGE" else image[:, :1].clamp(0, 1)) for e in spec.inputs if e.picture}
        pictures = {name: picture.clone().requires_grad_() for name, picture in pictures.items()}
        result = flat(call(spec, pictures, sliders, other_inputs(spec, dtype, image)))
        assert torch.isfinite(result).all(), f"{op} at {place}: value on {light}"
        targets = [*pictures.values(), *sliders.values()]
        for gradient in torch.autograd.grad(result.sum(), targets, allow_unused=True):
            assert gradient is None or torch.isfinite(gradient).all(), f"{op} at {place}: gradient on {light}"


@pytest.mark.parametrize("op", WITH_PICTURES)
def test_inputs_are_not_changed_and_results_repeat(op: str) -> None:
    spec = REGISTRY[op]
    pictures, sliders = draw_pictures(spec, 1), draw_sliders(spec, 1)
    others = other_inputs(spec, torch.float64)
    before = {name: picture.clone() for name, picture in pictures.items()}
    first = flat(call(spec, pictures, sliders, others))
    second = flat(call(spec, pictures, sliders, others))
    assert torch.equal(first, second)
    for name, picture in pictures.items():
        assert torch.equal(picture, before[name])


@pytest.mark.parametrize("op", WITH_PICTURES)
def test_one_picture_of_a_batch_does_not_depend_on_another(op: str) -> None:
    spec = REGISTRY[op]
    pictures, sliders = draw_pictures(spec, 1, batch=2), draw_sliders(spec, 1, batch=2)
    others = other_inputs(spec, torch.float64, pictures["image"] if any(e.measured for e in spec.inputs) else None)
    both = leaves(_stacked(call(spec, pictures, sliders, others)))
    for index in (0, 1):
        own = {name: picture[index : index + 1] for name, picture in pictures.items()}
        alone_others = other_inputs(spec, torch.float64, own.get("image") if any(e.measured for e in spec.inputs) else None)
        alone = leaves(_stacked(call(spec, own, {name: v[index : index + 1] for name, v in sliders.items()}, alone_others)))
        for together, single in zip(both, alone):
            torch.testing.assert_close(together[index : index + 1], single, rtol=1e-9, atol=1e-10)


def _stacked(value: Any) -> Any:
    return stack(value) if isinstance(value, Planes) else value


@pytest.mark.parametrize("op", WITH_PICTURES)
def test_gradients_of_the_image_and_of_every_slider_are_the_true_ones(op: str) -> None:
    spec = REGISTRY[op]
    pictures, sliders = draw_pictures(spec, 2), draw_sliders(spec, 2)
    names = [*pictures, *sliders]
    others = other_inputs(spec, torch.float64)

    def function(*tensors: Tensor) -> Tensor:
        given = dict(zip(names, tensors))
        result = flat(call(spec, {n: given[n] for n in pictures}, {n: given[n] for n in sliders}, others))
        if len(result) < 200:
            return result
        views = torch.randn(6, len(result), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return views @ result

    tensors = [tensor.clone().requires_grad_() for tensor in (*pictures.values(), *sliders.values())]
    assert torch.autograd.gradcheck(function, tensors, eps=1e-6, atol=2e-5, rtol=2e-4)


@pytest.mark.parametrize("op", WITH_SLIDERS)
def test_every_slider_moves_a_real_photo(op: str, picture: Tensor) -> None:
    spec = REGISTRY[op]
    pictures = {}
    for index, entry in enumerate(e for e in spec.inputs if e.picture):
        shifted = picture.double() * (1.0 + 0.3 * index)
        pictures[entry.name] = shifted if entry.socket == "IMAGE" else shifted[:, :1].clamp(0, 1)
    sliders = {name: value.requires_grad_() for name, value in draw_sliders(spec, 4).items()}
    result = flat(call(spec, pictures, sliders, other_inputs(spec, torch.float64, picture.double())))
    relative = result / (result.detach().abs() + 1e-9)
    for name, gradient in zip(sliders, torch.autograd.grad(relative.square().sum(), list(sliders.values()))):
        assert gradient.abs().item() > 1e-7, f"{op}.{name} has no effect"


@pytest.mark.parametrize("op", NEUTRAL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_declared_neutral_is_the_identity(op: str, dtype: torch.dtype, picture: Tensor) -> None:
    spec = REGISTRY[op]
    assert spec.neutral is not None
    pictures = {e.name: (picture if e.socket == "IMAGE" else picture[:, :1]).to(dtype) for e in spec.inputs if e.picture}
    pictures = {name: p * (1.0 if index == 0 else 1.5) for index, (name, p) in enumerate(pictures.items())}
    neutral = {
        name: torch.full((1, 1, 1, 1), value, dtype=dtype) if isinstance(spec.param(name).kind, Slider) else value  # type: ignore[union-attr]
        for name, value in spec.neutral.items()
    }
    result = _stacked(call(spec, pictures, neutral, other_inputs(spec, dtype, picture.to(dtype))))
    first = next(iter(pictures.values()))
    assert (result - first).abs().max().item() <= (1e-5 if dtype == torch.float32 else 1e-12)


POINTWISE = [
    op for op in PICTURES if isinstance(REGISTRY[op].reach, Pointwise) and "frame" not in REGISTRY[op].injected.values()
]


@pytest.mark.parametrize("op", POINTWISE)
def test_pointwise_operations_commute_with_a_shuffle_of_pixels(op: str) -> None:
    spec = REGISTRY[op]
    pictures, sliders = draw_pictures(spec, 6), draw_sliders(spec, 6)
    others = other_inputs(spec, torch.float64)
    order = torch.randperm(42, generator=torch.Generator().manual_seed(0))

    def shuffled(tensor: Tensor) -> Tensor:
        return tensor.flatten(2)[..., order].view(tensor.shape)

    mixed = _stacked(call(spec, {name: shuffled(p) for name, p in pictures.items()}, sliders, others))
    torch.testing.assert_close(mixed, shuffled(_stacked(call(spec, pictures, sliders, others))), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("op", POINTWISE)
def test_each_pixel_may_have_sliders_of_its_own(op: str) -> None:
    spec = REGISTRY[op]
    pictures = draw_pictures(spec, 7, height=1, width=4)
    others, sliders = other_inputs(spec, torch.float64), draw_sliders(spec, 7, batch=4)
    in_a_row = _stacked(call(spec, pictures, {n: v.reshape(1, 1, 1, 4) for n, v in sliders.items()}, others))
    as_batch = {name: picture.permute(3, 1, 2, 0) for name, picture in pictures.items()}
    batched = _stacked(call(spec, as_batch, sliders, others))
    torch.testing.assert_close(in_a_row, batched.permute(3, 1, 2, 0), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("op", WITH_PICTURES)
def test_planes_and_tensors_give_the_same(op: str) -> None:
    spec = REGISTRY[op]
    pictures, sliders = draw_pictures(spec, 8), draw_sliders(spec, 8)
    others = other_inputs(spec, torch.float64)
    split = {n: Planes(*p.split(1, dim=1)) if p.shape[1] == 3 else p for n, p in pictures.items()}
    torch.testing.assert_close(
        flat(call(spec, split, sliders, others)), flat(call(spec, pictures, sliders, others)), rtol=1e-12, atol=1e-12
    )


def _job(op: str, sliders: dict[str, Tensor], pictures: dict[str, Tensor], tile: int = 1 << 30) -> Job:
    spec = REGISTRY[op]
    values: dict[str, Any] = {}
    if op == "geometry.crop":
        values = {"left": 10.0, "top": 5.0, "right": 12.0}
    if op == "geometry.resize":
        values = {"long_edge": 17}
    graph = as_graph(spec, values)
    others = other_inputs(spec, torch.float64)
    given = gather_sources(graph, as_photos(spec, pictures, others), [Ref("op")])
    tensors = {graph.path(f"op.{name}"): value for name, value in sliders.items()}
    return Job(graph, [Ref("op")], given, tensors, 1.0, Settings(tile_pixels=tile))


@pytest.mark.parametrize("op", PICTURES)
def test_a_rectangle_is_the_crop_of_the_whole_and_needs_nothing_beyond_its_reach(op: str) -> None:
    spec = REGISTRY[op]
    pictures, sliders = draw_pictures(spec, 11, height=40, width=34), draw_sliders(spec, 11)
    (whole,) = _job(op, sliders, pictures).outputs()
    execution = _job(op, sliders, pictures).measured()
    height, width = whole.shape[2:]
    for region in (Region(0, 0, 5, 6), Region(height // 3, width // 4, 4, 6), Region(height - 5, width - 7, 5, 7)):
        needed = execution.plan.regions([(Ref("op"), region)])
        poisoned = dict(execution.inputs.given)
        for ref, held in needed.items():
            if ref in poisoned:
                pixels = torch.full_like(poisoned[ref].pixels, math.nan)
                held.cut(pixels).copy_(held.cut(poisoned[ref].pixels))
                poisoned[ref] = Photo(pixels, metadata=poisoned[ref].metadata)
        inputs = type(execution.inputs)(execution.inputs.sliders, poisoned)
        (part,) = execution.evaluate([(Ref("op"), region)], inputs, execution.measured)
        torch.testing.assert_close(_stacked(part), region.cut(whole), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("op", ALL)
def test_tiles_give_the_values_and_gradients_of_the_whole(op: str) -> None:
    spec = REGISTRY[op]
    results = []
    for tile in (1 << 30, 150):
        pictures = {n: p.requires_grad_() for n, p in draw_pictures(spec, 12, height=37, width=29).items()}
        sliders = {n: v.requires_grad_() for n, v in draw_sliders(spec, 12).items()}
        job = _job(op, sliders, pictures, tile)
        if not spec.makes_picture and len(job.plan.outputs) == 1 and not isinstance(spec.reach, Reducer):
            return
        if spec.makes_picture or spec.outputs[0].socket == "LUXGRAD_LOSS":
            (value,) = job.outputs()
            weight = torch.linspace(0.5, 1.5, value.numel(), dtype=torch.float64).view(value.shape)
            targets = [*sliders.values(), *(p for p in pictures.values())]
            gradients = torch.autograd.grad((value * weight).sum(), targets, allow_unused=True)
            results.append([value, *gradients])
        else:
            results.append(leaves(job.measured().measured[Ref("op")]))
    for whole, tiled in zip(*results):
        if whole is not None:
            torch.testing.assert_close(tiled, whole, rtol=1e-9, atol=1e-11)


REDUCERS = [op for op in ALL if isinstance(REGISTRY[op].reach, Reducer)]


@pytest.mark.parametrize("op", REDUCERS)
def test_a_reducer_measures_the_same_by_hand_and_in_a_graph(op: str) -> None:
    spec = REGISTRY[op]
    pictures, sliders = draw_pictures(spec, 13, height=30, width=41), draw_sliders(spec, 13)
    by_hand = call(spec, pictures, sliders)
    in_graph = _job(op, sliders, pictures, 200).measured().measured[Ref("op")]
    for one, two in zip(leaves(by_hand), leaves(in_graph)):
        torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("op", ALL)
def test_a_step_survives_its_file(op: str) -> None:
    spec = REGISTRY[op]
    values: dict[str, Any] = {name: value.item() for name, value in draw_sliders(spec, 14).items()}
    for param in spec.params:
        if isinstance(param.kind, Choice):
            values[param.name] = param.kind.options[-1]
        elif isinstance(param.kind, Switch):
            values[param.name] = not param.default
    graph = as_graph(spec, values)
    again = loads(dumps(graph))
    assert again.steps["op"].all_values() == graph.steps["op"].all_values() == {**graph.steps["op"].all_values(), **values}
    assert again.steps["op"].links == graph.steps["op"].links


@pytest.mark.parametrize("op", [op for op in PICTURES if isinstance(REGISTRY[op].reach, Geometry)])
def test_geometry_takes_masks_too(op: str) -> None:
    spec = REGISTRY[op]
    image = draw_picture(15, height=12, width=15)
    mask = call(spec, {"image": image[:, :1]}, draw_sliders(spec, 15))
    whole = call(spec, {"image": image}, draw_sliders(spec, 15))
    torch.testing.assert_close(mask, _stacked(whole)[:, :1])

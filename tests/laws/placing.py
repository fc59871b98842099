"""Laws of place: tiles, rectangles, sampled pixels and proxies all show the one picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from luxgrad.engine.execute import Execution
from luxgrad.engine.planning import make_plan
from luxgrad.engine.sweep import Inputs
from luxgrad.graph.model import Path, Ref
from luxgrad.light.photo import Photo
from luxgrad.light.rectangle import Region, Size
from luxgrad.ops.reach import Arithmetic, Geometry, Pointwise
from luxgrad.ops.spec import OpSpec

from .cases import draw, draw_picture, draw_sliders, measured, outputs, shown_to, tensors
from .law import every, law, making_pictures, masking, measuring, moving_pixels, scaling, with_pictures_that_may_be_missing


@law(making_pictures)
def a_rectangle_is_the_crop_of_the_whole_and_needs_nothing_beyond_its_reach(spec: OpSpec) -> None:
    assert_rectangles(spec, 1.0)


@law(making_pictures)
def on_a_proxy_of_half_size_too(spec: OpSpec) -> None:
    """Lengths in px shrink with the picture, and so may the reach."""
    assert_rectangles(spec, 0.5)


def assert_rectangles(spec: OpSpec, scale: float) -> None:
    least = spec.example.size
    case = draw(spec, 11, height=max(45, int(least.height / scale)), width=max(38, int(least.width / scale)))
    whole = case.job(scale=scale).outputs()
    execution = case.job(scale=scale).measured()
    height, width = whole[0].shape[2:]
    for region in (Region(0, 0, 5, 6), Region(height // 3, width // 4, 4, 6), Region(height - 5, width - 7, 5, 7)):
        wanted = [(ref, region) for ref in execution.plan.outputs]
        needed = execution.plan.regions(wanted)
        poisoned = dict(execution.inputs.given)
        for ref, held in needed.items():
            if ref in poisoned:
                pixels = torch.full_like(poisoned[ref].pixels, math.nan)
                held.cut(pixels).copy_(held.cut(poisoned[ref].pixels))
                poisoned[ref] = Photo(pixels, metadata=poisoned[ref].metadata)
        inputs = Inputs(execution.inputs.sliders, poisoned)
        parts = execution.evaluate(wanted, inputs, execution.measured)
        for part, picture in zip(tensors(tuple(parts)), whole):
            torch.testing.assert_close(part, region.cut(picture), rtol=1e-9, atol=1e-10)


@law(making_pictures)
def sampled_rectangles_are_crops_of_the_whole_each_with_sliders_of_its_own(spec: OpSpec) -> None:
    """As a fit computes them: small rectangles as a batch, values and slopes, reaches at their upper bounds."""
    case = draw(spec, 17, height=48, width=44)
    count, moves = 3, isinstance(spec.reach, Geometry)
    sliders = draw_sliders(spec, 17, batch=count)
    if moves:  # a fit holds the sliders that move pixels
        sliders = {name: value[:1].expand(count, -1, -1, -1) for name, value in sliders.items()}
    job = case.changed(sliders={name: value[:1] for name, value in sliders.items()}).job()
    statistics = job.measured().measured
    plan = make_plan(job.graph, outputs(spec), job.full, 1.0, () if moves else [Path("op", name) for name in sliders])
    execution = job.settings.execution(plan, job.inputs())
    whole = [_evaluated(execution, sliders, None, n, statistics) for n in range(count)]
    for region in _places(execution, count):
        own = {name: value.detach().clone().requires_grad_() for name, value in sliders.items()}
        parts = _evaluated(execution, own, region, None, statistics)
        for n in range(count):
            crop = Region(int(region.top[n]), int(region.left[n]), region.height, region.width)
            for part, picture in zip(parts, whole[n]):
                torch.testing.assert_close(part[n : n + 1], crop.cut(picture), rtol=1e-9, atol=1e-10)
        if not own:
            continue
        slopes = torch.autograd.grad(_signed(parts), list(own.values()), allow_unused=True)
        for n in range(count):
            one = {name: value.detach().clone().requires_grad_() for name, value in sliders.items()}
            crop = Region(int(region.top[n]), int(region.left[n]), region.height, region.width)
            pictures = [crop.cut(picture) for picture in _evaluated(execution, one, None, n, statistics)]
            true = torch.autograd.grad(_signed(pictures), list(one.values()), allow_unused=True)
            for name, slope, wanted in zip(own, slopes, true):
                assert (slope is None) == (wanted is None), f"{spec.id}.{name}"
                if slope is not None:
                    torch.testing.assert_close(slope[n], wanted[n], rtol=1e-8, atol=1e-10)


def _evaluated(
    execution: Execution,
    sliders: Mapping[str, Tensor],
    region: Region | None,
    number: int | None,
    statistics: Mapping[Ref, Any],
) -> list[Tensor]:
    """A rectangle (the whole picture without one) of every output, with the sliders of one sample or of all."""
    plan = execution.plan
    region = region or Region.whole(plan.size(plan.outputs[0]))
    by_name = {path.name: index for index, path in enumerate(plan.sliders) if path.step == "op"}
    values = list(execution.inputs.sliders)
    for name, value in sliders.items():
        values[by_name[name]] = value if number is None else value[number : number + 1]
    wanted = [(ref, region) for ref in plan.outputs]
    return tensors(tuple(execution.evaluate(wanted, Inputs(tuple(values), execution.inputs.given), statistics)))


def _places(execution: Execution, count: int) -> list[Region]:
    """Pixels whose neighbourhood lies in every picture, or that span a picture too small for that, as a fit picks them."""
    plan = execution.plan
    size, margin = plan.size(plan.outputs[0]), sum(step.margin for step in plan.steps)
    spans = [edge <= 2 * margin + 8 for edge in size]
    down, right = (torch.arange(edge) for edge in size)
    rows, columns = (place.flatten() for place in torch.meshgrid(down, right, indexing="ij"))
    kinds = {(spans[0], spans[1]), (True, spans[1]), (True, True)}
    regions = []
    for rows_span, columns_span in sorted(kinds):
        region = Region(
            torch.zeros_like(rows) if rows_span else rows,
            torch.zeros_like(columns) if columns_span else columns,
            size.height if rows_span else 1,
            size.width if columns_span else 1,
        )
        good = torch.ones_like(rows, dtype=torch.bool)
        for ref, needed in plan.regions([(ref, region) for ref in plan.outputs]).items():
            top, left, whole = torch.as_tensor(needed.top), torch.as_tensor(needed.left), plan.size(ref)
            good &= (top >= 0) & (left >= 0) & (top + needed.height <= whole.height) & (left + needed.width <= whole.width)
        kept = good.nonzero()[:, 0]
        if len(kept):
            regions.append(region.picked(kept[torch.linspace(0, len(kept) - 1, count).long()]))
    assert regions, f"{plan.steps[-1].spec.id}: no pixel of a {size} picture has its neighbourhood inside"
    return regions


def _signed(pictures: list[Tensor]) -> Tensor:
    """Pictures as one number, in which no two channels or pictures stand for each other."""
    weights = torch.tensor([1.0, -0.6, 0.3], dtype=torch.float64)
    return sum(
        ((index + 1) * picture * weights[: picture.shape[1], None, None]).sum() for index, picture in enumerate(pictures)
    )


@law(scaling)
def a_proxy_shows_what_the_full_size_shows(spec: OpSpec) -> None:
    """Half as large, made smaller before or after, comes to about the same; at the wrong scale a blur is off by more."""
    least = spec.example.size
    edge = Size(max(96, 2 * least.height), max(80, 2 * least.width))
    light = [_smooth_picture(seed, edge) for seed in range(len(spec.inputs))]
    case = draw(spec, 23, pictures=shown_to(spec, light))
    if not making_pictures(spec):
        full, half = (measured(case.job(scale=scale)) for scale in (1.0, 0.5))
        for one, other in zip(full, half):
            away = (one - other).norm() / one.norm().clamp_min(0.05)
            assert away < 0.1, f"{spec.id}: on a proxy it measures {away:.0%} elsewhere"
        return
    first = next(iter(case.pictures.values()))
    for full, half in zip(case.job().outputs(), case.job(scale=0.5).outputs()):
        wanted = Photo(full).reduced(Size(*half.shape[2:])).pixels
        effect = wanted.norm()
        if full.shape == first.shape:
            effect = (wanted - Photo(first).reduced(Size(*half.shape[2:])).pixels).norm()
        away = (half - wanted).norm()
        assert away < 0.3 * effect + 0.005 * wanted.norm(), f"{spec.id}: a proxy is off by {away / effect:.0%} of the effect"


def _smooth_picture(seed: int, size: Size) -> Tensor:
    """Light without fine detail, waves of 16 px and more."""
    small = draw_picture(100 + seed, size.height // 8, size.width // 8)
    return torch.nn.functional.interpolate(small, size=tuple(size), mode="bicubic", align_corners=False).clamp_min(0.01)


@law(every)
def tiles_give_the_values_and_gradients_of_the_whole(spec: OpSpec) -> None:
    if isinstance(spec.reach, Arithmetic):
        return
    results = []
    for tile in (1 << 30, 150):
        case = draw(spec, 12, height=37, width=29)
        pictures = {n: p.requires_grad_() for n, p in case.pictures.items()}
        sliders = {n: v.requires_grad_() for n, v in case.sliders.items()}
        job = case.job(tile)
        if making_pictures(spec) or spec.outputs[0].socket == "LUXGRAD_LOSS":
            values = job.outputs()
            weights = [torch.linspace(0.5, 1.5, value.numel(), dtype=torch.float64).view(value.shape) for value in values]
            total = sum((value * weight).sum() for value, weight in zip(values, weights))
            results.append([*values, *torch.autograd.grad(total, [*sliders.values(), *pictures.values()], allow_unused=True)])
        else:
            results.append(measured(job))
    for whole, tiled in zip(*results):
        assert (whole is None) == (tiled is None), spec.id
        if whole is not None:
            torch.testing.assert_close(tiled, whole, rtol=1e-9, atol=1e-11)


@law(masking)
def where_the_mask_is_0_the_first_picture_comes_out_to_the_bit(spec: OpSpec) -> None:
    """Whole and in tiles; there is one that the mask does not touch."""
    case = draw(spec, 19, height=45, width=40)
    assert isinstance(spec.reach, Pointwise)
    mask = torch.zeros_like(case.pictures[spec.reach.mask])
    mask[..., 3:21, 2:17] = case.pictures[spec.reach.mask][..., 3:21, 2:17]
    case = case.changed(pictures={**case.pictures, spec.reach.mask: mask})
    first = next(iter(case.pictures.values()))
    for tile in (1 << 30, 150):
        (found,) = case.job(tile).outputs()
        assert torch.equal(found[(mask == 0).expand_as(found)], first[(mask == 0).expand_as(first)]), spec.id
        torch.testing.assert_close(found, case.results()[0], rtol=1e-9, atol=1e-11)


@law(with_pictures_that_may_be_missing)
def a_picture_that_is_not_required_may_be_left_unwired(spec: OpSpec) -> None:
    case = draw(spec, 14)
    kept = [entry.name for entry in spec.inputs if entry.required or not entry.picture]
    case = case.changed(pictures={name: picture for name, picture in case.pictures.items() if name in kept})
    for one, two in zip(case.job().outputs(), case.results()):
        torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-11)


@law(measuring)
def a_reducer_measures_the_same_by_hand_and_in_a_graph(spec: OpSpec) -> None:
    case = draw(spec, 13, height=30, width=41)
    for one, two in zip(case.results(), measured(case.job(200))):
        torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-12)


@law(moving_pixels)
def geometry_takes_masks_too(spec: OpSpec) -> None:
    case = draw(spec, 15, height=12, width=15)
    masks = case.changed(pictures={name: picture[:, :1] for name, picture in case.pictures.items()})
    for mask, picture in zip(masks.results(), case.results()):
        torch.testing.assert_close(mask, picture[:, :1])

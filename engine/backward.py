"""Exact gradients in bounded memory: the tiles again, in reverse.

From the last level to the first: the gradient of each statistic, complete once all its users have been swept, goes
through `finish` to the totals it was made from; then the tiles are computed again with gradients, sliders and earlier
statistics as leaves. Skipping this, and holding statistics constant, would be wrong by more than half of the gradient.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from ..graph.model import Ref
from ..light.photo import Photo
from ..light.planes import stack
from ..light.rectangle import Region
from ..ops.types import leaves, rebuilt
from .execute import Execution
from .sweep import Inputs, Reads, Sweep

_PROBE_EDGE = 96


class Gradients:
    """Sums over tiles: of sliders and other tensors without pixels in float64, of pictures in their own precision."""

    def __init__(self, inputs: Inputs, wanted_tensors: Collection[int], wanted_pictures: Collection[Ref]) -> None:
        self.tensors: dict[int, Tensor | None] = dict.fromkeys(wanted_tensors)
        self.pictures = {ref: torch.zeros_like(inputs.given[ref].raster) for ref in wanted_pictures}


def backward(
    execution: Execution,
    gradients: Mapping[Ref, Tensor],
    wanted_tensors: Collection[int],
    wanted_pictures: Collection[Ref] = (),
) -> Gradients:
    """Gradients of sum(output * gradient) over outputs, after `execution.measure()`.

    gradients: for outputs of the plan, B3HW or B1HW for pictures, else the shape of the (single-tensor) value.
    wanted_tensors: numbers in `inputs.tensors()`. wanted_pictures: given pictures, as float rasters.
    """
    return _Backward(execution, gradients, wanted_tensors, wanted_pictures).run()


def saved_per_pixel(execution: Execution, refs: Collection[Ref]) -> float:
    """Bytes that autograd keeps per output px of some pictures, counted on a probe in their middle."""
    seen: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor.detach()  # a step that keeps its own result, with its history, would never be freed

    wanted = []
    for ref in refs:
        size = execution.plan.size(ref)
        height, width = min(size.height, _PROBE_EDGE), min(size.width, _PROBE_EDGE)
        wanted.append((ref, Region((size.height - height) // 2, (size.width - width) // 2, height, width)))
    inputs = execution.inputs.mapped(_leaf)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        execution.evaluate(wanted, inputs, execution.measured)
    return sum(seen.values()) / max(region.pixels for _, region in wanted)


class _Backward:
    def __init__(
        self,
        execution: Execution,
        gradients: Mapping[Ref, Tensor],
        wanted_tensors: Collection[int],
        wanted_pictures: Collection[Ref],
    ) -> None:
        self.execution, self.plan = execution, execution.plan
        self.found = Gradients(execution.inputs, wanted_tensors, wanted_pictures)
        self.pictures = {ref: g.to(execution.device) for ref, g in gradients.items() if self.plan.is_picture(ref)}
        self.cotangents: dict[Ref, list[Tensor | None]] = {
            ref: [g.to(execution.device).double()] for ref, g in gradients.items() if ref not in self.pictures
        }
        self.totals: dict[str, list[Tensor | None]] = {}
        tensors = execution.inputs.tensors()
        self.leaves = [_leaf(tensors[index]) for index in wanted_tensors]
        stand_in = dict(zip(wanted_tensors, self.leaves))
        queue = iter(stand_in.get(index, tensor) for index, tensor in enumerate(tensors))
        self.inputs = execution.inputs.mapped(lambda _: next(queue))
        self.moving = self._moving(wanted_tensors, wanted_pictures)

    def _moving(self, wanted_tensors: Collection[int], wanted_pictures: Collection[Ref]) -> set[Ref]:
        """The values that change with what is wanted."""
        wanted = set(wanted_tensors)
        refs = {ref for step in self.plan.steps if wanted.intersection(step.sliders.values()) for ref in step.outputs}
        refs.update(wanted_pictures)
        first = len(self.execution.inputs.sliders)
        for ref, value in self.execution.inputs.given.items():
            count = 0 if isinstance(value, Photo) else len(leaves(value))
            if wanted.intersection(range(first, first + count)):
                refs.add(ref)
            first += count
        return self.plan.dependents(refs)

    def run(self) -> Gradients:
        levels = range(self.plan.levels + 1, -1, -1)
        pictures = {ref for level in levels for sweep in self._sweeps(level) for ref in sweep.pictures}
        if pictures:
            saved = saved_per_pixel(self.execution, pictures)
            self.execution.tile_pixels = self.execution.gradient_tile(saved)
        sweeps = {level: self._sweeps(level) for level in levels}
        self.execution.expect(sum(len(self.execution.grid(sweep)) for group in sweeps.values() for sweep in group))
        for level in levels:
            self._through_finish(level)
            for sweep in sweeps[level]:
                self._through_tiles(sweep)
        return self.found

    def _sweeps(self, level: int) -> list[Sweep]:
        """A level's passes; an output picture passes with the level after its own, when its statistics still wait."""
        passes = {sweep.size: sweep for sweep in self.execution.sweeps(level)}
        for ref in self.pictures:
            if self.plan.level(ref) + 1 == level:
                size = self.plan.size(ref)
                sweep = passes.get(size, Sweep(level, size))
                passes[size] = Sweep(level, size, sweep.gathers, (*sweep.outputs, ref))
        kept = []
        for sweep in passes.values():
            gathers = tuple(g for g in sweep.gathers if any(ref in self.moving for _, ref in g.pictures))
            outputs = tuple(ref for ref in sweep.outputs if ref in self.moving)
            if gathers or outputs:
                kept.append(Sweep(level, sweep.size, gathers, outputs))
        return kept

    def _through_finish(self, level: int) -> None:
        """From the gradients of a level's statistics to those of their totals, of earlier values and of sliders."""
        below = self._below(level)
        totals = {
            step: [None if total is None else _leaf(total) for total in parts]
            for step, parts in self.execution.totals.items()
            if self.plan.by_step[step].level == level
        }
        with torch.enable_grad():
            made = self.execution.finish(level, self.inputs, below, totals)
            pairs = [
                (value, cotangent)
                for ref, result in made.items()
                for value, cotangent in zip(leaves(result), self.cotangents.get(ref, []))
                if cotangent is not None and value.requires_grad
            ]
            if not pairs:
                return
            flat = [total for parts in totals.values() for total in parts if total is not None]
            outputs, weights = zip(*((value, weight.to(value.dtype)) for value, weight in pairs))
            targets = [*flat, *self.leaves, *_flat(below)]
            found = iter(torch.autograd.grad(outputs, targets, weights, allow_unused=True))
        for step, parts in totals.items():
            self.totals[step] = [None if total is None else next(found) for total in parts]
        self._add(found, below)

    def _through_tiles(self, sweep: Sweep) -> None:
        gathers = tuple(g for g in sweep.gathers if self._weight(g) is not None)
        sweep = Sweep(sweep.level, sweep.size, gathers, sweep.outputs)
        below = self._below(sweep.level)

        def tile(region: Region) -> tuple[Reads, list[Tensor | None]]:
            return self._tile(sweep, region, below) if gathers or sweep.outputs else (Reads(()), [])

        for _, (reads, gradients) in self.execution.each(self.execution.grid(sweep), tile):
            found = iter(gradients)
            for ref, where, _ in reads.leaves:
                gradient = next(found)
                if gradient is not None:
                    where.cut(self.found.pictures[ref]).add_(gradient.to(self.found.pictures[ref]))
            if gradients:
                self._add(found, below)

    def _weight(self, gather: Any) -> Tensor | None:
        parts = self.totals.get(gather.step.id)
        return parts[gather.part] if parts else None

    def _tile(self, sweep: Sweep, region: Region, below: Mapping[Ref, Any]) -> tuple[Reads, list[Tensor | None]]:
        """What a tile adds to the gradients: of the pixels it read, of the wanted tensors and of earlier statistics."""
        reads = Reads(self.found.pictures)
        outputs: list[Tensor] = []
        weights: list[Tensor] = []
        with torch.enable_grad():
            if sweep.gathers:
                for gather, share in zip(sweep.gathers, self.execution.contributions(sweep, region, self.inputs, below, reads)):
                    weight = self._weight(gather)
                    assert weight is not None
                    outputs.append(share)
                    weights.append(weight.to(share.dtype))
            if sweep.outputs:
                wanted = [(ref, region) for ref in sweep.outputs]
                for ref, picture in zip(sweep.outputs, self.execution.evaluate(wanted, self.inputs, below, reads)):
                    outputs.append(stack(picture))
                    weights.append(region.cut(self.pictures[ref]).to(outputs[-1].dtype))
            pairs = [(output, weight) for output, weight in zip(outputs, weights) if output.requires_grad]
            if not pairs:
                return Reads(()), []
            outputs, weights = (list(column) for column in zip(*pairs))
            pixels = [leaf for _, _, leaf in reads.leaves]
            targets = [*pixels, *self.leaves, *_flat(below)]
            return reads, list(torch.autograd.grad(outputs, targets, weights, allow_unused=True))

    def _below(self, level: int) -> dict[Ref, Any]:
        """The statistics and other values without pixels of earlier levels, as leaves."""
        early = (ref for ref in self.execution.measured if self.plan.level(ref) < level)
        return {ref: rebuilt(self.execution.measured[ref], _leaf) for ref in early}

    def _add(self, found: Any, below: Mapping[Ref, Any]) -> None:
        for index in self.found.tensors:
            self.found.tensors[index] = _sum(self.found.tensors[index], next(found))
        for ref, value in below.items():
            count = len(leaves(value))
            before = self.cotangents.get(ref, [None] * count)
            self.cotangents[ref] = [_sum(old, next(found)) for old in before]


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_() if tensor.is_floating_point() else tensor


def _flat(values: Mapping[Ref, Any]) -> list[Tensor]:
    return [tensor for value in values.values() for tensor in leaves(value)]


def _sum(total: Tensor | None, share: Tensor | None) -> Tensor | None:
    if share is None:
        return total
    return share.double() if total is None else total + share.double()

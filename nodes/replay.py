"""Notes of a tape played back: on new pixels, and on the very pixels to see whether they say what the node said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from .tape import Call, Held, Leaf, Memory, Value, bare, end_in, is_ours

_DETACHING = {Tensor.detach, torch.detach, Tensor.data.__get__}  # type: ignore[attr-defined]
"""What other packs call out of habit, where nothing carries gradients anyway; the pixels are the same."""

_SAME = 1e-5
_LONGEST = 20_000


@dataclass(frozen=True, eq=False)
class Tape:
    """How a value was made: all calls in order, and what they gave. leaves: the lazy tensors it starts from.

    apart: play every write on a copy of its memory, for nodes that change in place what autograd keeps.
    """

    value: Value
    calls: tuple[Call, ...]
    results: Mapping[Call, list[Value]] = field(repr=False)
    leaves: tuple[Leaf, ...] = ()
    apart: bool = False

    def play(self, pixels: Mapping[Leaf, Tensor]) -> Tensor:
        """The value made anew from new pixels of its leaves; differentiable, and nothing handed over is written to."""
        made = _Made(pixels, self.calls)
        for call in self.calls:
            self._step(made, call)
        return made.of(self.value)

    def end(self, pixels: Mapping[Leaf, Tensor]) -> str:
        """The node with the last call that reads what gradients come through and gives what they do not; "" if none."""
        made, node = _Made(pixels, self.calls), ""
        for call in self.calls:
            reading = any(made.of(value).requires_grad for value in call.values())
            result = self._step(made, call)
            if reading and not any(part.requires_grad for part in tree_flatten(result)[0] if isinstance(part, Tensor)):
                node = call.node
        return node

    def _step(self, made: _Made, call: Call) -> Any:
        result = made.call(call, self.apart)
        for value in self.results.get(call, []):
            made.values[value] = result if value.index is None else result[value.index]
        return result


class _Made:
    """What a replay has made so far, by value."""

    def __init__(self, pixels: Mapping[Leaf, Tensor], calls: Sequence[Call]) -> None:
        self.pixels, self.copies = pixels, any(call.into for call in calls)
        found = (value.made for call in calls for value in call.values())
        self.held = [made for made in found if isinstance(made, Held)]
        self.values: dict[Value, Tensor] = {}

    def of(self, value: Value) -> Tensor:
        if value not in self.values:
            if isinstance(value.made, Leaf):
                self.values[value] = self.pixels[value.made].clone() if self.copies else self.pixels[value.made]
            else:
                assert isinstance(value.made, Held)
                self.values[value] = value.made.pixels.clone()
        return self.values[value]

    def call(self, call: Call, apart: bool = False) -> Any:
        def given(part: Any) -> Any:
            return self._input(part, call.number)

        if call.function in _DETACHING:
            seen = given(call.args[0])
            return seen.view_as(seen)
        args, kwargs = tree_map(given, (call.args, call.kwargs))
        out = kwargs.pop("out", None)  # which autograd does not take
        result = None if out is None else call.function(*args, **kwargs)
        if apart and call.into:
            for memory in call.into:
                self._part(memory)
            out = tree_map(given, call.kwargs.get("out"))
            args = (*tree_map(given, call.args[:1]), *args[1:])
        return call.function(*args, **kwargs) if out is None else out.copy_(result)

    def _input(self, part: Any, number: int) -> Any:
        if isinstance(part, Value):
            return self.of(part)
        if not isinstance(part, Tensor):
            return part
        part = bare(part).detach()
        for held in self.held:
            if (before := held.then(part, number)) is not None:
                return before.clone()
        return part.clone() if self.copies or part.is_inference() else part

    def _part(self, memory: Memory) -> None:
        """Go on with a copy of a memory, and with all views of it anew."""
        views = [value for value in self.values if value.memory is memory and not value.root]
        for value in [value for value in self.values if value.memory is memory and value.root]:
            self.values[value] = self.values[value].clone()
        for value in sorted(views, key=lambda view: view.made.number):  # type: ignore[union-attr]
            assert isinstance(value.made, Call)
            result = self.call(value.made)
            self.values[value] = result if value.index is None else result[value.index]


def tape_of(tensor: Any) -> Tape | None:
    """The tape of a value of ours as it stands; None where it has ended or starts nowhere."""
    if not is_ours(tensor):
        return None
    calls: dict[Call, None] = {}
    results: dict[Call, list[Value]] = {}
    leaves: dict[Leaf, None] = {}
    read: dict[Memory, float] = {}
    seen: set[Value] = set()
    todo: list[tuple[Value, float]] = [(tensor.value, float("inf"))]
    while todo and len(calls) <= _LONGEST:
        value, before = todo.pop()
        found: list[Call] = []
        if value not in seen:
            seen.add(value)
            if isinstance(value.made, Call):
                found.append(value.made)
                results.setdefault(value.made, []).append(value)
            elif isinstance(value.made, Leaf):
                leaves[value.made] = None
        if read.get(value.memory, -1.0) < before:
            read[value.memory] = before
            found += [write for write in value.memory.writes if write.number < before]
        for call in found:
            if call not in calls:
                calls[call] = None
                todo += [(part, float(call.number)) for part in call.values()]
    if not leaves or todo or any(call.doubtful for call in calls):
        return None
    ordered = tuple(sorted(calls, key=lambda call: call.number))
    return Tape(tensor.value, ordered, results, tuple(leaves))


def followed(tape: Tape, was: Tensor, counted: Callable[[Tensor], Tensor]) -> tuple[Tape, list[Leaf]] | None:
    """A tape whose replay on the very pixels gives the very value, and the leaves that gradients reach; None where it does not.

    was: the value. counted: the part of it that matters to whoever reads it.
    """
    for candidate in (tape, replace(tape, apart=True)):
        try:
            reached = _reached(candidate, was, counted)
        except Exception:  # calls of other packs, played anew: whatever they raise, this tape cannot be believed
            continue
        return None if reached is None else (candidate, reached)
    return None


def _reached(tape: Tape, was: Tensor, counted: Callable[[Tensor], Tensor]) -> list[Leaf] | None:
    with torch.inference_mode(False), torch.enable_grad():
        pixels = {leaf: leaf.lazy.pristine().clone().requires_grad_() for leaf in tape.leaves}
        again = tape.play({leaf: entry * 1.0 for leaf, entry in pixels.items()})
        if again.shape != was.shape or not bool((again.detach() - was).abs().max() <= _SAME):
            return None
        reached = _pulled(counted(again), pixels)
        for leaf in tape.leaves:
            if leaf not in reached:
                end_in(tape.end({other: entry if other is leaf else entry.detach() for other, entry in pixels.items()}), leaf)
        return reached


def _pulled(seen: Tensor, pixels: Mapping[Leaf, Tensor]) -> list[Leaf]:
    """The leaves that gradients reach from a value."""
    if not seen.requires_grad:
        return []
    push = torch.randn(seen.shape, generator=torch.Generator().manual_seed(0)).to(seen)
    found = torch.autograd.grad(seen, list(pixels.values()), push, allow_unused=True)
    return [leaf for leaf, slope in zip(pixels, found) if slope is not None and bool(slope.isfinite().all() and slope.any())]

"""Memory: where it runs out, free what the host can spare and go on in smaller parts."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import torch

from ..graph.errors import WorkflowError

Part = TypeVar("Part")
Value = TypeVar("Value")

_OUT_OF_MEMORY = (torch.cuda.OutOfMemoryError, MemoryError)
_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


class OutOfMemory(WorkflowError):
    """Even the smallest part does not fit into memory."""


class Memory:
    """How many px are worked on at once. Learns from each lack of memory, for all executions that share it.

    free: gives back what the host can spare; called at each lack, before smaller parts are tried.
    """

    def __init__(self, free: Callable[[], None] | None = None) -> None:
        self._free = free
        self.most = math.inf

    def each(
        self,
        parts: Sequence[Part],
        pixels: Callable[[Part], int],
        halves: Callable[[Part], Sequence[Part]],
        compute: Callable[[Part], Value],
    ) -> Iterator[tuple[Part, Value]]:
        """Every part, in order, with what is computed of it; parts that do not fit come in halves, and theirs.

        pixels: of a part. halves: two smaller parts, or none where a part is as small as can be. compute: from nothing but
        its part, so that it can be tried again. Raises OutOfMemory.
        """
        todo = list(reversed(parts))
        while todo:
            part = todo.pop()
            if pixels(part) > self.most and (smaller := halves(part)):
                todo += reversed(smaller)
                continue
            fits, value = _attempt(compute, part)
            if fits:
                yield part, value
                continue
            self._give_back()
            smaller = halves(part)
            if not smaller:
                raise OutOfMemory(f"out of memory: expected room for {pixels(part)} px at once, the smallest part; got less")
            self.most = min(self.most, *map(pixels, smaller))
            todo += reversed(smaller)

    def _give_back(self) -> None:
        gc.collect()
        if self._free is not None:
            self._free()


def _attempt(compute: Callable[[Part], Any], part: Part) -> tuple[bool, Any]:
    """Whether memory sufficed, and the value. Nothing holds on to the failed attempt, so that its memory can be freed."""
    try:
        return True, compute(part)
    except (RuntimeError, MemoryError) as error:
        if not _lacks_memory(error):
            raise
    return False, None


def _lacks_memory(error: BaseException) -> bool:
    """Whether an error is a lack of memory: CUDA and others have a class for it, the CPU's allocator and libraries words."""
    return isinstance(error, _OUT_OF_MEMORY) or any(word in str(error).lower() for word in _WORDS)

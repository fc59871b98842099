"""What was computed before, by content: a key says which operation, with which values, on which inputs."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from ..graph.model import Ref
from ..light.photo import Photo
from ..ops.types import Network, leaves
from .plan import Plan

_numbers = itertools.count()
_rasters = WeakIdKeyDictionary()


class Cache:
    """Rendered pictures and statistics by content key, the least used dropped first. Safe between threads.

    most_bytes: of all that is kept. A picture larger than half of that is not kept.
    """

    def __init__(self, most_bytes: int = 1 << 30) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._entries: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def fits(self, size_in_bytes: int) -> bool:
        """Whether a value of this size would be kept."""
        return 2 * size_in_bytes <= self.most_bytes

    def put(self, key: str, value: Any) -> None:
        weight = _bytes(value)
        if not self.fits(weight):
            return
        with self._lock:
            if key in self._entries:
                self.bytes -= _bytes(self._entries.pop(key))
            self._entries[key] = value
            self.bytes += weight
            while self.bytes > self.most_bytes:
                self.bytes -= _bytes(self._entries.popitem(last=False)[1])

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._entries.clear()
            self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)


def content_keys(plan: Plan, given: Mapping[Ref, Any], sliders: Mapping[str, list[float]]) -> dict[Ref, str]:
    """A key for every value of a plan whose sliders' numbers are known (`sliders`, by step)."""
    keys = {ref: _identity(value) for ref, value in given.items()}
    for step in plan.steps:
        if step.id in sliders and all(ref in keys for ref in step.inputs.values()):
            inputs = sorted((name, keys[ref]) for name, ref in step.inputs.items())
            facts = (step.spec.node_id, sorted(step.values.items()), sliders[step.id], inputs, step.size, plan.scale)
            for ref in step.outputs:
                keys[ref] = hashlib.sha256(repr((*facts, ref.slot)).encode()).hexdigest()
    return keys


def _identity(value: Any) -> str:
    """Photos by the pixels they hold (nobody writes into those); values without pixels by content."""
    if isinstance(value, Photo):
        return f"raster {_rasters.setdefault(value.raster, next(_numbers))} of {value.light}, {value.metadata}"
    if isinstance(value, Network) and value.sha256:
        return value.sha256
    digest = hashlib.sha256(type(value).__name__.encode())
    for tensor in leaves(value):
        digest.update(repr(tuple(tensor.shape)).encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _bytes(value: Any) -> int:
    tensors = [value.raster] if isinstance(value, Photo) and isinstance(value.raster, Tensor) else leaves(value)
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

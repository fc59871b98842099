"""What other packs' nodes may expect of the lazy tensor, tried once on the running torch before anything relies on it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .lazy import LazyTensor

_PIXELS = torch.arange(24.0).reshape(1, 2, 4, 3) / 24.0
_RECIPE = SimpleNamespace(shape=_PIXELS.shape, link=SimpleNamespace(step=""))

METADATA: dict[str, Callable[[Tensor], Any]] = {
    "shape": lambda x: x.shape,
    "size()": lambda x: (x.size(), x.size(-1)),
    "len": len,
    "dim": lambda x: (x.dim(), x.ndim, x.ndimension()),
    "numel() * element_size()": lambda x: x.numel() * x.element_size(),
    "nelement() * itemsize": lambda x: x.nelement() * x.itemsize,
    "nbytes": lambda x: x.nbytes,
    "dtype": lambda x: (x.dtype, x.dtype.itemsize, x.is_floating_point(), x.is_complex()),
    "device": lambda x: (x.device, x.device.type, x.is_cuda, x.is_cpu, x.get_device()),
    "layout": lambda x: (x.layout, x.is_sparse, x.is_quantized),
    "stride": lambda x: (x.stride(), x.storage_offset(), x.is_contiguous()),
    "requires_grad": lambda x: (x.requires_grad, x.grad_fn, x.is_leaf),
    "kind": lambda x: (torch.is_tensor(x), isinstance(x, Tensor)),
    "foreign attributes": lambda x: (hasattr(x, "is_dynamic"), hasattr(x, "get_ram_usage"), hasattr(x, "detach")),
}
"""What is asked of cached outputs when ComfyUI sorts them by size, and of any input before it is read. None renders."""

_READING: dict[str, Callable[[Tensor], Any]] = {
    "x[0]": lambda x: x[0],
    "1 - x * 2": lambda x: 1.0 - x * 2.0,
    "numpy.asarray": lambda x: torch.from_numpy(np.array(np.asarray(x))),
    "x.cpu().numpy()": lambda x: torch.from_numpy(x.cpu().numpy().copy()),
    "movedim": lambda x: x.movedim(-1, 1),
    "interpolate": lambda x: functional.interpolate(x.movedim(-1, 1), size=(3, 3), mode="bilinear"),
    "conv2d": lambda x: functional.conv2d(x.movedim(-1, 1), torch.ones(3, 1, 1, 1), groups=3),
    "cat": lambda x: torch.cat((x, x)),
    "stack": lambda x: torch.stack([entry * 1.0 for entry in x]),
    "where": lambda x: torch.where(x > 0.5, x, torch.zeros_like(x)),
    "out=": lambda x: torch.add(x, 1.0, out=torch.empty(x.shape)),
    "copy_": lambda x: torch.zeros(x.shape).copy_(x),
    "clone and write": lambda x: x.clone().mul_(2.0),
    "to": lambda x: x.to(torch.float16).float(),
}


def broken() -> str | None:
    """What of the contract fails here; None where it holds."""
    for mode in (True, False):
        with torch.inference_mode(mode):
            for name, call in METADATA.items():
                lazy = _Trial()
                fault = _differs(name, call, lazy)
                if fault or lazy._real is not None:
                    return fault or f"asking a lazy tensor for its {name} renders it"
            for name, call in _READING.items():
                fault = _differs(name, call, _Trial())
                if fault:
                    return fault
    return None


class _Trial(LazyTensor):
    """A lazy tensor whose pixels are known."""

    def __new__(cls) -> _Trial:
        return super().__new__(cls, _RECIPE)  # type: ignore[arg-type,return-value]

    def __init__(self) -> None:
        super().__init__(_RECIPE)  # type: ignore[arg-type]

    def _render(self) -> Tensor:
        return _PIXELS.clone()


def _differs(name: str, call: Callable[[Tensor], Any], lazy: Tensor) -> str | None:
    try:
        found, expected = call(lazy), call(_PIXELS)
        same = torch.equal(found, expected) if isinstance(expected, Tensor) else found == expected
    except Exception as error:
        return f"{name} of a lazy tensor raises {type(error).__name__}: {str(error)[:100]}"
    return None if same else f"{name} of a lazy tensor gives something else than of an ordinary one"

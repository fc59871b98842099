"""The value on our IMAGE and MASK wires: a tensor that renders its recipe when somebody first reads its pixels."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from .comfy import CACHE, rendering
from .recipe import Recipe
from .tape import Value, bare, called, left_torch, start

_PROPERTIES = [
    "shape",
    "ndim",
    "dtype",
    "device",
    "layout",
    "requires_grad",
    "is_cuda",
    "is_cpu",
    "is_meta",
    "is_mps",
    "is_xla",
    "is_xpu",
    "is_quantized",
    "is_sparse",
    "is_sparse_csr",
    "is_mkldnn",
    "is_nested",
    "is_leaf",
    "grad",
    "grad_fn",
    "_grad",
    "_base",
    "_backward_hooks",
    "_version",
    "output_nr",
    "retains_grad",
    "itemsize",
    "nbytes",
    "names",
    "name",
]
_METHODS = [
    "size",
    "dim",
    "ndimension",
    "numel",
    "nelement",
    "stride",
    "element_size",
    "storage_offset",
    "get_device",
    "is_floating_point",
    "is_complex",
    "is_signed",
    "is_contiguous",
    "is_inference",
    "is_pinned",
    "is_shared",
    "is_conj",
    "is_neg",
    "is_same_size",
    "has_names",
    "__len__",
]
_QUIET = {getattr(Tensor, name).__get__ for name in _PROPERTIES if hasattr(getattr(Tensor, name, None), "__get__")}
_QUIET |= {getattr(Tensor, name) for name in _METHODS if hasattr(Tensor, name)}
_QUIET |= {torch.numel, torch.is_floating_point, torch.is_complex, torch.is_inference}


def render(recipe: Recipe) -> Tensor:
    """The pixels of a recipe at full size, an ordinary tensor."""
    with rendering(recipe.batch * recipe.size.pixels) as settings:
        return recipe.render(settings, cache=CACHE)


class LazyTensor(Tensor):
    """An IMAGE or MASK that is not there yet. Asking for its shape, type or size never renders; reading does, once.

    Rendering leaves inference mode; what it gives is an ordinary tensor, kept as long as this one is.
    """

    recipe: Recipe
    value: Value

    @staticmethod
    def __new__(cls, recipe: Recipe) -> LazyTensor:
        return Tensor._make_wrapper_subclass(cls, recipe.shape, dtype=torch.float32, device=torch.device("cpu"))

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.value = start(self)
        self.source: Any = None
        self._real: Tensor | None = None
        self._lock = threading.Lock()

    def rendered(self) -> Tensor:
        """The pixels."""
        with self._lock:
            if self._real is None:
                self._real = self._render()
            return self._real

    def written(self) -> bool:
        """Whether another pack's node wrote into the pixels, so that the recipe alone no longer tells them."""
        return bool(self.value.memory.writes)

    def pristine(self) -> Tensor:
        """The pixels as the recipe tells them."""
        return self._render() if self.written() else self.rendered()

    def _render(self) -> Tensor:
        return render(self.recipe)

    def __repr__(self, **_options: Any) -> str:  # type: ignore[override]
        return f"LazyTensor({tuple(self.shape)}, {'rendered' if self._real is not None else 'not rendered'})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        left_torch([self])
        array = self.rendered().numpy()
        return array.astype(dtype, copy=bool(copy)) if dtype is not None else array.copy() if copy else array

    def __deepcopy__(self, memo: Any) -> Tensor:
        left_torch([self])
        return self.rendered().clone()

    def __reduce_ex__(self, protocol: Any) -> Any:
        left_torch([self])
        return self.rendered().__reduce_ex__(protocol)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _QUIET:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **(kwargs or {}))
        return called(func, args, kwargs or {})

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        left_torch(part for part in tree_flatten((args, kwargs))[0] if isinstance(part, Tensor))
        return func(*tree_map(bare, args), **tree_map(bare, kwargs or {}))

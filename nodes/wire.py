"""What our picture sockets carry: a lazy tensor or, in eager mode, rendered pixels with their recipe in a table beside them.

Eager mode is asked for (setting `Render every node at once`), or chosen where the running torch breaks the contract of the lazy
tensor. Sockets, files and pixels are the same; other packs' nodes then carry no gradients.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from . import comfy
from .contract import broken
from .lazy import LazyTensor, render
from .recipe import Recipe

_beside = WeakIdKeyDictionary()


def carry(recipe: Recipe) -> Tensor:
    """The IMAGE or MASK for a socket."""
    if not eager():
        return LazyTensor(recipe)
    pixels = render(recipe)
    _beside[pixels] = recipe, pixels._version
    return pixels


def carried(value: Any) -> Recipe | None:
    """The recipe of a value from a socket of ours; None for other values, and for pixels that somebody wrote into since."""
    if isinstance(value, LazyTensor):
        return None if value.written() else value.recipe
    recipe, version = _beside.get(value, (None, 0)) if isinstance(value, Tensor) else (None, 0)
    return recipe if recipe is not None and value._version == version else None


def eager() -> bool:
    """Whether pixels are rendered at once."""
    return comfy.setting("Luxgrad.Eager") is True or not _lazy_holds()


@functools.cache
def _lazy_holds() -> bool:
    fault = broken()
    if fault:
        logging.getLogger("luxgrad").warning("luxgrad: renders every node at once: with this torch, %s", fault)
    return not fault

"""Through other packs' nodes: the torch calls made on our values are noted, and replayed with new pixels.

A tape ends by itself where code leaves torch (numpy, PIL) or writes in place. Control flow and shapes are frozen as they
were; whether a replay says what the node said is checked before it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

_SAME = 1e-5


@dataclass(frozen=True, eq=False)
class Note:
    """One call: value = function(*args, **kwargs)[index]."""

    function: Any
    args: Any
    kwargs: Any
    index: int | None = None

    def parents(self) -> list[Tensor]:
        """The values of ours that the call read."""
        return [value for value in tree_flatten((self.args, self.kwargs))[0] if is_ours(value)]


class TapedTensor(Tensor):
    """An ordinary tensor that remembers the call that made it from values of ours, and the source step it became."""

    note: Note | None = None
    source: Any = None

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return called(func, args, kwargs or {})

    def __deepcopy__(self, memo: Any) -> Tensor:
        return bare(self).clone()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return bare(self).__reduce_ex__(protocol)


def is_ours(value: Any) -> bool:
    """Whether a value is a lazy or a taped tensor."""
    return hasattr(value, "recipe") or isinstance(value, TapedTensor)


def bare(value: Any) -> Any:
    """The pixels of a lazy or taped tensor as an ordinary tensor; anything else as it is."""
    if isinstance(value, TapedTensor):
        with torch._C.DisableTorchFunctionSubclass():
            return value.as_subclass(Tensor)
    return value.rendered() if hasattr(value, "recipe") else value


def called(func: Any, args: Any, kwargs: Any) -> Any:
    """Make a torch call on pixels, and note it on what it gives."""
    result = func(*tree_map(bare, args), **tree_map(bare, kwargs))
    name = getattr(func, "__name__", "")
    if kwargs.get("out") is not None or name == "__setitem__" or (name.endswith("_") and not name.endswith("__")):
        if args and isinstance(args[0], TapedTensor):
            args[0].note = None
        return result
    if isinstance(result, (tuple, list)) and any(isinstance(entry, Tensor) for entry in result):
        entries = [_taped(entry, Note(func, args, kwargs, index)) for index, entry in enumerate(result)]
        return type(result)(*entries) if hasattr(result, "_fields") else type(result)(entries)
    return _taped(result, Note(func, args, kwargs))


def _taped(value: Any, note: Note) -> Any:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return value
    taped = value.as_subclass(TapedTensor)
    taped.note = note
    return taped


def leaves(value: Tensor) -> list[Any]:
    """The lazy tensors that a taped value was made from; none where the tape has ended."""
    found: dict[int, Any] = {}
    seen: set[int] = set()
    todo = [value]
    while todo:
        entry = todo.pop()
        if id(entry) in seen:
            continue
        seen.add(id(entry))
        if hasattr(entry, "recipe"):
            found[id(entry)] = entry
        elif isinstance(entry, TapedTensor):
            if entry.note is None:
                return []
            todo += entry.note.parents()
    return list(found.values())


def replay(value: Tensor, pixels: Mapping[int, Tensor]) -> Tensor:
    """A taped value made anew from new pixels of its leaves (by id)."""
    made: dict[int, Any] = dict(pixels)
    todo = [value]
    while todo:
        entry = todo[-1]
        if id(entry) in made:
            todo.pop()
            continue
        assert isinstance(entry, TapedTensor)
        assert entry.note is not None
        missing = [parent for parent in entry.note.parents() if id(parent) not in made]
        if missing:
            todo += missing
            continue
        note = entry.note
        args, kwargs = tree_map(lambda part: made[id(part)] if is_ours(part) else _ordinary(part), (note.args, note.kwargs))
        result = note.function(*args, **kwargs)
        made[id(entry)] = result if note.index is None else result[note.index]
        todo.pop()
    return made[id(value)]


def _ordinary(part: Any) -> Any:
    """A constant of a call, fit for autograd."""
    return part.clone() if isinstance(part, Tensor) and part.is_inference() else part


def agrees(value: Tensor, ours: list[Any]) -> bool:
    """Whether the tape of a value, replayed on the very pixels, gives the very value."""
    try:
        again = replay(value, {id(leaf): leaf.rendered().clone() for leaf in ours})
    except (RuntimeError, TypeError, ValueError):
        return False
    was = bare(value)
    return again.shape == was.shape and bool((again - was).abs().max() <= _SAME)

"""Through other packs' nodes: the torch calls made on our values are noted, in order, without their pixels.

Reads and writes are noted alike: a write into memory that several views share changes all of them, and an ordinary tensor
that pixels of ours are written into becomes one of ours. Control flow and shapes are frozen as they were. Where pixels
leave torch (numpy, a Python number), what the node computes from there on is not followed. `replay.py` plays notes back.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

_numbers = itertools.count()

_EXITS = {"item", "tolist", "numpy", "__array__", "__float__", "__complex__", "__int__", "__index__", "__dlpack__",
          "data_ptr", "storage", "untyped_storage", "_typed_storage"}  # fmt: skip
"""Calls by which pixels leave torch."""

_IN_PLACE = {"__setitem__", "__set__", "__iadd__", "__isub__", "__imul__", "__idiv__", "__itruediv__", "__ifloordiv__",
             "__imod__", "__ipow__", "__iand__", "__ior__", "__ixor__", "__ilshift__", "__irshift__"}  # fmt: skip
"""Writing calls whose names do not end in one underscore."""

_MOST = 4096
_ends: dict[str, set[str]] = {}
"""Nodes of other packs, and the steps whose gradients were seen to end in them."""


@dataclass(eq=False)
class Leaf:
    """A lazy tensor as the start of a tape, and the runs of nodes in which its pixels left torch."""

    lazy: Any
    left_in: set[Any] = field(default_factory=set)


@dataclass(eq=False)
class Memory:
    """Pixels that several views share. leaves: all that ever flowed in. writes: the calls that wrote there, in order."""

    leaves: set[Leaf] = field(default_factory=set)
    writes: list[Call] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Held:
    """A copy of what an ordinary tensor held before pixels of ours were written into it. address: where that lay.

    number: of the first write; what calls before it read of that memory is in the copy.
    """

    pixels: Tensor
    address: int
    number: int

    @classmethod
    def of(cls, tensor: Tensor) -> Held:
        storage = tensor.untyped_storage()
        copy = tensor.new_empty(0).set_(storage.clone(), tensor.storage_offset(), tensor.shape, tensor.stride())
        return cls(copy, storage.data_ptr(), next(_numbers))

    def then(self, view: Tensor, number: int) -> Tensor | None:
        """What a view of that memory showed at a call before the first write; None of other memory, or later."""
        if number >= self.number or view.untyped_storage().data_ptr() != self.address:
            return None
        return self.pixels.as_strided(view.shape, view.stride(), view.storage_offset())


@dataclass(frozen=True, eq=False)
class Value:
    """A value of ours without its pixels. Made by a call (its result, or that of this index), by a lazy tensor, or held by an
    ordinary tensor before. root: whether its memory was new then.
    """

    made: Call | Leaf | Held
    memory: Memory
    index: int | None = None
    root: bool = True


@dataclass(frozen=True, eq=False)
class Call:
    """One call: function(*args, **kwargs), with values in the place of tensors of ours.

    into: the memories it wrote to. doubtful: something in it may have been computed from our pixels outside torch.
    node: the node that made it, "" where ComfyUI does not say.
    """

    function: Any
    args: Any
    kwargs: Any
    number: int
    into: tuple[Memory, ...] = ()
    doubtful: bool = False
    node: str = ""

    def values(self) -> list[Value]:
        """What the call read of ours."""
        return [part for part in tree_flatten((self.args, self.kwargs))[0] if isinstance(part, Value)]

    def constant(self) -> bool:
        """Whether the call read pixels that are not ours."""
        parts = tree_flatten((self.args, self.kwargs))[0]
        return any(isinstance(part.made if isinstance(part, Value) else part, (Held, Tensor)) for part in parts)


class TapedTensor(Tensor):
    """An ordinary tensor that knows how it was made from values of ours; source: the step it became on arrival, and when."""

    value: Value
    source: tuple[int, Any] | None = None

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return called(func, args, kwargs or {})

    def __deepcopy__(self, memo: Any) -> Tensor:
        left_torch([self])
        return bare(self).clone()

    def __reduce_ex__(self, protocol: Any) -> Any:
        left_torch([self])
        return bare(self).__reduce_ex__(protocol)


def is_ours(value: Any) -> bool:
    """Whether a value is a lazy or a taped tensor."""
    return isinstance(value, Tensor) and isinstance(getattr(value, "value", None), Value)


def bare(value: Any) -> Any:
    """The pixels of a lazy or taped tensor as an ordinary tensor; anything else as it is."""
    if isinstance(value, TapedTensor):
        with torch._C.DisableTorchFunctionSubclass():
            return value.as_subclass(Tensor)
    return value.rendered() if is_ours(value) else value


def start(lazy: Any) -> Value:
    """The value of a lazy tensor."""
    leaf = Leaf(lazy)
    return Value(leaf, Memory({leaf}))


def called(func: Any, args: Any, kwargs: Any) -> Any:
    """Make a torch call on pixels, and note it."""
    targets = _targets(func, args, kwargs)
    if targets:
        return _wrote(func, args, kwargs, targets)
    result = func(*tree_map(bare, args), **tree_map(bare, kwargs))
    parts = [part for part in tree_flatten((args, kwargs))[0] if isinstance(part, Tensor)]
    if getattr(func, "__name__", "") in _EXITS:
        left_torch(parts)
    if isinstance(result, Tensor):
        return _taped(result, _noted(func, args, kwargs), None, parts)
    if isinstance(result, (tuple, list)) and any(isinstance(entry, Tensor) for entry in result):
        call = _noted(func, args, kwargs)
        entries = [_taped(entry, call, index, parts) for index, entry in enumerate(result)]
        return type(result)(*entries) if hasattr(result, "_fields") else type(result)(entries)
    return result


def _targets(func: Any, args: Any, kwargs: Any) -> list[Tensor]:
    """The tensors that a call writes into."""
    name = getattr(func, "__name__", "")
    if kwargs.get("out") is not None:
        return [part for part in tree_flatten(kwargs["out"])[0] if isinstance(part, Tensor)]
    if name in _IN_PLACE or (name.endswith("_") and not name.endswith("__")) or kwargs.get("inplace") is True:
        return [part for part in tree_flatten(args[:1])[0] if isinstance(part, Tensor)]
    return []


def _wrote(func: Any, args: Any, kwargs: Any, targets: list[Tensor]) -> Any:
    """A call that writes: noted in the memories it writes into, which are ours from then on."""
    for target in targets:
        if type(target) is Tensor and not target.requires_grad:
            _adopt(target)
    values: list[Value] = [target.value for target in targets if is_ours(target)]  # type: ignore[attr-defined]
    call = _noted(func, args, kwargs, tuple(dict.fromkeys(value.memory for value in values)))
    result = func(*tree_map(bare, args), **tree_map(bare, kwargs))
    for memory in call.into:
        memory.writes.append(call)
        memory.leaves |= _leaves(call.values())
    if result is None or len(targets) > 1:
        return result if result is None else type(result)(targets)
    return targets[0]


def _adopt(tensor: Tensor) -> None:
    """Make an ordinary tensor one of ours; what it held before is a constant."""
    value = Value(Held.of(tensor), Memory())
    tensor.__class__ = TapedTensor
    tensor.value = value  # type: ignore[attr-defined]


def left_torch(values: Iterable[Any]) -> None:
    """Pixels went where no tape can follow: what the running node adds from now on may come from them."""
    node = _running()
    for leaf in _leaves(value.value for value in values if is_ours(value)):
        leaf.left_in.add(node)
        end_in(_name(node), leaf)


def end_in(node: str, leaf: Leaf) -> None:
    """Remember the node in which gradients of a lazy tensor end."""
    step_id = leaf.lazy.recipe.link.step
    if node and step_id:
        _ends.setdefault(node, set()).add(step_id)
        while len(_ends) > _MOST:
            del _ends[next(iter(_ends))]


def ends_in(node: str, step_id: str) -> bool:
    """Whether gradients of a step were seen to end in a node of another pack."""
    return step_id in _ends.get(node, ())


def _leaves(values: Iterable[Value]) -> set[Leaf]:
    return {leaf for value in values for leaf in value.memory.leaves}


def _noted(func: Any, args: Any, kwargs: Any, into: tuple[Memory, ...] = ()) -> Call:
    parts = tree_flatten((args, kwargs))[0]
    node, leaves = _running(), _leaves(part.value for part in parts if is_ours(part))
    foreign = any(isinstance(part, float) or (isinstance(part, Tensor) and not is_ours(part)) for part in parts)
    doubtful = foreign and any(node in leaf.left_in for leaf in leaves)
    args, kwargs = tree_map(lambda part: part.value if is_ours(part) else part, (args, kwargs))
    return Call(func, args, kwargs, next(_numbers), into, doubtful, _name(node))


def _taped(value: Any, call: Call, index: int | None, parts: list[Tensor]) -> Any:
    """What a call gave, as a value of ours; it shares the memory of what it is a view of."""
    if not isinstance(value, Tensor) or any(value is part for part in parts):
        return value
    place = _place(value)
    memories: list[Memory] = [part.value.memory for part in parts if is_ours(part) and _place(bare(part)) == place]  # type: ignore[attr-defined]
    shared = memories[0] if memories else None
    taped = value.as_subclass(TapedTensor)
    taped.value = Value(call, shared or Memory(_leaves(call.values())), index, shared is None)
    return taped


def _place(value: Tensor) -> int:
    """Where the memory behind a tensor begins; for one without, a number of its own."""
    if value.layout is not torch.strided or value.device.type == "meta" or not value.numel():
        return -id(value)
    return value.untyped_storage().data_ptr()


def _running() -> Any:
    """Which run of which node is being executed; None where ComfyUI does not say."""
    utils = sys.modules.get("comfy_execution.utils")
    context = utils.get_executing_context() if utils is not None and hasattr(utils, "get_executing_context") else None
    return None if context is None else (context.prompt_id, context.node_id, context.list_index)


def _name(run: Any) -> str:
    """The node of a run."""
    return "" if run is None else str(run[1])

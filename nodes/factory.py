"""ComfyUI node classes (V1) from declarations. Everything a class says comes from its `OpSpec`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..files.errors import FileError
from ..graph.errors import WorkflowError
from ..graph.model import Graph, Ref, Step
from ..ops.params import Choice, Count, File, Kind, Slider, Switch, Text
from ..ops.spec import PICTURES, Input, OpSpec, Param
from .masks import fitting_mask
from .memory import MEMORY
from .recipe import Recipe, foreign, record, source, title_of
from .tape import bare
from .wire import carried, carry

PLAIN = ("STRING", "FLOAT", "INT")
"""Sockets of ComfyUI's own for which it draws a widget unless told that they are wires."""

HIDDEN = {"unique_id": "UNIQUE_ID", "prompt": "PROMPT"}


class Handle:
    """What our own sockets carry: a recipe whose output is a small value (loss, network, statistic, table)."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe


class RecordingNode:
    """An operation in ComfyUI: it computes nothing, but records a step after the recipes that come in."""

    SPEC: OpSpec
    INPUT_IS_LIST = False

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802
        return input_types(cls.SPEC)

    def run(self, **values: Any) -> Any:
        """What ComfyUI calls: parameters that an older prompt does not name have their defaults."""
        defaults = {param.name: [param.default] if self.INPUT_IS_LIST else param.default for param in self.SPEC.params}
        return self.answer(**{**defaults, **values})

    def answer(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> tuple[Any, ...]:
        return self.given(unique_id, prompt, values)

    def given(
        self,
        unique_id: str,
        prompt: Mapping[str, Any] | None,
        values: Mapping[str, Any],
        opened: Callable[[], Any] | None = None,
    ) -> tuple[Any, ...]:
        """What the sockets carry; opened as in `recorded`. Raises WorkflowError naming the step."""
        with naming(self.SPEC, unique_id, prompt):
            return outputs(*recorded(self.SPEC, unique_id, prompt, values, opened))


def node_class(spec: OpSpec, base: type = RecordingNode, **attributes: Any) -> type:
    """The class of one node."""
    facts = {
        "SPEC": spec,
        "FUNCTION": "run",
        "CATEGORY": f"Luxgrad/{spec.family}" if spec.family else "Luxgrad",
        "DESCRIPTION": spec.summary,
        "RETURN_TYPES": tuple(output.socket for output in spec.outputs),
        "RETURN_NAMES": tuple(output.name for output in spec.outputs),
        "SEARCH_ALIASES": [spec.label, spec.name, f"luxgrad {spec.label.lower()}"],
        "__doc__": spec.summary,
    }
    return type(spec.node_id.replace(".", "_"), (base,), {**facts, **attributes})


def input_types(spec: OpSpec) -> dict[str, dict[str, Any]]:
    """INPUT_TYPES: pictures and other wires first, in the order of the declaration, then the widgets.

    Widgets are optional, so that prompts saved before a parameter was added still run; what names a file is not.
    """
    required: dict[str, Any] = {}
    optional: dict[str, Any] = {}
    for entry in spec.inputs:
        (required if entry.required else optional)[entry.name] = _socket(entry)
    for param in spec.params:
        (required if isinstance(param.kind, File) else optional)[param.name] = _widget(param)
    return {"required": required, "optional": optional, "hidden": dict(HIDDEN)}


def _socket(entry: Input) -> tuple[str, dict[str, Any]]:
    return entry.socket, {"tooltip": entry.tip, **({"forceInput": True} if entry.socket in PLAIN else {})}


def _widget(param: Param) -> tuple[Any, dict[str, Any]]:
    kind, options = param.kind, {"default": param.default, "tooltip": param.tip}
    if isinstance(kind, Slider):
        tip = f"{param.tip} ({kind.unit})" if kind.unit else param.tip
        low, high = kind.comfortable
        numbers = {"min": kind.low, "max": kind.high, "step": kind.step, "round": False, "display": "number"}
        return "FLOAT", {
            **options,
            **numbers,
            "tooltip": tip,
            "luxgrad": {"soft": [low, high], "unit": kind.unit, "log": kind.log},
        }
    return _other_widget(kind, options)


def _other_widget(kind: Kind, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    if isinstance(kind, Count):
        numbers = {"min": kind.low, "max": kind.high, "step": kind.step}
        return (
            ("INT", {**options, **numbers, "control_after_generate": False})
            if kind.whole
            else ("FLOAT", {**options, **numbers})
        )
    if isinstance(kind, Choice):
        return list(kind.options), options
    if isinstance(kind, Switch):
        return "BOOLEAN", options
    if isinstance(kind, Text):
        return "STRING", {**options, "multiline": kind.multiline}
    assert isinstance(kind, File)
    return "STRING", options


def recorded(
    spec: OpSpec,
    unique_id: str,
    prompt: Mapping[str, Any] | None,
    values: Mapping[str, Any],
    opened: Callable[[], Any] | None = None,
) -> tuple[Graph, dict[str, Any]]:
    """The graph that ends in this step, and what its sources were handed. Raises WorkflowError naming the step.

    opened: for a source, opens what it names.
    """
    with naming(spec, unique_id, prompt) as step:
        numbers = {param.name: values[param.name] for param in spec.params if param.name in values}
        graph, handed = record(spec, step.id, step.title, numbers, arriving(spec, unique_id, prompt, values))
        if opened is not None:
            handed[step.id] = opened()
        for slot, output in enumerate(spec.outputs):
            if output.socket in PICTURES:
                Recipe(graph, Ref(step.id, slot), handed).plan()
    return graph, handed


@contextlib.contextmanager
def naming(spec: OpSpec, unique_id: str, prompt: Mapping[str, Any] | None) -> Iterator[Step]:
    """The step that a node stands for; what goes wrong meanwhile names it, and what is made meanwhile can carry gradients."""
    title = title_of((prompt or {}).get(str(unique_id)))
    step = Step(str(unique_id) or spec.node_id, spec, title=title)
    try:
        with torch.inference_mode(False):
            yield step
    except (WorkflowError, FileError) as error:
        raise WorkflowError(str(error) if str(error).startswith("step ") else f"{step}: {error}") from None


def arriving(spec: OpSpec, unique_id: str, prompt: Mapping[str, Any] | None, values: Mapping[str, Any]) -> dict[str, Recipe]:
    """The recipes at a node's sockets; words and numbers are not among them, they arrive as they are."""
    wires = (prompt or {}).get(str(unique_id), {}).get("inputs", {})
    found: dict[str, Recipe] = {}
    for entry in sorted(spec.inputs, key=lambda wire: wire.socket == "MASK"):
        value = values.get(entry.name)
        if value is None or entry.socket in PLAIN:
            continue
        if entry.socket == "MASK" and found and carried(value) is None:
            value = fitting_mask(value, next(iter(found.values())).size)
        recipe = found[entry.name] = recipe_of(entry, value, wires.get(entry.name), f"{unique_id}/{entry.name}")
        if entry.picture and carried(value) is None:
            MEMORY.note(recipe.link.step, recipe.handed[recipe.link.step], prompt)
    return found


def recipe_of(wire: Input, value: Any, link: Any, own: str) -> Recipe:
    """The recipe of what arrives at a socket; an ordinary IMAGE or MASK becomes a source, named by where it comes from."""
    ours = carried(value)
    if ours is not None and ours.mask == (wire.socket == "MASK"):
        return ours
    if isinstance(value, Handle):
        return value.recipe
    if isinstance(value, Tensor) and wire.picture:
        name = f"{link[0]}/{link[1]}" if isinstance(link, (list, tuple)) and len(link) == 2 else own
        made = foreign(name, value, mask=wire.socket == "MASK")
        return made or source(name, bare(value), mask=wire.socket == "MASK")
    raise WorkflowError(f"{wire.name}: expected {wire.socket}; got {type(value).__name__}")


def outputs(graph: Graph, handed: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a step's sockets carry."""
    step = list(graph)[-1]
    recipes = [Recipe(graph, Ref(step.id, slot), handed) for slot in range(len(step.spec.outputs))]
    pictures = [output.socket in PICTURES for output in step.spec.outputs]
    return tuple(carry(recipe) if picture else Handle(recipe) for recipe, picture in zip(recipes, pictures))

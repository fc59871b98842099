"""Diagnose in ComfyUI: an advisor looks at the picture of a node; buttons in the editor apply its patch and keep the turn."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ..advice.asking import Advised, advisors, ask
from ..advice.conversation import text_of, turns_of
from ..advice.texts import said
from ..advice.view import SIZE, View
from ..graph.patch import Patch, apply
from . import comfy
from .factory import RecordingNode, arriving, naming
from .recipe import Recipe, codes_of_light, record
from .sinks import kept, picture_of
from .told import node_of
from .wire import carry


class DiagnoseNode(RecordingNode):
    """What an advisor says of a photo, and the photo as its patch would make it. The workflow changes by the buttons alone."""

    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802
        types = super().INPUT_TYPES()
        if "advisor" in types["optional"]:
            known = advisors()
            tip = " ".join(f"{name}: {entry.summary}" for name, entry in known.items())
            options = types["optional"]["advisor"][1]
            types["optional"]["advisor"] = list(known), {**options, "tooltip": f"{options['tooltip']} {tip}"}
        return types

    def answer(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        recipe, advised = self.asked(unique_id, prompt, values)
        texts = said_by(advised)
        with naming(self.SPEC, unique_id, prompt):
            photo = carry(mended(recipe, advised))
            result = photo, texts.patch, texts.report, evidence(recipe, advised), texts.conversation
        return {"ui": {**shown(advised), "text": [texts.report]}, "result": result}

    def asked(self, unique_id: str, prompt: Mapping[str, Any] | None, values: Mapping[str, Any]) -> tuple[Recipe, Advised]:
        """What arrives, and what the advisor says of its first picture. Raises WorkflowError naming the step."""
        with naming(self.SPEC, unique_id, prompt) as step:
            recipe = arriving(self.SPEC, unique_id, prompt, values)["photo"]
            first = recipe.frames()[0]
            words = [said(values.get("say", "")), said(values.get("words") or "", "words")]
            history = turns_of(values.get("conversation", ""))
            graph, _ = record(self.SPEC, step.id, step.title, {}, {"photo": first})
            with comfy.rendering(SIZE * SIZE) as settings:
                say = "\n".join(word for word in words if word)
                view = View(graph, first.given(), step.id, say=say, history=history, settings=settings)
                return recipe, ask(view, values.get("advisor", "auto"))


class AdviceNode(DiagnoseNode):
    """The node of before the answer could be seen as a photo: it gives words alone."""

    DEPRECATED = True

    def answer(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        _, advised = self.asked(unique_id, prompt, values)
        texts = said_by(advised)
        return {"ui": {**shown(advised), "text": [texts.report]}, "result": tuple(texts)}


class AutoNode(AdviceNode):
    """The node of before there were other advisors than auto: it gives the patch as text."""

    def answer(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        given = super().answer(unique_id, prompt, photo=values["photo"])
        return {"ui": given["ui"], "result": (given["result"][1],)}


class Said(NamedTuple):
    """What an advisor says, as text."""

    report: str
    patch: str
    conversation: str


def said_by(advised: Advised) -> Said:
    patch = json.dumps(in_prompt(advised.patch), indent=2, ensure_ascii=False)
    return Said("\n".join(advised.lines()), patch, kept_turns(advised))


def mended(recipe: Recipe, advised: Advised) -> Recipe:
    """The photo that arrives, all pictures of its batch, as the patch would make it."""
    (asking,) = (step for step in advised.view.graph if step.id == advised.view.sink)
    graph = apply(dataclasses.replace(recipe.graph, steps={**recipe.graph.steps, asking.id: asking}), advised.patch)
    steps = {key: step for key, step in graph.steps.items() if key != asking.id}
    return Recipe(dataclasses.replace(graph, steps=steps), graph.steps[asking.id].links["photo"], recipe.handed)


def evidence(recipe: Recipe, advised: Advised) -> Tensor:
    """Where something was found, as a MASK (B,H,W) of the photo's size; nothing where no finding says where."""
    if advised.mask is None:
        return torch.zeros(1, *recipe.size)
    return interpolate(advised.mask, tuple(recipe.size), mode="bilinear", align_corners=False)[:1, 0]


def shown(advised: Advised) -> dict[str, Any]:
    """What the buttons of the editor apply: {edits, conversation}, and a picture of where something was found."""
    edits = for_editor(advised.patch, advised.view)
    ui: dict[str, Any] = {"luxgrad_advice": [{"edits": edits, "conversation": kept_turns(advised)}]}
    if advised.mask is not None:
        light = advised.view.shown[:1] * (0.15 + 0.85 * advised.mask[:1])
        ui["images"] = [kept(picture_of(codes_of_light(light, eight_bits=False)[0]))]
    return ui


def kept_turns(advised: Advised) -> str:
    """The conversation with this turn, as text, in the words of the prompt."""
    turn = advised.turn
    turn = dataclasses.replace(turn, patch=in_prompt(turn.patch), undo=in_prompt(turn.undo))
    return text_of([*advised.view.history, turn])


def in_prompt(patch: Patch) -> list[dict[str, Any]]:
    """A patch whose wires come from nodes of the prompt: an ordinary picture is recorded as a source `node/output`."""
    edits = [dict(edit) for edit in patch]
    for edit in edits:
        if edit.get("from") is not None:
            edit["from"] = _wire(edit["from"])
        if "links" in edit:
            edit["links"] = {name: _wire(link) for name, link in edit["links"].items()}
    return edits


def _wire(link: Sequence[Any]) -> list[Any]:
    node, mark, slot = link[0].rpartition("/")
    return [node, int(slot)] if mark and slot.isdecimal() else list(link)


def for_editor(patch: Patch, view: View) -> list[dict[str, Any]]:
    """A patch in the editor's words: nodes by their ids; copies of a step (`node#2`) share the widgets of the first."""
    edits = []
    for edit in in_prompt(patch):
        if edit["edit"] == "set":
            path = view.graph.path(edit.pop("path"))
            edit |= {"step": node_of(path.step, view.graph), "name": path.name}
        elif edit["edit"] != "add":
            edit["step"] = node_of(view.graph.step(edit["step"]).id, view.graph) if _there(edit, view) else edit["step"]
        edits.append(edit)
    return edits


def _there(edit: Mapping[str, Any], view: View) -> bool:
    """Whether an edit is about a step that the graph has, by id or title, and not one that the patch adds."""
    return edit["step"] in view.graph.steps or any(step.title == edit["step"] for step in view.graph)

"""Advice in ComfyUI: an advisor looks at the picture of a node; buttons in the editor apply its patch and keep the turn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..advice.asking import Advised, advisors, ask
from ..advice.conversation import text_of, turns_of
from ..advice.texts import said
from ..advice.view import SIZE, View
from ..graph.patch import Patch
from . import comfy
from .factory import RecordingNode, arriving, naming
from .recipe import codes_of_light, record
from .sinks import kept, picture_of
from .told import node_of


class AdviceNode(RecordingNode):
    """What an advisor says of a photo, and the patch that mends it. Looking changes nothing: that is for the buttons."""

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

    def record(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        advised = self.asked(unique_id, prompt, values)
        patch = json.dumps(list(advised.patch), indent=2, ensure_ascii=False)
        conversation = text_of(advised.conversation)
        text = "\n".join(advised.lines())
        return {"ui": {**shown(advised), "text": [text]}, "result": (text, patch, conversation)}

    def asked(self, unique_id: str, prompt: Mapping[str, Any] | None, values: Mapping[str, Any]) -> Advised:
        """What the advisor says. Raises WorkflowError naming the step."""
        with naming(self.SPEC, unique_id, prompt) as step:
            recipe = arriving(self.SPEC, unique_id, prompt, values)["photo"].frames()[0]
            words = [said(values.get("say", "")), said(values.get("words") or "", "words")]
            history = turns_of(values.get("conversation", ""))
            graph, _ = record(self.SPEC, step.id, step.title, {}, {"photo": recipe})
            with comfy.rendering(SIZE * SIZE) as settings:
                say = "\n".join(word for word in words if word)
                view = View(graph, recipe.given(), step.id, say=say, history=history, settings=settings)
                return ask(view, values.get("advisor", "auto"))


class AutoNode(AdviceNode):
    """The node of before there were other advisors than auto: it gives the patch as text."""

    DEPRECATED = True

    def record(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        given = super().record(unique_id, prompt, photo=values["photo"])
        return {"ui": given["ui"], "result": (given["result"][1],)}


def shown(advised: Advised) -> dict[str, Any]:
    """What the buttons of the editor apply: {edits, conversation}, and a picture of where something was found."""
    edits = for_editor(advised.patch, advised.view)
    ui: dict[str, Any] = {"luxgrad_advice": [{"edits": edits, "conversation": text_of(advised.conversation)}]}
    if advised.mask is not None:
        light = advised.view.shown[:1] * (0.15 + 0.85 * advised.mask[:1])
        ui["images"] = [kept(picture_of(codes_of_light(light, eight_bits=False)[0]))]
    return ui


def for_editor(patch: Patch, view: View) -> list[dict[str, Any]]:
    """A patch in the editor's words: nodes by their ids; copies of a step (`node#2`) share the widgets of the first."""
    edits = []
    for edit in patch:
        edit = dict(edit)
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

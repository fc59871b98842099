"""Auto: a first guess as a patch. Buttons in the editor apply its values and insert its steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..advice.auto import auto
from ..graph.patch import Patch
from ..light.photo import Photo
from .factory import RecordingNode, arriving, naming
from .recipe import record


class AutoNode(RecordingNode):
    """A first guess: a patch as text, and its values for the button that applies them."""

    OUTPUT_NODE = True

    def record(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        with naming(self.SPEC, unique_id, prompt) as step:
            recipe = arriving(self.SPEC, unique_id, prompt, values)["photo"].frames()[0]
            camera = next(value for value in recipe.handed.values() if isinstance(value, Photo))
            graph, _ = record(self.SPEC, step.id, step.title, {}, {"photo": recipe})
            patch = auto(graph, camera, step.id)
        sets = [(graph.path(edit["path"]), edit["value"]) for edit in patch if edit["edit"] == "set"]
        guess = [{"node": path.step, "name": path.name, "value": value} for path, value in sets]
        lines = [f"{entry['node']}.{entry['name']} = {entry['value']:g}" for entry in guess]
        lines += [f"insert {edit['title']}" for edit in patch if edit["edit"] == "add"]
        shown = {"luxgrad_guess": guess, "luxgrad_insert": inserts(patch), "text": ["\n".join(lines)]}
        return {"ui": shown, "result": (json.dumps(list(patch), indent=2),)}


def inserts(patch: Patch) -> list[dict[str, Any]]:
    """The steps that a patch adds, as one chain for the editor: {steps: [{node, title, values}], into: [{node, input}]}."""
    steps = [{"node": e["node"], "title": e["title"], "values": dict(e["values"])} for e in patch if e["edit"] == "add"]
    into = [{"node": e["step"], "input": e["input"]} for e in patch if e["edit"] == "link"]
    return [{"steps": steps, "into": into}] if steps else []

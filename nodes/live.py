"""Live previews: a node of a workflow on a small proxy, by a route of ours, without queueing a run.

The steps are rebuilt from the prompt that the editor sends. Pixels come from files that sources name, else from what our
nodes last recorded; a node of another pack is never run for a preview.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from typing import Any

from ..graph.errors import WorkflowError, one_line
from ..graph.model import Link
from ..graph.ports import DEVELOPING, find_spec
from ..graph.render import Settings
from ..graph.room import Room
from ..ops.params import File
from ..ops.spec import PICTURES
from . import comfy
from .factory import PLAIN
from .memory import MEMORY
from .recipe import Recipe, record, source_of, title_of
from .sinks import picture_of

SIZE = 1024
_LONGEST = 200


class NotYet(WorkflowError):
    """A picture that only a run can bring."""


class _Rebuilding:
    """One prompt on its way to a recipe."""

    def __init__(self, prompt: Mapping[str, Any]) -> None:
        self.prompt, self.stale = prompt, False
        self.made: dict[str, Any] = {}

    def at(self, node: str, slot: int = 0, depth: int = 0) -> Recipe:
        """The recipe of a node's output."""
        entry = self.prompt.get(node)
        if not isinstance(entry, Mapping) or not isinstance(entry.get("inputs", {}), Mapping):
            raise WorkflowError(f"expected a node {node[:40]!r} in the prompt")
        if depth > _LONGEST:
            raise WorkflowError(f"expected at most {_LONGEST} steps in a row, and no circle")
        kind = entry.get("class_type")
        if not isinstance(kind, str):
            raise WorkflowError(f"node {node[:40]}: expected the name of a class")
        if kind == "luxgrad.fit":
            return self._wire(node, entry, "photo", depth)
        if not kind.startswith("luxgrad.") and kind != "LoadImage":
            return self._foreign(node, slot)
        if node not in self.made:
            self.made[node] = self._step(node, kind, entry, depth)
        graph, handed = self.made[node]
        outputs = graph.steps[node].spec.outputs
        if not 0 <= slot < len(outputs) or outputs[slot].socket == "STRING":
            raise WorkflowError(f"expected a picture from node {node[:40]!r}; its output {slot} is none")
        return Recipe(graph, Link(node, slot), handed)

    def _step(self, node: str, kind: str, entry: Mapping[str, Any], depth: int) -> Any:
        spec = find_spec(kind)
        given = dict(entry.get("inputs") or {})
        inputs = {
            wire.name: self._wire(node, entry, wire.name, depth)
            for wire in spec.inputs
            if isinstance(given.get(wire.name), list) and wire.socket not in PLAIN
        }
        values = {param.name: given[param.name] for param in spec.params if param.name in given}
        graph, handed = record(spec, node, title_of(entry), values, inputs)
        if getattr(spec.reach, "role", None) == "source":
            param = spec.params[0]
            assert isinstance(param.kind, File)
            name = str(values.get(param.name, param.default))
            handed[node] = _opened(param.kind.kind, name, {key: values[key] for key in DEVELOPING if key in values})
        return graph, handed

    def _wire(self, node: str, entry: Mapping[str, Any], name: str, depth: int) -> Recipe:
        link = (entry.get("inputs") or {}).get(name)
        if not isinstance(link, list) or len(link) != 2:
            raise WorkflowError(f"node {node}: its input {name} is not wired")
        return self.at(str(link[0]), int(link[1]), depth + 1)

    def _foreign(self, node: str, slot: int) -> Recipe:
        found = MEMORY.seen(f"{node}/{slot}", self.prompt)
        if found is None:
            raise NotYet(f"node {node} has not run yet")
        photo, stale = found
        self.stale |= stale
        step_id = f"{node}/{slot}"
        return source_of(step_id, MEMORY.looked(f"{step_id} {id(photo)}", lambda: photo), slot)


def _opened(kind: str, name: str, options: Mapping[str, Any]) -> Any:
    if kind not in ("photo", "8-bit image"):
        return comfy.read(kind, name)
    path = comfy.path_of(kind, name)
    key = f"{kind} {path} {path.stat().st_mtime_ns} {sorted(options.items())}"
    return MEMORY.looked(key, lambda: comfy.read(kind, name, **options))


def preview(prompt: Mapping[str, Any], node: str, size: int = SIZE, moving: str = "") -> tuple[bytes, bool]:
    """A node's picture as JPEG with a long edge of at most `size` px, and whether it is stale. Raises WorkflowError.

    moving: the node whose slider moves; what comes before it is rendered once.
    """
    if not isinstance(prompt, Mapping):
        raise WorkflowError("expected a prompt: an object of nodes")
    building = _Rebuilding(prompt)
    recipe = building.at(node)
    if recipe.socket not in PICTURES:
        raise WorkflowError(f"expected a node that gives a picture; node {node[:40]} gives {recipe.socket}")
    scale = min(1.0, size / recipe.size.long_edge)
    settings = Settings(device=comfy.device(), room=Room(comfy.CACHE.clear))  # models may be at work in a run: they stay
    codes = recipe.render(settings, scale, comfy.CACHE, moving)
    codes = codes[0, ..., :3] if codes.ndim == 4 else codes[0, ..., None].expand(-1, -1, 3)
    buffer = io.BytesIO()
    picture_of(codes).save(buffer, "JPEG", quality=85)
    return buffer.getvalue(), building.stale


def register(routes: Any) -> None:
    """POST /luxgrad/preview {prompt, node, moving}: a JPEG; 409 where only a run can bring the pixels; 400 for mistakes."""
    from aiohttp import web

    @routes.post("/luxgrad/preview")
    async def answer(request: Any) -> Any:
        origin = request.headers.get("Origin", "")
        foreign = origin and origin.rpartition("//")[2] != request.headers.get("Host")
        if request.content_type != "application/json" or foreign or request.headers.get("Sec-Fetch-Site") == "cross-site":
            return web.json_response({"error": "expected JSON from this editor"}, status=403)
        try:
            data = await request.json()
            if not isinstance(data, dict):
                raise WorkflowError("expected an object")
            moving = str(data.get("moving", ""))
            picture, stale = await asyncio.to_thread(preview, data["prompt"], str(data["node"]), SIZE, moving)
        except NotYet as error:
            return web.json_response({"error": str(error)}, status=409)
        except RecursionError:
            return web.json_response({"error": "expected a prompt that is not nested deeply"}, status=400)
        except (WorkflowError, KeyError, TypeError, ValueError, OverflowError) as error:
            return web.json_response({"error": one_line(str(error))}, status=400)
        return web.Response(body=picture, content_type="image/jpeg", headers={"X-Luxgrad-Stale": str(int(stale))})

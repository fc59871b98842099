"""Live previews: a node of a workflow on a small proxy, by a route of ours, without queueing a run.

The steps are rebuilt from the prompt that the editor sends. Pixels come from files that sources name, else from what our
nodes last recorded; a node of another pack is never run for a preview.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from typing import Any

from ..engine.memory import Memory
from ..engine.render import Settings
from ..graph.errors import WorkflowError, got, one_line
from ..graph.model import Ref
from ..graph.ports import DEVELOPING, find_spec
from ..graph.shape import Entry, entry_of, field, plain_data
from ..graph.ui_layout import is_link
from ..ops.params import File
from ..ops.spec import PICTURES, Input
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

    def at(self, node: str, slot: int = 0, socket: str = "IMAGE", depth: int = 0) -> Recipe:
        """The recipe of a node's output. socket: what another pack's node gives there."""
        if node not in self.prompt:
            raise WorkflowError(f"expected a node {one_line(node, 40)!r} in the prompt")
        if depth > _LONGEST:
            raise WorkflowError(f"expected at most {_LONGEST} steps in a row, and no circle")
        entry = entry_of(node, self.prompt[node])
        if entry.kind == "luxgrad.fit":
            return self._wire(node, entry, find_spec(entry.kind).inputs[0], depth)
        if not entry.kind.startswith("luxgrad.") and entry.kind != "LoadImage":
            return self._foreign(node, slot, socket)
        if node not in self.made:
            self.made[node] = self._step(node, entry, depth)
        graph, handed = self.made[node]
        outputs = graph.steps[node].spec.outputs
        if not 0 <= slot < len(outputs) or outputs[slot].socket == "STRING":
            raise WorkflowError(f"expected a picture from node {one_line(node, 40)!r}; its output {slot} is none")
        return Recipe(graph, Ref(node, slot), handed)

    def _step(self, node: str, entry: Entry, depth: int) -> Any:
        spec, given = find_spec(entry.kind), entry.inputs
        inputs = {
            wire.name: self._wire(node, entry, wire, depth)
            for wire in spec.inputs
            if wire.socket not in PLAIN and (wire.required or isinstance(given.get(wire.name), list))
        }
        values = {param.name: given[param.name] for param in spec.params if param.name in given}
        graph, handed = record(spec, node, title_of(self.prompt[node]), values, inputs)
        if getattr(spec.reach, "role", None) == "source":
            param = spec.params[0]
            assert isinstance(param.kind, File)
            name = str(values.get(param.name, param.default))
            handed[node] = _opened(param.kind.kind, name, {key: values[key] for key in DEVELOPING if key in values})
        return graph, handed

    def _wire(self, node: str, entry: Entry, wire: Input, depth: int) -> Recipe:
        link, where = entry.inputs.get(wire.name), f"node {one_line(node, 40)}, {wire.name}"
        if not is_link(link):
            raise WorkflowError(f"{where}: expected a wire [node, output]; got {'nothing' if link is None else got(link)}")
        found = self.at(link[0], link[1], wire.socket, depth + 1)
        if found.socket != wire.socket:
            raise WorkflowError(f"{where}: expected {wire.socket}; got {found.socket} from node {one_line(link[0], 40)}")
        return found

    def _foreign(self, node: str, slot: int, socket: str) -> Recipe:
        found = MEMORY.seen(f"{node}/{slot}", self.prompt)
        if found is None:
            raise NotYet(f"node {one_line(node, 40)} has not run yet")
        photo, stale = found
        self.stale |= stale
        step_id = f"{node}/{slot}"
        return source_of(step_id, MEMORY.looked(f"{step_id} {id(photo)}", lambda: photo), int(socket == "MASK"))


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
        raise WorkflowError(f"expected a prompt: an object of nodes; got {got(prompt)}")
    building = _Rebuilding(plain_data(prompt, "prompt"))
    recipe = building.at(node)
    if recipe.socket not in PICTURES:
        raise WorkflowError(f"expected a node that gives a picture; node {one_line(node, 40)} gives {recipe.socket}")
    scale = min(1.0, size / recipe.size.long_edge)
    settings = Settings(device=comfy.device(), memory=Memory(comfy.CACHE.clear))  # models may be at work in a run: they stay
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
                raise WorkflowError(f"expected an object; got {got(data)}")
            prompt = field(data, "prompt", dict, "the request", required=True)
            node, moving = (field(data, name, str, "the request") or "" for name in ("node", "moving"))
            picture, stale = await asyncio.to_thread(preview, prompt, node, SIZE, moving)
        except NotYet as error:
            return web.json_response({"error": str(error)}, status=409)
        except RecursionError:
            return web.json_response({"error": "expected a prompt that is not nested deeply"}, status=400)
        except ValueError as error:  # a WorkflowError, a FileError, or no JSON
            return web.json_response({"error": one_line(str(error))}, status=400)
        return web.Response(body=picture, content_type="image/jpeg", headers={"X-Luxgrad-Stale": str(int(stale))})

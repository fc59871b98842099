"""A stand-in for ComfyUI's server, for the real editor: what its first screen, a workflow and a run need, and no more.

Its nodes are our classes, called as ComfyUI's executor calls them; its folders are an input, an output and a temp folder.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from aiohttp import WSMsgType, web

ROOT = Path(__file__).resolve().parents[2]
PACK = "a.pack-of-ours"
_STATIC = "comfyui_frontend_package/static/"


class StandIn:
    """Serves the editor of a wheel (comfyui-frontend-package), in a base folder of its own, until stopped.

    classes: by id. prompts: what the editor sent, whether it could run or not.
    """

    def __init__(self, base: Path, wheel: Path, classes: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self.base, self.classes, self.names = base, classes, names
        self.prompts: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}
        self._files, self._paths = zipfile.ZipFile(wheel), set(zipfile.ZipFile(wheel).namelist())
        self._sockets: list[web.WebSocketResponse] = []
        self._runs: list[threading.Thread] = []
        for name in ("input", "output", "temp"):
            (base / name).mkdir(parents=True)
        self._before = sys.modules.get("folder_paths")
        sys.modules["folder_paths"] = _folder_paths(base)  # type: ignore[assignment]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        self.url = f"http://127.0.0.1:{self.port}"

    async def _start(self) -> int:
        app = web.Application(client_max_size=64 << 20)
        for method, path, answer in self._routes():
            for prefix in ("", "/api"):
                (app.router.add_get if method == "GET" else app.router.add_post)(prefix + path, answer)
        app.router.add_get("/{path:.*}", self._static)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return self._runner.addresses[0][1]

    def stop(self) -> None:
        for run in self._runs:
            run.join(60)
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()
        self._files.close()
        sys.modules.pop("folder_paths")
        if self._before is not None:
            sys.modules["folder_paths"] = self._before

    def post(self, path: str, data: Any) -> None:
        """Change the settings, as tests of the real server do by a request."""
        assert path == "/settings"
        self.settings |= data

    # What the editor asks for -----------------------------------------------------------------------------------------

    def _routes(self) -> Iterator[tuple[str, str, Any]]:
        said: dict[str, Callable[[], Any]] = {
            "/users": lambda: {"storage": "server", "migrated": True},
            "/settings": lambda: self.settings,
            "/extensions": lambda: [f"/extensions/{PACK}/{file.name}" for file in (ROOT / "nodes" / "web").glob("*.js")],
            "/object_info": lambda: {name: self._declared(name) for name in self.classes},
            "/workflow_templates": lambda: {PACK: [file.stem for file in (ROOT / "workflows").glob("*.json")]},
            "/templates/index.json": list, "/templates/index_logo.json": dict, "/userdata": list, "/global_subgraphs": dict,
            "/prompt": lambda: {"exec_info": {"queue_remaining": 0}},
            "/queue": lambda: {"queue_running": [], "queue_pending": []}, "/history": dict,
            "/jobs": lambda: {"jobs": [], "pagination": {"offset": 0, "limit": 200, "total": 0, "has_more": False}},
            "/system_stats": lambda: {"system": {"argv": [], "comfyui_version": "0.3.64"}, "devices": []},
            "/features": dict, "/i18n": dict, "/embeddings": list, "/experiment/models": list, "/node_replacements": dict,
        }  # fmt: skip
        for path, value in said.items():
            yield "GET", path, _json(value)
        yield "POST", "/prompt", self._queue
        yield "GET", "/ws", self._listen
        yield "GET", "/view", self._view
        yield "POST", "/upload/image", self._upload
        yield "POST", "/settings/{name}", self._set
        yield "GET", "/userdata/{name}", _nothing
        yield "GET", f"/extensions/{PACK}/{{path:.*}}", _file_of(ROOT / "nodes" / "web")
        yield "GET", f"/workflow_templates/{PACK}/{{path:.*}}", _file_of(ROOT / "workflows")

    def _declared(self, name: str) -> dict[str, Any]:
        cls = self.classes[name]
        types = cls.INPUT_TYPES()
        return {
            "input": types, "input_order": {kind: list(entries) for kind, entries in types.items()},
            "output": cls.RETURN_TYPES, "output_is_list": _lists(cls), "output_name": cls.RETURN_NAMES,
            "name": name, "display_name": self.names[name], "description": cls.DESCRIPTION, "category": cls.CATEGORY,
            "python_module": f"custom_nodes.{PACK}", "output_node": getattr(cls, "OUTPUT_NODE", False),
        }  # fmt: skip

    async def _static(self, request: web.Request) -> web.Response:
        path = request.match_info["path"] or "index.html"
        if _STATIC + path not in self._paths:
            return web.Response(status=404)
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return web.Response(body=self._files.read(_STATIC + path), content_type=kind)

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await socket.send_json({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "one"}})
        async for message in socket:
            if message.type == WSMsgType.ERROR:
                break
        return socket

    async def _set(self, request: web.Request) -> web.Response:
        self.settings[request.match_info["name"]] = await request.json()
        return web.Response()

    async def _view(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        path = self.base / query.get("type", "output") / query.get("subfolder", "") / query["filename"]
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        image: Any = form["image"]
        path = self.base / "input" / str(form["subfolder"]) / image.filename
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(image.file.read())
        return web.json_response({"name": image.filename, "subfolder": form["subfolder"], "type": "input"})

    # A run ------------------------------------------------------------------------------------------------------------

    async def _queue(self, request: web.Request) -> web.Response:
        order = await request.json()
        self.prompts.append(order["prompt"])
        wrong = {
            node: {"class_type": entry["class_type"], "dependent_outputs": [], "errors": found}
            for node, entry in order["prompt"].items()
            if (found := list(_mistakes(self.classes[entry["class_type"]], entry["inputs"])))
        }
        if wrong:
            error = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation",
                     "details": "", "extra_info": {}}  # fmt: skip
            return web.json_response({"error": error, "node_errors": wrong}, status=400)
        key = str(len(self.prompts))
        document = order.get("extra_data", {}).get("extra_pnginfo")
        self._runs.append(threading.Thread(target=self._run, args=(key, order["prompt"], document), daemon=True))
        self._runs[-1].start()
        return web.json_response({"prompt_id": key, "number": len(self.prompts), "node_errors": {}})

    def _tell(self, kind: str, **data: Any) -> None:
        async def send() -> None:
            for socket in self._sockets:
                if not socket.closed:
                    await socket.send_json({"type": kind, "data": data})

        asyncio.run_coroutine_threadsafe(send(), self._loop).result(30)

    def _run(self, key: str, prompt: dict[str, Any], document: Any) -> None:
        self._tell("execution_start", prompt_id=key)
        made: dict[str, Any] = {}
        try:
            for node, entry in prompt.items():
                if getattr(self.classes[entry["class_type"]], "OUTPUT_NODE", False):
                    self._result(key, prompt, document, node, made)
        except Exception as error:
            said = {"exception_message": str(error), "exception_type": type(error).__name__, "traceback": []}
            at = {"node_id": node, "node_type": "", "executed": [], "current_inputs": {}, "current_outputs": {}}
            self._tell("execution_error", prompt_id=key, **said, **at)
            return
        self._tell("executing", node=None, prompt_id=key)
        self._tell("execution_success", prompt_id=key)

    def _result(self, key: str, prompt: dict[str, Any], document: Any, node: str, made: dict[str, Any]) -> list[list[Any]]:
        """The outputs of a node, each a list, as ComfyUI keeps them; a class that takes no lists is called once per entry."""
        if node in made:
            return made[node]
        cls = self.classes[prompt[node]["class_type"]]
        values = {
            name: self._result(key, prompt, document, value[0], made)[value[1]] if isinstance(value, list) else [value]
            for name, value in prompt[node]["inputs"].items()
        }
        hidden = {"UNIQUE_ID": node, "PROMPT": prompt, "EXTRA_PNGINFO": document}
        values |= {name: [hidden[kind]] for name, kind in cls.INPUT_TYPES()["hidden"].items()}
        calls = [values]
        if not getattr(cls, "INPUT_IS_LIST", False):
            count = max(len(value) for value in values.values())
            calls = [{name: value[min(at, len(value) - 1)] for name, value in values.items()} for at in range(count)]
        self._tell("executing", node=node, display_node=node, prompt_id=key)
        made[node] = [[] for _ in cls.RETURN_TYPES]
        for call in calls:
            with torch.inference_mode():
                found = getattr(cls(), cls.FUNCTION)(**call)
            shown, results = (found.get("ui"), found.get("result", ())) if isinstance(found, dict) else (None, found)
            for kept, result, is_list in zip(made[node], results, _lists(cls)):
                kept.extend(result if is_list else [result])
            if shown:
                self._tell("executed", node=node, display_node=node, output=shown, prompt_id=key)
        return made[node]


def _lists(cls: Any) -> list[bool]:
    return list(getattr(cls, "OUTPUT_IS_LIST", [False] * len(cls.RETURN_TYPES)))


def _mistakes(cls: Any, inputs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What ComfyUI refuses: inputs that miss, choices that there are not, numbers out of range, what the class refuses."""
    types, checked = cls.INPUT_TYPES(), getattr(cls, "VALIDATE_INPUTS", None)
    for name, (kind, *rest) in {**types["required"], **types["optional"]}.items():
        options, value = rest[0], inputs.get(name)
        if name not in inputs:
            if name in types["required"]:
                yield _error("required_input_missing", f"Required input is missing: {name}", name, value)
        elif isinstance(value, list):
            continue
        elif checked is not None and name == "file":
            if (said := checked(value)) is not True:
                yield _error("custom_validation_failed", str(said), name, value)
        elif isinstance(kind, list):
            if value not in kind:
                yield _error("value_not_in_list", f"Value not in list: {name}: {value!r} not in {kind}", name, value)
        elif kind in ("INT", "FLOAT") and not options["min"] <= value <= options["max"]:
            yield _error("value_out_of_range", f"{name}: {value} out of range", name, value)


def _error(kind: str, message: str, name: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": name, "extra_info": {"input_name": name, "received_value": value}}


def _folder_paths(base: Path) -> SimpleNamespace:
    def save_path(prefix: str, folder: str, _width: int, _height: int) -> tuple[str, str, int, str, str]:
        return folder, prefix, 1, "", prefix

    def folders_of(kind: str) -> list[str]:
        raise KeyError(kind)

    return SimpleNamespace(
        get_input_directory=lambda: str(base / "input"),
        get_output_directory=lambda: str(base / "output"),
        get_temp_directory=lambda: str(base / "temp"),
        get_folder_paths=folders_of,
        get_save_image_path=save_path,
    )


def _json(value: Callable[[], Any]) -> Any:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=json.dumps(value()), content_type="application/json")

    return answer


async def _nothing(_request: web.Request) -> web.Response:
    return web.Response(status=404)


def _file_of(folder: Path) -> Any:
    async def answer(request: web.Request) -> web.StreamResponse:
        path = folder / request.match_info["path"]
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    return answer

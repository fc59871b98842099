"""The real ComfyUI as a child process, for tests that are asked for with COMFYUI_ROOT."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0


class Server:
    """ComfyUI on the CPU with our pack, in a base folder of its own.

    flags: more of its command line. ours: whether our pack is there. packs: other packs, name -> source of its module.
    pinned: the front end that comes with it, whatever COMFYUI_FRONTEND says. settings: of its settings dialog.
    COMFYUI_ROOT: a checkout. COMFYUI_PYTHON: the interpreter that has its requirements (this one). COMFYUI_FRONTEND: an
    unpacked front end to serve instead of the pinned one.
    """

    def __init__(
        self,
        base: Path,
        *flags: str,
        ours: bool = True,
        packs: Mapping[str, str] | None = None,
        pinned: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.base = base
        for name in ("custom_nodes", "input", "output", "temp", "user", "models"):
            (base / name).mkdir(parents=True)
        if ours:
            (base / "custom_nodes" / "a.pack-of-ours").symlink_to(ROOT)
        for name, source in (packs or {}).items():
            (base / "custom_nodes" / f"{name}.py").write_text(source)
        if settings:
            (base / "user" / "default").mkdir()
            (base / "user" / "default" / "comfy.settings.json").write_text(json.dumps(settings))
        for photo in (ROOT / "workflows" / "photos").iterdir():
            shutil.copy(photo, base / "input" / photo.name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            os.environ.get("COMFYUI_PYTHON", sys.executable),
            "-W",
            "ignore",
            str(Path(os.environ["COMFYUI_ROOT"]) / "main.py"),
        ]
        command += ["--cpu", "--listen", "127.0.0.1", "--port", str(self.port), "--base-directory", str(base)]
        command += ["--disable-api-nodes", "--database-url", f"sqlite:///{base / 'user' / 'comfyui.db'}"]
        command += flags
        if "COMFYUI_FRONTEND" in os.environ and not pinned:
            command += ["--front-end-root", os.environ["COMFYUI_FRONTEND"]]
        self.log = (base / "server.log").open("w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, cwd=base)
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                self.get("/system_stats")
                return
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None, (self.base / "server.log").read_text()[-3000:]
                time.sleep(0.5)
        raise AssertionError((self.base / "server.log").read_text()[-3000:])

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.loads(answer.read())

    def post(self, path: str, data: Any) -> Any:
        request = urllib.request.Request(self.url + path, json.dumps(data).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return {"refused": json.loads(error.read())}

    def run(self, prompt: dict[str, Any], workflow: Any = None, stop_after: float = 0.0, every: float = 0.2) -> dict[str, Any]:
        """Queue a prompt and wait for the end; its outputs by node, or {'error': ...}. stop_after: seconds until Stop.

        every: seconds between looks.
        """
        order: dict[str, Any] = {"prompt": prompt, "extra_data": {"extra_pnginfo": {"workflow": workflow}} if workflow else {}}
        answer = self.post("/prompt", order)
        if "prompt_id" not in answer:
            return {"error": answer}
        if stop_after:
            time.sleep(stop_after)
            self.post("/interrupt", {})
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            history = self.get(f"/history/{answer['prompt_id']}")
            if answer["prompt_id"] in history:
                entry = history[answer["prompt_id"]]
                failed = [data for kind, data in entry["status"]["messages"] if kind == "execution_error"]
                return (
                    {"error": failed[0]["exception_message"], "at": failed[0]["traceback"][-4:]} if failed else entry["outputs"]
                )
            time.sleep(every)
        raise AssertionError((self.base / "server.log").read_text()[-3000:])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

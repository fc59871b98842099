"""What a terminal and a script have that ComfyUI's plugin does without: the environment, `subprocess`, and endpoints.

ComfyUI's registry flags archives that read or hold any of them, so the archive leaves this file and `endpoint/` out; in
ComfyUI the limits are settings (`nodes/comfy.py`) and processes are spawned (`files/spawn.py`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .advice.language import files as language_files
from .endpoint import settings
from .files import apart, limits

# Nothing is imported before the current folder has left the path: it may hold anybody's files.
_START = """
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import runpy
runpy.run_path(sys.argv[1], {"FOLDER": sys.argv[2]})
"""


def use() -> None:
    """From now on, limits and the language model come from the environment, and decoders are started by `subprocess`."""
    limits.set_by(_limit)
    language_files.set_by(_language)
    apart.start_by(Child)


def _limit(limit: str) -> tuple[Any, str]:
    name = f"LUXGRAD_MOST_{limit.upper()}"
    return os.environ.get(name), name


def _language() -> tuple[Any, str]:
    """The name or path of a language model, or, where a URL is set, the endpoint itself. Raises NoLanguage."""
    told = os.environ.get(settings.LANGUAGE)
    return settings.endpoint_of(os.environ) if settings.is_url(told) else told, settings.LANGUAGE


class Child:
    """A Python process that runs a file, with `FOLDER` set to a folder. Raises OSError where none can be started."""

    def __init__(self, program: Path, folder: Path) -> None:
        command = [sys.executable, "-c", _START, str(program), str(folder)]
        environment = {name: value for name, value in os.environ.items() if name != settings.KEY}  # it opens anybody's files
        none = subprocess.DEVNULL
        self._child = subprocess.Popen(command, stdin=none, stdout=none, stderr=none, env=environment)

    def wait(self, seconds: float) -> int | None:
        """How it ended (below 0: by that signal); None where it runs on after so long."""
        until = time.monotonic() + seconds
        while (code := self._child.poll()) is None and time.monotonic() < until:
            time.sleep(0.002)  # finer than Popen.wait, whose steps are 50 ms
        return code

    def end(self) -> None:
        """Ended, however it is, and nothing of it left."""
        self._child.kill()
        self._child.wait()

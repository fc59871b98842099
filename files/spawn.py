"""A new Python process by multiprocessing, for the plugin: ComfyUI's registry flags archives that start one the plain way.

A terminal and a script start theirs that plain way all the same (`environment.py`, which the archive leaves out), for
multiprocessing has its conditions:

* It runs the main module of this process anew in the other: ComfyUI's main.py, or a script without a guard. A package's
  `__main__` alone it passes over, so it is shown one while a process starts.
* It refuses to start from a process of its own that is daemonic, as a DataLoader's workers are, or still starting.
* Before the other process has our `sys.path`, it imports from the current folder first, which may hold anybody's files.
* A second process, which looks after resources, comes with the first and stays until this one ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import runpy
import sys
import threading
import time
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from multiprocessing.connection import wait
from pathlib import Path

_SLICE = 0.25
_UNTOLD = 500
"""So many milliseconds after its end, nobody will tell how it was: SIGCHLD is ignored. What it left behind says it then."""

_STARTS = threading.Lock()


class Spawned:
    """A process that runs a file, with `FOLDER` set to a folder. Raises OSError where none can be started."""

    def __init__(self, program: Path, folder: Path) -> None:
        # what it runs first is of the standard library: this package has no name there yet
        run, arguments = runpy.run_path, (str(program), {"FOLDER": str(folder)})
        self._process = multiprocessing.get_context("spawn").Process(target=run, args=arguments, daemon=True)
        try:
            with _unseen_main():
                self._process.start()
        except (AssertionError, RuntimeError) as error:
            raise OSError(" ".join(str(error).split())[:120]) from None

    def wait(self, seconds: float) -> int | None:
        """How it ended (below 0: by that signal); None where it runs on after so long."""
        until, untold = time.monotonic() + seconds, 0
        while (code := self._process.exitcode) is None and (left := until - time.monotonic()) > 0:
            # in slices, because a process that somebody forks meanwhile keeps the other end of this pipe open
            if wait([self._process.sentinel], min(left, _SLICE)):
                time.sleep(0.001)  # another thread may be just taking note of how it ended
                untold += 1
            if untold == _UNTOLD:
                return 0
        return code

    def end(self) -> None:
        """Ended, however it is, and nothing of it left."""
        self._process.kill()
        self._process.join()


@contextlib.contextmanager
def _unseen_main() -> Iterator[None]:
    """While the process starts, what multiprocessing reads of our main module says that it is a package's `__main__`."""
    main = sys.modules["__main__"]
    with _STARTS:
        spec = getattr(main, "__spec__", None)
        if not getattr(spec, "name", "").endswith(".__main__"):
            main.__spec__ = ModuleSpec("luxgrad.__main__", None)
        try:
            yield
        finally:
            main.__spec__ = spec

"""Native decoders of untrusted files run in a process of their own, one per file, which may die or hang alone.

The process starts without torch. What passes lies in a folder of its own: the request and the answer as JSON, arrays as they
lie in memory; nothing but plain text and numbers. How a process is started is up to the program around us.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .errors import FileError
from .formats.format import Decoded, Development, Encoding, Format, Header
from .leftovers import scratch
from .limits import limits
from .patience import processor_seconds, seconds
from .spawn import Spawned
from .worker import ANSWER, ARRAYS, DECLARED, REQUEST

_BOOT = Path(__file__).with_name("boot.py")


class Process(Protocol):
    """A process that was started."""

    def wait(self, seconds: float) -> int | None:
        """How it ended (below 0: by that signal); None where it runs on after so long."""

    def end(self) -> None:
        """Ended, however it is, and nothing of it left."""


_start: Callable[[Path, Path], Process] = Spawned


def start_by(start: Callable[[Path, Path], Process]) -> None:
    """Who starts, from now on, a Python that runs a file with `FOLDER` set to a folder. Raises OSError."""
    global _start
    _start = start


def decode_apart(form: Format, path: Path, development: Development = Development()) -> Decoded:  # noqa: B008
    """As `form.read`, in a process of its own, after checking the header there. Raises FileError."""
    with scratch() as folder:
        answer = _ask(form, path, folder, development)
        with _believed(), open(folder / ARRAYS, "rb") as file:
            return Decoded(**{name: _unpacked(value, file) for name, value in answer.items()})


def header_apart(form: Format, path: Path) -> Header:
    """As `form.header`, in a process of its own. Raises FileError."""
    with scratch() as folder:
        answer = _ask(form, path, folder, None)
        with _believed():
            return Header(**answer["header"])


@contextlib.contextmanager
def _believed() -> Iterator[None]:
    """What the other process answers is no more to be trusted than the file that it read."""
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError):
        raise FileError("damaged: what its decoder made of it cannot be read") from None


def _ask(form: Format, path: Path, folder: Path, development: Development | None) -> dict[str, Any]:
    request = {
        "format": form.name,
        "path": str(path.resolve()),
        "decode": development is not None,
        "development": dataclasses.asdict(development or Development()),
        "limits": limits(),
    }
    try:
        (folder / REQUEST).write_text(json.dumps(request))
        process = _start(_BOOT, folder)
    except OSError as error:
        raise FileError(f"no process could be started to decode it: {error.strerror or error}") from None
    try:
        code = _ended(process, folder, path.stat().st_size)
    finally:
        process.end()
    try:
        answer = json.loads((folder / ANSWER).read_bytes()) if code == 0 else None
    except (OSError, ValueError):
        answer = None
    if not isinstance(answer, dict):
        raise FileError(f"damaged: its decoder died ({_name(code)})")
    if "error" in answer:
        raise FileError(str(answer["error"]))
    return answer


def _ended(process: Process, folder: Path, size: int) -> int:
    """How the process ended, within the time for what it reads. Raises FileError where it took longer."""
    most = seconds(0, size)
    code = process.wait(most)
    if code is None and _declared(folder):
        first, most = most, seconds(_declared(folder), size)
        code = process.wait(most - first)
    if code is None:
        raise FileError(f"damaged: its decoder did not end within {most:.0f} s")
    if -code == getattr(signal, "SIGXCPU", None):
        raise FileError(
            f"damaged: its decoder did not end within {processor_seconds(_declared(folder)):.0f} s of the processor"
        )
    return code


def _declared(folder: Path) -> int:
    """How many pixels the file declares; 0 before that was read."""
    try:
        return min(int((folder / DECLARED).read_text()), int(limits()["megapixels"][0] * 1e6))
    except (OSError, ValueError):
        return 0


def _name(code: int) -> str:
    try:
        return signal.Signals(-code).name if code < 0 else f"exit {code}"
    except ValueError:
        return f"exit {code}"


def _unpacked(value: Any, file: Any) -> Any:
    match value:
        case {"array": [kind, shape]}:
            return np.fromfile(file, kind, int(np.prod(shape))).reshape(shape)
        case {"bytes": length}:
            return file.read(length)
        case {"encoding": [transfer, primaries]}:
            return Encoding(transfer, primaries if isinstance(primaries, str) else tuple(map(tuple, primaries)))
    return value["plain"]

"""Native decoders of untrusted files run in a process of their own, one per file, which may die or hang alone.

The process starts without torch. It is told what to do as one line of JSON, writes the arrays to a temporary file, and answers
with one line of JSON; nothing but plain text and numbers passes.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .errors import FileError, guarded
from .formats.format import Decoded, Development, Encoding, Format, Header
from .formats.registry import FORMATS
from .leftovers import scratch
from .limits import check_header

_SECONDS = 60.0
_SECONDS_PER_GIGABYTE = 600.0
_MEMORY = 12 << 30
_START = """
import sys
sys.path[:] = [entry for entry in sys.path if entry]
from importlib import util
spec = util.spec_from_file_location("luxgrad", sys.argv[1], submodule_search_locations=[sys.argv[2]])
sys.modules["luxgrad"] = package = util.module_from_spec(spec)
spec.loader.exec_module(package)
from luxgrad.files import worker
worker.serve()
"""


def decode_apart(form: Format, path: Path, development: Development = Development()) -> Decoded:  # noqa: B008
    """As `form.read`, in a process of its own, after checking the header there. Raises FileError."""
    with scratch() as folder:
        return _decoded(_ask(form, path, folder / "arrays", development), folder / "arrays")


def header_apart(form: Format, path: Path) -> Header:
    """As `form.header`, in a process of its own. Raises FileError."""
    return Header(**_ask(form, path, None)["header"])


def _ask(form: Format, path: Path, arrays: Path | None, development: Development | None = None) -> dict[str, Any]:
    root = Path(__file__).resolve().parent.parent
    request = {
        "format": form.name,
        "path": str(path.resolve()),
        "arrays": str(arrays) if arrays else None,
        "development": dataclasses.asdict(development or Development()),
    }
    seconds = _SECONDS + _SECONDS_PER_GIGABYTE * path.stat().st_size / 2**30
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _START, str(root / "__init__.py"), str(root)],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise FileError(f"damaged: its decoder did not end within {seconds:.0f} s") from None
    except OSError as error:
        raise FileError(f"no process could be started to decode it: {error.strerror or error}") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise FileError(f"damaged: its decoder died ({_end(done.returncode)})") from None
    if "error" in answer:
        raise FileError(answer["error"])
    return answer


def _end(code: int) -> str:
    try:
        return signal.Signals(-code).name if code < 0 else f"exit {code}"
    except ValueError:
        return f"exit {code}"


def serve() -> None:
    """The other process: answer the one request on standard input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what native code prints is no answer
    _confine()
    request = json.loads(sys.stdin.buffer.read())
    form = next(form for form in FORMATS if form.name == request["format"])
    json.dump(_answer(form, Path(request["path"]), request["arrays"], Development(**request["development"])), answers)
    answers.flush()
    os._exit(0)


def _confine() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    for what, most in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _answer(form: Format, path: Path, arrays: str | None, development: Development) -> dict[str, Any]:
    try:
        with guarded():
            header = form.header(path)
            if arrays is None:
                return {"header": dataclasses.asdict(header)}
            check_header(header)
            return _packed(form.read(path, development), Path(arrays))
    except FileError as error:
        return {"error": str(error)}


def _packed(decoded: Decoded, arrays: Path) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    with open(arrays, "wb") as file:
        for part in dataclasses.fields(decoded):
            value = getattr(decoded, part.name)
            if isinstance(value, np.ndarray):
                plain[part.name] = {"array": [value.dtype.str, value.shape]}
                np.ascontiguousarray(value).tofile(file)
            elif isinstance(value, bytes):
                plain[part.name] = {"bytes": base64.b64encode(value).decode()}
            elif isinstance(value, Encoding):
                plain[part.name] = {"encoding": [value.transfer, value.primaries]}
            else:
                plain[part.name] = {"plain": value}
    return plain


def _decoded(answer: dict[str, Any], arrays: Path) -> Decoded:
    with open(arrays, "rb") as file:
        return Decoded(**{name: _unpacked(value, file) for name, value in answer.items()})


def _unpacked(value: Any, file: Any) -> Any:
    match value:
        case {"array": [kind, shape]}:
            return np.fromfile(file, kind, int(np.prod(shape))).reshape(shape)
        case {"bytes": text}:
            return base64.b64decode(text)
        case {"encoding": [transfer, primaries]}:
            return Encoding(transfer, primaries if isinstance(primaries, str) else tuple(map(tuple, primaries)))
    return value["plain"]

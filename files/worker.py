"""In the process that decodes: answer the one request of its folder, within limits, and end. `apart` is the other side."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
import warnings
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import limits
from .errors import FileError, guarded
from .formats.format import Decoded, Development, Encoding, Format
from .formats.registry import FORMATS
from .patience import processor_seconds, seconds

REQUEST, ANSWER, ARRAYS, DECLARED = "request.json", "answer.json", "arrays", "pixels"
"""The files in the folder between the two processes."""

_MEMORY = 12 << 30
_ORPHANED = 1.5
"""So many times the time in which the other process ends this one."""


def serve(folder: Path) -> NoReturn:
    """Answer, and end without a word to whoever else shares the terminal."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process ends this one
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    request = json.loads((folder / REQUEST).read_bytes())
    limits.set_by(lambda limit: request["limits"][limit])
    _confine("RLIMIT_AS", _MEMORY)
    _confine("RLIMIT_CORE", 0)
    form = next(form for form in FORMATS if form.name == request["format"])
    answer = _answer(form, Path(request["path"]), folder if request["decode"] else None, request["development"])
    (folder / ANSWER).write_text(json.dumps(answer))
    os._exit(0)


def _confine(what: str, most: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    kind = getattr(resource, what)
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _allow(pixels: int, size: int) -> None:
    """So much time from now on, after which the system ends this process, also where nobody is left to do it."""
    _confine("RLIMIT_CPU", int(time.process_time() + processor_seconds(pixels)) + 1)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, _ORPHANED * seconds(pixels, size))


def _answer(form: Format, path: Path, folder: Path | None, development: dict[str, Any]) -> dict[str, Any]:
    try:
        with guarded():
            size = path.stat().st_size
            _allow(0, size)
            header = form.header(path)
            if folder is None:
                return {"header": dataclasses.asdict(header)}
            limits.check_header(header)
            (folder / DECLARED).write_text(str(header.width * header.height))
            _allow(header.width * header.height, size)
            return _packed(form.read(path, Development(**development)), folder / ARRAYS)
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
                plain[part.name] = {"bytes": file.write(value)}
            elif isinstance(value, Encoding):
                plain[part.name] = {"encoding": [value.transfer, value.primaries]}
            else:
                plain[part.name] = {"plain": value}
    return plain

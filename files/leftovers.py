"""Temporary files and folders say in their names whose they are, so that what a killed process left is found and removed.

Only what is certainly left is removed: made by this user, on this machine, by a process that is gone. Links are never followed.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .errors import FileError

_PREFIX = "luxgrad_"
_LONGEST = 60


def owner() -> str:
    """This process as part of a name: machine, process and when it started (process numbers are used again)."""
    return f"{_machine()}-{os.getpid()}-{_started(os.getpid()) or 0}"


@cache
def _machine() -> str:
    """Where process numbers mean the same: this machine, and on it this container."""
    try:
        numbers = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbers = ""
    return f"{zlib.crc32(os.fsencode(platform.node() + numbers)):08x}"


def hidden_prefix(path: Path) -> str:
    """How the names of temporary files for `path` begin, short enough to leave room for the rest."""
    return f".{os.fsencode(path.name)[:_LONGEST].decode('utf-8', 'ignore')}."


def clear(folder: Path, prefix: str, suffix: str = "") -> None:
    """Remove what killed processes left in a folder under names of `prefix`, `owner()`, a dot, anything and `suffix`."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith(prefix) and name.endswith(suffix) and _gone(name.removeprefix(prefix).partition(".")[0]):
                _remove(entry)


def _gone(maker: str) -> bool:
    found = re.fullmatch(r"([0-9a-f]{8})-([1-9]\d{0,8})-(\d{1,19})", maker, re.ASCII)
    return found is not None and found[1] == _machine() and not _runs(int(found[2]), int(found[3]))


def _runs(process: int, start: int) -> bool:
    """Whether a process runs that started then (0: whenever)."""
    if os.name != "posix":
        return True  # elsewhere asking a process would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    started = _started(process)
    return not start or started is None or started == start


def _started(process: int) -> int | None:
    """When a process started, in ticks since the machine did; -1 where it has ended; None where the system does not say."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return -1 if fields[0] in (b"Z", b"X") else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def _remove(entry: os.DirEntry[str]) -> None:
    with contextlib.suppress(OSError):
        found = entry.stat(follow_symlinks=False)
        if found.st_uid != os.geteuid():
            return
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(entry.path, ignore_errors=True)
        elif stat.S_ISREG(found.st_mode):
            os.unlink(entry.path)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what is passed between processes, removed at the end. Raises FileError where none can be made.

    The first one of a process removes those that killed ones left.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{owner()}."))
        _clear_once(folder.parent)
    except OSError as error:
        raise FileError(f"no temporary folder could be made: {error.strerror or error}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _clear_once(place: Path) -> None:
    clear(place, _PREFIX)

"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from .errors import FileError

_HERE = f"{zlib.crc32(platform.node().encode()):08x}"


@contextlib.contextmanager
def whole_file(path: Path, force: bool = True) -> Iterator[Path]:
    """A temporary name beside `path` to write to; renamed when the block ends well, removed when it does not.

    A writer that is killed leaves a hidden `.NAME.MACHINE-PROCESS.*.part` file, which the next writer of this name removes.

    force: replace a file that is there. Raises FileError in place of OSError (disk full, no permission, no folder).
    """
    if path.exists() and not force:
        raise FileError(f"{path}: it exists already; --force replaces it")
    if not path.parent.is_dir():
        raise FileError(f"{path}: there is no folder {path.parent}")
    part = None
    try:
        _clear(path)
        handle, name = tempfile.mkstemp(prefix=f"{_prefix(path)}{_HERE}-{os.getpid()}.", suffix=_suffix(path), dir=path.parent)
        os.close(handle)
        part = Path(name)
        yield part
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        raise FileError(f"{path}: could not be written: {error.strerror or error}") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    return f".{path.name[:60]}."


def _suffix(path: Path) -> str:
    return ".part" + path.suffix


def _clear(path: Path) -> None:
    """Remove what earlier writers of this file left behind when they were killed: their names say machine and process."""
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(_prefix(path)) and entry.name.endswith(_suffix(path))]
    for name in names:
        maker = name.removeprefix(_prefix(path)).partition(".")[0]
        if re.fullmatch(rf"{_HERE}-\d{{1,9}}", maker) and not _alive(int(maker.partition("-")[2])):
            path.with_name(name).unlink(missing_ok=True)


def _alive(process: int) -> bool:
    if os.name != "posix":
        return True  # elsewhere asking a process would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _umask() -> int:
    """The process's file mode mask, read without changing it where the system says it."""
    try:
        with open("/proc/self/status") as status:
            return int(next(line for line in status if line.startswith("Umask")).split()[1], 8)
    except (OSError, StopIteration, ValueError):
        return 0o022


def save_image(image: Image.Image, path: Path, kind: str, **options: Any) -> None:
    """Write a Pillow image by way of memory: its own writer does not notice a disk that fills up."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    path.write_bytes(buffer.getbuffer())

"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from .errors import FileError
from .leftovers import clear, hidden_prefix, owner

_PART = ".part"


@contextlib.contextmanager
def whole_file(path: Path, force: bool = True) -> Iterator[Path]:
    """A temporary name beside `path` to write to; renamed when the block ends well, removed when it does not.

    A writer that is killed leaves a hidden `.NAME.OWNER.*.part` file, which the next writer of this name removes.

    force: replace a file that is there. Raises FileError in place of OSError (disk full, no permission, no folder).
    """
    if path.exists() and not force:
        raise FileError(f"{path}: it exists already; --force replaces it")
    if not path.parent.is_dir():
        raise FileError(f"{path}: there is no folder {path.parent}")
    part = None
    try:
        clear(path.parent, hidden_prefix(path), _PART + path.suffix)
        handle, name = tempfile.mkstemp(prefix=f"{hidden_prefix(path)}{owner()}.", suffix=_PART + path.suffix, dir=path.parent)
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


@contextlib.contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out`; its files move there, over those of their names, when the block ends well.

    What a killed writer leaves is removed by the next, as of `whole_file`. Raises FileError in place of OSError.
    """
    part = None
    try:
        clear(out.parent, hidden_prefix(out), _PART)
        part = Path(tempfile.mkdtemp(prefix=f"{hidden_prefix(out)}{owner()}.", suffix=_PART, dir=out.parent))
        yield part
        for file in sorted(path for path in part.rglob("*") if path.is_file()):
            goal = out / file.relative_to(part)
            goal.parent.mkdir(parents=True, exist_ok=True)
            file.replace(goal)
    except OSError as error:
        raise FileError(f"{out}: could not be written: {error.strerror or error}") from None
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


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
    with open(path, "wb") as file:
        file.write(buffer.getbuffer())

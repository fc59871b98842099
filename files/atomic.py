"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from .errors import FileError


@contextlib.contextmanager
def whole_file(path: Path, force: bool = True) -> Iterator[Path]:
    """A temporary name beside `path` to write to; renamed when the block ends well, removed when it does not.

    force: replace a file that is there. Raises FileError in place of OSError (disk full, no permission, no folder).
    """
    if path.exists() and not force:
        raise FileError(f"{path}: it exists already; --force replaces it")
    if not path.parent.is_dir():
        raise FileError(f"{path}: there is no folder {path.parent}")
    part = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=".part" + path.suffix, dir=path.parent)
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


def _umask() -> int:
    """The process's file mode mask, read without changing it where the system says it."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("Umask")).split()[1], 8)
    except (OSError, StopIteration, ValueError):
        return 0o022


def save_image(image: Image.Image, path: Path, kind: str, **options: Any) -> None:
    """Write a Pillow image by way of memory: its own writer does not notice a disk that fills up."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    path.write_bytes(buffer.getbuffer())

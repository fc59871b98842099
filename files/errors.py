"""What can be wrong with a file, in one line."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path


class FileError(ValueError):
    """A file that cannot be read or written. The text names it, says what was expected and what came."""


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """What is wrong with a file is said with its name."""
    try:
        yield
    except FileError as error:
        raise FileError(f"{path}: {error}") from None


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Whatever a codec raises on a damaged file is a FileError of one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FileError:
        raise
    except MemoryError:
        raise FileError("expected a picture that fits in memory") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FileError(f"damaged, or of a kind that cannot be read: {reason}") from None

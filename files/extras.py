"""Optional dependencies: imported when needed, named with their extra when absent."""

from __future__ import annotations

from types import ModuleType

from .errors import FileError


def imagecodecs(what: str) -> ModuleType:
    """The imagecodecs package, or FileError saying how to get it."""
    try:
        import imagecodecs as codecs
    except ImportError:
        raise FileError(f"{what} needs the package imagecodecs: pip install 'luxgrad[files]'") from None
    return codecs

"""Packages that only some files need: imported when needed, named with the way to get them when absent or broken."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType

from .errors import FileError


def rawpy(what: str) -> ModuleType:
    """The rawpy package, or FileError saying how to get it."""
    with _needed("rawpy", what, "'luxgrad[raw]'"):
        import rawpy
    return rawpy


def imagecodecs(what: str) -> ModuleType:
    """The imagecodecs package, or FileError saying how to get it."""
    with _needed("imagecodecs", what, "'luxgrad[files]'"):
        import imagecodecs
    return imagecodecs


def tifffile(what: str) -> ModuleType:
    """The tifffile package, or FileError saying how to get it. Not at the start: it draws in all of imagecodecs."""
    with _needed("tifffile", what, "'luxgrad[files]'"):
        import tifffile
    return tifffile


def pillow_heif(what: str) -> ModuleType:
    """The pillow_heif package, or FileError saying how to get it. Users install it themselves: its wheels hold GPL code."""
    with _needed("pillow_heif", what, "pillow-heif"):
        import pillow_heif
    return pillow_heif


def openexr(what: str) -> ModuleType:
    """The OpenEXR package, or FileError saying how to get it."""
    with _needed("OpenEXR", what, "'luxgrad[exr]'"):
        import OpenEXR
    return OpenEXR


@contextlib.contextmanager
def _needed(name: str, what: str, source: str) -> Iterator[None]:
    try:
        yield
        return
    except ModuleNotFoundError as error:
        if error.name == name:
            raise FileError(f"{what} needs the package {name}: pip install {source}") from None
        broken: Exception = error
    except Exception as error:  # whatever a broken package raises when it is loaded
        broken = error
    reason = " ".join(f"{type(broken).__name__}: {broken}".split())[:120]
    raise FileError(f"{what} needs the package {name}, which fails to load ({reason}): pip install -U {source}")

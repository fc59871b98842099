"""Packages that only some files need: imported when needed, named with the way to get them when absent or broken."""

from __future__ import annotations

import importlib
from types import ModuleType

from .errors import FileError


def rawpy(what: str) -> ModuleType:
    """The rawpy package, or FileError saying how to get it."""
    return _package("rawpy", what, "'luxgrad[raw]'")


def imagecodecs(what: str) -> ModuleType:
    """The imagecodecs package, or FileError saying how to get it."""
    return _package("imagecodecs", what, "'luxgrad[files]'")


def tifffile(what: str) -> ModuleType:
    """The tifffile package, or FileError saying how to get it. Not at the start: it draws in all of imagecodecs."""
    return _package("tifffile", what, "'luxgrad[files]'")


def pillow_heif(what: str) -> ModuleType:
    """The pillow_heif package, or FileError saying how to get it. Users install it themselves: its wheels hold GPL code."""
    return _package("pillow_heif", what, "pillow-heif")


def openexr(what: str) -> ModuleType:
    """The OpenEXR package, or FileError saying how to get it."""
    return _package("OpenEXR", what, "'luxgrad[exr]'")


def _package(name: str, what: str, source: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            raise FileError(f"{what} needs the package {name}: pip install {source}") from None
        broken: Exception = error
    except Exception as error:  # whatever a broken package raises when it is loaded
        broken = error
    reason = " ".join(f"{type(broken).__name__}: {broken}".split())[:120]
    raise FileError(f"{what} needs the package {name}, which fails to load ({reason}): pip install -U {source}")

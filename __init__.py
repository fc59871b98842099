"""Luxgrad: a differentiable darkroom. `luxgrad.open` a workflow, `load` a photo, call one with the other, differentiate."""

import importlib

__version__ = "0.1.0"

_FACE = ("FileError", "Graph", "Photo", "Stopped", "WorkflowError", "auto", "compare", "load", "open", "save")


def __getattr__(name: str):
    """The Python face (`api`), loaded when first asked for, so that importing the package costs nothing."""
    if name in _FACE:
        return getattr(importlib.import_module(".api", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

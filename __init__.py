"""Luxgrad: a differentiable darkroom. `luxgrad.open` a workflow, `load` a photo, call one with the other, differentiate."""

__version__ = "0.1.0"

WEB_DIRECTORY = "./nodes/web"
"""What ComfyUI serves to its editor."""

_FACE = (
    "FileError",
    "Graph",
    "Photo",
    "Stopped",
    "WorkflowError",
    "advise",
    "auto",
    "compare",
    "diagnose",
    "load",
    "open",
    "save",
    "traverse",
)


_NODES = ("NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS")


def __getattr__(name: str):
    """The Python face (`api`) and ComfyUI's (`nodes`), loaded when first asked for: importing the package costs nothing."""
    if name in _FACE:
        from . import api

        return getattr(api, name)
    if name in _NODES:
        from .nodes import mappings

        return getattr(mappings, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

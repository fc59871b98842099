"""The folders a workflow may use: what it names must lie inside one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .cube import read_cube
from .decode import read_like_comfyui, read_photo
from .errors import FileError

_READERS: dict[str, Callable[[Path], Any]] = {
    "photo": read_photo,
    "8-bit image": read_like_comfyui,
    "LUT": read_cube,
}


class Folders:
    """Reads what workflows name, from the workflow's own folder first, then from the roots the user allowed.

    own: names to paths that the user typed (for example --input), which may lie anywhere.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = [folder.resolve() for folder in folders]

    def find(self, kind: str, name: str) -> Path:
        """The file of a name. Raises FileError where it is missing, or outside every allowed folder."""
        if not name:
            raise FileError(f"expected the name of a {kind} file; got none")
        outside = False
        for folder in self.folders:
            try:
                path = (folder / name).resolve()
                if not path.is_relative_to(folder):
                    outside = True
                elif path.is_file():
                    return path
            except (OSError, RuntimeError, ValueError):
                continue
        where = " or ".join(str(folder) for folder in self.folders)
        if outside:
            raise FileError(f"{name[:120]!r} lies outside the folders a workflow may use ({where}); --root allows more")
        raise FileError(f"there is no {kind} {name[:120]!r} in {where}")

    def read(self, kind: str, name: str) -> Any:
        """Open what a workflow names. Raises FileError."""
        return _READERS[kind](self.find(kind, name))

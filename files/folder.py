"""The folders a workflow may use: what it names must lie inside one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .cube import read_cube
from .decode import read_like_comfyui, read_photo
from .errors import FileError

_READERS: dict[str, Callable[..., Any]] = {
    "photo": read_photo,
    "8-bit image": read_like_comfyui,
    "LUT": read_cube,
}


class Folders:
    """Finds what workflows name: in the workflow's own folder first, then in the roots the user allowed."""

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


def read_file(kind: str, path: Path, **options: Any) -> Any:
    """Open a file as a photo (options: how camera raw is developed), a LUT or an 8-bit image. Raises FileError."""
    return _READERS[kind](path, **options)

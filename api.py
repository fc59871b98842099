"""The Python face: open a workflow, load and save photos, and a first guess of the sliders."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from .advice.auto import auto
from .files.decode import read_photo
from .files.encode import Canvas, depth_for, write_photo
from .files.errors import FileError
from .files.folder import Folders, read_file
from .graph.errors import Stopped, WorkflowError
from .graph.model import Graph
from .graph.ports import DEVELOPING, PORTS
from .graph.schema import MOST_BYTES, loads
from .light.difference import compare
from .light.photo import Photo
from .light.rectangle import strips
from .networks.weights import WeightsError, load_network
from .ops.params import BadValue

__all__ = ["FileError", "Graph", "Photo", "Stopped", "WorkflowError", "auto", "compare", "load", "open", "save"]

Name = str | os.PathLike[str]


class Workspace:
    """What a workflow may read: files in its folder and in allowed roots, and the networks that ship.

    own: names that the user typed, which may lie anywhere.
    """

    def __init__(self, folders: Sequence[Path], own: Collection[str] = ()) -> None:
        self.folders, self.own = Folders(folders), own

    def __call__(self, kind: str, name: str, **options: Any) -> Any:
        try:
            return load_network(name) if kind == "network" else read_file(kind, self.find(kind, name), **options)
        except (FileError, WeightsError) as error:
            raise WorkflowError(str(error)) from None

    def find(self, kind: str, name: str) -> Path:
        """The file that a name stands for. Raises WorkflowError."""
        if name in self.own:
            return Path(name)
        try:
            return self.folders.find(kind, name)
        except FileError as error:
            raise WorkflowError(str(error)) from None


def open(file: Name, roots: Sequence[Name] = ()) -> Graph:  # noqa: A001
    """A workflow file as a graph; what it names is read from its folder or from `roots`. Raises WorkflowError."""
    return open_workflow(Path(file), [Path(root) for root in roots])


def open_workflow(path: Path, roots: Sequence[Path], own: Collection[str] = ()) -> Graph:
    """As `open`; `own` names are the user's, and may lie anywhere."""
    try:
        return loads(workflow_text(path), Workspace([path.parent, *roots], own))
    except WorkflowError as error:
        raise WorkflowError(f"{path}: {error}") from None


def workflow_text(path: Path) -> bytes:
    """What a workflow file holds. Raises WorkflowError where it is missing or too large."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise WorkflowError(f"{path}: expected a workflow of at most {MOST_BYTES >> 20} MB")
        return path.read_bytes()
    except OSError as error:
        raise WorkflowError(f"{path}: {error.strerror or error}") from None


def load(file: Name, **developing: Any) -> Photo:
    """A file as a photo, at full depth, upright, by its colour profile. Raises FileError.

    developing: of a camera raw file, by the names, words and ranges of the step Load Photo: develop, white_balance, kelvin,
    tint, highlights, demosaic, denoise, noise_threshold.
    """
    return read_photo(Path(file), **checked_developing(developing))


def checked_developing(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the RAW parameters of Load Photo, checked. Raises FileError."""
    checked = {}
    for name, value in values.items():
        param = PORTS["luxgrad.load_photo"].param(name) if name in DEVELOPING else None
        if param is None:
            raise FileError(f"expected one of {', '.join(DEVELOPING)}; got {name!r}")
        try:
            checked[name] = param.kind.check(value)
        except BadValue as error:
            raise FileError(f"{name}: {error}") from None
    return checked


def save(photo: Photo, file: Name, depth: str = "auto", quality: int = 95, dither: bool = True, force: bool = False) -> None:
    """Write a photo as sRGB (float: linear sRGB) with profile and EXIF; the name's ending chooses the format.

    depth: 8, 16, float or auto (8 for JPEG, else 16). force: replace a file that is there. Raises FileError.
    """
    path = Path(file)
    canvas = Canvas(photo.size, depth_for(path, depth), dither)
    for region in strips(photo.size):
        canvas.put(region, photo.read(region).detach())
    write_photo(path, canvas, photo.metadata, photo.alpha, quality, force)

"""The bridge to ComfyUI: folders, memory, progress, Stop. Outside ComfyUI (tests) each falls back to something plain."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from ..engine.cache import Cache
from ..engine.memory import Memory
from ..engine.render import Settings
from ..files.errors import FileError
from ..files.folder import Folders, read_file
from ..files.names import expanded, numbered
from ..graph.errors import Stopped, WorkflowError
from ..networks.weights import WeightsError, load_network

CACHE = Cache(512 << 20)
"""Pictures and statistics by content, shared by all nodes."""

WORKFLOWS = Path(__file__).resolve().parent.parent / "workflows"
"""The shared workflows: what they name lies beside them."""

_PER_SECOND = 10.0
_TILES = 512 << 20
_PICTURES = 24


def module(name: str) -> Any:
    """A module of ComfyUI, which has loaded it long before us; None outside it."""
    return sys.modules.get(name)


def folders() -> list[Path]:
    """Where workflows may read: ComfyUI's input, output and temp folders, its folders for tables, and our own workflows'."""
    paths = module("folder_paths")
    if paths is None:
        return [Path.cwd(), WORKFLOWS]
    found = [paths.get_input_directory(), paths.get_output_directory(), paths.get_temp_directory()]
    with contextlib.suppress(KeyError):
        found += paths.get_folder_paths("luts")
    return [*(Path(folder) for folder in found), WORKFLOWS]


def weight_folders() -> list[Path]:
    """Where the user keeps weights: models/luxgrad, other places told to ComfyUI, and the input folder, where fits write."""
    paths = module("folder_paths")
    if paths is None:
        return [Path.cwd()]
    told: list[str] = []
    with contextlib.suppress(KeyError):
        told = paths.get_folder_paths("luxgrad")
    return [Path(paths.models_dir) / "luxgrad", *map(Path, told), Path(paths.get_input_directory())]


def files_of(endings: tuple[str, ...], kind: str) -> list[str]:
    """The names of files that a source may open, for its menu: those of its folders, and of the folders in them.

    What the shared workflows name comes last, so that they run wherever they are opened.
    """
    names: set[str] = set()
    for folder in [folders()[0], *(folders()[3:-1] if kind == "LUT" else [])]:
        names |= {name for place in ("", *_inner(folder)) for name in _files_in(folder, place, endings)}
    return [*sorted(names), *(name for name in shared(endings) if name not in names)]


def shared(endings: tuple[str, ...]) -> list[str]:
    """The names of files that come with the shared workflows, each in a folder beside them."""
    return sorted(name for place in _inner(WORKFLOWS) for name in _files_in(WORKFLOWS, place, endings))


def _inner(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))


def _files_in(folder: Path, place: str, endings: tuple[str, ...]) -> list[str]:
    try:
        files = [entry.name for entry in os.scandir(folder / place) if entry.is_file()]
    except OSError:  # a folder that this account may not read
        return []
    return [f"{place}/{name}" if place else name for name in files if name.lower().endswith(endings)]


def read(kind: str, name: str, **options: Any) -> Any:
    """Open what a source names, within the folders. Raises WorkflowError."""
    try:
        return load_network(name, weight_folders()) if kind == "network" else read_file(kind, path_of(kind, name), **options)
    except (FileError, WeightsError) as error:
        raise WorkflowError(str(error)) from None


def path_of(kind: str, name: str) -> Path:
    """The file of a name; ComfyUI's endings ` [input]`, ` [output]` and ` [temp]` are understood. Raises WorkflowError."""
    allowed = folders()
    for index, place in enumerate(("input", "output", "temp")):
        if name.endswith(f" [{place}]") and index < len(allowed):
            name, allowed = name.removesuffix(f" [{place}]"), [allowed[index]]
            break
    try:
        return Folders(allowed).find(kind, name)
    except FileError as error:
        raise WorkflowError(str(error)) from None


def output_path(name: str, width: int, height: int, metadata: Mapping[str, Any]) -> tuple[Path, str]:
    """A new file in the output folder, and its subfolder: fields filled in, numbered as ComfyUI numbers or by {counter}.

    Raises WorkflowError, and FileError for a field that there is not.
    """
    filled = expanded(name, metadata, (width, height))
    stem, _, ending = filled.rpartition(".")
    if not stem or not ending.isalnum() or not filled.isprintable():
        raise WorkflowError(f"expected a file name with an ending, such as photo.tif; got {name[:120]!r}")
    paths = module("folder_paths")
    folder = Path(paths.get_output_directory() if paths else Path.cwd()).resolve()
    if not (folder / stem).resolve().is_relative_to(folder):
        raise WorkflowError(f"{name[:120]!r} lies outside the output folder {folder}")
    if paths is None:
        return numbered(Path(filled)), ""
    try:
        found, start, counter, subfolder, _ = paths.get_save_image_path(stem, str(folder), width, height)
        return numbered(Path(found) / f"{start}.{ending}", counter), subfolder
    except FileError:
        raise
    except Exception as error:
        raise WorkflowError(f"{name[:120]!r} cannot be written into the output folder: {error}") from None


def socket_of(kind: str, slot: Any) -> str:
    """What comes out of a socket of a class of nodes; "" where that is not known."""
    cls: Any = getattr(module("nodes"), "NODE_CLASS_MAPPINGS", {}).get(kind)
    try:
        return str(cls.RETURN_TYPES[slot])
    except (AttributeError, IndexError, KeyError, TypeError):
        return ""


def without_metadata() -> bool:
    """Whether ComfyUI was started with --disable-metadata."""
    options = getattr(module("comfy.cli_args"), "args", None)
    return bool(getattr(options, "disable_metadata", False))


def temp_folder() -> Path:
    paths = module("folder_paths")
    folder = Path(paths.get_temp_directory()) if paths else Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def setting(name: str) -> Any:
    """A setting of ComfyUI's settings dialog, of the default user; None where it was never touched."""
    paths = module("folder_paths")
    if paths is None or not hasattr(paths, "get_user_directory"):
        return None
    file = Path(paths.get_user_directory()) / "default" / "comfy.settings.json"
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found.get(name) if isinstance(found, dict) else None


def limit_of_files(limit: str) -> tuple[Any, str]:
    """What the settings dialog says of a limit of `files.limits`, and how that is called there."""
    return setting(f"Luxgrad.Most{limit.capitalize()}"), f"the setting `Most {limit} of a file`"


def language_model() -> tuple[Any, str]:
    """What the settings dialog says of the language model, and how that is called there."""
    return setting("Luxgrad.Language"), "the setting `Language model`"


def device() -> torch.device:
    """Where ComfyUI computes."""
    management = module("comfy.model_management")
    return management.get_torch_device() if management else torch.device("cpu")


@contextlib.contextmanager
def rendering(pixels: int) -> Iterator[Settings]:
    """Outside inference mode, on ComfyUI's device, stopping when Stop is pressed; ComfyUI makes room for so many pixels."""
    management = module("comfy.model_management")
    if management is not None:
        management.free_memory(_TILES + _PICTURES * pixels, device())
    bar = Progress()
    with torch.inference_mode(False), torch.enable_grad():
        yield Settings(device=device(), progress=bar.tiles, memory=Memory(make_room))


def make_room() -> None:
    """Memory ran out: kept pictures and ComfyUI's loaded models go, as they do when another node runs out of it."""
    CACHE.clear()
    management = module("comfy.model_management")
    if management is not None:
        management.unload_all_models()
        management.soft_empty_cache()


class Progress:
    """A progress bar on the running node, at most ten messages a second; passes Stop on."""

    def __init__(self) -> None:
        utils = module("comfy.utils")
        self._bar: Any = utils.ProgressBar(1000) if utils else None
        self._management = module("comfy.model_management")
        self._told = 0.0

    def tiles(self, done: int, total: int) -> None:
        self.check()
        self._tell(done / max(1, total))

    def share(self, share: float) -> None:
        """For a fit: Stop ends it with the best so far."""
        if self._management is not None and self._management.processing_interrupted():
            with contextlib.suppress(self._management.InterruptProcessingException):
                self._management.throw_exception_if_processing_interrupted()
            raise Stopped
        self._tell(share)

    def picture(self, image: Any) -> None:
        """Show a small PIL picture on the running node."""
        if self._bar is not None:
            self._bar.update_absolute(self._bar.current, 1000, ("JPEG", image, max(image.size)))

    def check(self) -> None:
        if self._management is not None:
            self._management.throw_exception_if_processing_interrupted()

    def _tell(self, share: float) -> None:
        now = time.monotonic()
        if self._bar is not None and now - self._told > 1.0 / _PER_SECOND:
            self._told = now
            self._bar.update_absolute(int(1000 * share), 1000)


def on_server(register: Callable[[Any], None]) -> None:
    """Register routes, where there is a server."""
    server = module("server")
    instance = getattr(getattr(server, "PromptServer", None), "instance", None)
    if instance is not None:
        register(instance.routes)

"""Weights: found by name, checked against a manifest or against what they say of themselves, read as safetensors only.

Those that ship lie beside this file. A user's folder holds more: a `weights.json` in the form of their manifest, or files
NAME.safetensors that name their architecture themselves, such as those a fit writes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from ..ops.types import Network
from .abpn import BlendPyramid
from .diagnoser import Diagnoser
from .features import VGG16, EfficientNetLite0
from .mlp import PointwiseMLP
from .weights_file import WEIGHTS, about_of, weights_bytes

FOLDER = Path(__file__).parent / "weights"
MOST_BYTES = 2 << 30
_MOST_MANIFEST = 1 << 20
_LARGEST_ARGUMENT = 1 << 16
_MOST_ARGUMENTS = 64
_ARCHITECTURES: dict[str, Any] = {
    kind.__name__: kind for kind in (PointwiseMLP, BlendPyramid, Diagnoser, EfficientNetLite0, VGG16)
}


class WeightsError(ValueError):
    """Weights that are missing, damaged or not what they are said to be; the text is one line."""


@cache
def manifest() -> dict[str, Any]:
    """Name -> file, sha256, architecture, training data, metrics and licence of the weights that ship."""
    return json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


def names(folders: Sequence[Path] = ()) -> list[str]:
    """The names of all weights at hand: those that ship, and those in a user's folders."""
    found = set(manifest())
    for folder in folders:
        found |= set(_manifest_of(folder)) | {path.stem for path in folder.glob(f"*{WEIGHTS}")}
    return sorted(found)


def load_network(name: str, folders: Sequence[Path] = ()) -> Network:
    """The network of a name, frozen, in float32 whatever the file holds; read once while its file stays as it is.

    folders: of the user's, looked through after those that ship. Raises WeightsError: unknown name, missing file, wrong
    hash, unknown architecture, wrong names, shapes or types, values that are not finite.
    """
    for folder in (FOLDER, *folders):
        entry = manifest().get(name) if folder == FOLDER else _manifest_of(folder).get(name)
        if entry is None:
            entry = {"file": name + WEIGHTS}
            if folder == FOLDER or not _inside(folder, entry["file"]).is_file():
                continue
        path = _inside(folder, entry["file"])
        try:
            status = path.stat()
        except OSError as error:
            raise WeightsError(f"{path}: {error.strerror or error}") from None
        if status.st_size > MOST_BYTES:
            raise WeightsError(f"{path}: expected weights of at most {MOST_BYTES >> 20} MB; got {status.st_size >> 20} MB")
        return _read(path, json.dumps(entry), (status.st_mtime_ns, status.st_size))
    raise WeightsError(f"there are no weights {name[:80]!r}; there are: {', '.join(names(folders)[:40])}")


def _inside(folder: Path, file: str) -> Path:
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise WeightsError(f"{file[:80]!r} lies outside the folder of its manifest, {folder}")
    return path


def _manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a user's folder, checked; empty where there is none."""
    path = folder / "weights.json"
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > _MOST_MANIFEST:
            raise ValueError(f"expected at most {_MOST_MANIFEST >> 20} MB")
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: {' '.join(str(error).split())[:120]}") from None
    wanted = {"file": str, "sha256": str, "architecture": str, "arguments": dict}
    if not isinstance(entries, dict):
        raise WeightsError(f"{path}: expected an object of weights by name; got {type(entries).__name__}")
    for name, entry in entries.items():
        for field, kind in wanted.items():
            if not isinstance(entry, dict) or not isinstance(entry.get(field), kind):
                raise WeightsError(f"{path}, {name[:80]!r}: expected {field}, a {kind.__name__}")
    return entries


@lru_cache(maxsize=8)
def _read(path: Path, entry_text: str, _state: tuple[int, int]) -> Network:
    """A file as a network. entry: of a manifest, or just the file's name where the file speaks for itself."""
    entry = json.loads(entry_text)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror or error}") from None
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != entry.get("sha256", sha256):
        raise WeightsError(f"{path}: expected sha256 {entry['sha256'][:16]}...; got {sha256[:16]}...")
    about = entry if "architecture" in entry else about_of(data)
    if about is None:
        raise WeightsError(f"{path}: expected weights that name their architecture, or a weights.json beside them")
    module = _empty_module(path, about)
    try:
        held = load(data)
    except (SafetensorError, ValueError) as error:
        raise WeightsError(f"{path}: {' '.join(str(error).split())[:160]}") from None
    _check(path, module, held)
    whole = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in held.items()}
    module.load_state_dict(whole, assign=True)
    about = {"architecture": about["architecture"], "arguments": about["arguments"]}
    return Network(module.requires_grad_(False), sha256=sha256, about=about)


def _empty_module(path: Path, about: Mapping[str, Any]) -> nn.Module:
    """The module that some weights ask for, without memory for its tensors."""
    name, arguments = about.get("architecture"), about.get("arguments")
    if not isinstance(name, str) or name not in _ARCHITECTURES:
        raise WeightsError(f"{path}: expected an architecture of {', '.join(_ARCHITECTURES)}; got {str(name)[:60]!r}")
    if not isinstance(arguments, dict) or len(arguments) > _MOST_ARGUMENTS or not all(map(_harmless, arguments.values())):
        raise WeightsError(f"{path}: expected arguments of {name}, whole numbers up to {_LARGEST_ARGUMENT}, words and switches")
    try:
        with torch.device("meta"):
            return _ARCHITECTURES[name](**arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path}: {name} cannot be made: {' '.join(str(error).split())[:120]}") from None


def _harmless(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _MOST_ARGUMENTS and all(_harmless(entry) and not isinstance(entry, list) for entry in value)
    if isinstance(value, (int, float)):
        return abs(value) <= _LARGEST_ARGUMENT
    return value is None or (isinstance(value, str) and len(value) <= 100)


def _check(path: Path, module: nn.Module, held: Mapping[str, Tensor]) -> None:
    """Names, shapes, types and values of what a file holds, against the module."""
    wanted = module.state_dict()
    for name in [*(wanted.keys() - held.keys()), *(held.keys() - wanted.keys())]:
        raise WeightsError(f"{path}: {'missing' if name in wanted else 'unknown'} tensor {name[:80]!r}")
    for name, tensor in held.items():
        shape = wanted[name].shape
        if tensor.shape != shape or tensor.is_floating_point() != wanted[name].is_floating_point():
            raise WeightsError(f"{path}, {name}: expected shape {tuple(shape)}; got {tuple(tensor.shape)} of {tensor.dtype}")
        if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all():
            raise WeightsError(f"{path}, {name}: expected finite values")


def save_weights(module: nn.Module, path: Path, about: Mapping[str, Any], dtype: torch.dtype = torch.float32) -> str:
    """Write a module's weights as safetensors that say what they are; returns their sha256. dtype: half saves room."""
    data = weights_bytes(module.state_dict(), about, dtype)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()

"""Weights that ship: found by name, checked against the manifest, read as safetensors only."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from ..ops.types import Network
from .mlp import PointwiseMLP

FOLDER = Path(__file__).parent / "weights"
_ARCHITECTURES: dict[str, Any] = {"PointwiseMLP": PointwiseMLP}


class WeightsError(ValueError):
    """Weights that are missing, damaged or not what the manifest says; the text is one line."""


@cache
def manifest() -> dict[str, Any]:
    """Name -> file, sha256, architecture, training data, metrics and licence of all weights."""
    return json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


def load_network(name: str, folder: Path = FOLDER) -> Network:
    """The network of a name. Raises WeightsError: unknown name, missing file, wrong hash, wrong shapes."""
    entry = manifest().get(name)
    if entry is None:
        raise WeightsError(f"there are no weights {name[:80]!r}; there are: {', '.join(manifest())}")
    path = folder / entry["file"]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror or error}") from None
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != entry["sha256"]:
        raise WeightsError(f"{path}: expected sha256 {entry['sha256'][:16]}...; got {sha256[:16]}...")
    module: nn.Module = _ARCHITECTURES[entry["architecture"]](**entry["arguments"])
    try:
        module.load_state_dict(load(data))
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{path}: {' '.join(str(error).split())[:160]}") from None
    return Network(module.requires_grad_(False), sha256=sha256)


def save_weights(module: nn.Module, path: Path) -> str:
    """Write a module's weights as safetensors; returns their sha256."""
    from safetensors.torch import save

    data = save({name: tensor.detach().to(torch.float32).cpu().contiguous() for name, tensor in module.state_dict().items()})
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()

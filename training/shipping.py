"""Weights that ship: the file, and its entry of the manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..networks.weights import save_weights


def ship(
    module: nn.Module, name: str, about: Mapping[str, Any], out: Path, dtype: torch.dtype = torch.float32, **said: Any
) -> None:
    """Write NAME.safetensors into a folder, and what is said of it (config, data, metrics, script) into its manifest."""
    file = f"{name}.safetensors"
    entry = {
        "file": file,
        "sha256": save_weights(module, out / file, about, dtype),
        **about,
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        **said,
        "licence": "Apache-2.0",
    }
    path = out / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**manifest, name: entry}, indent=2) + "\n", encoding="utf-8")

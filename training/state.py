"""The state of a training on disk, so that one that was stopped goes on, and its pace."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..files.errors import FileError


class Diverged(FileError):
    """The loss or a gradient is not finite; the last good state is kept."""


def pace(step: int, share: float) -> float:
    """The rate as a share of its highest: up over the first hundred steps, then down a cosine as time runs out."""
    return min(1.0, (step + 1) / 100.0) * (0.02 + 0.49 * (1.0 + math.cos(math.pi * share)))


def resume(folder: Path, config: Any, module: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[int, float]:
    """Take up the state that a stopped training left: its step and its minutes, 0 and 0 where there is none.

    config: a dataclass, of which only `minutes` may have changed since. Raises FileError.
    """
    try:
        said = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        return 0, 0.0
    known = {**said["config"], "minutes": config.minutes}
    if known != asdict(config):
        different = ", ".join(name for name, value in asdict(config).items() if known.get(name) != value)
        raise FileError(f"{folder}: expected the state of the same training; it differs in {different}")
    held = load_file(folder / "state.safetensors")
    module.load_state_dict({name.removeprefix("module."): t for name, t in held.items() if name.startswith("module.")})
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in held.items():
        if name.startswith("moment."):
            _, index, key = name.split(".")
            moments.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(said["step"]), float(said["minutes"])


def keep(folder: Path, config: Any, module: nn.Module, optimiser: torch.optim.Optimizer, step: int, minutes: float) -> None:
    """Write the state, whole or not at all."""
    held = {f"module.{name}": tensor.contiguous() for name, tensor in module.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        held |= {f"moment.{index}.{key}": torch.as_tensor(value).contiguous() for key, value in moments.items()}
    save_file(held, folder / "state.part")
    (folder / "state.part").replace(folder / "state.safetensors")
    (folder / "state.json.part").write_text(json.dumps({"step": step, "minutes": minutes, "config": asdict(config)}))
    (folder / "state.json.part").replace(folder / "state.json")

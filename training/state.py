"""What trainings share: their state on disk, written whole or not at all and checked when read again, and their pace."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ..files.atomic import whole_file
from ..files.errors import FileError

_MOMENTS = {"step", "exp_avg", "exp_avg_sq"}
"""What Adam and AdamW remember of a parameter."""


class Diverged(FileError):
    """The loss or a gradient is not finite; the last good state is kept."""


def as_time_runs_out(step: int, spent: float) -> float:
    """The rate as a share of its highest: up over the first hundred steps, then down a cosine. spent: share of the time."""
    return min(1.0, (step + 1) / 100.0) * (0.02 + 0.49 * (1.0 + math.cos(math.pi * spent)))


@dataclass(frozen=True)
class Learner:
    """A module and what moves it."""

    module: nn.Module
    optimiser: torch.optim.Optimizer


Learners = Mapping[str, tuple[str, Learner]]
"""Name of a module in the file -> the name of its moments, and the learner."""


def made(folder: Path) -> Path:
    """A folder, made where it is not there yet. Raises FileError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: could not be made: {error.strerror or error}") from None
    return folder


def save_state(folder: Path, config: Mapping[str, Any], learners: Learners, step: int, minutes: float) -> None:
    """Write where a training stands. Raises FileError; what was there before then stays."""
    held: dict[str, Tensor] = {}
    for name, (moment, learner) in learners.items():
        held |= {f"{name}.{key}": tensor.contiguous() for key, tensor in learner.module.state_dict().items()}
        for index, moments in learner.optimiser.state_dict()["state"].items():
            held |= {f"{moment}.{index}.{key}": torch.as_tensor(value).contiguous() for key, value in moments.items()}
    with whole_file(folder / "state.safetensors") as part:
        part.write_bytes(save(held))
    with whole_file(folder / "state.json") as part:
        part.write_text(json.dumps({"step": step, "minutes": minutes, "config": dict(config)}), encoding="utf-8")


def read_state(
    folder: Path, config: Mapping[str, Any], learners: Learners, free: Collection[str] = ("minutes",)
) -> tuple[int, float]:
    """Take up the state of a stopped training: its step and the minutes spent; (0, 0) where there is none.

    free: what of the configuration may have changed since.

    Raises FileError: a state that is damaged, or of another configuration. Learners are then as they were.
    """
    path = folder / "state.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0, 0.0
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise FileError(f"{path}: expected the state of a training; this is no JSON") from None
    step, minutes, before = (said.get(key) if isinstance(said, dict) else None for key in ("step", "minutes", "config"))
    if not isinstance(step, int) or not isinstance(minutes, (int, float)) or not isinstance(before, dict):
        raise FileError(f"{path}: expected the state of a training: step, minutes and config")
    if step < 0 or not 0.0 <= minutes < math.inf:
        raise FileError(f"{path}: expected a step and minutes of at least 0; got {step} and {minutes}")
    known = {**before, **{name: config[name] for name in free}}
    different = sorted(name for name in {*known, *config} if known.get(name) != config.get(name))
    if different:
        raise FileError(f"{folder}: expected the state of the same training; it differs in {', '.join(different)[:160]}")
    _take_up(folder / "state.safetensors", learners)
    return step, float(minutes)


def _take_up(path: Path, learners: Learners) -> None:
    try:
        held = load(path.read_bytes())
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    except (SafetensorError, ValueError, KeyError) as error:
        raise FileError(f"{path}: damaged: {' '.join(str(error).split())[:120]}") from None
    wanted: dict[str, torch.Size] = {}
    optional: set[str] = set()
    for name, (moment, learner) in learners.items():
        wanted |= {f"{name}.{key}": tensor.shape for key, tensor in learner.module.state_dict().items()}
        for index, parameter in enumerate(learner.module.parameters()):
            shapes = {key: torch.Size() if key == "step" else parameter.shape for key in _MOMENTS}
            found = {f"{moment}.{index}.{key}": shape for key, shape in shapes.items()}
            wanted |= found
            if not found.keys() & held.keys():  # it has not moved yet
                optional |= found.keys()
    for name in [*(wanted.keys() - optional - held.keys()), *(held.keys() - wanted.keys())]:
        raise FileError(f"{path}: {'missing' if name in wanted else 'unknown'} tensor {name[:80]!r}")
    for name, tensor in held.items():
        if tensor.shape != wanted[name]:
            raise FileError(f"{path}, {name}: expected shape {tuple(wanted[name])}; got {tuple(tensor.shape)}")
        if not torch.isfinite(tensor.float()).all():
            raise FileError(f"{path}, {name}: expected finite values")
    for name, (moment, learner) in learners.items():
        learner.module.load_state_dict(_below(held, name))
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _below(held, moment).items():
            number, what = key.split(".")
            moments.setdefault(int(number), {})[what] = tensor
        learner.optimiser.load_state_dict({"state": moments, "param_groups": learner.optimiser.state_dict()["param_groups"]})


def _below(held: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): tensor for key, tensor in held.items() if key.startswith(f"{name}.")}

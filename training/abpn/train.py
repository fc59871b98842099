"""The training of the blend pyramid: a loop that can be stopped and goes on, and never loses its last good state."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from ...files.errors import FileError
from ...networks.abpn import BlendPyramid
from ..progress import Curve
from .data import Source, Stream
from .forward import forward
from .losses import dice, mse, presence, share, variation

_SAVE_EVERY = 60.0
_TERMS = ("mse", "share", "presence", "dice", "variation")
_SEEN = 0.1
"""A pixel counts as flawed where its mask is above this."""


@dataclass(frozen=True)
class Config:
    """How to train.

    minutes: of work, over all sessions. fine_every: steps from one that trains all levels to the next; the others train the
    smallest level alone. half: convolutions in bfloat16. mse, share, presence, dice, variation: weights of the terms.
    """

    scale: float = 0.2
    levels: int = 1
    fine_every: int = 1
    batch: int = 8
    rate: float = 5e-4
    half: bool = False
    minutes: float = 60.0
    mse: float = 1.0
    share: float = 0.0
    presence: float = 0.0
    dice: float = 1.0
    variation: float = 0.1
    seed: int = 0


class Diverged(FileError):
    """The loss or a gradient is not finite; the last good state is kept."""


def train(
    config: Config,
    source: Source,
    folder: Path,
    start: dict[str, Tensor] | None = None,
    workers: int = 1,
    make: Callable[[float], BlendPyramid] = BlendPyramid,
    clock: Callable[[], float] = time.time,
) -> BlendPyramid:
    """Train until the time is spent; returns the network in evaluation mode.

    folder: keeps `state.safetensors` and `state.json`, from which a stopped training goes on, and `curve.csv`.
    start: weights to begin with, to tune a network. make: gives the network of a scale. clock: what minutes are counted by.
    Raises Diverged.
    """
    torch.manual_seed(config.seed)
    module = make(config.scale).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if start is not None:
        module.load_state_dict(start)
    optimiser = torch.optim.AdamW(module.parameters(), lr=config.rate, betas=(0.9, 0.99), weight_decay=1e-4)
    done = _resume(folder, config, module, optimiser)
    curve = Curve(folder / "curve.csv", ["step", "minutes", "loss", *_TERMS])
    began, saved = clock(), -_SAVE_EVERY
    step, spent = done["step"], done["minutes"]
    for batch in _batches(config, source, step, workers):
        minutes = spent + (clock() - began) / 60.0
        if minutes >= config.minutes:
            break
        for group in optimiser.param_groups:
            group["lr"] = config.rate * _pace(step, minutes / config.minutes)
        terms = _terms(config, module, batch, config.levels if step % config.fine_every == 0 else 0)
        loss = sum((getattr(config, name) * value for name, value in terms.items()), torch.zeros(()))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        if not torch.isfinite(loss) or not torch.isfinite(norm):
            raise Diverged(f"step {step}: the loss is not finite; the last good state is in {folder}")
        optimiser.step()
        step += 1
        curve.add(step, minutes, loss.item(), *(value.item() for value in terms.values()))
        if clock() - saved > _SAVE_EVERY:
            _save(folder, config, module, optimiser, step, minutes)
            saved = clock()
            print(curve.said(), flush=True)
    _save(folder, config, module, optimiser, step, min(config.minutes, spent + (clock() - began) / 60.0))
    return module.train(False)


def _pace(step: int, share: float) -> float:
    """The rate as a share of its highest: up over the first hundred steps, then down a cosine as time runs out."""
    return min(1.0, (step + 1) / 100.0) * (0.02 + 0.49 * (1.0 + math.cos(math.pi * share)))


def _batches(config: Config, source: Source, step: int, workers: int) -> Iterator[dict[str, Tensor]]:
    stream = Stream(source, step * config.batch)
    return iter(DataLoader(stream, config.batch, num_workers=workers, prefetch_factor=4 if workers else None))


def _terms(config: Config, module: BlendPyramid, batch: dict[str, Tensor], levels: int) -> dict[str, Tensor]:
    """The terms of a batch. With no levels the network's own, the smallest, is all there is."""
    flawed, clean, known = (batch[name] for name in ("flawed", "clean", "known"))
    if not levels:
        flawed, clean = (F.avg_pool2d(codes, 2**config.levels) for codes in (flawed, clean))
    found = forward(module, flawed.contiguous(memory_format=torch.channels_last), levels, half=config.half)
    masks = (F.max_pool2d(batch["masks"], 2**config.levels) > _SEEN).to(clean)
    return {
        "mse": mse(found, clean),
        "share": share(found, clean, flawed),
        "presence": presence(found, masks, known),
        "dice": dice(found, masks),
        "variation": variation(found),
    }


def _resume(folder: Path, config: Config, module: BlendPyramid, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """Take up the state that a stopped training left; one of another configuration is refused."""
    try:
        said = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        return {"step": 0, "minutes": 0.0}
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
    return said


def _save(
    folder: Path, config: Config, module: BlendPyramid, optimiser: torch.optim.Optimizer, step: int, minutes: float
) -> None:
    held = {f"module.{name}": tensor.contiguous() for name, tensor in module.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        held |= {f"moment.{index}.{key}": torch.as_tensor(value).contiguous() for key, value in moments.items()}
    save_file(held, folder / "state.part")
    (folder / "state.part").replace(folder / "state.safetensors")
    (folder / "state.json.part").write_text(json.dumps({"step": step, "minutes": minutes, "config": asdict(config)}))
    (folder / "state.json.part").replace(folder / "state.json")

"""The training of the blend pyramid: a loop that can be stopped and goes on, and never loses its last good state."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from ...networks.abpn import BlendPyramid
from ...ops.types import Network
from ..features import feature_network
from ..flaws.flaw import SEEN
from ..progress import Curve
from ..state import Diverged, Learner, made, read_state, save_state
from .critic import critic, told_apart
from .data import Source, Stream
from .forward import forward
from .losses import TERMS, WITH_NETWORKS, Trial
from .schedules import SCHEDULES

_SAVE_EVERY = 60.0


@dataclass(frozen=True)
class Config:
    """How to train: by default with the terms, weights and schedule of the paper (Lei et al. 2022), on a smaller network.

    scale: of the network's widths, the paper's are 1. levels: of the pyramid, the paper has 2. fine_every: steps from one
    that trains all levels to the next; in the others the network looks at the middle of the crop from near, without levels
    above it. blend_from: share of the time before which the blend coefficients stay as they begin, addition: layers are
    noise then. half: convolutions in bfloat16. minutes: of work, over all sessions. schedule: of `SCHEDULES`; an epoch is as
    many examples as the source says it has. mse to adversarial: weights of `TERMS`. features: the weights of the perceptual
    term's network.
    """

    scale: float = 0.2
    levels: int = 1
    fine_every: int = 1
    blend_from: float = 0.0
    batch: int = 8
    rate: float = 5e-4
    schedule: str = "paper"
    half: bool = False
    minutes: float = 60.0
    mse: float = 1.0
    share: float = 0.0
    presence: float = 0.0
    dice: float = 1.0
    variation: float = 0.1
    perceptual: float = 0.1
    adversarial: float = 0.1
    features: str = "efficientnet_lite0"
    seed: int = 0


OURS = Config(
    fine_every=5,
    blend_from=0.5,
    schedule="cosine",
    mse=0.0,
    share=1.0,
    presence=1.0,
    dice=0.2,
    variation=0.0,
    perceptual=0.0,
    adversarial=0.0,
    features="",
)
"""For a CPU and a time that is set: terms that look at flaws alone, and no network beside the one that learns."""


def train(
    config: Config,
    source: Source,
    folder: Path,
    start: dict[str, Tensor] | None = None,
    workers: int = 1,
    make: Callable[[float], BlendPyramid] = BlendPyramid,
    clock: Callable[[], float] = time.time,
    folders: Sequence[Path] = (),
) -> BlendPyramid:
    """Train until the time is spent; returns the network in evaluation mode.

    folder: keeps `state.safetensors` and `state.json`, from which a stopped training goes on, and `curve.csv`.
    start: weights to begin with, to tune a network. make: the network of a scale. clock: what seconds are counted by.
    folders: where the weights of feature networks are.
    Raises Diverged, FileError (a folder that cannot be written, a state that is damaged or another's), WeightsError.
    """
    torch.manual_seed(config.seed)
    module = make(config.scale).train().to(memory_format=_order(config))  # type: ignore[call-overload]
    if start is not None:
        module.load_state_dict(start)
    schedule = SCHEDULES[config.schedule]
    learner = Learner(module, schedule.optimiser(module.parameters(), config.rate))
    learners = {"module": ("moment", learner)}
    features = feature_network(config.features, folders) if config.perceptual else None
    adversary = critic() if config.adversarial else None
    if adversary:
        learners["critic"] = ("critic_moment", adversary)
    step, spent = read_state(made(folder), asdict(config), learners)
    names = [name for name in TERMS if name not in WITH_NETWORKS or getattr(config, name)]
    curve = Curve(folder / "curve.csv", ["step", "minutes", "loss", *names], step)
    began, saved, minutes = clock(), -math.inf, spent

    def keep() -> None:
        save_state(folder, asdict(config), learners, step, min(config.minutes, minutes))

    keep()  # a folder that cannot be written is told now, not when there is much to lose
    try:
        for batch in _batches(config, source, step, workers):
            minutes = spent + (clock() - began) / 60.0
            if minutes >= config.minutes:
                break
            module.coefficients.requires_grad_(minutes >= config.blend_from * config.minutes)
            rate = config.rate * schedule.pace(step, step * config.batch / len(source), minutes / config.minutes)
            trial = _trial(config, module, batch, step, features)
            sound = True
            if adversary:
                judged = told_apart(adversary.module, trial.flawed, trial.found.results[0], trial.clean)
                sound = _moved(adversary, judged, rate)
                trial = replace(trial, critic=adversary.module)
            values = {name: TERMS[name](trial) for name in names}
            loss = sum((getattr(config, name) * value for name, value in values.items()), torch.zeros(()))
            if not sound or not _moved(learner, loss, rate):
                raise Diverged(f"step {step}: the loss is not finite; the last good state is in {folder}")
            step += 1
            curve.add(step, minutes, loss.item(), *(value.item() for value in values.values()))
            if clock() - saved > _SAVE_EVERY:
                keep()
                saved = clock()
                print(f"{curve.said()}; {config.minutes - minutes:.1f} min left", flush=True)
    except KeyboardInterrupt:
        keep()
        raise KeyboardInterrupt(f"{folder} keeps the training, which goes on with the same command") from None
    keep()
    return module.train(False)


def _moved(learner: Learner, loss: Tensor, rate: float) -> bool:
    """Take a step against a loss, unless it or a gradient is not finite."""
    for group in learner.optimiser.param_groups:
        group["lr"] = rate
    learner.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(learner.module.parameters(), 1.0)
    if not torch.isfinite(loss) or not torch.isfinite(norm):
        return False
    learner.optimiser.step()
    return True


def _order(config: Config) -> torch.memory_format:
    """Of channels: each as fast as can be on a CPU."""
    return torch.channels_last if config.half else torch.contiguous_format


def _batches(config: Config, source: Source, step: int, workers: int) -> Iterator[dict[str, Tensor]]:
    stream = Stream(source, step * config.batch)
    return iter(DataLoader(stream, config.batch, num_workers=workers, prefetch_factor=4 if workers else None))


def _trial(config: Config, module: BlendPyramid, batch: dict[str, Tensor], step: int, features: Network | None) -> Trial:
    """A batch through the network: all levels, or its middle from near, as many px as the smallest level has."""
    flawed, clean, masks = batch["flawed"], batch["clean"], batch["masks"]
    levels = config.levels if step % config.fine_every == 0 else 0
    if levels:
        masks = F.max_pool2d(masks, 2**levels)
    else:
        edge = flawed.shape[-1]
        part = edge // 2**config.levels
        middle = slice((edge - part) // 2, (edge + part) // 2)
        flawed, clean, masks = (planes[..., middle, middle] for planes in (flawed, clean, masks))
    found = forward(module, flawed.contiguous(memory_format=_order(config)), levels, half=config.half)
    return Trial(found, flawed, clean, (masks > SEEN).to(clean), batch["known"], features)

"""How the rate of learning goes, and by which optimiser."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from ..state import as_time_runs_out


@dataclass(frozen=True)
class Schedule:
    """optimiser: (parameters, rate) -> one. pace: (step, epoch, share of the time that is spent) -> share of the rate."""

    optimiser: Callable[[Iterable[nn.Parameter], float], torch.optim.Optimizer]
    pace: Callable[[int, float, float], float]


def _adam(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=rate)


def _adamw(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.99), weight_decay=1e-4)


def _after_epochs(step: int, epoch: float, spent: float) -> float:
    """A tenth after a hundred epochs."""
    return 1.0 if epoch < 100.0 else 0.1


SCHEDULES = {
    "paper": Schedule(_adam, _after_epochs),
    "cosine": Schedule(_adamw, lambda step, _, spent: as_time_runs_out(step, spent)),
}
"""The paper's (Lei et al. 2022), and ours for a time that is set beforehand."""

"""Confidence that means what it says: logits are scaled and moved (Platt 1999) on photos used for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from .spoiling import IGNORED

_PULL = 0.01


def platt(logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and offset (K,) for logits (N,K), so that they fit truth (N,K; 1, 0 or IGNORED); pulled a little to none."""
    known = (truth != IGNORED).float()
    scale, offset = torch.ones(logits.shape[1], requires_grad=True), torch.zeros(logits.shape[1], requires_grad=True)
    search = torch.optim.LBFGS([scale, offset], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        far = F.binary_cross_entropy_with_logits(logits * scale + offset, truth.clamp_min(0.0), known, reduction="none").mean(0)
        total = (far + _PULL * ((scale - 1.0).square() + 0.1 * offset.square())).sum()
        total.backward()
        return total

    search.step(loss)
    return scale.detach(), offset.detach()


def auc(scores: Tensor, truth: Tensor) -> float:
    """The chance that a picture with the fault scores higher than one without, ties counting half (N,); nan without both."""
    positive, negative = scores[truth == 1.0], scores[truth == 0.0]
    if not len(positive) or not len(negative):
        return float("nan")
    higher = (positive[:, None] > negative[None]).double().mean() + 0.5 * (positive[:, None] == negative[None]).double().mean()
    return higher.item()


class Bin(NamedTuple):
    """Cases whose confidence lies together: its mean, how often the fault was there, and how many cases."""

    confidence: float
    frequency: float
    cases: int


def reliability(chances: Tensor, truth: Tensor, bins: int = 10) -> list[Bin]:
    """Chances against frequencies, in bins of equal width; all of any shape, IGNORED cases left out."""
    known = truth != IGNORED
    chances, truth = chances[known], truth[known]
    places = (chances * bins).long().clamp_max(bins - 1)
    return [
        Bin(chances[places == k].mean().item(), truth[places == k].mean().item(), int((places == k).sum()))
        for k in range(bins)
        if (places == k).any()
    ]


def expected_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean distance of confidence and frequency."""
    return sum(b.cases * abs(b.confidence - b.frequency) for b in bins) / max(1, sum(b.cases for b in bins))

"""What training makes small: the terms of the paper (Lei et al. 2022, section 3.4), and two that look where flaws are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...ops.types import Network
from .critic import unmasked
from .forward import Pass


@dataclass(frozen=True)
class Trial:
    """A batch as the terms judge it: what was found, and what should have been.

    flawed, clean: codes (B,3,H,W) as large as the finest result. masks: (B,3,h,w), where flaws of each group are on the
    smallest picture; known: (B,3), 1 where a group's mask is known. features, critic: for the terms that ask for them.
    """

    found: Pass
    flawed: Tensor
    clean: Tensor
    masks: Tensor
    known: Tensor
    features: Network | None = None
    critic: nn.Module | None = None


def mse(trial: Trial) -> Tensor:
    """Mean square error of codes, summed over the levels of the pyramid."""
    total, wanted = trial.clean.new_zeros(()), trial.clean
    for result in trial.found.results:
        wanted = _like(wanted, result)
        total = total + F.mse_loss(result, wanted)
    return total


def share(trial: Trial) -> Tensor:
    """Error of each picture as a share of what it was, over the levels: what PSNR gains. What hardly shows counts less."""
    total, wanted, before = trial.clean.new_zeros(()), trial.clean, trial.flawed
    for result in trial.found.results:
        wanted, before = _like(wanted, result), _like(before, result)
        errors = [(picture - wanted).square().mean((1, 2, 3)) for picture in (result, before)]
        total = total + (errors[0] / (errors[1] + 1e-4)).mean()
    return total / len(trial.found.results)


def presence(trial: Trial) -> Tensor:
    """Cross entropy of the probability of any flaw, and of those of the groups that are known."""
    masks, known = trial.masks, trial.known
    of_groups = (_surprise(trial.found.masks, masks).mean((2, 3)) * known).sum() / known.sum().clamp_min(1.0)
    return of_groups + _surprise(_any(trial.found.masks), masks.amax(1)).mean()


def dice(trial: Trial) -> Tensor:
    """1 minus the overlap of where any flaw is predicted and where one is.

    Each picture counts alone; a picture without flaws asks for an empty mask.
    """
    guess, truth = _any(trial.found.masks), trial.masks.amax(1)
    both, either = (guess * truth).sum((1, 2)), (guess.square() + truth.square()).sum((1, 2))
    return (1.0 - (2.0 * both + 1.0) / (either + 1.0)).mean()


def variation(trial: Trial) -> Tensor:
    """Total variation of every blend layer: layers are smooth, texture comes from the photo."""
    total = trial.found.mask.new_zeros(())
    for layer in trial.found.layers:
        total = total + layer.diff(dim=2).abs().mean() + layer.diff(dim=3).abs().mean()
    return total


def perceptual(trial: Trial) -> Tensor:
    """Error of the smallest result in what a network trained to name things sees, as a share of that; mean of its maps.

    A share, so that the weight of the term means the same for every such network.
    """
    assert trial.features is not None
    result = trial.found.results[-1]
    with torch.no_grad():
        wanted = trial.features(_like(trial.clean, result))
    errors = [
        (seen - truth).square().mean() / (truth.square().mean() + 1e-6) for seen, truth in zip(trial.features(result), wanted)
    ]
    return torch.stack(errors).mean()


def adversarial(trial: Trial) -> Tensor:
    """How surely a critic tells the finest result from a retoucher's work."""
    assert trial.critic is not None
    return unmasked(trial.critic, trial.flawed, trial.found.results[0])


TERMS: dict[str, Callable[[Trial], Tensor]] = {
    "mse": mse,
    "share": share,
    "presence": presence,
    "dice": dice,
    "variation": variation,
    "perceptual": perceptual,
    "adversarial": adversarial,
}
"""Every term; `Config` has a weight of the same name."""

WITH_NETWORKS = {"perceptual", "adversarial"}
"""Terms that cost a network of their own; they are left out where their weight is 0, others are at least written down."""


def _like(codes: Tensor, result: Tensor) -> Tensor:
    """Codes halved down to the level of a result."""
    while codes.shape[-1] > result.shape[-1]:
        codes = F.avg_pool2d(codes, 2)
    return codes


def _any(masks: Tensor) -> Tensor:
    return 1.0 - (1.0 - masks).prod(dim=1)


def _surprise(guess: Tensor, truth: Tensor) -> Tensor:
    sure = guess.clamp(1e-4, 1.0 - 1e-4)
    return -truth * sure.log() - (1.0 - truth) * (1.0 - sure).log()

"""What training makes small: terms of the paper (Lei et al. 2022, section 3.4), and one that looks where flaws are."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .forward import Pass


def mse(found: Pass, clean: Tensor) -> Tensor:
    """Mean square error of codes, summed over the levels of the pyramid."""
    total, wanted = clean.new_zeros(()), clean
    for result in found.results:
        while wanted.shape[-1] > result.shape[-1]:
            wanted = F.avg_pool2d(wanted, 2)
        total = total + F.mse_loss(result, wanted)
    return total


def dice(found: Pass, masks: Tensor) -> Tensor:
    """1 minus the overlap of where any flaw is predicted and where one is, of masks (B,3,h,w) by group.

    Each picture counts alone; a picture without flaws asks for an empty mask.
    """
    guess, truth = _any(found.masks), masks.amax(1)
    both, either = (guess * truth).sum((1, 2)), (guess.square() + truth.square()).sum((1, 2))
    return (1.0 - (2.0 * both + 1.0) / (either + 1.0)).mean()


def variation(found: Pass) -> Tensor:
    """Total variation of every blend layer: layers are smooth, texture comes from the photo."""
    total = found.mask.new_zeros(())
    for layer in found.layers:
        total = total + layer.diff(dim=2).abs().mean() + layer.diff(dim=3).abs().mean()
    return total


def share(found: Pass, clean: Tensor, flawed: Tensor) -> Tensor:
    """Error of each picture as a share of what it was, over the levels: what PSNR gains. A picture without flaws stays one."""
    total, wanted, before = clean.new_zeros(()), clean, flawed
    for result in found.results:
        while wanted.shape[-1] > result.shape[-1]:
            wanted, before = F.avg_pool2d(wanted, 2), F.avg_pool2d(before, 2)
        errors = [(picture - wanted).square().mean((1, 2, 3)) for picture in (result, before)]
        total = total + (errors[0] / (errors[1] + 2e-5)).mean()
    return total / len(found.results)


def presence(found: Pass, masks: Tensor, known: Tensor) -> Tensor:
    """Cross entropy of the probability of any flaw, and of those of the groups, (B,3), that are known."""
    of_groups = (_surprise(found.masks, masks).mean((2, 3)) * known).sum() / known.sum().clamp_min(1.0)
    return of_groups + _surprise(_any(found.masks), masks.amax(1)).mean()


def _any(masks: Tensor) -> Tensor:
    return 1.0 - (1.0 - masks).prod(dim=1)


def _surprise(guess: Tensor, truth: Tensor) -> Tensor:
    sure = guess.clamp(1e-4, 1.0 - 1e-4)
    return -truth * sure.log() - (1.0 - truth) * (1.0 - sure).log()

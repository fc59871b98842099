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


def dice(found: Pass, masks: Tensor, known: Tensor) -> Tensor:
    """1 minus the overlap of predicted and true masks (B,3,h,w), over the groups that are known, (B,3).

    Each picture counts alone; a picture without flaws asks for an empty mask.
    """
    both = (found.masks * masks).sum((2, 3))
    either = (found.masks.square() + masks.square()).sum((2, 3))
    overlap = 1.0 - (2.0 * both + 1.0) / (either + 1.0)
    return (overlap * known).sum() / known.sum().clamp_min(1.0)


def variation(found: Pass) -> Tensor:
    """Total variation of every blend layer: layers are smooth, texture comes from the photo."""
    total = found.mask.new_zeros(())
    for layer in found.layers:
        total = total + layer.diff(dim=2).abs().mean() + layer.diff(dim=3).abs().mean()
    return total


def focused(found: Pass, clean: Tensor, mask: Tensor, flawed: Tensor) -> Tensor:
    """Error inside the true mask as a share of what it was, and outside as it is: flaws are small, most of a photo is none."""
    error = (found.results[0] - clean).square()
    before = (flawed - clean).square()
    inside = (error * mask).sum((1, 2, 3)) / ((before * mask).sum((1, 2, 3)) + 1e-4 * mask.sum((1, 2, 3)) + 1e-6)
    outside = (error * (1.0 - mask)).mean()
    some = (mask.amax((1, 2, 3)) > 0).to(error)
    return (inside * some).sum() / some.sum().clamp_min(1.0) + 200.0 * outside

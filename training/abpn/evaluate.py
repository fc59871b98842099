"""How good a blend pyramid is, on held-out photos and flaws: inside the mask, outside it, and flaw by flaw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from ...networks.abpn import BlendPyramid
from .data import Example
from .forward import forward

SEEN = 0.1
"""A pixel counts as flawed where its mask is above this."""

Retoucher = Callable[[Tensor], tuple[Tensor, Tensor]]
"""codes (1,3,H,W) -> retouched codes and a mask (1,1,h,w)."""


@dataclass
class Score:
    """Means over pictures; PSNR in dB of codes, peak 1."""

    inside_before: list[float] = field(default_factory=list)
    inside_after: list[float] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)
    untouched: list[float] = field(default_factory=list)
    overlap: list[float] = field(default_factory=list)
    ssim_before: list[float] = field(default_factory=list)
    ssim_after: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        """Means of what there was, and the gain inside the mask over doing nothing."""
        numbers = {name: sum(values) / len(values) for name, values in vars(self).items() if values}
        return {**numbers, "gain": numbers["inside_after"] - numbers["inside_before"]} if self.inside_after else numbers


def by_network(module: BlendPyramid, levels: int) -> Retoucher:
    def retouch(codes: Tensor) -> tuple[Tensor, Tensor]:
        found = forward(module, codes, levels)
        return found.retouched, found.mask

    return retouch


def by_median(codes: Tensor, radius: int = 7, threshold: float = 0.02) -> tuple[Tensor, Tensor]:
    """The classical way without a mask: low frequencies by a median, kept where they differ much from the photo's own."""
    coarse = F.avg_pool2d(codes, 2)
    padded = F.pad(coarse, (radius,) * 4, mode="replicate")
    windows = padded.unfold(2, 2 * radius + 1, 1).unfold(3, 2 * radius + 1, 1)
    median = F.interpolate(windows.flatten(-2).median(dim=-1).values, codes.shape[2:], mode="bilinear")
    low = F.interpolate(F.avg_pool2d(coarse, 3, 1, 1), codes.shape[2:], mode="bilinear")
    mask = ((median - low).abs().amax(1, keepdim=True) / threshold - 1.0).clamp(0.0, 1.0)
    return codes + mask * (median - low), mask


def score(retouch: Retoucher, examples: Sequence[Example]) -> Score:
    """Scores of a way to retouch on examples; those without flaws count as untouched."""
    found = Score()
    with torch.no_grad():
        for example in examples:
            result, mask = retouch(example.flawed[None])
            truth = example.masks.amax(0, keepdim=True)
            flawed = truth > SEEN
            if not flawed.any():
                found.untouched.append(_psnr(result[0], example.flawed))
                continue
            found.inside_before.append(_psnr(example.flawed, example.clean, flawed))
            found.inside_after.append(_psnr(result[0], example.clean, flawed))
            found.outside.append(_psnr(result[0], example.flawed, truth <= 0.0))
            found.ssim_before.append(_ssim(example.flawed, example.clean, flawed))
            found.ssim_after.append(_ssim(result[0], example.clean, flawed))
            guess = F.interpolate(mask, truth.shape[1:], mode="bilinear")[0] > 0.5
            found.overlap.append(((guess & flawed).sum() / (guess | flawed).sum()).item())
    return found


def _psnr(one: Tensor, two: Tensor, where: Tensor | None = None) -> float:
    error = (one - two).square().mean(0, keepdim=True)
    mean = error.mean() if where is None else error[where].mean() if where.any() else torch.zeros(())
    return -10.0 * torch.log10(mean.clamp_min(1e-10)).item()


def _ssim(one: Tensor, two: Tensor, where: Tensor) -> float:
    """Mean structural similarity (Wang et al. 2004, 11 px box) of luma over some pixels."""
    x, y = one.mean(0)[None, None], two.mean(0)[None, None]

    def mean(value: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(value, (5, 5, 5, 5), mode="replicate"), 11, 1)

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    similar = ((2 * mx * my + 1e-4) * (2 * cov + 9e-4)) / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))
    return similar[0][where].mean().item()

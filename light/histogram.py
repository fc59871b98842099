"""Soft histograms: counts that move smoothly as pixels change."""

import torch
from torch import Tensor


def soft_histogram(values: Tensor, low: float, high: float, bins: int) -> Tensor:
    """(B, bins) float64 counts of B1HW values between low and high; what lies outside counts in the end bins.

    Each pixel is shared by three neighbouring bins with the quadratic B-spline, so the counts are once continuously
    differentiable and sum to the number of pixels.
    """
    batch = len(values)
    position = ((values - low) * (bins / (high - low)) - 0.5).reshape(batch, -1).clamp(0.0, bins - 1.0)
    nearest = position.detach().round()
    offset = (position - nearest).double()
    first = torch.arange(batch, device=values.device)[:, None] * bins
    counts = torch.zeros(batch * bins, dtype=torch.float64, device=values.device)
    weights = (0.5 * (0.5 - offset) ** 2, 0.75 - offset * offset, 0.5 * (0.5 + offset) ** 2)
    for step, weight in zip((-1, 0, 1), weights):
        cell = (nearest.long() + step).clamp(0, bins - 1) + first
        counts = counts.index_add(0, cell.reshape(-1), weight.reshape(-1))
    return counts.view(batch, bins)

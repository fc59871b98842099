"""The connected pieces of a mask."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def pieces(mask: Tensor) -> Tensor:
    """(h,w) whole numbers: 0 outside a mask (h,w) of booleans, and one number for each piece that 8 neighbours connect.

    Every px takes the greatest number about it, and then what the px of that number has become, until nothing changes.
    """
    numbers = torch.arange(1, mask.numel() + 1, dtype=torch.float64).view(mask.shape) * mask
    while True:
        wide = F.max_pool2d(numbers[None, None], 3, 1, 1)[0, 0] * mask
        known = torch.cat([wide.new_zeros(1), wide.flatten()])
        wide = known[wide.long()]
        if torch.equal(wide, numbers):
            return numbers.long()
        numbers = wide

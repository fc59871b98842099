"""The connected pieces of a mask."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def pieces(mask: Tensor) -> Tensor:
    """(h,w) whole numbers: 0 outside a mask (h,w) of booleans, and one number for each piece that 8 neighbours connect.

    Every piece so far takes the greatest number about any px of it, and what has become of that, until nothing changes: the
    number of a piece is that of its last px, counted along the rows from 1.
    """
    numbers = torch.arange(1, mask.numel() + 1, device=mask.device).view(mask.shape) * mask
    while True:
        wide = F.max_pool2d(numbers[None, None].double(), 3, 1, 1)[0, 0].long() * mask
        become = torch.arange(mask.numel() + 1, device=mask.device).scatter_reduce(0, numbers.flatten(), wide.flatten(), "amax")
        while not torch.equal(further := become[become], become):
            become = further
        found = become[numbers]
        if torch.equal(found, numbers):
            return numbers
        numbers = found

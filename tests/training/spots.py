"""Examples that are quickly made."""

from __future__ import annotations

import torch

from luxgrad.training.abpn.data import Example


class Spots:
    """Grey pictures with a bright square each."""

    def __len__(self) -> int:
        return 4

    def draw(self, number: int) -> Example:
        generator = torch.Generator().manual_seed(number)
        clean = torch.full((3, 64, 64), 0.4) + 0.02 * torch.rand(3, 64, 64, generator=generator)
        top, left = (int(place) for place in torch.randint(40, (2,), generator=generator))
        masks = torch.zeros(3, 64, 64)
        masks[0, top : top + 16, left : left + 16] = 1.0
        return Example(clean + 0.3 * masks[0], clean, masks, torch.ones(3))

"""Masks of other packs' nodes, at the size of the picture that they are for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from ..light.rectangle import Size

_masks = WeakIdKeyDictionary()


def fitting_mask(mask: Tensor, size: Size) -> Tensor:
    """An ordinary MASK at the size of the picture that it is for, stretched where it differs; one result per mask."""
    if mask.ndim not in (2, 3) or tuple(mask.shape[-2:]) == tuple(size) or not mask.is_floating_point():
        return mask
    if mask not in _masks or tuple(_masks[mask].shape[-2:]) != tuple(size):
        planes = mask.reshape(-1, 1, *mask.shape[-2:]).float()
        _masks[mask] = torch.nn.functional.interpolate(planes, size=tuple(size), mode="bilinear", antialias=True)[:, 0]
    return _masks[mask]

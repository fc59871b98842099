"""The blend pyramid on whole batches, differentiable in training mode: the same numbers as `local.local_retouch`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ...networks.abpn import GROUPS, BlendPyramid, certain


@dataclass(frozen=True)
class Pass:
    """What a forward pass gives. results: codes blended at every level, full size first; layers: as many blend layers.

    masks: (B,3,h,w) of the small picture, the probability of a flaw of each group. mask: (B,1,h,w), where any of the groups
    chosen is certain. retouched: the finest result within the mask, which is what a user gets.
    """

    results: tuple[Tensor, ...]
    layers: tuple[Tensor, ...]
    masks: Tensor
    mask: Tensor
    retouched: Tensor


def forward(module: BlendPyramid, codes: Tensor, levels: int, chosen: Tensor | None = None, half: bool = False) -> Pass:
    """Retouch a batch of codes (B,3,H,W; edges divisible by 2 ** levels).

    chosen: (B,3) groups; None is all. half: convolutions in bfloat16, blending in float32.
    """
    pyramid = [codes]
    for _ in range(levels):
        pyramid.append(F.avg_pool2d(pyramid[-1], 2))
    wanted = torch.ones(len(codes), len(GROUPS)) if chosen is None else chosen
    with torch.autocast(codes.device.type, torch.bfloat16, enabled=half):
        layer, masks = (found.to(codes.dtype) for found in module.local(pyramid[-1], wanted))
    layers = [layer]
    for fine, coarse in zip(pyramid[-2::-1], pyramid[:0:-1]):
        high = fine - _enlarged(coarse, fine)
        with torch.autocast(codes.device.type, torch.bfloat16, enabled=half):
            layers.insert(0, module.refinement(_enlarged(layers[0], fine), high).to(codes.dtype))
    results = tuple(module.blended(picture, layer) for picture, layer in zip(pyramid, layers))
    mask = certain(1.0 - (1.0 - masks * wanted.view(-1, len(GROUPS), 1, 1)).prod(dim=1, keepdim=True))
    return Pass(results, tuple(layers), masks, mask, codes + _enlarged(mask, codes) * (results[0] - codes))


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return x if x.shape[2:] == like.shape[2:] else F.interpolate(x, like.shape[2:], mode="bilinear")

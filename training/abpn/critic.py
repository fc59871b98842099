"""The adversary of the paper's adversarial term: pix2pix's discriminator (Isola et al. 2017), which judges patches of 70 px."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..state import Learner

_CHANNELS = (64, 128, 256, 512)


class PatchCritic(nn.Module):
    """Photo and retouch, codes (B,3,H,W) each -> logits (B,1,h,w): is this patch of 70 px a retoucher's work or the network's?

    Edges of at least 32 px; h is about H / 8.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 6
        for number, outputs in enumerate(_CHANNELS):
            last = outputs == _CHANNELS[-1]
            layers.append(nn.Conv2d(inputs, outputs, 4, 1 if last else 2, 1, bias=number == 0))
            layers += [nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)] if number else [nn.LeakyReLU(0.2)]
            inputs = outputs
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, 1, 4, 1, 1))
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.02)
            elif isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.weight, 1.0, 0.02)

    def forward(self, flawed: Tensor, retouched: Tensor) -> Tensor:
        return self.layers(torch.cat([flawed, retouched], dim=1) * 2.0 - 1.0)


def critic() -> Learner:
    """A critic with its own optimiser, as pix2pix has it; its rate is set with each step."""
    module = PatchCritic()
    return Learner(module, torch.optim.Adam(module.parameters(), betas=(0.5, 0.999)))


def told_apart(critic: nn.Module, flawed: Tensor, found: Tensor, clean: Tensor) -> Tensor:
    """What the critic makes small: half the cross entropies of the retoucher's work and of the network's, held fixed."""
    critic.requires_grad_(True)
    return 0.5 * (_taken_for(1.0, critic(flawed, clean)) + _taken_for(0.0, critic(flawed, found.detach())))


def unmasked(critic: nn.Module, flawed: Tensor, found: Tensor) -> Tensor:
    """What the network makes small: the critic, held fixed, tells its work from a retoucher's."""
    critic.requires_grad_(False)
    return _taken_for(1.0, critic(flawed, found))


def _taken_for(truth: float, logits: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))

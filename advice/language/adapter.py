"""A low-rank adapter (Hu et al. 2021): what a language model learned of ours, two thin matrices beside each of some layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj")
"""The linear layers of attention, as the transformers library calls them."""


class Adapted(nn.Module):
    """A linear layer y = W x + B A x with W held. down: A (R,I), small at the start; up: B (O,R), zero at the start."""

    def __init__(self, held: nn.Linear, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.held = held
        self.down = nn.Parameter(torch.randn(rank, held.in_features, generator=generator) / held.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(held.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        thin = linear(linear(x, self.down.to(x.dtype)), self.up.to(x.dtype))
        return self.held(x) + thin


def layers(network: nn.Module) -> Iterator[tuple[str, nn.Module, str, nn.Linear]]:
    """The layers that are adapted: (name, the module that holds it, its name there, the layer)."""
    for name, module in network.named_modules():
        for child, layer in module.named_children():
            if child in ADAPTED and isinstance(layer, nn.Linear):
                yield f"{name}.{child}", module, child, layer


def widened(network: nn.Module, rank: int, seed: int, last: int | None = None) -> dict[str, Adapted]:
    """The network, in place, with a fresh adapter on its attention. last: only so many layers from the end, times four."""
    generator = torch.Generator().manual_seed(seed)
    found = list(layers(network))
    made = {}
    for name, holder, child, layer in found[-last:] if last else found:
        made[name] = Adapted(layer, rank, generator)
        setattr(holder, child, made[name])
    return made


def weights_of(adapters: Mapping[str, Adapted]) -> dict[str, Tensor]:
    """An adapter as tensors by name: `LAYER.down` (R,I) and `LAYER.up` (O,R)."""
    return {f"{name}.{side}": getattr(part, side).detach() for name, part in adapters.items() for side in ("down", "up")}


def merged(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """The network, in place, as the adapter would have it, at no cost in use. Raises ValueError where they do not fit."""
    found = {name: layer for name, _, _, layer in layers(network)}
    names = {name.rpartition(".")[0] for name in weights}
    strange = sorted(names - found.keys())
    if strange or not names:
        raise ValueError(f"expected the layers of this network; got {strange[0] if strange else 'none'}")
    for name in names:
        down, up = (weights.get(f"{name}.{side}") for side in ("down", "up"))
        held = found[name].weight
        if down is None or up is None or (up.shape[0], down.shape[1]) != held.shape or up.shape[1] != down.shape[0]:
            raise ValueError(f"{name}: expected an adapter of a layer {tuple(held.shape)}")
        with torch.no_grad():
            held += (up.float() @ down.float()).to(held)

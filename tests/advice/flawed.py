"""A photo with flaws at known places, and a blend pyramid that sees them: by colour, for the tests."""

from __future__ import annotations

import torch
from torch import Tensor

from luxgrad.light.photo import Photo
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.ops.types import Network

HEIGHT, WIDTH = 120, 160


class Seeing(BlendPyramid):
    """Sees flaws of skin where green is missing, of cloth where blue is, and dust where red is; draws a lighter layer."""

    def __init__(self) -> None:
        super().__init__(0.01)

    def forward(self, part: str, *inputs: Tensor) -> tuple[Tensor, ...] | Tensor:
        if part != "local":
            return super().forward(part, *inputs)
        red, green, blue = inputs[0].split(1, dim=1)
        masks = torch.cat([0.9 * (plane < 0.45).to(plane) for plane in (green, blue, red)], dim=1)
        return torch.full_like(inputs[0], 0.1), masks


PLACES = {
    "left spot": ("skin", slice(20, 24), slice(20, 24), 0.12),
    "right spot": ("skin", slice(30, 36), slice(130, 136), 0.12),
    "mole": ("skin", slice(44, 48), slice(90, 94), 0.0),
    "wrinkle": ("skin", slice(10, 12), slice(60, 80), 0.12),
    "left crease": ("cloth", slice(90, 93), slice(20, 50), 0.1),
    "right crease": ("cloth", slice(100, 103), slice(110, 150), 0.1),
    "dust": ("dust", slice(70, 73), slice(76, 79), 0.1),
}


def flawed() -> Photo:
    light = torch.full((1, 3, HEIGHT, WIDTH), 0.4)
    for group, rows, columns, value in PLACES.values():
        light[:, {"skin": 1, "cloth": 2, "dust": 0}[group], rows, columns] = value
        if value == 0.0:
            light[:, :, rows, columns] = torch.tensor([0.4, 0.0, 0.4]).view(3, 1, 1)
    return Photo(light)


def seeing() -> Network:
    return Network(Seeing())

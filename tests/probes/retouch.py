from typing import Annotated, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from luxgrad.light.planes import each, join, stack
from luxgrad.light.transfer import srgb_decode, srgb_encode
from luxgrad.ops.composite import part, place
from luxgrad.ops.example import Example
from luxgrad.ops.frame import Frame
from luxgrad.ops.geometry.halve import halve
from luxgrad.ops.measure.small_picture import read, small_picture
from luxgrad.ops.params import Count, Slider
from luxgrad.ops.pyramid import enlarged, half
from luxgrad.ops.reach import COMPOSITE, POINTWISE, Arithmetic, halo
from luxgrad.ops.spec import operation
from luxgrad.ops.types import Image, Mask, Network, Scalar, SmallPicture


class Retouched(NamedTuple):
    image: Image
    mask: Mask


class Skeleton(nn.Module):
    """What stands for the networks of a blend pyramid: a mask and a layer on the small picture, and the refinement."""

    def __init__(self) -> None:
        super().__init__()
        self.local = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Tanh(), nn.Conv2d(8, 4, 3, padding=1))
        self.first, self.second = nn.Conv2d(6, 5, 3, padding=1), nn.Conv2d(5, 3, 3, padding=1)

    def forward(self, small: Tensor, high: Tensor | None = None) -> Tensor:
        if high is None:
            return self.local(small)
        return self.second(F.leaky_relu(self.first(torch.cat([small, high], dim=1)), 0.2)) + small


@part(reach=POINTWISE)
def _codes(image: Image) -> Image:
    """Light as sRGB codes."""
    return each(image, srgb_encode)


@part(reach=POINTWISE)
def _difference(image: Image, other: Image) -> Image:
    """What one picture has and the other has not."""
    return image - other


class Local(NamedTuple):
    layer: SmallPicture
    mask: SmallPicture


@part(reach=Arithmetic())
def _local(small: SmallPicture, network: Network) -> Local:
    """The blend layer and the mask of the small picture."""
    found = network(small.pixels)
    return Local(SmallPicture(found[:, :3]), SmallPicture(torch.sigmoid(found[:, 3:])))


@part(reach=POINTWISE)
def _layer(image: Image, small: SmallPicture, frame: Frame) -> Image:
    """A small picture at the size of another."""
    return join(*read(small, frame).split(1, dim=1), like=image)


@part(reach=POINTWISE)
def _mask(image: Image, small: SmallPicture, frame: Frame) -> Mask:
    """A small mask at the size of a picture."""
    return read(small, frame)


@part(reach=halo(2))
def _refined(image: Image, high: Image, network: Network) -> Image:
    """A blend layer refined by the detail of its level."""
    return network(stack(image), stack(high))


@part(reach=POINTWISE)
def _blended(image: Image, layer: Image, mask: Mask, strength: Annotated[Scalar, Slider(0, 1)] = 1.0) -> Image:
    """Adaptive blend, soft light for all coefficients at rest; codes in, light out."""
    return each(image + (strength * mask) * ((image - image * image) * layer), srgb_decode)


@operation(reach=COMPOSITE, example=Example(sockets=lambda: {"network": Network(Skeleton())}, scales=False))
def retouch(
    image: Image,
    network: Network,
    frame: Frame,
    strength: Annotated[Scalar, Slider(0, 1)] = 0.7,
    levels: Annotated[int, Count(1, 5)] = 2,
) -> Retouched:
    """Retouch locally: networks on the small picture, a blend pyramid back to full size.

    image: the photo to retouch.
    network: its weights.
    strength: how much of the retouch shows.
    levels: how often the picture is halved.
    """
    codes = place(_codes, image)
    below, size, stack_of = codes, frame.full, []
    for _ in range(levels):
        smaller = place(halve, below)
        stack_of.append((size, place(_difference, below, place(enlarged, smaller, height=size.height, width=size.width))))
        below, size = smaller, half(size)
    layer_small, mask_small = place(_local, place(small_picture, below, long_edge=4096), network)
    layer = place(_layer, below, layer_small)
    for size, high in reversed(stack_of):
        layer = place(_refined, place(enlarged, layer, height=size.height, width=size.width), high, network)
    mask = place(_mask, codes, mask_small)
    return Retouched(place(_blended, codes, layer, mask, strength), mask)

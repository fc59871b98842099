"""What networks trained to name things see in a picture: feature maps for perceptual losses.

Both take codes (B,3,H,W), 0..1 as an sRGB file holds them, and give a map per stride, finest first. Their weights are the
user's: `python -m luxgrad.training.features` makes them of files that others publish.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Of each stage: how much wider inside, channels, blocks, stride of the first, kernel."""

_SHOWN = (0, 2, 4, 10, 15)
"""The last blocks at strides of 2, 4, 8, 16 and 32."""

_VGG = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512)
"""Channels of the convolutions; 0 halves the size."""


class _Block(nn.Module):
    """Inverted residual: wider by a 1x1 convolution, each channel by itself, narrower again; added where sizes agree."""

    def __init__(self, inputs: int, outputs: int, wider: int, kernel: int, stride: int) -> None:
        super().__init__()
        inside = inputs * wider
        if wider > 1:
            self.expand_conv, self.bn0 = nn.Conv2d(inputs, inside, 1, bias=False), nn.BatchNorm2d(inside, eps=1e-3)
        self.depthwise_conv = nn.Conv2d(inside, inside, kernel, stride, groups=inside, bias=False)
        self.bn1 = nn.BatchNorm2d(inside, eps=1e-3)
        self.project_conv, self.bn2 = nn.Conv2d(inside, outputs, 1, bias=False), nn.BatchNorm2d(outputs, eps=1e-3)
        self.wider, self.added = wider > 1, stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        inside = F.relu6(self.bn0(self.expand_conv(x))) if self.wider else x
        inside = F.relu6(self.bn1(_same(self.depthwise_conv, inside)))
        inside = self.bn2(self.project_conv(inside))
        return x + inside if self.added else inside


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 (Tan and Le 2019; Liu 2020) without its classifier: maps of 16, 24, 40, 112 and 320 channels.

    They lie at strides of 2, 4, 8, 16 and 32, edges rounded up. scale: of the channels.
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        width = _width(scale, 32)
        self.conv_stem, self.bn0 = nn.Conv2d(3, width, 3, 2, bias=False), nn.BatchNorm2d(width, eps=1e-3)
        blocks = []
        for wider, channels, count, stride, kernel in _STAGES:
            for number in range(count):
                outputs = _width(scale, channels)
                blocks.append(_Block(width, outputs, wider, kernel, 1 if number else stride))
                width = outputs
        self.blocks = nn.ModuleList(blocks)

    def forward(self, codes: Tensor) -> tuple[Tensor, ...]:
        x = (codes * 255.0 - 127.0) / 128.0  # as these networks were trained, unlike the others of their family
        x = F.relu6(self.bn0(_same(self.conv_stem, x)))
        maps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in _SHOWN:
                maps.append(x)
        return tuple(maps)


class VGG16(nn.Module):
    """VGG-16 (Simonyan and Zisserman 2015) without its classifier: maps of 64, 128, 256, 512 and 512 channels.

    They are the rectified last convolutions before each halving, relu1_2 to relu5_3, at strides of 1, 2, 4, 8 and 16.
    scale: of the channels.
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for channels in _VGG:
            if not channels:
                layers.append(nn.MaxPool2d(2))
                continue
            outputs = _width(scale, channels)
            layers += [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.ReLU()]
            inputs = outputs
        self.features = nn.Sequential(*layers)

    def forward(self, codes: Tensor) -> tuple[Tensor, ...]:
        mean, deviation = (torch.tensor(v).to(codes).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        x = (codes - mean) / deviation
        maps = []
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                maps.append(x)
            x = layer(x)
        return (*maps, x)


def _same(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """A convolution whose result has the size divided by the stride, rounded up; an odd px of padding goes behind."""
    padding: list[int] = []
    for size, kernel, stride in zip(reversed(x.shape[2:]), reversed(conv.kernel_size), reversed(conv.stride)):
        missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
        padding += [missing // 2, missing - missing // 2]
    return conv(F.pad(x, padding))


def _width(scale: float, width: int) -> int:
    return 8 * max(1, round(scale * width / 8))

"""The adaptive blend pyramid network (Lei et al., CVPR 2022): what it learns, apart from the pyramid around it.

The local retouching layer looks at a small picture and gives a soft mask for each group of flaws and a blend layer; the
refinement carries the layer up a level of the pyramid; six coefficients say how a layer blends. Widths at `scale` 1 are
the reconstruction in the paper's proportions (47 million weights).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GROUPS = ("skin", "cloth", "dust")
_ENCODER = (64, 128, 256, 512, 512, 512)
_MASK = (512, 512, 256, 128)
_RETOUCH = (512, 512, 256, 128, 64)
_BANDS = (4, 16, 64)
_AROUND = 32
_STRIP = 256
_SEEN = 3 * (1 + len(_BANDS)) + 2
MULTIPLE = 2 ** len(_ENCODER)
"""Edges of the picture that the network sees are multiples of this; `LocalRetouching` pads and crops."""


class _Down(nn.Module):
    """Half the size: 3x3 convolution of stride 2, batch normalisation (not in the first), ReLU."""

    def __init__(self, inputs: int, outputs: int, first: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, 2, 1, bias=first)
        self.norm = nn.Identity() if first else nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class _Up(nn.Module):
    """Twice the size beside the features of that size: nearest neighbours, 3x3 convolution, normalisation, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.conv(torch.cat([_twice(x), skip], dim=1))), 0.2)


class LocalAttentive(nn.Module):
    """Local attentive module: a gated convolution of (features, skip, mask) against a filtered copy of the skip.

    out = a * gate + b * (1 - gate), a and gate from everything, b from the skip alone: with the gate closed nothing is
    touched. The last one has no b: its gate closed is a layer of 0.
    """

    def __init__(self, inputs: int, skip: int, outputs: int, last: bool = False) -> None:
        super().__init__()
        self.gated = nn.Conv2d(inputs + skip + 1, 2 * outputs, 3, 1, 1)
        self.keep = None if last else nn.Conv2d(skip, outputs, 3, 1, 1, bias=False)
        self.norm = nn.Identity() if last else nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor, skip: Tensor, mask: Tensor) -> Tensor:
        skip = skip.to(x)
        change, gate = self.gated(torch.cat([_twice(x), skip, mask.to(x)], dim=1)).chunk(2, dim=1)
        gate = torch.sigmoid(gate)
        if self.keep is None:
            return change * gate
        change, keep = (F.leaky_relu(self.norm(y), 0.2) for y in (change, self.keep(skip)))
        return change * gate + keep * (1.0 - gate)


class LocalRetouching(nn.Module):
    """(B,3,h,w) sRGB codes -> blend layer (B,3,h,w) and the probability of a flaw per group (B,3,h,w), 0..1; any size.

    The layer is 0 where nothing is to be done. chosen: (3,) or (B,3), 1 for each group that is to be retouched.
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        wide = [_width(scale, width) for width in _ENCODER]
        skips = [_SEEN, *wide]
        self.encoder = nn.ModuleList(_Down(skips[i], wide[i], first=i == 0) for i in range(len(wide)))
        masks = [_width(scale, width) for width in _MASK]
        self.mask_ups = nn.ModuleList(
            _Up(before + skips[-2 - i], width) for i, (before, width) in enumerate(zip([wide[-1], *masks], masks))
        )
        self.mask_head = nn.Conv2d(masks[-1], len(GROUPS), 1)
        outs = [_width(scale, width) for width in _RETOUCH]
        self.blocks = nn.ModuleList(
            LocalAttentive(before, skips[-2 - i], width) for i, (before, width) in enumerate(zip([wide[-1], *outs], outs))
        )
        self.final = LocalAttentive(outs[-1], _SEEN, 3, last=True)
        with torch.no_grad():
            self.final.gated.weight[:3].zero_()
            self.final.gated.bias[:3].zero_()  # type: ignore[index]
        nn.init.constant_(self.mask_head.bias, -3.0)  # type: ignore[arg-type]

    def forward(self, codes: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        height, width = codes.shape[2:]
        features = [_seen(_padded(codes))]
        for down in self.encoder:
            features.append(down(features[-1]))
        x = features[-1]
        for level, up in enumerate(self.mask_ups):
            x = up(x, features[-2 - level])
        masks = torch.sigmoid(self.mask_head(x))
        wanted = chosen.reshape(-1, len(GROUPS), 1, 1).to(masks)
        mask = 1.0 - (1.0 - masks * wanted).prod(dim=1, keepdim=True)
        x = features[-1]
        for level, block in enumerate([*self.blocks, self.final]):
            skip = features[-2 - level]
            x = _by_strips(block, x, skip, F.interpolate(mask, skip.shape[2:], mode="bilinear"))
        whole = F.interpolate(masks, features[0].shape[2:], mode="bilinear")
        return x[..., :height, :width], whole[..., :height, :width]


class Refinement(nn.Module):
    """A layer enlarged to the size of a level, and the level's high frequencies -> the layer refined; reaches 2 px."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(6, 16, 3, 1, 1), nn.Conv2d(16, 3, 3, 1, 1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, layer: Tensor, high: Tensor) -> Tensor:
        return self.second(F.leaky_relu(self.first(torch.cat([layer, high], dim=1)), 0.2)) + layer


class BlendPyramid(nn.Module):
    """All that is learned: `local`, `refinement` (one for all levels, so that any number of levels runs), `coefficients`.

    coefficients: j0, j1, j2, k0, k1, k2 of result = (j0 + j1 I + j2 I^2) layer + k0 + k1 I + k2 I^2; they start as addition,
    where a layer of 0 changes nothing. part: "local" (codes, chosen), "refinement" (layer, high) or "coefficients" ().
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.local, self.refinement = LocalRetouching(scale), Refinement()
        self.coefficients = nn.Parameter(torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]))

    def forward(self, part: str, *inputs: Tensor) -> tuple[Tensor, ...] | Tensor:
        if part == "local":
            return self.local(*inputs)
        return self.refinement(*inputs) if part == "refinement" else self.coefficients

    def blended(self, codes: Tensor, layer: Tensor) -> Tensor:
        """Codes after the blend. (Finished photos are mixed with it in linear light; training looks at codes.)"""
        j0, j1, j2, k0, k1, k2 = self.coefficients.unbind()
        return (j0 + codes * (j1 + codes * j2)) * layer + k0 + codes * (k1 + codes * k2)


def certain(masks: Tensor) -> Tensor:
    """How far a retouch shows for a probability of a flaw: not at all below 0.2, fully from 0.5 on, smoothly between.

    What the network doubts is left alone, to the bit.
    """
    share = ((masks - 0.2) / 0.3).clamp(0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _width(scale: float, width: int) -> int:
    return 8 * max(1, round(scale * width / 8))


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def _by_strips(block: nn.Module, x: Tensor, skip: Tensor, mask: Tensor) -> Tensor:
    """A block some rows at a time, each strip with the rows that its convolution reaches: at full size it would take more
    memory than all that was before it."""
    height, strips = skip.shape[2], []
    for top in range(0, height, _STRIP):
        first, last = max(0, top - 2), min(height, top + _STRIP + 2)
        strip = block(x[:, :, first // 2 : last // 2], skip[:, :, first:last], mask[:, :, first:last])
        strips.append(strip[:, :, top - first : top - first + _STRIP])
    return torch.cat(strips, dim=2)


def _seen(codes: Tensor) -> Tensor:
    """(B,14,h,w): codes about 0; the bands between them and their means over 4, 16 and 64 px; two bands beside local contrast.

    A flaw is a few hundredths of the range, and its surroundings are all of it: the bands show it at once, and divided by what
    is usual around they tell it from texture (ours, not the paper's).
    """
    fine, bands = codes, []
    for px in _BANDS:
        coarse = _blurred(codes, px)
        bands.append(fine - coarse)
        fine = coarse
    energy = _blurred((bands[0].square() + bands[1].square()).mean(1, keepdim=True), _AROUND)
    usual = torch.sqrt(energy + 2e-5)
    apart = [torch.tanh(0.5 * band.mean(1, keepdim=True) / usual) for band in bands[:2]]
    return torch.cat([codes - 0.5, *(torch.tanh(8.0 * band) for band in bands), *apart], dim=1)


def _blurred(x: Tensor, px: int) -> Tensor:
    return F.interpolate(F.avg_pool2d(x, px), x.shape[2:], mode="bilinear")


def _padded(codes: Tensor) -> Tensor:
    """Edges grown to multiples, by repeating the last px: reflection would need as many px as it adds."""
    height, width = codes.shape[2:]
    return F.pad(codes, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")

"""How good a blend pyramid is, on held-out photos and flaws: inside the mask, outside it, and flaw by flaw."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ...engine.render import Job
from ...graph.model import Graph, Ref, Step
from ...graph.ports import PORTS
from ...light.photo import Photo
from ...light.rectangle import Size
from ...light.transfer import srgb_decode, srgb_encode
from ...networks.abpn import GROUPS, BlendPyramid
from ...ops.composite import by_hand
from ...ops.geometry.halve import halve
from ...ops.local.local_retouch import levels_for, local_retouch
from ...ops.spec import spec_of
from ...ops.types import Network
from ..flaws.flaw import SEEN
from .data import Example
from .forward import forward


class Found(NamedTuple):
    """What a way to retouch gives for one picture. codes: (1,3,H,W), retouched. mask: (1,1,h,w), where it shows.

    probability: (1,3,h,w) of a flaw of each group, or (1,1,h,w) of any.
    """

    codes: Tensor
    mask: Tensor
    probability: Tensor


Retoucher = Callable[[Tensor], Found]
"""A way to retouch the codes (1,3,H,W) of a picture."""


@dataclass
class Score:
    """Of pictures, one by one; PSNR in dB of codes, peak 1, at most 100, where nothing differs.

    inside_*: of the flawed px; outside: of all others, beside what they were; untouched: of pictures without flaws.
    overlap: intersection over union of the mask where it shows by half and the flawed px, at the size of the picture.
    """

    inside_before: list[float] = field(default_factory=list)
    inside_after: list[float] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)
    untouched: list[float] = field(default_factory=list)
    overlap: list[float] = field(default_factory=list)
    ssim_before: list[float] = field(default_factory=list)
    ssim_after: list[float] = field(default_factory=list)

    def add(self, found: Found, example: Example) -> None:
        """One picture. Inside is where the mask is above 0.5, outside where it is 0."""
        result, truth = found.codes[0], example.masks.amax(0, keepdim=True)
        flawed = truth > SEEN
        if not flawed.any():
            self.untouched.append(_psnr(result, example.flawed))
            return
        self.inside_before.append(_psnr(example.flawed, example.clean, flawed))
        self.inside_after.append(_psnr(result, example.clean, flawed))
        self.outside.append(_psnr(result, example.flawed, truth <= 0.0))
        self.ssim_before.append(_ssim(example.flawed, example.clean, flawed))
        self.ssim_after.append(_ssim(result, example.clean, flawed))
        guess = F.interpolate(found.mask, truth.shape[1:], mode="bilinear")[0] > 0.5
        self.overlap.append(((guess & flawed).sum() / (guess | flawed).sum()).item())

    def gains(self) -> Tensor:
        """What each picture gained inside the mask, dB."""
        return torch.tensor(self.inside_after) - torch.tensor(self.inside_before)

    def row(self) -> dict[str, float]:
        """Means of what there was, and the gain inside the mask over doing nothing."""
        numbers = {name: sum(values) / len(values) for name, values in vars(self).items() if values}
        return {**numbers, "gain": numbers["inside_after"] - numbers["inside_before"]} if self.inside_after else numbers


def by_network(module: BlendPyramid, levels: int) -> Retoucher:
    """As training computes it: edges divisible by 2 ** levels."""

    def retouch(codes: Tensor) -> Found:
        found = forward(module, codes, levels)
        return Found(found.retouched, found.mask, found.masks)

    return retouch


def by_operation(network: Network, levels: int = 0) -> Retoucher:
    """As a user gets it: the operation `local.local_retouch` in a graph, through the tiled executor; any size.

    levels: of the operation; 0 halves the picture until its long edge is at most 1024 px.
    """

    def retouch(codes: Tensor) -> Found:
        graph = Graph({
            "photo": Step("photo", PORTS["luxgrad.load_photo"]),
            "network": Step("network", PORTS["luxgrad.load_network"]),
            "retouch": Step(
                "retouch",
                spec_of(local_retouch),
                {"levels": levels},
                {"image": Ref("photo"), "network": Ref("network")},
            ),
        })  # fmt: skip
        links = [Ref("retouch", 0), Ref("retouch", 1)]
        light, mask = Job(graph, links, {Ref("photo"): Photo(srgb_decode(codes)), Ref("network"): network}, {}).outputs()
        return Found(srgb_encode(light), mask, probability(network, codes, levels))

    return retouch


def probability(network: Network, codes: Tensor, levels: int = 0) -> Tensor:
    """(1,3,h,w): what the operation's network makes of the small picture, before `certain`."""
    for _ in range(levels or levels_for(Size(*codes.shape[2:]))):
        codes = by_hand(spec_of(halve), {"image": codes})
    _, masks = network("local", codes, torch.ones(len(GROUPS)))
    return masks


def score(retouch: Retoucher, examples: Iterable[Example]) -> Score:
    """Scores of a way to retouch on examples; those without flaws count as untouched."""
    found = Score()
    with torch.no_grad():
        for example in examples:
            found.add(retouch(example.flawed[None]), example)
    return found


def _psnr(one: Tensor, two: Tensor, where: Tensor | None = None) -> float:
    error = (one - two).square().mean(0, keepdim=True)
    mean = error.mean() if where is None else error[where].mean() if where.any() else torch.zeros(())
    return -10.0 * torch.log10(mean.clamp_min(1e-10)).item()


def _ssim(one: Tensor, two: Tensor, where: Tensor) -> float:
    """Mean structural similarity (Wang et al. 2004, 11 px box) of luma over some pixels."""
    x, y = one.mean(0)[None, None], two.mean(0)[None, None]

    def mean(value: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(value, (5, 5, 5, 5), mode="replicate"), 11, 1)

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    similar = ((2 * mx * my + 1e-4) * (2 * cov + 9e-4)) / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))
    return similar[0][where].mean().item()

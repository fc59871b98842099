"""Imperfections one by one: where Local retouch would touch a photo, as ovals with their group, shape and darkness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..graph.model import HIDDEN, Ref, Step
from ..light.gamut import to_display
from ..light.pieces import pieces
from ..light.planes import planes
from ..light.rectangle import Size
from ..light.spaces import to_oklab
from ..networks.abpn import GROUPS, certain
from ..networks.weights import load_network
from ..ops.local.local_retouch import SEEN
from ..ops.types import Network
from .flaws import NAME, where
from .view import RETOUCH, View

_SURE = 0.5
_MOST = 100
_LONG, _WIDE = 2.2, 0.06
_DARK = 0.017
"""Longer than so many times its width, or on cloth longer than that share of the long edge: wrinkles and creases, of what
`training/flaws` makes nearly all, and no spots. As dark: nine of ten moles, and fewer than one of ten spots."""


class Imperfection(NamedTuple):
    """One place. group: skin, cloth or dust. y, x: its middle as shares of the height and the width.

    long, short: its extents as shares of the long edge. angle: of the long one, in degrees from right to down. chance: the
    highest in it, 0 to 1. darker: how much darker it is than what is around it, in OKLab lightness; below 0 it is lighter.
    cover: how much larger an oval of its extents must be to hold all of it.
    """

    group: str
    y: float
    x: float
    long: float
    short: float
    angle: float
    chance: float
    darker: float
    cover: float = 1.0

    @property
    def place(self) -> str:
        return where(self.y, self.x)

    @property
    def slender(self) -> bool:
        return self.long >= _LONG * self.short or (self.group == "cloth" and self.long >= _WIDE)

    @property
    def dark(self) -> bool:
        return self.darker >= _DARK


class Found(NamedTuple):
    """What a photo has of them, from the top left on. labels: (3,h,w), of each group the number of the imperfection that a px
    belongs to, counted from 1; 0 where it belongs to none."""

    places: tuple[Imperfection, ...]
    labels: Tensor

    @property
    def size(self) -> Size:
        return Size(self.labels.shape[1], self.labels.shape[2])

    def map(self, numbers: Sequence[int], level: int = 0) -> Tensor:
        """Where some of them are (1,1,h,w), 0 to 1, on a level of the pyramid: halved so many times."""
        chosen = torch.zeros(len(self.places) + 1)
        chosen[[number + 1 for number in numbers]] = 1.0
        covered = chosen[self.labels].amax(0)[None, None]
        for _ in range(level):
            covered = F.avg_pool2d(covered, 2, ceil_mode=True)
        return covered


def retouching(view: View) -> list[Step]:
    """The steps of Local retouch on the way of the picture that stand one behind the other, from the first one on."""
    first = next((place for place, step in enumerate(view.way) if step.spec.id == RETOUCH), len(view.way))
    run = []
    for step in view.way[first:]:
        if step.spec.id != RETOUCH:
            break
        run.append(step)
    return run


def origin(view: View) -> Step:
    """The step whose photo comes to the first Local retouch on the way, or would come to one: the camera's."""
    run = retouching(view)
    return view.way[view.way.index(run[0]) - 1] if run else view.camera


@torch.no_grad()
def imperfections(view: View) -> Found:
    """What Local retouch sees in the photo that comes to it: to the first one on the way, else in the camera's."""
    seen = View(view.graph, view.given, origin(view).id, size=SEEN, settings=view.settings)
    light = to_display(seen.shown[:1].float())
    masks = _network(view, retouching(view))("local", light, torch.ones(len(GROUPS)))[1][0].float().cpu()
    lightness = next(iter(to_oklab(*planes(light))))[0, 0]
    numbers = torch.stack([pieces(certain(mask) > 0.0) for mask in masks])
    every = [
        (_place(group, mask, lightness, pixels == number), layer, number)
        for layer, (group, mask, pixels) in enumerate(zip(GROUPS, masks, numbers))
        for number in pixels[mask > _SURE].unique().tolist()
    ]
    every = sorted(every, key=lambda entry: -entry[0].chance * entry[0].long)[:_MOST]
    every.sort(key=lambda entry: (round(entry[0].y, 2), entry[0].x))
    labels = torch.zeros_like(numbers)
    for count, (_, layer, number) in enumerate(every, start=1):
        labels[layer][numbers[layer] == number] = count
    return Found(tuple(place for place, _, _ in every), labels)


def _network(view: View, run: list[Step]) -> Network:
    """The weights that the first Local retouch has, or would have."""
    if not run:
        return load_network(NAME)
    network: Any = view.given[run[0].links.get("network", Ref(f"{run[0].id}{HIDDEN}network"))]
    assert isinstance(network, Network)
    return network


def _place(group: str, mask: Tensor, lightness: Tensor, inside: Tensor) -> Imperfection:
    """The connected px of a flaw as an oval along their longest axis."""
    height, width = mask.shape
    edge = max(height, width)
    rows, columns = inside.nonzero(as_tuple=True)
    y, x = rows.double() + 0.5, columns.double() + 0.5
    down, right = y - y.mean(), x - x.mean()
    turn = 0.5 * math.atan2(2.0 * float((down * right).mean()), float((right * right).mean() - (down * down).mean()))
    along, across = right * math.cos(turn) + down * math.sin(turn), down * math.cos(turn) - right * math.sin(turn)
    a, b = (float(axis.max() + axis.min()) / 2.0 for axis in (along, across))
    along, across = (along - a).abs(), (across - b).abs()
    middle_y = float(y.mean()) + a * math.sin(turn) + b * math.cos(turn)
    middle_x = float(x.mean()) + a * math.cos(turn) - b * math.sin(turn)
    long, short = (2.0 * float(axis.max()) + 1.0 for axis in (along, across))
    cover = max(1.0, float(((2.0 * along / long) ** 2 + (2.0 * across / short) ** 2).max()) ** 0.5)
    if short > long:
        long, short, turn = short, long, turn + math.pi / 2.0
    chance, darker = float(mask[inside].max()), _darker(lightness, rows, columns)
    return Imperfection(
        group, middle_y / height, middle_x / width, long / edge, short / edge, math.degrees(turn), chance, darker, cover
    )


def _darker(lightness: Tensor, rows: Tensor, columns: Tensor) -> float:
    """How much darker the middle of a place is than the rim around it."""
    margin = 2 + max(int(rows.max() - rows.min()), int(columns.max() - columns.min())) // 4
    top, left = max(0, int(rows.min()) - margin), max(0, int(columns.min()) - margin)
    part = lightness[top : int(rows.max()) + margin + 1, left : int(columns.max()) + margin + 1]
    inside = torch.zeros_like(part, dtype=torch.bool)
    inside[rows - top, columns - left] = True
    if inside.all():
        return 0.0
    return float(part[~inside].median() - part[inside].median())

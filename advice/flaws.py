"""Local flaws by the mask branch of Local retouch: of which kind, where, and how large; where its weights are very sure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..light.gamut import to_display
from ..light.pieces import pieces
from ..networks.abpn import GROUPS
from ..networks.weights import load_network
from ..ops.types import Network
from .findings import Finding
from .view import View

NAME = "abpn_small"
_SURE = 0.5
SPOKEN = 0.95
"""A chance from which on the weights that ship are believed: of 59 photos without flaws that they know, 6 reach it."""
_GRID = 128
_MOST = 8
_THIRDS = (("upper left", "top", "upper right"), ("left", "middle", "right"), ("lower left", "bottom", "lower right"))
_KINDS = {"skin": "spots or wrinkles", "cloth": "creases or stains", "dust": "dust on the sensor"}


class Spot(NamedTuple):
    """One flaw. y, x: its middle as shares of the picture; size: its long edge as a share of the picture's; chance: 0 to 1."""

    y: float
    x: float
    size: float
    chance: float

    @property
    def place(self) -> str:
        return where(self.y, self.x)


def where(y: float, x: float) -> str:
    """A place in words, by shares of the picture."""
    return _THIRDS[min(2, int(3.0 * y))][min(2, int(3.0 * x))]


def flaws(view: View) -> list[Finding]:
    """A finding for each kind of flaw that the weights that ship are very sure of somewhere."""
    seen = found(view, load_network(NAME))
    return [finding for finding in seen if finding.mask is not None and finding.mask.max() >= SPOKEN]


@torch.no_grad()
def found(view: View, network: Network) -> Iterator[Finding]:
    """A finding for each kind of flaw that a blend pyramid sees in the picture."""
    masks = network("local", to_display(view.shown[:1].float()), torch.ones(len(GROUPS)))[1]
    for group, mask in zip(GROUPS, masks.split(1, dim=1)):
        seen = sorted(spots(mask), key=lambda spot: -spot.size)
        if not seen:
            continue
        sure = sum(spot.chance for spot in seen) / len(seen)
        where = ", ".join(dict.fromkeys(spot.place for spot in seen[:_MOST]))
        largest = 100.0 * seen[0].size
        why = (f"{len(seen)} {'place looks' if len(seen) == 1 else 'places look'} like {_KINDS[group]} ({where}); the largest "
               f"measures {largest:.1f} % of the long edge. Local retouch looks there.")  # fmt: skip
        facts = {"places": float(len(seen)), "largest (% of the long edge)": largest}
        facts |= {f"{number}: {name}": value for number, spot in enumerate(seen[:_MOST], 1)
                  for name, value in (("y", spot.y), ("x", spot.x), ("size", spot.size))}  # fmt: skip
        yield Finding(f"flaws: {group}", why, sure, min(1.0, len(seen) / 20.0), "local", facts, mask)


def spots(mask: Tensor) -> list[Spot]:
    """The connected places of a mask (1,1,h,w) that are more likely a flaw than not."""
    scale = min(1.0, _GRID / max(mask.shape[2:]))
    height, width = (max(1, round(edge * scale)) for edge in mask.shape[2:])
    small = F.adaptive_max_pool2d(mask, (height, width))
    labels = pieces((small > _SURE)[0, 0])
    places = []
    for label in labels.unique().tolist():
        if not label:
            continue
        rows, columns = (labels == label).nonzero(as_tuple=True)
        edges = [int(axis.max() - axis.min()) + 1 for axis in (rows, columns)]
        places.append(Spot((rows.float().mean().item() + 0.5) / height, (columns.float().mean().item() + 0.5) / width,
                           max(edges) / max(height, width), small[0, 0, rows, columns].mean().item()))  # fmt: skip
    return places

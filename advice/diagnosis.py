"""Asking the diagnoser's network about a picture: chances, and how far to turn each dial."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ..light.gamut import to_display
from ..light.planes import planes
from ..light.spaces import to_oklab
from ..light.transfer import MIDDLE_GREY
from ..networks.weights import load_network
from .dials import DIALS, NUMBER, dial_graph, turned, widths
from .faults import COLOUR_LOOKS, COLOURS, DETAIL, FAULTS, LIGHT_LOOKS, MEANT
from .fine import places
from .measuring import Measurement
from .statistics import fine_statistics, light_of, small_codes, statistics
from .view import View

NAME = "diagnoser"
_SURE_OF_LOOK = 0.5
_SHOWN = 0.06


class Diagnosis(NamedTuple):
    """What the network says of one picture. faults, meant: chances by name. dials: turns by name, in the unit of the dial.
    codes: the small picture it saw, (1,3,96,96)."""

    faults: Mapping[str, float]
    meant: Mapping[str, float]
    dials: Mapping[str, float]
    codes: Tensor

    @property
    def looks(self) -> list[str]:
        """Looks that it takes to be meant."""
        return [name for name, chance in self.meant.items() if chance >= _SURE_OF_LOOK]

    @property
    def left(self) -> frozenset[str]:
        """Dials that what is meant forbids to turn."""
        light = frozenset(NUMBER) - COLOURS if set(self.looks) & set(LIGHT_LOOKS) else frozenset()
        return light | (COLOURS if set(self.looks) & set(COLOUR_LOOKS) else frozenset())


class Fine(NamedTuple):
    """What the network says of the finest pixels. chances, amounts: by fault (noise in % of white; softness: sharpening)."""

    chances: Mapping[str, float]
    amounts: Mapping[str, float]


@torch.no_grad()
def diagnosed(light: Tensor) -> Diagnosis:
    """The diagnosis of a picture (1,3,h,w, display-referred light)."""
    codes = small_codes(light)
    faults, meant, dials = load_network(NAME)("look", codes, statistics(codes))
    turns = (dials[0] * widths()).tolist()
    return Diagnosis(
        dict(zip(FAULTS, torch.sigmoid(faults[0]).tolist())),
        dict(zip(MEANT, torch.sigmoid(meant[0]).tolist())),
        {dial.name: turn for dial, turn in zip(DIALS, turns)},
        codes,
    )


@torch.no_grad()
def fine_diagnosed(view: View) -> Fine | None:
    """The diagnosis of the finest pixels of the edited picture; None where it is too small to have any."""
    crops = view.parts(places)
    if crops is None:
        return None
    chances, amounts = load_network(NAME)("detail", fine_statistics(to_display(crops.float())))
    return Fine(dict(zip(DETAIL, torch.sigmoid(chances[0]).tolist())), dict(zip(DETAIL, amounts[0].tolist())))


@torch.no_grad()
def evidence(codes: Tensor, turns: Mapping[str, float]) -> Tensor:
    """Where some turns of dials would change the small picture, (1,1,96,96): 1 where it is clearly seen."""
    light = light_of(codes)
    after = turned(dial_graph(), light, torch.tensor([[turns.get(dial.name, 0.0) for dial in DIALS]]))
    steps = [(one - two).square() for one, two in zip(to_oklab(*planes(after)), to_oklab(*planes(light)))]
    return (sum(steps, torch.zeros(())).sqrt() / _SHOWN).clamp(0.0, 1.0)


def numbers(seen: Measurement, dials: Mapping[str, float]) -> dict[str, float]:
    """The numbers that sentences are filled with."""
    white = -math.log2(MIDDLE_GREY)
    return {
        "middle": seen.middle, "below": white - seen.bright, "under": white - seen.middle, "key": seen.bright - seen.middle,
        "low": seen.low, "spread": seen.spread, "white": 100.0 * seen.white, "clipped": 100.0 * seen.clipped,
        "chroma": seen.chroma, "kelvin": seen.cast.kelvin, "light_tint": seen.cast.tint,
        **{name.replace(" ", "_"): turn for name, turn in dials.items()},
    }  # fmt: skip

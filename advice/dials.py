"""Dials: what the diagnoser turns, each one or two sliders of an operation, and the graph that holds them all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ..engine.render import render
from ..graph.model import Graph, Ref, Step
from ..graph.ports import PORTS
from ..ops.spec import REGISTRY
from .measuring import DAYLIGHT, kelvin_of
from .moves import Move


class Dial(NamedTuple):
    """A direction that a picture is moved in. width: a usual move, in the unit of its sliders (mired for kelvin)."""

    name: str
    op: str
    sliders: tuple[str, ...]
    width: float


GROUPS: dict[str, tuple[str, str]] = {
    "skin": ("red", "orange"),
    "foliage": ("yellow", "green"),
    "sky": ("aqua", "blue"),
    "purple": ("purple", "magenta"),
}
"""Colours that people speak of, and their two neighbouring bands of `colour.hue_bands`."""


def _group_dials() -> Iterator[Dial]:
    for group, bands in GROUPS.items():
        yield Dial(f"{group} hue", "colour.hue_bands", tuple(f"{band}_hue" for band in bands), 15.0)
        yield Dial(f"{group} chroma", "colour.hue_bands", tuple(f"{band}_chroma" for band in bands), 0.4)


DIALS = (
    Dial("exposure", "tone.exposure", ("stops",), 1.0),
    Dial("warmth", "colour.white_balance", ("kelvin",), 25.0),
    Dial("tint", "colour.white_balance", ("tint",), 25.0),
    Dial("black", "tone.levels", ("black",), 0.33),
    Dial("contrast", "tone.contrast", ("amount",), 0.35),
    Dial("shadows", "tone.curve", ("slope_2", "slope_3"), 0.5),
    Dial("highlights", "tone.curve", ("slope_5", "slope_6"), 0.5),
    Dial("saturation", "colour.saturation", ("amount",), 0.5),
    *_group_dials(),
)
"""In the order of their operations from the camera on. Warmth: how many mired warmer."""

NUMBER = {dial.name: number for number, dial in enumerate(DIALS)}


def widths() -> Tensor:
    return torch.tensor([dial.width for dial in DIALS])


def dial_graph() -> Graph:
    """A photo, every operation of the dials, and its file: the graph that the diagnoser learned on."""
    steps, last = {"photo": Step("photo", PORTS["luxgrad.load_photo"])}, "photo"
    for op in dict.fromkeys(dial.op for dial in DIALS):
        steps[op.rpartition(".")[2]] = Step(op.rpartition(".")[2], REGISTRY[op], links={"image": Ref(last)})
        last = op.rpartition(".")[2]
    return Graph({**steps, "save": Step("save", PORTS["luxgrad.save_photo"], links={"image": Ref(last)})})


def turned(graph: Graph, light: Tensor, dials: Tensor) -> Tensor:
    """Pictures (B3HW light) with the dials (B,dials) of each turned, rendered by the graph; gradients reach the dials."""
    values: dict[str, Tensor] = {}
    for number, dial in enumerate(DIALS):
        by = dials[:, number]
        if "kelvin" in dial.sliders:
            by = 1e6 / (1e6 / DAYLIGHT - by)
        values |= {f"{dial.op.rpartition('.')[2]}.{slider}": by for slider in dial.sliders}
    return render(graph, light, values)


def moves_of(number: int, by: float, reason: str) -> list[Move]:
    """A turn of a dial as moves of its sliders."""
    dial = DIALS[number]
    by = math.log2(kelvin_of(by) / DAYLIGHT) if "kelvin" in dial.sliders else by
    return [Move(dial.op, slider, by, reason) for slider in dial.sliders]

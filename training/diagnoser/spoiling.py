"""Faults as people have them, made by our own operations, and looks that are meant and must be left alone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ...advice.dials import DIALS, GROUPS, NUMBER
from ...advice.faults import FAULTS, MEANT
from ...advice.measuring import kelvin_of
from ...advice.statistics import light_of
from ...light.gamut import to_display
from ...light.planes import planes
from ...light.primaries import luminance
from ...light.spaces import to_oklab
from ...light.transfer import MIDDLE_GREY
from ...ops.spec import REGISTRY

UNTOUCHED, MEANT_SHARE = 0.3, 0.12
SIZES: dict[str, tuple[tuple[float, float], tuple[float, float] | None]] = {
    "exposure": ((-2.5, -0.6), (0.6, 1.8)),
    "warmth": ((-70.0, -20.0), (20.0, 70.0)),
    "tint": ((-50.0, -14.0), (14.0, 50.0)),
    "black": ((0.06, 0.4), None),
    "contrast": ((-0.8, -0.25), (0.25, 0.7)),
    "shadows": ((0.4, 1.2), None),
    "highlights": ((0.3, 0.9), None),
    "saturation": ((-1.5, -0.5), (0.35, 0.9)),
    "hue": ((-40.0, -15.0), (15.0, 40.0)),
    "chroma": ((-1.2, -0.5), (0.4, 1.0)),
}
"""How large faults are, one way and the other, in the unit of the dial; black: the share of the veil of haze."""

_OFTEN = {"exposure": 2.0, "warmth": 1.5, "tint": 1.5, "black": 1.0, "contrast": 1.5, "shadows": 1.0, "highlights": 1.0,
          "saturation": 1.5, **dict.fromkeys(GROUPS, 0.6)}  # fmt: skip
_COUNTS = (0.5, 0.35, 0.15)
_PRESENT, _DARK_SHARE, _CLIPPED = 0.06, 0.1, 0.02
IGNORED = -1.0


class Spoiled(NamedTuple):
    """codes and good: 8-bit values as sRGB codes (1,3,h,w). cure: the dials that would take it back. faults: 1, 0, or
    IGNORED where the picture holds too little to tell. meant: of each look, 1 or 0."""

    codes: Tensor
    good: Tensor
    cure: Tensor
    faults: Tensor
    meant: Tensor


def coded(light: Tensor) -> Tensor:
    """Light as a file of 8 bits holds it, in sRGB codes."""
    return (to_display(light) * 255.0 + 0.5).floor() / 255.0


def spoiled(light: Tensor, draw: random.Random) -> Spoiled:
    """A good photo (1,3,h,w light): left as it is, given a look that is meant, or spoiled by one to three faults."""
    faults, meant = torch.zeros(len(FAULTS)), torch.zeros(len(MEANT))
    kind = draw.random()
    turns: dict[str, float] = {}
    if UNTOUCHED <= kind < UNTOUCHED + MEANT_SHARE:
        number = draw.randrange(len(MEANT))
        light, meant[number] = _LOOKS[MEANT[number]](light, draw), 1.0
    elif kind >= UNTOUCHED:
        turns = _drawn(draw)
    good = coded(light)
    light = light_of(good)
    bad, cure = _turned_back(light, turns, draw)
    codes = coded(bad) if turns else good
    _label(faults, turns, light, codes, good)
    return Spoiled(codes, good, cure, faults, meant)


def _drawn(draw: random.Random) -> dict[str, float]:
    """Some faults: dials by name and by how much they are turned the wrong way."""
    count = draw.choices(range(1, len(_COUNTS) + 1), _COUNTS)[0]
    names = set[str]()
    while len(names) < count:
        names.add(draw.choices(list(_OFTEN), list(_OFTEN.values()))[0])
    turns: dict[str, float] = {}
    for name in sorted(names):
        if name in GROUPS:
            which = draw.choice(("hue", "chroma", "both"))
            turns |= {f"{name} {part}": _size(part, draw) for part in ("hue", "chroma") if which in (part, "both")}
        else:
            turns[name] = _size(name, draw)
    return turns


def _size(name: str, draw: random.Random) -> float:
    one, other = SIZES[name]
    return draw.uniform(*(other if other is not None and draw.random() < 0.5 else one))


def _turned_back(light: Tensor, turns: dict[str, float], draw: random.Random) -> tuple[Tensor, Tensor]:
    """The photo with faults, made in the order opposite to that of the dials, and the dials that undo them."""
    cure = torch.zeros(len(DIALS))
    for op in reversed(list(dict.fromkeys(dial.op for dial in DIALS))):
        values: dict[str, float] = {}
        for dial in DIALS:
            by = turns.get(dial.name, 0.0)
            if dial.op != op or not by:
                continue
            if dial.name == "black":
                light, cure[NUMBER["black"]] = _veiled(light, by, draw)
                continue
            cure[NUMBER[dial.name]] = -by
            values |= dict.fromkeys(dial.sliders, kelvin_of(by) if dial.name == "warmth" else by)
        if values:
            light = REGISTRY[op].function(light, **values)
    return light, cure


def _veiled(light: Tensor, share: float, draw: random.Random) -> tuple[Tensor, float]:
    """Haze: part of the light is that of the air, nearly grey. Also how far `black` has to go to take it away."""
    air = draw.uniform(0.5, 0.9)
    colour = torch.tensor([1.0, 1.0, draw.uniform(1.0, 1.08)]).view(1, 3, 1, 1)
    hazy = light * (1.0 - share) + share * air * colour
    low = REGISTRY["measure.percentiles"].function(hazy).low.item()
    return hazy, min(1.0, share * air * (1.0 + low) / low)


def _label(faults: Tensor, turns: dict[str, float], light: Tensor, codes: Tensor, good: Tensor) -> None:
    """Which faults a spoiled picture has, and which it cannot be asked for."""

    def say(name: str, value: float) -> None:
        faults[FAULTS.index(name)] = value

    for dial, low, high in (("exposure", "under-exposed", "over-exposed"), ("contrast", "flat", "harsh"),
                            ("warmth", "cool cast", "warm cast"), ("tint", "green cast", "magenta cast"),
                            ("saturation", "pale", "over-saturated")):  # fmt: skip
        if turns.get(dial):
            say(low if turns[dial] < 0.0 else high, 1.0)
    if "black" in turns:
        say("haze", 1.0)
    if "shadows" in turns:
        dark = luminance(*planes(light)) < MIDDLE_GREY / 4.0
        say("crushed shadows", 1.0 if dark.float().mean() > _DARK_SHARE else IGNORED)
    before, after = ((picture.amax(1) > 250.5 / 255.0).float().mean().item() for picture in (good, codes))
    say("clipped highlights", 1.0 if after - before > _CLIPPED else 0.0 if after - before < 0.25 * _CLIPPED else IGNORED)
    for group in GROUPS:
        if f"{group} hue" in turns or f"{group} chroma" in turns:
            say(f"{group} off", 1.0 if _present(light, group) > _PRESENT else IGNORED)


def _present(light: Tensor, group: str) -> float:
    """The share of a picture that clearly has a group's colours."""
    _, a, b = to_oklab(*planes(light))
    hue = torch.rad2deg(torch.atan2(b, a))
    middle = 25.0 + 90.0 * list(GROUPS).index(group) + 22.5
    near = ((hue - middle + 180.0) % 360.0 - 180.0).abs() < 40.0
    return (near & (torch.sqrt(a * a + b * b) > 0.03)).float().mean().item()


# Looks that are meant ------------------------------------------------------------------------------------------------


def _high_key(light: Tensor, draw: random.Random) -> Tensor:
    codes = to_display(light)
    return light_of(1.0 - (1.0 - codes) * draw.uniform(0.25, 0.45))


def _night(light: Tensor, draw: random.Random) -> Tensor:
    """Lamps stay bright, all else is dark."""
    lit = luminance(*planes(light))
    lamps = lit.flatten().quantile(draw.uniform(0.95, 0.99)).item()
    share = ((lit / max(lamps, 1e-3) - 0.7) / 0.6).clamp(0.0, 1.0)
    return light * (share + (1.0 - share) * 2.0 ** -draw.uniform(2.5, 4.5))


def _coloured(light: Tensor, draw: random.Random) -> Tensor:
    warm = draw.choice((draw.uniform(85.0, 140.0), -draw.uniform(90.0, 200.0), 0.0))
    tint = draw.choice((-1.0, 1.0)) * (draw.uniform(80.0, 140.0) if warm == 0.0 else draw.uniform(0.0, 40.0))
    for _ in range(2):
        light = REGISTRY["colour.white_balance"].function(light, kelvin_of(0.5 * warm), 0.5 * tint)
    return light * (1.0 / max(1.0, light.flatten().quantile(0.99).item()))


def _black_and_white(light: Tensor, draw: random.Random) -> Tensor:
    toned = REGISTRY["colour.saturation"].function(light, -8.0)
    return REGISTRY["tone.contrast"].function(toned, draw.uniform(-0.1, 0.3))


_LOOKS: dict[str, Callable[[Tensor, random.Random], Tensor]] = {
    "high key": _high_key,
    "night": _night,
    "coloured light": _coloured,
    "black and white": _black_and_white,
}
assert set(_LOOKS) == set(MEANT)
assert math.isclose(sum(_COUNTS), 1.0)

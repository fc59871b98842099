"""Auto: what the tones and the colour of a picture say by themselves, weighed against how good photographs differ.

The numbers below describe 233 photographs nobody complained about, and faults of the size that people correct. A fault that
is not more likely than not is left alone, and so is what a photographer means: low and high key, coloured light, black and
white.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from ...light.transfer import MIDDLE_GREY
from ..advisor import advisor
from ..beliefs import Belief, Usual, belief
from ..findings import Advice, Finding
from ..measuring import DAYLIGHT, Cast, Measurement, kelvin_of
from ..moves import Move, moved
from ..view import View
from ..weighing import Weighed, weighed

WHITE = -math.log2(MIDDLE_GREY)
_SURE, _SURE_OF_TONES = 0.5, 0.65
_FLOOR = -7.5
_CHANCE = 0.35

_LOW_KEY = -3.8
_HIGH_KEY = 1.0
_COLOURLESS = 0.008


class Fault(NamedTuple):
    """A finding, the moves of sliders that mend it, and how far off the picture is by it: less, once it is mended."""

    finding: Finding
    moves: tuple[Move, ...] = ()
    off: Callable[[Measurement], float] = lambda seen: 0.0


@advisor
def auto(view: View) -> Advice:
    """Rules for exposure, contrast, clipped colours and white balance; what may be meant is left alone, and it says why."""
    found = list(diagnosed(view.measured))
    mendable = [number for number, fault in enumerate(found) if fault.moves]
    kept, note = weighed([fault.finding for fault in found], mendable, view.shown[:1])
    return mended(view, found, kept, note)


def mended(view: View, found: Sequence[Fault], kept: Sequence[Weighed], note: str = "") -> Advice:
    """The advice that mends some faults as they were weighed. What the sliders on the picture's way do not reach is left."""
    faults = [_shared(found[entry.number], entry) for entry in kept]
    while True:
        patch = moved(view, [move for fault in faults for move in fault.moves])
        after = view.after(patch).measured if patch else view.measured
        idle = [fault for fault in faults if fault.moves and not fault.off(after) < fault.off(view.measured)]
        if not idle:
            return Advice([fault.finding for fault in faults], patch, note)
        faults = [Fault(_unreached(fault.finding)) if fault in idle else fault for fault in faults]


def _shared(fault: Fault, entry: Weighed) -> Fault:
    """A fault as it was weighed: its moves by so much of what they are."""
    moves = [move._replace(by=entry.share * move.by, reason=entry.finding.why) for move in fault.moves if entry.share]
    return Fault(entry.finding, tuple(moves), fault.off)


def _unreached(finding: Finding) -> Finding:
    why = f"{finding.why} But the sliders on the way of this picture do not mend it."
    return replace(finding, why=why, keep=True)


def diagnosed(seen: Measurement) -> Iterator[Fault]:
    """What is wrong with a picture, by its numbers, and what is meant."""
    key, below = seen.middle - seen.bright, WHITE - seen.bright
    if key < _LOW_KEY and below > -0.3:
        why = f"Half of it lies more than {-key:.1f} EV below its brightest parts: low key or night, which is its mood."
        facts = {"middle tone under bright end (EV)": -key, "bright end (EV under white)": below}
        yield Fault(Finding("low key", why, 0.9, evidence=facts, keep=True))
        return
    yield from _light(seen)
    yield from _colour(seen)


# Light ---------------------------------------------------------------------------------------------------------------


def _light(seen: Measurement) -> Iterator[Fault]:
    below = WHITE - seen.bright
    facts = {"bright end (EV under white)": below, "middle tone (EV)": seen.middle, "dark end (EV)": seen.low,
             "white pixels (%)": 100.0 * seen.white, "clipped colours (%)": 100.0 * seen.clipped}  # fmt: skip
    if seen.middle > _HIGH_KEY and below > -0.3 and seen.clipped < 0.02:
        why = f"Its middle tone lies {WHITE - seen.middle:.1f} EV under white without colours clipped: high key, kept bright."
        yield Fault(Finding("high key", why, 0.9, evidence=facts, keep=True))
        return
    clipped = _burnt(seen)
    if clipped.confidence >= _SURE_OF_TONES:
        why = (f"{100.0 * seen.clipped:.0f} % of it are colours that stop at the limit of a channel; good photos have less "
               f"than 1 %. About {clipped.size:.1f} EV too bright; white stays white.")  # fmt: skip
        severity = min(1.0, clipped.size / 2.0)
        moves = (Move("tone.levels", "middle", -_PER_STOP * clipped.expected, why),)
        yield Fault(Finding("too bright", why, clipped.confidence, severity, evidence=facts), moves, lambda now: now.middle)
        return
    stops, amount = _tones(seen)
    if stops.confidence >= _SURE_OF_TONES and abs(stops.expected) >= 0.08:
        word, side = ("dark", "under") if stops.size > 0 else ("bright", "over")
        why = (f"The brightest parts lie {abs(below):.1f} EV {side} white, in good photos 0.2 under it; "
               f"{'raised' if stops.size > 0 else 'lowered'} by {abs(stops.expected):.1f} EV.")  # fmt: skip
        finding = Finding(f"too {word}", why, stops.confidence, min(1.0, abs(stops.size) / 2.0), evidence=facts)
        yield Fault(finding, (Move("tone.exposure", "stops", stops.expected, why),), lambda now: abs(WHITE - now.bright))
    if amount.confidence >= _SURE_OF_TONES and amount.expected >= 0.04:
        why = (f"Its tones lie {seen.spread:.1f} EV about their mean, from {seen.low:.1f} to {seen.bright:.1f} EV; "
               f"good photos have {2.0**_SPREAD[0]:.1f}.")  # fmt: skip
        finding = Finding(
            "flat", why, amount.confidence, min(1.0, amount.size / 0.6), evidence={**facts, "spread (EV)": seen.spread}
        )
        yield Fault(finding, (Move("tone.contrast", "amount", amount.expected, why),), lambda now: -now.spread)


_USUALLY_CLIPPED, _CLIPPED_PER_STOP, _PER_STOP = -7.2, 3.6, 0.65


def _burnt(seen: Measurement) -> Belief:
    """How much too bright a picture is whose colours are clipped: what was lost above white does not show otherwise.

    Where nothing is white, it is a cast that has pushed one channel to its limit; and coloured light, such as a low sun,
    burns its own colour out in good photos too.
    """
    if seen.white < 0.002 or seen.middle < 0.5 or _far_off(seen.cast):
        return Belief(0.0, 0.0)
    stops = (math.log2(seen.clipped + 0.003) - _USUALLY_CLIPPED) / _CLIPPED_PER_STOP
    return belief(stops, Usual(0.35, 0.9, 0.2), fault=0.9, chance=_CHANCE) if stops > 0 else Belief(0.0, 0.0)


_LOW, _SPREAD, _TOGETHER = (-4.53, 2.25), (0.44, 0.84), -0.89
_DARK, _FLAT = 1.2, 0.35
_STOPS = torch.linspace(-2.0, 2.5, 91).double()[:, None]
_AMOUNTS = torch.linspace(-0.5, 0.9, 29).double()[None]


def _tones(seen: Measurement) -> tuple[Belief, Belief]:
    """Exposure and contrast together: what to believe of each.

    Every pair of corrections moves the bright end, the dark end and the spread of tones. How usual they would then be, times
    how usual such a fault is, weighs the pair; the answer is the mean of all pairs.
    """
    slope = 2.0**_AMOUNTS
    above = slope * (seen.bright + _STOPS) - WHITE
    usual = torch.where(above > 0.0, _bell(above / 0.12), 0.98 * _bell(above / 0.35) + 0.02 * _bell(above / 1.2))
    low = ((slope * (seen.low + _STOPS)).clamp_min(_FLOOR) - _LOW[0]) / _LOW[1]
    spread = (math.log2(seen.spread) + _AMOUNTS - _SPREAD[0]) / _SPREAD[1]
    usual = usual * _bell(low) * _bell((spread - _TOGETHER * low) / math.sqrt(1.0 - _TOGETHER**2))
    faults = _bell(_STOPS / _DARK) * _bell(_AMOUNTS / _FLAT)
    pairs = usual * faults / faults.sum()
    fine = usual[int(_STOPS.abs().argmin()), int(_AMOUNTS.abs().argmin())].item()
    total = pairs.sum().item()
    if total <= 0.0:
        return Belief(0.0, 0.0), Belief(0.0, 0.0)
    sure = _CHANCE * total / (_CHANCE * total + (1.0 - _CHANCE) * fine)
    return Belief(sure, (pairs * _STOPS).sum().item() / total), Belief(sure, (pairs * _AMOUNTS).sum().item() / total)


def _bell(distance: Tensor) -> Tensor:
    return torch.exp(-0.5 * distance * distance)


# Colour --------------------------------------------------------------------------------------------------------------


class _Kind(NamedTuple):
    """How casts of a kind go: where all ways agree good photos differ by `least`, and by so much of the doubt `more`."""

    least: float
    more: float
    fault: float
    meant: float


_COOL, _TINT = _Kind(12.0, 1.0, 37.0, 53.0), _Kind(5.0, 1.1, 22.0, 30.0)


def _colour(seen: Measurement) -> Iterator[Fault]:
    if seen.chroma < _COLOURLESS:
        why = f"Its mean chroma is {seen.chroma:.3f}: black and white, or near it, and left without colour."
        yield Fault(Finding("black and white", why, 0.9, aspect="colour", evidence={"chroma": seen.chroma}, keep=True))
        return
    cast = seen.cast
    cool, tint = _believed(cast.cool, cast.cool_doubt, _COOL), _believed(cast.tint, cast.tint_doubt, _TINT)
    facts = {"light (K)": cast.kelvin, "tint": cast.tint, "doubt (mired)": cast.cool_doubt, "doubt, tint": cast.tint_doubt}
    sure = max(cool.confidence, tint.confidence)
    seems = f"The picture looks as if taken in light of {cast.kelvin:.0f} K, tint {cast.tint:+.0f}"
    apart = f"{cast.cool_doubt:.0f} mired and {cast.tint_doubt:.0f} of tint"
    moves = []
    if cool.confidence >= _SURE and abs(cool.expected) > 3.0:
        moves.append(("kelvin", math.log2(kelvin_of(cool.expected) / DAYLIGHT)))
    if tint.confidence >= _SURE and abs(tint.expected) > 2.0:
        moves.append(("tint", tint.expected))
    if moves:
        why = f"{seems}; four ways to find it lie only {apart} apart. Taken back in part."
        severity = min(1.0, max(abs(cool.size) / 75.0, abs(tint.size) / 60.0))
        finding = Finding(f"{_direction(cool, tint)} cast", why, sure, severity, "colour", facts)
        yield Fault(finding, tuple(Move("colour.white_balance", name, by, why) for name, by in moves), _cast)
    elif _far_off(cast):
        why = f"{seems}, but four ways to find it lie {apart} apart, or it is more than a camera errs: it may be meant."
        yield Fault(Finding("coloured light", why, 1.0 - sure, aspect="colour", evidence=facts, keep=True))


def _far_off(cast: Cast) -> bool:
    """Whether the light is of another colour than daylight, by more than good photos usually are."""
    return abs(cast.cool) > 40.0 or abs(cast.tint) > 30.0


def _cast(seen: Measurement) -> float:
    return math.hypot(seen.cast.cool / _COOL.fault, seen.cast.tint / _TINT.fault)


def _believed(found: float, doubt: float, kind: _Kind) -> Belief:
    return belief(found, Usual(kind.least + kind.more * doubt, kind.meant, 0.25), kind.fault, _CHANCE)


def _direction(cool: Belief, tint: Belief) -> str:
    if abs(cool.expected) / _COOL.fault >= abs(tint.expected) / _TINT.fault:
        return "blue" if cool.expected > 0 else "yellow"
    return "green" if tint.expected > 0 else "magenta"

"""Diagnoser: a small trained network looks at the picture, says what is wrong and where, and turns the sliders that mend it.

It learned from good photographs that our own operations had spoiled, by the pixels that a workflow rendered with its advice.
How sure it says it is was set on photos that it had not learned from; what it doubts is left alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...ops.spec import REGISTRY
from ..advisor import advisor
from ..diagnosis import Diagnosis, diagnosed, evidence, fine_diagnosed, numbers
from ..dials import DIALS, NUMBER, moves_of
from ..faults import KINDS, LOOKS, Kind
from ..findings import Advice, Finding
from ..fine import RADIUS
from ..flaws import flaws
from ..measuring import Measurement
from ..moves import Move, moved
from ..view import View
from ..weighing import Weighed, weighed

SURE = 0.3
"""A fault this likely is said, with its chance; how far dials are turned is weighed by doubt already."""
_LEAST, _LEAST_BESIDE = 0.12, 0.25
"""Of a dial's width: what is worth turning it, where a fault asks for it, and where it only goes with the rest."""
_SEVERE = 2.0
_UNREACHED = " But the sliders on the way of this picture do not mend it."


@advisor
def diagnoser(view: View) -> Advice:
    """A trained network for light, colour, single colours, noise and softness; what it doubts or takes as meant is left."""
    seen = diagnosed(view.shown[:1])
    found = believed(seen)
    turns = planned(seen, found)
    words = numbers(view.measured, seen.dials)
    sharp = list(_detail(view))
    findings = [*_findings(seen, found, turns, words), *_looks(seen, words, view.measured), *(one for one, _ in sharp)]
    mended = {name for name, kind in found.items() if any(_cures(kind, dial, by) for dial, by in turns.items())}
    mended |= {one.what for one, more in sharp if more}
    mendable = [number for number, finding in enumerate(findings) if finding.what in mended]
    kept, note = weighed(findings, mendable, view.shown[:1])
    as_weighed = {findings[entry.number].what: entry for entry in kept}
    moves = [move for name, by in turns.items() for move in _moves(name, by, found, as_weighed)]
    moves += [_shared(move, as_weighed[one.what]) for one, more in sharp for move in more if as_weighed[one.what].share]
    findings = [entry.finding for entry in kept]
    patch = moved(view, moves)
    if patch and (view.after(patch).shown - view.shown).abs().max() < 1e-4:
        patch = []
    if moves and not patch:
        findings = [replace(f, why=f.why + _UNREACHED, keep=True) if not f.keep and f.severity else f for f in findings]
    return Advice([*findings, *flaws(view)], patch, note)


def believed(seen: Diagnosis) -> dict[str, Kind]:
    """The faults that are likely enough, by name: of opposite ones the likelier, none of dials that are to be left."""
    likely = [kind for kind in KINDS if seen.faults[kind.name] >= SURE and not seen.left.intersection(kind.dials)]
    return {
        kind.name: kind
        for kind in likely
        if not any(seen.faults[other.name] > seen.faults[kind.name] and _opposite(kind, other) for other in likely)
    }


def _opposite(one: Kind, two: Kind) -> bool:
    return one.dials.keys() == two.dials.keys() and any(sign * two.dials[dial] < 0 for dial, sign in one.dials.items())


def planned(seen: Diagnosis, found: Mapping[str, Kind]) -> dict[str, float]:
    """The dials to turn, in the order of their operations: nothing where no fault is believed."""
    if not found:
        return {}
    turns = {}
    for dial in DIALS:
        by = seen.dials[dial.name]
        asked = any(_cures(kind, dial.name, by) for kind in found.values())
        if dial.name not in seen.left and abs(by) >= (_LEAST if asked else _LEAST_BESIDE) * dial.width:
            turns[dial.name] = by
    return turns


def _cures(kind: Kind, name: str, by: float) -> bool:
    return name in kind.dials and by * kind.dials[name] >= 0.0


def _moves(name: str, by: float, found: Mapping[str, Kind], as_weighed: Mapping[str, Weighed]) -> Iterator[Move]:
    """A turn of a dial as moves: for the faults that it mends as far as the first of them is to be, else with the least."""
    for_it = [as_weighed[kind.name] for kind in found.values() if _cures(kind, name, by)]
    share = max((entry.share for entry in for_it), default=min(as_weighed[kind].share for kind in found))
    why = next((entry.finding.why for entry in for_it if entry.share == share), "")
    why = why or f"Goes with the rest: {name} by {share * by:+.2f}, so that the picture as a whole comes near to good ones."
    if share:
        yield from moves_of(NUMBER[name], share * by, why)


def _shared(move: Move, entry: Weighed) -> Move:
    """Sharpening as it was weighed; its radius stays."""
    by = entry.share * move.by if move.slider == "amount" else move.by
    return move._replace(by=by, reason=entry.finding.why)


def said(kind: Kind, words: Mapping[str, float]) -> str:
    """A fault's sentence with its numbers; how far things go is said without a sign where the words give the direction."""
    unsigned = {"exposure", "warmth", "tint", "black"}
    return kind.why.format(**{name: abs(value) if name in unsigned else value for name, value in words.items()})


def _findings(
    seen: Diagnosis, found: Mapping[str, Kind], turns: Mapping[str, float], words: Mapping[str, float]
) -> Iterator[Finding]:
    for name, kind in sorted(found.items(), key=lambda entry: -seen.faults[entry[0]]):
        own = {dial: by for dial, by in turns.items() if _cures(kind, dial, by)}
        severity = max((abs(by) / (_SEVERE * DIALS[NUMBER[dial]].width) for dial, by in own.items()), default=0.0)
        facts = {f"{dial} ({_unit(dial)})": by for dial, by in own.items()}
        mask = evidence(seen.codes, own) if own else None
        yield Finding(name, said(kind, words), seen.faults[name], min(1.0, severity), kind.aspect, facts, mask)


def _unit(name: str) -> str:
    dial = DIALS[NUMBER[name]]
    if name == "warmth":
        return "mired"
    param = REGISTRY[dial.op].param(dial.sliders[0])
    assert param is not None
    return getattr(param.kind, "unit", "") or "of 1"


def _looks(seen: Diagnosis, words: Mapping[str, float], measured: Measurement) -> Iterator[Finding]:
    facts = {"middle tone (EV)": measured.middle, "chroma": measured.chroma, "light (K)": measured.cast.kelvin}
    for name in seen.looks:
        aspect = "light" if name in ("high key", "night") else "colour"
        yield Finding(name, LOOKS[name].format(**words), seen.meant[name], 0.0, aspect, facts, keep=True)


def _detail(view: View) -> Iterator[tuple[Finding, list[Move]]]:
    """Noise and softness of the finest pixels, and the sharpening that mends the one; nothing here mends the other."""
    fine = fine_diagnosed(view)
    if fine is None:
        return
    noise, soft = fine.chances["noise"], fine.chances["softness"]
    if noise >= SURE:
        size = fine.amounts["noise"]
        why = (f"At full size its flattest parts are grainy, by about {size:.1f} % of white in middle tones. No slider of "
               "these mends it; of a raw file, denoise of Load Photo does.")  # fmt: skip
        yield Finding("noise", why, noise, min(1.0, size / 6.0), "detail", {"noise (% of white)": size}), []
    if soft >= SURE:
        amount = fine.amounts["softness"]
        why = f"At full size its finest detail is weaker than in sharp photos; sharpening by {amount:.1f} raises what is left."
        moves = [Move("detail.sharpen", "amount", amount, why)]
        if all(step.spec.id != "detail.sharpen" for step in view.way):
            moves.append(Move("detail.sharpen", "radius", math.log2(RADIUS), why))
        yield Finding("softness", why, soft, min(1.0, amount / 2.0), "detail", {"sharpening": amount}), moves

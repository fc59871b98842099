"""Telling what becomes of imperfections: in words, with what was found and what could not be honoured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..ops.reach import Geometry
from .findings import Finding
from .imperfections import Found, origin
from .retouching import LEAST
from .spoken import KEEP, LESS, MORE, ONLY, SCALE
from .talk import Deed
from .view import View

_FULL = 0.995


def told_of(deed: Deed, found: Found, now: Sequence[float], wanted: dict[int, float]) -> Iterator[str]:
    """What is done for a request, in words."""
    pick, notes = deed.request.pick, [*deed.notes]
    if not deed.numbers and deed.spared:
        yield f"To be kept, so nothing is done for {deed.request.text!r}: {pick.named(len(deed.spared))}."
        return
    if not deed.numbers:
        none = pick.named(0).removeprefix("0 ")
        yield f"No {none} like that are found, so nothing is done for: {deed.request.text!r}. {_all(found)}"
        return
    where = ", ".join(dict.fromkeys(found.places[n].place for n in deed.numbers))
    what = f"{pick.named(len(deed.numbers))} ({'; '.join([where, *notes])})"
    shares = [wanted[n] for n in deed.numbers]
    same = all(abs(wanted[n] - now[n]) <= LEAST for n in wanted)
    if deed.request.deed == KEEP:
        yield f"Kept: {what}."
    elif same and min(shares) >= _FULL:
        yield f"Fully retouched already: {what}."
    elif same:
        yield f"So already: {what}, {_share(shares)}."
    elif deed.request.deed in (LESS, MORE, SCALE):
        yield f"{'More' if deed.request.deed == MORE else 'Less'} retouched: {what}, {_share(shares)}."
    elif deed.request.deed == ONLY:
        yield f"Only: {what}, {_share(shares)}."
    elif min(shares) >= _FULL:
        yield f"Removed: {what}."
    else:
        yield f"Softened: {what}, {_share(shares)}."
    if deed.spared:
        yield f"Kept, as you said: {pick.named(len(deed.spared))} of them."
    yield from (f"{note[:1].upper()}{note[1:]}." if note[0].isalpha() else f"{note}." for note in pick.notes)


def _share(shares: Sequence[float]) -> str:
    low, high = min(shares), max(shares)
    return f"by {100.0 * high:.0f} %" if high - low <= LEAST else f"by {100.0 * low:.0f} to {100.0 * high:.0f} %"


def _all(found: Found) -> str:
    """What there is, in the words of what can be told apart."""
    counts: dict[str, int] = {}
    for place in found.places:
        name = f"{'slender' if place.slender else 'dark' if place.dark else 'round'} ones of {place.group}"
        counts[name] = counts.get(name, 0) + 1
    there = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return f"Found are: {there}." if there else "No flaws are found at all."


def finding_of(view: View, deed: Deed, found: Found) -> Finding:
    places = [found.places[n] for n in deed.numbers]
    groups = sorted({place.group for place in places})
    sure = sum(place.chance for place in places) / len(places)
    facts = {"places": float(len(places)), "largest (% of the long edge)": 100.0 * max(place.long for place in places)}
    facts |= {f"{number}: {name}": value for number, place in enumerate(places[:8], 1)
              for name, value in (("y", place.y), ("x", place.x), ("size", place.long))}  # fmt: skip
    why = f"{deed.request.pick.named(len(places))} of {' and '.join(groups)}, by the mask branch of Local retouch."
    whole = not reshaped(view)
    mask = found.map(deed.numbers) if whole else None
    keep = deed.request.deed == KEEP
    return Finding(deed.request.text[:60], why, min(1.0, sure), min(1.0, len(places) / 20.0), "local", facts, mask, keep)


def reshaped(view: View) -> bool:
    """Whether the photo in which imperfections are looked for is cropped or turned until it is the picture seen."""
    behind = view.way[view.way.index(origin(view)) + 1 :]
    return any(isinstance(step.spec.reach, Geometry) for step in behind)

"""Wishes fulfilled: the patch of sliders, where in the picture it shows, and what it could not do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..graph.patch import Patch
from ..light.planes import planes
from ..light.spaces import to_oklab
from .aspects import PARTS, moves_of, worded
from .findings import Finding
from .moves import moved
from .view import View
from .wishes import Wish

BY = "Wished"
"""Who puts in the steps that a wish needs: the beginning of their titles."""

_PLACES = ("shadows", "highlights", "blacks", "vignette")
_SEEN, _HARDLY = 0.004, 0.005


class Fulfilled(NamedTuple):
    """patch: the edits. findings: where parts of the picture change. stuck: wishes whose sliders stand at their ends."""

    patch: Patch
    findings: tuple[Finding, ...]
    stuck: tuple[Wish, ...]


def fulfilled(view: View, wishes: Sequence[Wish]) -> Fulfilled:
    """What fulfils some wishes, all together."""
    moving = [wish for wish in wishes if moved(view, moves_of(wish), BY)]
    patch = moved(view, [move for wish in moving for move in moves_of(wish)], BY)
    findings = tuple(_where(view, wish) for wish in moving if wish.part or wish.aspect in _PLACES)
    return Fulfilled(patch, findings, tuple(wish for wish in wishes if wish not in moving))


def possible(view: View, wishes: Sequence[Wish]) -> list[Wish]:
    """Those wishes that would move a slider of this workflow."""
    return [wish for wish in wishes if moved(view, moves_of(wish), BY)]


def _where(view: View, wish: Wish) -> Finding:
    """Where the picture changes by a wish for a part of it. Parts are found by hue and tone; nothing looks at shapes."""
    after = view.after(moved(view, moves_of(wish), BY))
    change = difference(view.shown, after.shown)
    share = (change > _SEEN).double().mean().item()
    most = change.amax().item()
    name = PARTS[wish.part][0] if wish.part else wish.aspect
    facts = {"changed (%)": 100.0 * share, "most (OKLab)": most}
    if share < _HARDLY:
        why = f"Hardly any of the picture ({100.0 * share:.1f} %) has the colours or tones that {name} are looked for by."
        return Finding(f"no {name}" if not wish.part else f"hardly anything of {name}", why, 0.8, 0.0, _aspect(wish), facts)
    how = "by their hue, so whatever else has it changes too" if wish.part else "by their tone or place"
    why = f"{100.0 * share:.0f} % of the picture changes; what is meant is found {how}."
    return Finding(worded(wish), why, 0.8 if not wish.part else 0.6, min(1.0, 10.0 * most), _aspect(wish), facts,
                   mask=change / max(most, 1e-6))  # fmt: skip


def _aspect(wish: Wish) -> str:
    return "specific colour" if wish.part else "light"


def difference(one: Tensor, other: Tensor) -> Tensor:
    """How far two pictures (B3HW light) are apart in OKLab, at every place (B1HW)."""
    pairs = zip(to_oklab(*planes(one.double())), to_oklab(*planes(other.double())))
    return torch.sqrt(sum(((a - b) ** 2 for a, b in pairs), torch.zeros(())))

"""The kinds of flaws: one declaration each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .flaw import Group
from .patch import Change, Patch
from .scene import Scene

Span = tuple[float, float]
Seek = Callable[[Scene, float, float, float], float]


@dataclass(frozen=True)
class Kind:
    """How a kind of flaw is drawn.

    sizes: longest extent, px at a long edge of 1024. slender: width as a share of size. strengths: see each kind. often: how
    often beside its group's other kinds. tilt: degrees its axis may be turned from level, either way; follows: unless what is
    there runs in a direction of its own. tolerance: how far, in OKLab, the ground may differ from that in the flaw's middle;
    None where it lies over everything. gathers: whether it likes company. seek: how much it likes a place (of a scene; y, x;
    for its size); None takes any that suits its group.
    """

    name: str
    group: Group
    render: Callable[[Patch], Change]
    sizes: Span
    strengths: Span
    slender: Span
    often: float
    tilt: float
    tolerance: float | None
    follows: bool
    gathers: bool
    seek: Seek | None

    @property
    def round(self) -> bool:
        return self.slender[1] > 0.95


KINDS: dict[str, Kind] = {}


def kind(
    group: Group,
    sizes: Span,
    strengths: Span,
    slender: Span = (1.0, 1.0),
    often: float = 1.0,
    tilt: float = 90.0,
    tolerance: float | None = 0.2,
    follows: bool = False,
    gathers: bool = False,
    seek: Seek | None = None,
) -> Callable[[Callable[[Patch], Change]], Callable[[Patch], Change]]:
    """Declare a kind of flaw by the function that draws it; the function's name is the kind."""

    def declare(render: Callable[[Patch], Change]) -> Callable[[Patch], Change]:
        name = render.__name__
        KINDS[name] = Kind(name, group, render, sizes, strengths, slender, often, tilt, tolerance, follows, gathers, seek)
        return render

    return declare

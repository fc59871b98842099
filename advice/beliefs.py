"""How far to believe a measurement: a fault, or the way the photo is meant to be.

Good photographs differ, by a little all of them and by much those that are meant to. What is measured of a photo is one of
three: how it usually differs; that and a fault; or what was meant. All are normal about 0, so the chance of a fault and its
size have closed forms. Small deviations are shrunk to nothing, and those too large for a fault are believed to be meant.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Belief(NamedTuple):
    """confidence: the chance of a fault. size: its expected size, where there is one."""

    confidence: float
    size: float

    @property
    def expected(self) -> float:
        """The correction that is best on average: what is not sure is done in part."""
        return self.confidence * self.size


class Usual(NamedTuple):
    """How good photographs differ. spread: as all do. meant, share: how far, and how many of them, on purpose."""

    spread: float
    meant: float
    share: float


def belief(measured: float, usual: Usual, fault: float, chance: float) -> Belief:
    """What to believe of a measurement that is 0 on the mean of good photographs.

    fault: the standard deviation of faults. chance: how often there is one, before looking.
    """
    faulty = chance * _density(measured, math.hypot(usual.spread, fault))
    meant = (1.0 - chance) * usual.share * _density(measured, math.hypot(usual.spread, usual.meant))
    fine = (1.0 - chance) * (1.0 - usual.share) * _density(measured, usual.spread)
    total = faulty + meant + fine
    size = measured * fault * fault / (usual.spread * usual.spread + fault * fault)
    return Belief(faulty / total if total > 0.0 else 0.0, size)


def _density(x: float, sigma: float) -> float:
    return math.exp(-0.5 * (x / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))

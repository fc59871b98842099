"""Dust on the sensor: out-of-focus shadows that lie over whatever the photo shows."""

from __future__ import annotations

from .draws import bump, ramp
from .kinds import kind
from .patch import NEUTRAL, Change, Patch, inked


@kind("dust", sizes=(4, 32), strengths=(0.12, 0.5), slender=(0.85, 1.0), tolerance=None, gathers=True)
def dust(patch: Patch) -> Change:
    """A soft dark disc; the smaller the aperture, the sharper and darker. Strength: stops in its middle."""
    radius = patch.radius * (1.0 + 0.06 * patch.noise(0.6 * patch.size))
    edge = max(patch.draw.uniform(0.4, 1.0), min(1.0, 2.0 * patch.soft(1.5) / patch.size))
    cover = 1.0 - ramp(radius, 1.0 - edge, 1.0)
    ring = 0.06 * bump((radius - 1.05) * 5.0)
    return Change(inked(patch.strength * (cover - ring), NEUTRAL))

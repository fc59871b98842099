"""What the diagnoser tells apart, by name, in the order of its network's outputs."""

from __future__ import annotations

from .dials import GROUPS

FAULTS = (
    "under-exposed", "over-exposed", "flat", "harsh", "crushed shadows", "clipped highlights", "haze",
    "warm cast", "cool cast", "green cast", "magenta cast", "over-saturated", "pale",
    *(f"{group} off" for group in GROUPS),
)  # fmt: skip
MEANT = ("high key", "night", "coloured light", "black and white")
DETAIL = ("noise", "softness")

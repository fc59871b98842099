"""Local flaws of skin, cloth and sensors, put onto clean photos with exact masks and instances: what retouching learns from."""

from .flaw import GROUPS, Flaw, Flawed, Group, difference_mask
from .pictures import procedural_cloth, procedural_skin
from .synthesiser import LONG_EDGE, synthesise

__all__ = [
    "GROUPS",
    "LONG_EDGE",
    "Flaw",
    "Flawed",
    "Group",
    "difference_mask",
    "procedural_cloth",
    "procedural_skin",
    "synthesise",
]

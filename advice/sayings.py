"""Words for findings: what a language model may choose from when it says what was found, and how far it is mended."""

from __future__ import annotations

SAYINGS = (
    ("too dark", "under-exposed", "short of light"),
    ("too bright", "over-exposed", "brighter than it should be"),
    ("flat", "low in contrast", "its tones lie close together"),
    ("harsh", "too contrasty", "its tones lie far apart"),
    ("crushed shadows", "blocked shadows", "its dark parts fall off too fast"),
    ("clipped highlights", "burnt highlights", "its bright parts run into white"),
    ("haze", "veiled blacks", "its dark parts are veiled"),
    ("blue cast", "cool cast", "its light is bluish"),
    ("yellow cast", "warm cast", "its light is yellowish"),
    ("green cast", "its light is greenish"),
    ("magenta cast", "its light is pinkish"),
    ("over-saturated", "too colourful", "its colours are too strong"),
    ("pale", "too little colour", "its colours are weak"),
    ("skin off", "its skin tones are off"),
    ("foliage off", "its greens are off"),
    ("sky off", "its blues are off"),
    ("purple off", "its purples are off"),
    ("softness", "a little soft", "its finest detail is weak"),
)
"""Names that mean the same, with what else says it; the first are those of the advisors."""

_GROUP = {name: group for group in SAYINGS for name in group}


def sayings(what: str) -> tuple[str, ...]:
    """The ways to say what a finding is, its own name among them."""
    return _GROUP.get(what, (what,))

"""What the diagnoser tells apart: faults, with the dials that mend them and their words, and looks that are meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .dials import GROUPS

Words = Mapping[str, float]
"""Numbers for a sentence: those measured of the picture, and how far each dial is to be turned."""


class Kind(NamedTuple):
    """A fault. dials: those that mend it, with the direction (0: either). why: a sentence to be filled with `Words`."""

    name: str
    aspect: str
    dials: Mapping[str, int]
    why: str


def _group(group: str, things: str) -> Kind:
    why = (f"{things} are turned by about {{{group}_hue:+.0f}} degrees of hue and {{{group}_chroma:+.1f}} of chroma to look as "
           "in good photos.")  # fmt: skip
    return Kind(f"{group} off", "specific colour", {f"{group} hue": 0, f"{group} chroma": 0}, why)


KINDS = (
    Kind("under-exposed", "light", {"exposure": 1},
         "Its middle tone lies at {middle:+.1f} EV and its bright end {below:.1f} EV under white; good photos of such things "
         "are about {exposure:.1f} EV brighter."),
    Kind("over-exposed", "light", {"exposure": -1},
         "Its middle tone lies at {middle:+.1f} EV, with {white:.1f} % of it white; good photos of such things are about "
         "{exposure:.1f} EV darker."),
    Kind("flat", "light", {"contrast": 1},
         "Its tones lie {spread:.1f} EV about their mean, little for such a picture; contrast {contrast:+.2f} spreads them."),
    Kind("harsh", "light", {"contrast": -1},
         "Its tones lie {spread:.1f} EV about their mean, much for such a picture; contrast {contrast:+.2f} joins them again."),
    Kind("crushed shadows", "light", {"shadows": -1},
         "Its dark end lies at {low:.1f} EV and what is dark falls off too fast; a gentler curve of shadows brings it back."),
    Kind("clipped highlights", "light", {"highlights": -1, "exposure": -1},
         "Bright parts run into white: {white:.1f} % of it is white and {clipped:.1f} % are colours at the limit of a channel. "
         "What was lost stays lost; what is left is eased."),
    Kind("haze", "light", {"black": 1},
         "Its darkest parts are veiled, at {low:.1f} EV, as by haze or stray light; black goes {black:.0%} of the way down."),
    Kind("warm cast", "colour", {"warmth": -1},
         "It looks lit by {kelvin:.0f} K, more yellow than good photos of such things; taken back by {warmth:.0f} mired."),
    Kind("cool cast", "colour", {"warmth": 1},
         "It looks lit by {kelvin:.0f} K, more blue than good photos of such things; taken back by {warmth:.0f} mired."),
    Kind("green cast", "colour", {"tint": 1},
         "It leans to green, by about {tint:.0f} of tint."),
    Kind("magenta cast", "colour", {"tint": -1},
         "It leans to magenta, by about {tint:.0f} of tint."),
    Kind("over-saturated", "colour", {"saturation": -1},
         "Its mean chroma is {chroma:.3f}, more than such a picture has as a rule; saturation {saturation:+.2f}."),
    Kind("pale", "colour", {"saturation": 1},
         "Its mean chroma is {chroma:.3f}, less than such a picture has as a rule; saturation {saturation:+.2f}."),
    *(_group(group, things) for group, things in zip(GROUPS, ("Reds and oranges, skin among them,", "Greens and yellows",
                                                               "Blues and cyans", "Purples and magentas"))),
)  # fmt: skip

FAULTS = tuple(kind.name for kind in KINDS)

LIGHT_LOOKS, COLOUR_LOOKS = ("high key", "night"), ("coloured light", "black and white")
MEANT = (*LIGHT_LOOKS, *COLOUR_LOOKS)
"""Looks that are meant, in the order of the network's outputs."""

LOOKS: Mapping[str, str] = {
    "high key": "Nearly all of it is bright, its middle tone {under:.1f} EV under white, and nothing is burnt: high key.",
    "night": "Half of it lies more than {key:.1f} EV below its brightest parts: night or low key, which is its mood.",
    "coloured light": "It looks lit by {kelvin:.0f} K, tint {light_tint:+.0f}, more than a camera errs: it is meant.",
    "black and white": "Its mean chroma is {chroma:.3f}: black and white, or near it, and left without colour.",
}

DETAIL = ("noise", "softness")
COLOURS = frozenset({"warmth", "tint", "saturation", *(f"{group} {part}" for group in GROUPS for part in ("hue", "chroma"))})
"""Dials of colour; the others are of light."""

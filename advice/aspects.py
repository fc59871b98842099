"""Aspects: what people wish of a picture, and the sliders that do it. The declarations of the operations say how far.

One row a thing people ask for. How far a slider goes is a share of its comfortable half range (of the logarithm, where it
moves in that), so that a row stays true when a range changes; where it ends is the slider's hard range.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..ops.params import Slider
from ..ops.spec import REGISTRY
from .moves import Move
from .wishes import Wish


class Turn(NamedTuple):
    """A slider and how far a plain wish turns it, in comfortable half ranges."""

    op: str
    slider: str
    share: float


class Aspect(NamedTuple):
    """more, less: what a wish makes of the picture, in words that go after `make it`. turns: for more of it."""

    more: str
    less: str
    turns: tuple[Turn, ...]


_CURVE = "tone.curve"

WHOLE: dict[str, Aspect] = {
    "brightness": Aspect("brighter", "darker", (Turn("tone.exposure", "stops", 0.17),)),
    "contrast": Aspect("more contrasty", "less contrasty", (Turn("tone.contrast", "amount", 0.22),)),
    "shadows": Aspect(
        "lighter in the shadows", "deeper in the shadows", (Turn(_CURVE, "slope_3", -0.25), Turn(_CURVE, "slope_4", -0.2))
    ),
    "highlights": Aspect(
        "brighter in the highlights", "calmer in the highlights", (Turn(_CURVE, "slope_5", 0.2), Turn(_CURVE, "slope_6", 0.25))
    ),
    "blacks": Aspect("lighter in the blacks", "deeper in the blacks",
                     (Turn(_CURVE, "slope_2", -0.35), Turn(_CURVE, "slope_3", -0.15))),
    "warmth": Aspect("warmer", "cooler", (Turn("colour.white_balance", "kelvin", 0.18),)),
    "tint": Aspect("more magenta", "greener", (Turn("colour.white_balance", "tint", 0.12),)),
    "saturation": Aspect("more colourful", "less colourful", (Turn("colour.saturation", "amount", 0.28),)),
    "clarity": Aspect("clearer in its textures", "smoother in its textures", (Turn("detail.clarity", "amount", 0.3),)),
    "sharpness": Aspect("sharper", "less sharp", (Turn("detail.sharpen", "amount", 0.5),)),
    "vignette": Aspect("darker in the corners", "brighter in the corners", (Turn("effects.vignette", "amount", -0.3),)),
    "fade": Aspect("more faded", "less faded",
                   (Turn(_CURVE, "slope_2", -0.3), Turn("tone.contrast", "amount", -0.15),
                    Turn("colour.saturation", "amount", -0.18))),
    "mood": Aspect("moodier", "more cheerful",
                   (Turn("tone.exposure", "stops", -0.1), Turn("tone.contrast", "amount", 0.12),
                    Turn("colour.saturation", "amount", -0.12), Turn("effects.vignette", "amount", -0.2))),
    "rotation": Aspect("more clockwise", "more anticlockwise", (Turn("geometry.rotate", "angle", 0.1),)),
}  # fmt: skip
"""What is wished of the whole picture."""

BANDS = ("red", "orange", "yellow", "green", "aqua", "blue", "purple", "magenta")
"""The bands of colour.hue_bands, 45 degrees of hue apart."""

PARTS: dict[str, tuple[str, dict[str, float]]] = {
    "sky": ("the sky", {"blue": 1.0, "aqua": 0.6}),
    "skin": ("the skin", {"orange": 1.0, "red": 0.4}),
    "foliage": ("the leaves and the grass", {"green": 1.0, "yellow": 0.5}),
    **{band: (f"the {band} colours", {band: 1.0}) for band in BANDS},
}
"""A part of the picture: its name, and the bands of hue it is found by, with their weights. Nothing looks at shapes."""

COLOURS: dict[str, int] = {"cyan" if band == "aqua" else band: 45 * place for place, band in enumerate(BANDS)}
"""Hues that a part may have more or less of, in degrees from the red band on."""
_HUES = {**COLOURS, "aqua": COLOURS["cyan"]}

_OF_PARTS = {"brightness": ("brighter", "darker", "lightness", 0.24), "saturation": ("more colourful", "paler", "chroma", 0.3)}
_TOWARDS = 0.22


def known(wish: Wish) -> bool:
    """Whether the table has what is wished."""
    return wish.aspect in WHOLE if not wish.part else wish.part in PARTS and wish.aspect in {*_OF_PARTS, *COLOURS}


def every_wish() -> Iterator[Wish]:
    """Every wish that the table has, in both directions."""
    names = [("", aspect) for aspect in WHOLE]
    names += [(part, aspect) for part in PARTS for aspect in (*_OF_PARTS, *COLOURS)]
    for part, aspect in names:
        yield from (Wish(aspect, sign, part=part) for sign in (1, -1))


def worded(wish: Wish) -> str:
    """A wish in words: `slightly warmer`, `the sky much less cyan`."""
    degree = "slightly " if wish.strength < 0.75 else "much " if wish.strength > 1.5 else ""
    if not wish.part:
        aspect = WHOLE[wish.aspect]
        return degree + (aspect.more if wish.sign > 0 else aspect.less)
    if wish.aspect in _OF_PARTS:
        more, less, _, _ = _OF_PARTS[wish.aspect]
        return f"{PARTS[wish.part][0]} {degree}{more if wish.sign > 0 else less}"
    return f"{PARTS[wish.part][0]} {degree}{'more' if wish.sign > 0 else 'less'} {wish.aspect}"


def moves_of(wish: Wish) -> list[Move]:
    """The moves of sliders that fulfil a wish."""
    reason = f"asked for: {worded(wish)}"
    return [
        Move(turn.op, turn.slider, distance(turn.op, turn.slider, wish.sign * wish.strength * turn.share), reason)
        for turn in turns_of(wish)
    ]


def turns_of(wish: Wish) -> Sequence[Turn]:
    """The sliders that a plain wish for more turns."""
    if not wish.part:
        return WHOLE[wish.aspect].turns
    bands = PARTS[wish.part][1].items()
    if wish.aspect in _OF_PARTS:
        _, _, quality, share = _OF_PARTS[wish.aspect]
        return [Turn("colour.hue_bands", f"{band}_{quality}", share * weight) for band, weight in bands]
    return [_coloured(band, weight, wish.aspect) for band, weight in bands]


def _coloured(band: str, weight: float, colour: str) -> Turn:
    """How a band gets more of a colour: its hue turns that way; of its own colour, and of the opposite one, chroma changes."""
    apart = (_HUES[colour] - _HUES[band] + 180) % 360 - 180
    if apart in (0, -180):
        return Turn("colour.hue_bands", f"{band}_chroma", (0.25 if apart == 0 else -0.25) * weight)
    return Turn("colour.hue_bands", f"{band}_hue", _TOWARDS * weight * (1 if apart > 0 else -1))


def distance(op: str, name: str, shares: float) -> float:
    """So many comfortable half ranges of a slider as a move: in its unit, for log sliders in log2."""
    kind, start = slider(op, name)
    end = kind.from_half_ranges(shares, start)
    return math.log2(end / start) if kind.log else float(end - start)


def slider(op: str, name: str) -> tuple[Slider, float]:
    """A slider of an operation, and its default."""
    param = REGISTRY[op].param(name)
    assert param is not None
    assert isinstance(param.kind, Slider)
    return param.kind, float(param.default)

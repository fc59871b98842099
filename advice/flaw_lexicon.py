"""The words that people have for flaws, and for those of them that they mean: plain data."""

from __future__ import annotations

from typing import NamedTuple


class Noun(NamedTuple):
    """What a word for flaws means of what can be told apart: by group, by shape, by being darker or lighter than around.

    one, many: its name. slender: long and thin, or round; None is either. tone: 1 darker, -1 lighter, 0 either.
    """

    one: str
    many: str
    groups: tuple[str, ...]
    slender: bool | None = None
    tone: int = 0


_ANY = ("skin", "cloth", "dust")

NOUNS: dict[Noun, str] = {
    Noun("spot", "spots", ("skin",), slender=False): "spot spots pimple pimples zit zits acne pustule pustules blackhead"
    " blackheads",
    Noun("blemish", "blemishes", ("skin",)): "blemish blemishes",
    Noun("mole", "moles", ("skin",), slender=False, tone=1): "mole moles birthmark birthmarks",
    Noun("freckle", "freckles", ("skin",), slender=False, tone=1): "freckle freckles",
    Noun("wrinkle", "wrinkles", ("skin",), slender=True): "wrinkle wrinkles lines scar scars scratch scratches",
    Noun("shiny place", "shiny places", ("skin",), tone=-1): "shine glare",
    Noun("crease", "creases", ("cloth",), slender=True): "crease creases fold folds",
    Noun("stain", "stains", ("cloth",), slender=False): "stain stains",
    Noun("piece of lint", "pieces of lint", ("cloth",)): "lint fluff thread threads",
    Noun("dust spot", "dust spots", ("dust",)): "dust speck specks dustspot dustspots",
    Noun("flaw", "flaws", _ANY): "flaw flaws imperfection imperfections defect defects",
}
"""Nouns, and the words for each. Only what Local retouch can tell apart: nothing here knows a mole from a dark spot."""

SINGULAR = (
    "spot pimple zit pustule blackhead blemish mole birthmark freckle wrinkle scar scratch crease fold stain thread speck"
    " dustspot flaw imperfection defect one"
)
"""Words for a single one."""

PARTS = {
    "skin": "skin face cheek cheeks forehead nose chin neck jaw lip lips eye eyes temple temples hand hands arm arms leg legs"
    " shoulder shoulders body complexion",
    "cloth": "shirt shirts blouse jacket dress trousers skirt sleeve sleeves collar suit tie cloth clothes fabric coat sweater"
    " pullover curtain sheet tablecloth",
    "dust": "sensor lens",
}
"""Parts of a photo by the group of flaws that they may have. Where they are, nothing here knows."""
UNSEEN = "sky wall background foreground water floor ground ceiling corner corners"
"""Places that have no group."""
GENERAL = "skin cloth clothes fabric sensor"
"""Parts that mean just what a group does."""

SIDES = {
    "left": "left leftmost lefthand left-hand",
    "right": "right rightmost righthand right-hand",
    "top": "top upper topmost uppermost above",
    "bottom": "bottom lower lowest bottommost",
    "middle": "middle centre center central",
}
EXTREMES = {
    "biggest": "biggest largest greatest",
    "smallest": "smallest tiniest finest",
    "darkest": "darkest",
    "lightest": "lightest brightest",
}
"""Superlatives: of those meant, one, or as many as are said."""
SIZES = {"big": "big bigger large larger huge coarse deep", "small": "small smaller tiny fine"}
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}

REMOVE = (
    "remove removed erase delete eliminate heal clean clear fix retouch rid gone kill hide cover vanish disappear away go take"
    " wipe zap"
)
SOFTEN = (
    "soften softened softer reduce reduced lessen less fewer weaken fade lighten calm smooth ease minimise minimize tone"
    " decrease dial diminish"
)
KEEP = "keep kept leave left-alone preserve retain spare stay stays skip untouched alone restore exclude ignore back"
NOT = "not no don't dont never without nor"
ONLY = "only just solely"
ALSO = "too also well same likewise"
ONES = "one ones"
OTHERS = "other others rest remaining"
THEM = "it them those that these this both"
FRACTIONS = {"half": 0.5, "third": 1.0 / 3.0, "quarter": 0.25, "halfway": 0.5, "thirds": 2.0 / 3.0, "quarters": 0.75}
WHOLE = "completely fully entirely totally altogether all every both"

LESS = "less weaker lighter"
MORE = "more stronger further again"
AFTER = (
    "a an the of that it this them those these please bit little much lot far way still even now and to by as be so too strong"
    " enough not not-so slightly somewhat touch tad quite very make go do in there was is same can could you i'd like want ok"
    " okay hmm well no yes but just half one times time"
)
"""What may stand beside `less` and `more` where they go back to what was said before."""

BACK = r"undo|take (?:that|it|this) back|revert|go back|put (?:that|it) back|never ?mind|step back|back one step"
FORTH = r"redo|bring (?:that|it) back again"
AFRESH = r"(?:undo|revert) (?:everything|all|it all|all of it)|start (?:over|again|afresh)|reset(?: everything| all)?"
POLITE = r"please|no|ok|okay|well|hmm|oh|sorry|thanks|thank you|could you|can you|you|now|just|again"
LAST = r"that|it|this|the last (?:one|step|change|thing)|last|please|the change|one step"
EXCEPT = r"\b(?:except(?: for)?|apart from|other than|excluding|with the exception of|save for|without touching|but for)\b"

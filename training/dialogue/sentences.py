"""Sentences with what they wish, drawn by chance from the table of aspects and the ways people speak."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from ...advice.aspects import COLOURS, worded
from ...advice.language.grammar import UNKNOWN
from ...advice.wishes import PLAIN, SLIGHT, STRONG, Wish, wish_of
from . import phrasing


class Example(NamedTuple):
    """A sentence, the phrases of the grammar that it means (none: nothing to do), and what was wished before it."""

    sentence: str
    said: tuple[str, ...]
    before: tuple[str, ...] = ()


_SHARES = ((30, "like"), (14, "noun"), (10, "verb"), (6, "cast"), (26, "part"), (10, "beyond"), (4, "keep"))


def example(draw: random.Random) -> Example:
    """One sentence, of up to three wishes; one in eight refers to the wish before it."""
    if draw.random() < 0.12:
        return _again(draw)
    pieces = [_piece(draw) for _ in range(draw.choices((1, 2, 3), (70, 24, 6))[0])]
    said: dict[str, str] = {}
    words = []
    for text, phrase, name in pieces:
        if name and name in said:
            continue
        words.append(text)
        if phrase:
            said[name or UNKNOWN] = phrase
    text = draw.choice((", ", " and ", ", ", "; ", " but ")).join(words)
    return Example(_worn(draw, text), tuple(said.values()))


def _pick(draw: random.Random, words: str) -> str:
    return draw.choice(words.split("|"))


def _degree(draw: random.Random) -> tuple[float, str]:
    strength = draw.choices((SLIGHT, PLAIN, STRONG), (30, 55, 15))[0]
    words = {SLIGHT: phrasing.SLIGHTLY, PLAIN: "", STRONG: phrasing.MUCH}[strength]
    return strength, _pick(draw, words)


def _piece(draw: random.Random) -> tuple[str, str, str]:
    """(words, the phrase they mean, what it is about); no phrase where nothing is to be done."""
    kind = draw.choices([name for _, name in _SHARES], [share for share, _ in _SHARES])[0]
    return _KINDS[kind](draw)


def _wished(text: str, wish: Wish, degree: str = "") -> tuple[str, str, str]:
    """The piece of a wish; one whose degree is not said is a plain one."""
    graded = wish if degree and degree in text else wish._replace(strength=PLAIN)
    return " ".join(text.split()), worded(graded), wish.name


def _like(draw: random.Random) -> tuple[str, str, str]:
    """An adjective: made more so, or complained of."""
    short = draw.choice(list(phrasing.HAVE))
    word, wish = _pick(draw, phrasing.HAVE[short]), wish_of(short)
    strength, degree = _degree(draw)
    return _wished(
        *_adjective(
            draw, word, wish._replace(strength=strength), degree, "it|the picture|the photo|this|everything|the whole thing"
        ),
        degree,
    )


def _adjective(draw: random.Random, word: str, wish: Wish, degree: str, subjects: str) -> tuple[str, Wish]:
    """A frame around an adjective, and the wish that it then is."""
    subject, more = _pick(draw, subjects), _more(word)
    away = wish._replace(sign=-wish.sign)
    alone: tuple[tuple[str, Wish], ...] = (
        (f"{degree} {more}", wish), (f"{more} {degree}", wish), (f"too {word}", away), (f"{degree} less {word}", away),
        (f"not so {word}", away),
    )  # fmt: skip
    if wish.part:
        thing = subject.split(" ", 1)[1]
        alone = (
            (f"{degree} {more} {thing}", wish), (f"{subject} {degree} {more}", wish), (f"{thing} {degree} {more}", wish),
            (f"{subject} {degree} less {word}", away), (f"{degree} less {word} {thing}", away), (f"{thing} too {word}", away),
        )  # fmt: skip
    return draw.choice((
        *alone, (f"make {subject} {degree} {more}", wish), (f"{subject} should be {degree} {more}", wish),
        (f"I want {subject} {degree} {more}", wish), (f"{subject} could be {degree} {more}", wish),
        (f"{subject} is not {word} enough", wish), (f"{subject} needs to be {degree} {more}", wish),
        (f"{subject} is {degree} too {word}", away), (f"{subject} looks too {word}", away),
        (f"make {subject} {degree} less {word}", away),
        (f"{subject} should not be so {word}", away), (f"I don't like how {word} {subject} is", away),
    ))  # fmt: skip


def _more(word: str) -> str:
    short = len(word) <= 6 and " " not in word and not word.endswith(("ed", "st"))
    if not short:
        return f"more {word}"
    if word.endswith("y"):
        return f"{word[:-1]}ier"
    if word.endswith("e"):
        return f"{word}r"
    double = word[-1] in "mtd" and word[-2] in "aei" and word[-3] not in "aeio"
    return f"{word}{word[-1] if double else ''}er"


def _noun(draw: random.Random) -> tuple[str, str, str]:
    aspect = draw.choice(list(phrasing.NOUNS))
    noun = _pick(draw, phrasing.NOUNS[aspect])
    strength, degree = _degree(draw)
    sign = draw.choice((1, -1))
    frame = _pick(draw, phrasing.NOUN_UP if sign > 0 else phrasing.NOUN_DOWN)
    return _wished(frame.format(n=noun, d=degree), Wish(aspect, sign, strength), degree)


def _verb(draw: random.Random) -> tuple[str, str, str]:
    short = draw.choice(list(phrasing.VERBS))
    strength, degree = _degree(draw)
    verb = _pick(draw, phrasing.VERBS[short])
    frame = draw.choice(("{v} it {d}", "please {v} the picture {d}", "{v} the photo {d}", "{d} {v} it", "could you {v} it {d}"))
    if "wise" in verb or "to the" in verb or verb.startswith("tilt"):
        frame = "{v} {d}"
    return _wished(frame.format(v=verb, d=degree), wish_of(short)._replace(strength=strength), degree)


def _cast(draw: random.Random) -> tuple[str, str, str]:
    short = draw.choice(list(phrasing.CASTS))
    colour = _pick(draw, phrasing.CASTS[short])
    frame = _pick(draw, phrasing.CAST)
    return _wished(frame.format(colour), wish_of(short))


def _part(draw: random.Random) -> tuple[str, str, str]:
    part = draw.choice(("sky", "sky", "skin", "skin", "foliage", "foliage", *phrasing.PARTS))
    noun = _pick(draw, phrasing.PARTS[part])
    the = noun if noun.startswith(("her ", "his ", "the ")) else f"the {noun}"
    strength, degree = _degree(draw)
    if draw.random() < 0.45 and part in ("sky", "skin", "foliage"):
        colour = draw.choice(list(COLOURS))
        wish, word = Wish(colour, 1, strength, part), _pick(draw, phrasing.TINGED[colour])
        if draw.random() < 0.4:
            sign = draw.choice((1, -1))
            text = f"{degree} {'more' if sign > 0 else 'less'} {colour} in {the}"
            return _wished(text, wish._replace(sign=sign), degree)
        return _wished(*_adjective(draw, word, wish, degree, the), degree)
    short = draw.choice(list(phrasing.PART_HAVE))
    wish = wish_of(short)._replace(part=part, strength=strength)
    verbs = {
        "brightness+": "brighten|lighten|lift",
        "brightness-": "darken",
        "saturation+": "saturate|boost",
        "saturation-": "desaturate|mute",
    }
    if draw.random() < 0.3:
        return _wished(f"{_pick(draw, verbs[short])} {the} {degree}", wish, degree)
    return _wished(*_adjective(draw, _pick(draw, phrasing.PART_HAVE[short]), wish, degree, the), degree)


def _beyond(draw: random.Random) -> tuple[str, str, str]:
    text = _pick(draw, phrasing.BEYOND)
    thing, look, name = _pick(draw, phrasing.THINGS), _pick(draw, phrasing.LOOKS), _pick(draw, phrasing.NAMES)
    return text.format(thing=thing, look=look, name=name), UNKNOWN, UNKNOWN


def _keep(draw: random.Random) -> tuple[str, str, str]:
    return _pick(draw, phrasing.KEEP).format(noun=_pick(draw, draw.choice(list(phrasing.NOUNS.values())))), "", ""


_KINDS: dict[str, Callable[[random.Random], tuple[str, str, str]]] = {
    "like": _like, "noun": _noun, "verb": _verb, "cast": _cast, "part": _part, "beyond": _beyond, "keep": _keep,
}  # fmt: skip


_AGAIN = (
    (1, SLIGHT, "a bit more|a little more|slightly more|more, but only a touch"),
    (1, PLAIN, "more|more of that|again|further|once more"),
    (1, STRONG, "much more|a lot more|twice that"),
    (-1, SLIGHT, "a bit less|slightly less|a little too much|a touch less"),
    (-1, PLAIN, "less|too much|back a step|undo half of it|not that much"),
    (-1, STRONG, "much less|way too much"),
)


def _again(draw: random.Random) -> Example:
    """A second turn: more or less of what was just done, or back."""
    while True:
        _, phrase, _about = _piece(draw)
        if phrase and phrase != UNKNOWN:
            break
    sign, strength, words = draw.choice(_AGAIN)
    wish = _wish_of_phrase(phrase)
    return Example(
        _worn(draw, _pick(draw, words)), (worded(wish._replace(sign=sign * wish.sign, strength=strength)),), (phrase,)
    )


def _wish_of_phrase(phrase: str) -> Wish:
    from ...advice.language.grammar import phrases

    wish = phrases()[phrase]
    assert wish is not None
    return wish


def _worn(draw: random.Random, text: str) -> str:
    """As people type: politeness, capitals, now and then a slip."""
    if draw.random() < 0.15:
        text = draw.choice(
            (f"please {text}", f"{text} please", f"can you {text}?", f"{text}, thanks", f"hmm, {text}", f"I think {text}")
        )
    if draw.random() < 0.2:
        text = text[:1].upper() + text[1:]
    if draw.random() < 0.15:
        text += draw.choice(".!")
    for _ in range(draw.choices((0, 1, 2), (75, 20, 5))[0]):
        place = draw.randrange(1, max(2, len(text) - 1))
        text = draw.choice((text[:place] + text[place + 1 :], text[:place] + text[place] * 2 + text[place + 1 :],
                            text[:place] + text[place : place + 2][::-1] + text[place + 2 :]))  # fmt: skip
    return text

"""What a language model is asked, and what it may answer: one port for that of this process and for one elsewhere.

Its answer is data. Whoever answers, every phrase is looked up among those that were allowed, so that nothing is ever done that
the question did not offer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from torch import Tensor

from .files import NoLanguage
from .grammar import MOST, meaning_of

M = TypeVar("M")


@dataclass(frozen=True, eq=False)
class Question(Generic[M]):
    """task: `wishes` or `findings`. told: the sentence or the facts, as data in lines. meanings: every phrase that may be
    answered, with what it means; None is something that is not known. offers: the same phrases by what is chosen, and how.
    about: what a meaning is about; an answer says one thing about it at most. picture: what it is about, light (1,3,h,w)."""

    task: str
    told: str
    meanings: Mapping[str, M | None]
    offers: Mapping[str, Mapping[str, str]]
    about: Callable[[M], Hashable] | None = None
    picture: Tensor | None = None


class Answer(NamedTuple):
    """said: phrases. sure: the chance of the least sure choice; 1 where nothing is known of it. words: its own, for people."""

    said: tuple[str, ...]
    sure: float = 1.0
    words: str = ""


LanguageModel = Callable[[Question[Any]], Answer]
"""Whoever answers questions. Raises NoLanguage in one line."""


def meaning(question: Question[M], answer: Answer) -> tuple[tuple[M, ...], bool]:
    """What an answer means, and whether something else was meant too. Raises NoLanguage where it is not one of the allowed."""
    try:
        found, beyond = meaning_of(question.meanings, answer.said)
    except KeyError:
        raise NoLanguage("the language model chose what it was not offered") from None
    if len(answer.said) > MOST:
        raise NoLanguage(f"the language model chose more than {MOST} things")
    if question.about is not None and len({question.about(one) for one in found}) < len(found):
        raise NoLanguage("the language model chose the same thing twice")
    return found, beyond

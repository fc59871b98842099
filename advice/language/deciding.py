"""What a language model makes of words that the reader does not know, and of findings: what it is sure of, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from ..findings import Finding
from ..wishes import Wish
from .choosing import Choice, choices, facts_of, graded
from .decoding import likeliest, prompt_of
from .files import Absent, elsewhere
from .grammar import Grammar, degrees, phrases
from .loading import language
from .questions import Answer, Question, meaning

SURE = 0.6
"""How sure of every choice it must be; chosen on the sentences the reader was tuned on."""


class Chosen(NamedTuple):
    """What to mend of some findings, in order, and what the language model says of it in words of its own, where it has any."""

    choices: tuple[Choice, ...]
    words: str = ""


def meant(words: str, possible: Sequence[Wish]) -> tuple[Wish, ...]:
    """The wishes in some words, of those that are possible; none where it hears something else or is not sure.

    Raises NoLanguage where there is none, or one that was not taught: by itself it guesses.
    """
    question = Question("wishes", prompt_of(words), phrases(possible), degrees(possible))
    answer = answered(question)
    wishes, beyond = meaning(question, answer)
    return wishes if answer.sure >= SURE and not beyond else ()


def chosen(findings: Sequence[Finding], kept: Sequence[Finding] = (), picture: Tensor | None = None) -> Chosen | None:
    """Which of some findings to mend, in which order, and how far; None where nobody was taught to choose, or is not sure.

    kept: what is meant to be so, as facts beside them. picture: what they were found in, as light (1,3,h,w), for a language
    model that sees. Raises NoLanguage where one that was taught cannot be used.
    """
    if not findings:
        return None
    facts, offers = facts_of(findings, kept), graded(findings)
    question = Question("findings", facts, choices(findings), offers, lambda choice: choice.number, picture)
    try:
        answer = answered(question)
    except Absent:
        return None
    return Chosen(meaning(question, answer)[0], answer.words) if answer.sure >= SURE else None


def answered(question: Question[Any]) -> Answer:
    """The answer of the language model that is set: one elsewhere, or that of this process. Raises NoLanguage."""
    return (elsewhere() or here)(question)


def here(question: Question[Any]) -> Answer:
    """The likeliest answer of the language model of this process, under the grammar of the question. Raises NoLanguage."""
    found = language(question.task)
    grammar = Grammar(question.meanings, found.encode, question.about)
    return Answer(*likeliest(found, grammar, question.told))

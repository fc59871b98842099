"""What a language model makes of words that the reader does not know, and of findings: what it is sure of, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from ..findings import Finding
from ..wishes import Wish
from .choosing import Choice, facts_of, grammar_of
from .decoding import likeliest, prompt_of
from .files import Absent
from .grammar import Grammar, phrases
from .loading import language

SURE = 0.6
"""How sure of every choice it must be; chosen on the sentences the reader was tuned on."""


def meant(words: str, possible: Sequence[Wish]) -> tuple[Wish, ...]:
    """The wishes in some words, of those that are possible; none where it hears something else or is not sure.

    Raises NoLanguage where there is none, or one that was not taught: by itself it guesses.
    """
    found = language("wishes")
    grammar = Grammar(phrases(possible), found.encode)
    said, sure = likeliest(found, grammar, prompt_of(words))
    wishes, beyond = grammar.wishes(said)
    return wishes if sure >= SURE and not beyond else ()


def chosen(findings: Sequence[Finding], kept: Sequence[Finding] = ()) -> tuple[Choice, ...] | None:
    """Which of some findings to mend, in which order, and how far; None where nobody was taught to choose, or is not sure.

    kept: what is meant to be so, as facts beside them. Raises NoLanguage where one that was taught cannot be used.
    """
    try:
        found = language("findings") if findings else None
    except Absent:
        return None
    if found is None:
        return None
    grammar = grammar_of(findings, found.encode)
    said, sure = likeliest(found, grammar, facts_of(findings, kept))
    return grammar.wishes(said)[0] if sure >= SURE else None

"""What a language model makes of words that the reader does not know: wishes it is sure of, or none."""

from __future__ import annotations

from collections.abc import Sequence

from ..wishes import Wish
from .decoding import likeliest, prompt_of
from .grammar import Grammar, phrases
from .loading import language

SURE = 0.6
"""How sure of every choice it must be; chosen on the sentences the reader was tuned on."""


def meant(words: str, possible: Sequence[Wish]) -> tuple[Wish, ...]:
    """The wishes in some words, of those that are possible; none where it hears something else or is not sure.

    Raises NoLanguage where there is no language model.
    """
    found = language()
    grammar = Grammar(phrases(possible), found.encode)
    said, sure = likeliest(found, grammar, prompt_of(words))
    wishes, beyond = grammar.wishes(said)
    return wishes if sure >= SURE and not beyond else ()

"""What a language model makes of words that the reader does not know: wishes it is sure of, or none."""

from __future__ import annotations

from collections.abc import Sequence

from ..wishes import Wish
from .decoding import likeliest, prompt_of
from .files import NoLanguage
from .grammar import Grammar, phrases
from .loading import language

SURE = 0.6
"""How sure of every choice it must be; chosen on the sentences the reader was tuned on."""


def meant(words: str, possible: Sequence[Wish]) -> tuple[Wish, ...]:
    """The wishes in some words, of those that are possible; none where it hears something else or is not sure.

    Raises NoLanguage where there is none, or one that was not taught: by itself it guesses.
    """
    found = language()
    if not found.taught:
        raise NoLanguage(f"{found.name} has not been taught what people say of photos (python -m luxgrad.training.dialogue)")
    grammar = Grammar(phrases(possible), found.encode)
    said, sure = likeliest(found, grammar, prompt_of(words))
    wishes, beyond = grammar.wishes(said)
    return wishes if sure >= SURE and not beyond else ()

"""Decoding under a grammar: the likeliest list of wishes after a prompt, or lists drawn by chance."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .grammar import Grammar, Place
from .loading import Language


def likeliest(language: Language, grammar: Grammar, prompt: str) -> tuple[tuple[str, ...], float]:
    """The list that takes the likeliest token at every point, and how sure: the chance of the least sure choice of a phrase."""
    logits, memory = language.next([language.begin(prompt)])
    place, sure = grammar.start, 1.0
    while not place.over:
        chances = _chances(grammar, place, logits[0], 1.0)
        allowed = grammar.allowed(place)
        best = int(chances.argmax())
        sure = min(sure, float(chances[best]))
        place = grammar.after(place, allowed[best])
        if not place.over:
            logits, memory = language.next([[allowed[best]]], memory)
    return place.said, sure


def drawn(
    language: Language, grammar: Grammar, prompt: str, count: int, generator: torch.Generator, heat: float = 1.0
) -> list[tuple[str, ...]]:
    """Lists drawn by chance, short ones first. heat: 1 as likely as the language model says, more is wilder."""
    rows, memory = language.next([language.begin(prompt)])
    begun, over = [(grammar.start, count)], list[tuple[str, ...]]()
    while begun:
        parents, tokens, longer = list[int](), list[list[int]](), list[tuple[Place, int]]()
        for row, (place, times) in enumerate(begun):  # lists that have begun alike are looked at once
            chances = _chances(grammar, place, rows[row], heat)
            found = torch.multinomial(chances, times, replacement=True, generator=generator).bincount(minlength=len(chances))
            for token, often in zip(grammar.allowed(place), found.tolist()):
                after = grammar.after(place, token) if often else place
                if often and after.over:
                    over += [after.said] * often
                elif often:
                    parents, tokens, longer = [*parents, row], [*tokens, [token]], [*longer, (after, often)]
        begun = longer
        if begun:
            memory.batch_select_indices(torch.tensor(parents, device=rows.device))
            rows, memory = language.next(tokens, memory)
    return over


def _chances(grammar: Grammar, place: Place, logits: Tensor, heat: float) -> Tensor:
    """How likely each of the allowed tokens is."""
    return torch.softmax(logits[grammar.allowed(place)] / heat, dim=0)


def prompt_of(sentence: str, before: Sequence[str] = ()) -> str:
    """What a language model is asked: the sentence, and what was wished before it, as data in one line each."""
    told = " ".join(sentence.split())[:300]
    past = f"Before: {'; '.join(before)[-200:]}\n" if before else ""
    return f"{past}Says: {told}\nWishes:"

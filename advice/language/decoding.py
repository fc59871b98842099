"""Decoding under a grammar: the likeliest list of wishes after a prompt, or lists drawn by chance."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

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
    """Lists drawn by chance. heat: 1 as likely as the language model says, more is wilder."""
    logits, memory = language.next([language.begin(prompt)])
    memory = _copies(memory, count)
    rows = logits.expand(count, -1)
    places = [grammar.start] * count
    while not all(place.over for place in places):
        tokens = []
        for index, place in enumerate(places):
            if place.over:
                tokens.append(grammar.end)
                continue
            chances = _chances(grammar, place, rows[index], heat)
            token = grammar.allowed(place)[int(torch.multinomial(chances, 1, generator=generator))]
            places[index] = grammar.after(place, token)
            tokens.append(token)
        rows, memory = language.next([[token] for token in tokens], memory)
    return [place.said for place in places]


def _chances(grammar: Grammar, place: Place, logits: Tensor, heat: float) -> Tensor:
    """How likely each of the allowed tokens is."""
    return torch.softmax(logits[grammar.allowed(place)] / heat, dim=0)


def _copies(memory: Any, count: int) -> Any:
    memory = copy.deepcopy(memory)
    memory.batch_repeat_interleave(count)
    return memory


def prompt_of(sentence: str, before: Sequence[str] = ()) -> str:
    """What a language model is asked: the sentence, and what was wished before it, as data in one line each."""
    told = " ".join(sentence.split())[:300]
    past = f"Before: {'; '.join(before)[-200:]}\n" if before else ""
    return f"{past}Says: {told}\nWishes:"

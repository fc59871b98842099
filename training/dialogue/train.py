"""Learning a low-rank adapter on sentences drawn by chance. The loss asks only for the tokens that the grammar allows."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ...advice.language.adapter import Adapted, weights_of, widened
from ...advice.language.choosing import facts_of, grammar_of
from ...advice.language.decoding import prompt_of
from ...advice.language.grammar import Grammar, phrases
from ...advice.language.loading import TASKS, TAUGHT, Language
from ...advice.wishes import Wish
from ...files.atomic import whole_file
from ..progress import Curve
from ..state import Diverged, Learner, made, read_state, save_state
from .sentences import Example, example
from .weighing import Weighing, weighing

ADAPTER = "adapter.safetensors"


@dataclass(frozen=True)
class Config:
    """How an adapter is learned. last: how many of the adapted layers, counted from the end (0: all).

    findings: the share of lessons that are about findings; the others are sentences.
    """

    steps: int = 600
    batch: int = 16
    rank: int = 8
    last: int = 0
    rate: float = 1e-3
    seed: int = 0
    every: int = 20
    findings: float = 0.2


def train(language: Language, config: Config, out: Path, minutes: float = 1e9) -> dict[str, Adapted]:
    """Train, or go on where a folder stands. Writes the adapter, the state and the curve every few steps.

    Raises Diverged, FileError (a folder that cannot be written, a state that is damaged or another's).
    """
    grammar = Grammar(phrases(), language.encode)
    for weight in language.network.parameters():
        weight.requires_grad_(False)
    adapters = widened(language.network, config.rank, config.seed, config.last or None)
    parts = nn.ModuleList(nn.ParameterList([part.down, part.up]) for part in adapters.values())
    optimiser = torch.optim.AdamW(parts.parameters(), lr=config.rate, weight_decay=0.01)
    learners = {"adapter": ("moment", Learner(parts, optimiser))}
    start, spent = read_state(made(out), asdict(config), learners, free=("steps", "every"))
    curve, began = Curve(out / "curve.csv", ("step", "loss", "right"), start - 1), time.monotonic()
    for step in range(start, config.steps):
        draw = random.Random(f"{config.seed}/{step}")
        for group in optimiser.param_groups:
            group["lr"] = config.rate * min(1.0, (step + 1) / 20, 3.0 * (config.steps - step) / config.steps)
        loss, right = loss_of(language, grammar, [_lesson(draw, config.findings) for _ in range(config.batch)])
        optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
        if not torch.isfinite(loss) or not torch.isfinite(norm):
            raise Diverged(f"step {step}: the loss is not finite; the last good state is in {out}")
        optimiser.step()
        curve.add(step, loss.item(), right)
        worked = (time.monotonic() - began) / 60.0
        ended = step + 1 == config.steps or worked > minutes
        if ended or (step + 1) % config.every == 0:
            weights = {name: tensor.half() for name, tensor in weights_of(adapters).items()}
            with whole_file(out / ADAPTER) as file:
                file.write_bytes(save(weights, {TAUGHT: " ".join(TASKS)}))
            save_state(out, asdict(config), learners, step + 1, spent + worked)
            print(curve.said(), flush=True)
        if ended:
            break
    return adapters


def _lesson(draw: random.Random, findings: float) -> Example | Weighing:
    return weighing(draw) if draw.random() < findings else example(draw)


def loss_of(language: Language, sentences: Grammar[Wish], examples: Sequence[Example | Weighing]) -> tuple[Tensor, float]:
    """Cross entropy over the allowed tokens, a mean of all places where there is a choice, and how many were the likeliest."""
    rows, places, wanted, allowed = [], list[tuple[int, int]](), list[int](), list[list[int]]()
    for row, one in enumerate(examples):
        grammar: Grammar[Any] = sentences
        if isinstance(one, Weighing):
            grammar = grammar_of(one.findings, language.encode)
            tokens = language.begin(facts_of(one.findings, one.kept))
        else:
            tokens = language.begin(prompt_of(one.sentence, one.before))
        place = grammar.start
        for token in grammar.tokens_of(one.said, language.encode):
            choices = grammar.allowed(place)
            if len(choices) > 1:
                places.append((row, len(tokens) - 1))
                wanted.append(choices.index(token))
                allowed.append(choices)
            place = grammar.after(place, token)
            tokens.append(token)
        rows.append(tokens[:-1])
    longest = max(map(len, rows))
    given = torch.tensor([row + [0] * (longest - len(row)) for row in rows])  # what comes later is not seen
    network: Any = language.network
    hidden = network.base_model(input_ids=given, use_cache=False).last_hidden_state
    found = hidden[[row for row, _ in places], [place for _, place in places]]
    head = network.get_output_embeddings()
    every = sorted({token for choices in allowed for token in choices})
    logits = (found @ head.weight[every].T).float()
    column = {token: index for index, token in enumerate(every)}
    mask = torch.full_like(logits, float("-inf"))
    for number, choices in enumerate(allowed):
        mask[number, [column[token] for token in choices]] = 0.0
    target = torch.tensor([column[choices[index]] for choices, index in zip(allowed, wanted)])
    logits = logits + mask
    right = (logits.argmax(1) == target).float().mean().item()
    return nn.functional.cross_entropy(logits, target), right

"""Learning a low-rank adapter on sentences drawn by chance. The loss asks only for the tokens that the grammar allows."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...advice.language.adapter import Adapted, weights_of, widened
from ...advice.language.decoding import prompt_of
from ...advice.language.grammar import Grammar, phrases
from ...advice.language.loading import Language
from ..progress import Curve
from .sentences import Example, example

ADAPTER, STATE, ABOUT, CURVE = "adapter.safetensors", "state.safetensors", "about.json", "curve.csv"


@dataclass(frozen=True)
class Config:
    """How an adapter is learned. last: how many of the adapted layers, counted from the end (0: all)."""

    steps: int = 600
    batch: int = 16
    rank: int = 8
    last: int = 0
    rate: float = 1e-3
    seed: int = 0
    every: int = 20


def train(language: Language, config: Config, out: Path, minutes: float = 1e9) -> dict[str, Adapted]:
    """Train, or go on where a folder stands. Writes the adapter, the optimiser's state and the curve every few steps."""
    from safetensors.torch import load_file

    out.mkdir(parents=True, exist_ok=True)
    grammar = Grammar(phrases(), language.encode)
    for weight in language.network.parameters():
        weight.requires_grad_(False)
    adapters = widened(language.network, config.rank, config.seed, config.last or None)
    parts = nn.ModuleList(adapters.values())
    optimiser = torch.optim.AdamW(parts.parameters(), lr=config.rate, weight_decay=0.01)
    start = _resumed(out, config, adapters, optimiser, load_file)
    curve, until = Curve(out / CURVE, ("step", "loss", "right")), time.monotonic() + 60.0 * minutes
    for step in range(start, config.steps):
        draw = random.Random(f"{config.seed}/{step}")
        for group in optimiser.param_groups:
            group["lr"] = config.rate * min(1.0, (step + 1) / 20, 3.0 * (config.steps - step) / config.steps)
        loss, right = loss_of(language, grammar, [example(draw) for _ in range(config.batch)])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
        optimiser.step()
        curve.add(step, loss.item(), right)
        ended = step + 1 == config.steps or time.monotonic() > until
        if ended or (step + 1) % config.every == 0:
            _write(out, config, step + 1, adapters, optimiser)
            print(curve.said(), flush=True)
        if ended:
            break
    return adapters


def loss_of(language: Language, grammar: Grammar, examples: Sequence[Example]) -> tuple[Tensor, float]:
    """Cross entropy over the allowed tokens, a mean of all places where there is a choice, and how many were the likeliest."""
    rows, places, wanted, allowed = [], list[tuple[int, int]](), list[int](), list[list[int]]()
    for row, one in enumerate(examples):
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


def _write(out: Path, config: Config, step: int, adapters: dict[str, Adapted], optimiser: torch.optim.Optimizer) -> None:
    from safetensors.torch import save_file

    save_file({name: tensor.half() for name, tensor in weights_of(adapters).items()}, out / ADAPTER)
    state = {f"weight.{name}": tensor for name, tensor in weights_of(adapters).items()}
    for index, kept in optimiser.state_dict()["state"].items():
        state |= {f"{index}.{name}": tensor.clone() for name, tensor in kept.items()}
    save_file(state, out / STATE)
    (out / ABOUT).write_text(json.dumps({"step": step, "config": asdict(config)}, indent=2) + "\n")


def _resumed(out: Path, config: Config, adapters: dict[str, Adapted], optimiser: torch.optim.Optimizer, read: Any) -> int:
    """The step to go on from. Raises ValueError where the folder holds another training."""
    if not (out / ABOUT).exists():
        return 0
    about = json.loads((out / ABOUT).read_text())
    same = {**about["config"], "steps": config.steps, "every": config.every}
    if same != asdict(config):
        raise ValueError(f"{out}: expected the training that stands there, {about['config']}; got {asdict(config)}")
    state = read(out / STATE)
    for name, part in adapters.items():
        for side in ("down", "up"):
            getattr(part, side).data.copy_(state[f"weight.{name}.{side}"])
    kept: dict[int, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        index, _, key = name.partition(".")
        if index != "weight":
            kept.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": kept})
    return int(about["step"])

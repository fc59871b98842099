"""A language model of the tests' own: random, and as small as one can be that has tokens, attention and a memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from luxgrad.advice.language.loading import Language

WIDTH = 32


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))

    def forward(self, x: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        whole = x if before is None else torch.cat([before.expand(len(x), -1, -1), x], dim=1)
        seen = torch.ones(x.shape[1], whole.shape[1], dtype=torch.bool).tril(whole.shape[1] - x.shape[1])
        found = scaled_dot_product_attention(self.q_proj(x), self.k_proj(whole), self.v_proj(whole), seen)
        return self.o_proj(found), whole


class Memory:
    def __init__(self, held: list[Tensor]) -> None:
        self.held = held

    def batch_select_indices(self, chosen: Tensor) -> None:
        self.held = [tensor[chosen] for tensor in self.held]


class Tiny(nn.Module):
    """The interface of a causal language model of the transformers library, as far as we use it. Tokens are bytes."""

    def __init__(self, layers: int = 2, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.embedding = nn.Embedding(256, WIDTH)
            self.self_attn = nn.ModuleList(Attention() for _ in range(layers))
            self.head = nn.Linear(WIDTH, 256, bias=False)

    def base_model(self, input_ids: Tensor, use_cache: bool) -> Any:
        assert not use_cache
        return SimpleNamespace(last_hidden_state=self._hidden(input_ids, None)[0])

    def get_output_embeddings(self) -> nn.Module:
        return self.head

    def _hidden(self, given: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        x, held = self.embedding(given), []
        for index, layer in enumerate(self.self_attn):
            more, whole = layer(x, memory.held[index] if memory else None)
            x = x + more
            held.append(whole)
        return x, Memory(held)

    def forward(self, input_ids: Tensor, use_cache: bool, logits_to_keep: int, cache: Memory | None) -> Any:
        hidden, memory = self._hidden(input_ids, cache)
        return SimpleNamespace(logits=self.head(hidden[:, -logits_to_keep:]), cache=memory)


class Bytes:
    """Every byte is a token."""

    bos_token_id = None

    def encode(self, text: str, add_special_tokens: bool, split_special_tokens: bool) -> list[int]:
        assert not add_special_tokens
        assert split_special_tokens
        return list(text.encode())


def tiny(seed: int = 0) -> Language:
    return Language(Tiny(seed=seed), Bytes(), "tiny")

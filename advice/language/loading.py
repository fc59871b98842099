"""A language model as a network of this process: its tokens, its logits. Loaded once, when first needed, from this disk."""

from __future__ import annotations

import inspect
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .adapter import merged
from .files import Absent, NoLanguage, adapter_of, chosen

_NEEDED = "the language model needs the packages transformers, gguf and accelerate: pip install 'luxgrad[llm]'"
TASKS = {"wishes": "what people say of photos", "findings": "to weigh what is found in photos"}
TAUGHT = "taught"
"""What an adapter's file says it has learned, in its metadata: names of tasks with spaces between."""
_lock = threading.Lock()
_loaded: dict[Path, Language] = {}


class Language:
    """Tokens and logits. network: a causal language model of the transformers library, or one with its interface."""

    def __init__(self, network: nn.Module, tokenizer: Any, name: str) -> None:
        self.network, self.tokenizer, self.name = network.train(False), tokenizer, name
        for weight in network.parameters():
            weight.requires_grad_(False)
        told = inspect.signature(type(network).forward).parameters
        self._memory = "cache" if "cache" in told else "past_key_values"

    def encode(self, text: str) -> list[int]:
        """A piece of text as tokens, none of them special: what stands in it is never more than text."""
        return list(self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def begin(self, text: str) -> list[int]:
        """A prompt: the token that texts begin with, where there is one, and those of the text."""
        first = getattr(self.tokenizer, "bos_token_id", None)
        return [*([first] if first is not None else []), *self.encode(text)]

    @torch.no_grad()
    def next(self, tokens: Sequence[Sequence[int]], memory: Any = None) -> tuple[Tensor, Any]:
        """The logits (B,V) of what comes after some tokens (B lists of one length), and the memory that goes on from here."""
        given = torch.tensor(tokens, device=next(self.network.parameters()).device)
        out = self.network(input_ids=given, use_cache=True, logits_to_keep=1, **{self._memory: memory})
        return out.logits[:, -1].float(), getattr(out, self._memory)


def language(task: str = "") -> Language:
    """The language model that is set, loaded once a process. Raises NoLanguage in one line where there is none.

    task: what it must have been taught, `wishes` or `findings`; one that was not is not loaded, for by itself it guesses.
    """
    path = chosen()
    if task and task not in learned(adapter_of(path)):
        raise Absent(f"{path.name} has not been taught {TASKS[task]} (python -m luxgrad.training.dialogue)")
    with _lock:
        if path not in _loaded:
            _loaded[path] = load(path)
        return _loaded[path]


def load(path: Path) -> Language:
    """A language model from a GGUF file or from a folder with safetensors. Raises NoLanguage."""
    try:
        import transformers
    except ImportError:
        raise NoLanguage(_NEEDED) from None
    whole = {"local_files_only": True, "trust_remote_code": False}
    place, gguf = (path, {}) if path.is_dir() else (path.parent, {"gguf_file": path.name})
    try:
        with _quiet(transformers):
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(place), **whole, **gguf)
            network = transformers.AutoModelForCausalLM.from_pretrained(
                str(place), **whole, **gguf, dtype=torch.float32, **({"use_safetensors": True} if path.is_dir() else {})
            )
    except ImportError as error:
        raise NoLanguage(f"{_NEEDED} ({' '.join(str(error).split())[:120]})") from None
    except Exception as error:  # whatever a library raises of a file that is damaged or of a kind it does not know
        raise NoLanguage(f"{path.name} cannot be loaded: {' '.join(str(error).split())[:160]}") from None
    adapter = adapter_of(path)
    if adapter is not None:
        _teach(network, adapter)
    return Language(network, tokenizer, path.name)


def learned(adapter: Path | None) -> frozenset[str]:
    """The tasks that an adapter has learned, as its file says. Raises NoLanguage where it is damaged."""
    from safetensors import SafetensorError, safe_open

    if adapter is None:
        return frozenset()
    try:
        with safe_open(adapter, "pt") as file:
            return frozenset((file.metadata() or {}).get(TAUGHT, "wishes").split())
    except (OSError, SafetensorError) as error:
        raise NoLanguage(f"{adapter.name} cannot be used: {' '.join(str(error).split())[:160]}") from None


def _teach(network: nn.Module, adapter: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        merged(network, load_file(adapter))
    except (OSError, ValueError, SafetensorError) as error:
        raise NoLanguage(f"{adapter.name} cannot be used: {' '.join(str(error).split())[:160]}") from None


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Without the library's bars and warnings, which are as they were afterwards."""
    told = transformers.logging
    level, bars = told.get_verbosity(), told.is_progress_bar_enabled()
    told.set_verbosity_error()
    told.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):  # a bar that heeds none of this
            yield
    finally:
        told.set_verbosity(level)
        if bars:
            told.enable_progress_bar()

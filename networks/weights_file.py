"""Weights as the bytes of a safetensors file that says itself which module they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

WEIGHTS = ".safetensors"
"""How the names of such files end; the name of the weights is what comes before."""

_ABOUT = "luxgrad"


def weights_bytes(weights: Mapping[str, Tensor], about: Mapping[str, Any] | None, dtype: torch.dtype = torch.float32) -> bytes:
    """The file of some weights and buffers. about: `architecture` and `arguments`, as in a manifest; None of other modules."""
    from safetensors.torch import save

    held = {
        name: (tensor.detach().to(dtype) if tensor.is_floating_point() else tensor.detach()).cpu().contiguous()
        for name, tensor in weights.items()
    }
    if about is None:
        return save(held)
    return save(held, {_ABOUT: json.dumps({key: about[key] for key in ("architecture", "arguments")}, sort_keys=True)})


def about_of(data: bytes) -> Mapping[str, Any] | None:
    """What a file says of its weights: `architecture` and `arguments`; None where it says nothing (of ours)."""
    length = int.from_bytes(data[:8], "little")
    try:
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
        about = json.loads(metadata[_ABOUT])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return about if isinstance(about, dict) else None

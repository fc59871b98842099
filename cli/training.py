"""`luxgrad train`: networks trained on a user's own photos."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..files.atomic import whole_file
from ..networks.weights import load_network, save_weights
from ..training.abpn.evaluate import by_network, score
from ..training.abpn.pairs import Pairs, pair_files
from ..training.abpn.train import OURS, Config, train as train_pyramid
from ..training.features import at_hand
from ..training.state import made
from .problems import UsageError
from .show import plain

_EDGE = 256
_HELD_OUT = 5
_EXAMPLES = 40


def train(options: argparse.Namespace) -> None:
    """Train the blend pyramid on pairs before and after; every fifth pair, by name, is held out where there are five."""
    for name in ("minutes", "rate"):
        if not 0.0 < getattr(options, name) < math.inf:
            raise UsageError(f"--{name}: expected a number above 0; got {getattr(options, name):g}")
    if not 0 <= options.seed < 2**31:
        raise UsageError(f"--seed: expected 0 to {2**31 - 1}; got {options.seed}")
    folders = [Path.cwd()]
    about, start = _beginning(options.weights, folders)
    config = replace(
        Config(features=at_hand(folders), fine_every=OURS.fine_every) if options.paper else OURS,
        scale=about["arguments"].get("scale", 1.0),
        minutes=options.minutes,
        rate=options.rate,
        seed=options.seed,
    )
    out = made(Path(options.out))
    print(f"reading {len(pair_files(Path(options.pairs)))} pairs ...", flush=True)
    held, seen = Pairs(Path(options.pairs), _EDGE, options.seed).split(_HELD_OUT)
    print(f"{len(seen)} pairs to learn from, {len(held) if held else 0} held out", flush=True)
    module = train_pyramid(config, seen, out, start, folders=folders)
    weights = out / f"{out.resolve().name}.safetensors"
    with whole_file(weights) as part:
        save_weights(module, part, about)
    print(plain(f"weights: {weights}; in the folder of a workflow, Load Network finds them by the name {weights.stem}"))
    row = score(by_network(module, config.levels), [held.draw(number) for number in range(_EXAMPLES)]).row() if held else None
    with whole_file(out / "report.json") as part:
        part.write_text(json.dumps({"held_out": row, "config": asdict(config)}, indent=2) + "\n", encoding="utf-8")
    for name, value in (row or {}).items():
        print(f"{name.replace('_', ' '):16} {value:8.2f}")
    if row is None:
        print("fewer than five pairs: none was held out")


def _beginning(name: str | None, folders: Sequence[Path]) -> tuple[Mapping[str, Any], dict[str, Tensor] | None]:
    """What kind of pyramid, and the weights to begin with."""
    if name is None:
        return {"architecture": "BlendPyramid", "arguments": {"scale": Config.scale}}, None
    network = load_network(name, folders)
    if network.about is None or network.about["architecture"] != "BlendPyramid":
        raise UsageError(f"--weights: expected those of a blend pyramid; got {name}")
    return network.about, {**network.constants, **network.weights}

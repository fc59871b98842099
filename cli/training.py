"""`luxgrad train`: networks trained on a user's own photos."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..networks.weights import load_network, save_weights
from ..training.abpn.data import Pairs
from ..training.abpn.evaluate import by_network, score
from ..training.abpn.train import Config, train as train_pyramid
from .problems import UsageError
from .show import plain

_EDGE = 256
_HELD_OUT = 5
_EXAMPLES = 40


def train(options: argparse.Namespace) -> None:
    """Train the blend pyramid on pairs before and after; every fifth pair, by name, is held out where there are five."""
    if options.minutes <= 0:
        raise UsageError(f"--minutes: expected more than 0; got {options.minutes:g}")
    about, start = _beginning(options.weights)
    out = Path(options.out)
    held, seen = Pairs(Path(options.pairs), _EDGE, options.seed).split(_HELD_OUT)
    config = Config(scale=about["arguments"]["scale"], minutes=options.minutes, rate=options.rate, seed=options.seed)
    module = train_pyramid(config, seen, out, start)
    weights = out / f"{out.name}.safetensors"
    save_weights(module, weights, about)
    print(plain(f"weights: {weights}; in the folder of a workflow, Load Network finds them by the name {out.name}"))
    if held is None:
        print("fewer than five pairs: none was held out")
        return
    row = score(by_network(module, config.levels), [held.draw(number) for number in range(_EXAMPLES)]).row()
    (out / "report.json").write_text(json.dumps({"held_out": row}, indent=2) + "\n", encoding="utf-8")
    for name, value in row.items():
        print(f"{name.replace('_', ' '):16} {value:8.2f}")


def _beginning(name: str | None) -> tuple[Mapping[str, Any], dict[str, Tensor] | None]:
    """What kind of pyramid, and the weights to begin with."""
    if name is None:
        return {"architecture": "BlendPyramid", "arguments": {"scale": Config.scale}}, None
    network = load_network(name, [Path.cwd()])
    if network.about is None or network.about["architecture"] != "BlendPyramid":
        raise UsageError(f"--weights: expected those of a blend pyramid; got {name}")
    return network.about, {**network.constants, **network.weights}

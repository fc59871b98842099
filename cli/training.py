"""`luxgrad train`: networks tuned on a user's own photos."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

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
    """Tune the blend pyramid on pairs before and after; every fifth pair, by name, is held out where there are five."""
    if options.minutes <= 0:
        raise UsageError(f"--minutes: expected more than 0; got {options.minutes:g}")
    start = load_network(options.weights, [Path.cwd()])
    if start.about is None or start.about["architecture"] != "BlendPyramid":
        raise UsageError(f"--weights: expected those of a blend pyramid; got {options.weights}")
    out = Path(options.out)
    pairs = Pairs(Path(options.pairs), _EDGE, options.seed)
    held, seen = pairs.split(_HELD_OUT)
    config = Config(scale=start.about["arguments"]["scale"], minutes=options.minutes, rate=options.rate, seed=options.seed)
    module = train_pyramid(config, seen, out, {**start.constants, **start.weights})
    save_weights(module, out / f"{out.name}.safetensors", start.about)
    print(plain(f"weights: {out / (out.name + '.safetensors')} (name them {out.name} in Load Network, or wire them)"))
    if held is None:
        print("fewer than five pairs: none was held out")
        return
    row = score(by_network(module, config.levels), [held.draw(number) for number in range(_EXAMPLES)]).row()
    (out / "report.json").write_text(json.dumps({"held_out": row}, indent=2) + "\n", encoding="utf-8")
    for name, value in row.items():
        print(f"{name.replace('_', ' '):16} {value:8.2f}")

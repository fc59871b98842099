"""`python -m luxgrad.training.dialogue`: teach the language model, on this machine's processor."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ...advice.language.loading import language
from .train import Config, train

if __name__ == "__main__":
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--out", required=True, type=Path, metavar="DIR", help="a stopped training goes on in its folder")
    told.add_argument("--steps", type=int, default=Config.steps)
    told.add_argument("--minutes", type=float, default=1e9)
    told.add_argument("--batch", type=int, default=Config.batch)
    told.add_argument("--rank", type=int, default=Config.rank)
    told.add_argument("--last", type=int, default=Config.last, help="adapt so many layers from the end; 0 is all")
    told.add_argument("--rate", type=float, default=Config.rate)
    options = told.parse_args()
    found = language()
    found.network.to(torch.bfloat16)
    config = Config(options.steps, options.batch, options.rank, options.last, options.rate)
    train(found, config, options.out, options.minutes)

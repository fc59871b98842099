"""Train the diagnoser: `python -m luxgrad.training.diagnoser PHOTOS [PHOTOS ...] --minutes 15 --out FOLDER --work FOLDER`.

PHOTOS are folders of good photographs, each in three parts by name: of every eight, the first is held out, the fifth
calibrates. A stopped training goes on where it was; examples are kept. Writes the weights (float16) and their entry of the
manifest, with what they do on held-out photos, beside the same planner trained by its dials alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from ...files.errors import FileError
from ...networks.diagnoser import Diagnoser
from ...networks.weights import FOLDER
from ..shipping import ship
from . import detail
from .evaluate import calibrate, judged, plans, said
from .examples import Photos, apart, kept
from .train import ARGUMENTS, Config, train

NAME = "diagnoser"
SEEN, CALIBRATING, HELD = 6000, 680, 1050
DETAIL_SEEN, DETAIL_CALIBRATING, DETAIL_HELD = 1600, 340, 420


def run(photos: Photos, minutes: float, out: Path, work: Path) -> None:
    """Make the examples, train, calibrate, judge and write."""
    seen = kept(photos.seen, SEEN, 1, work / "examples", "seen")
    calibrating = kept(photos.calibrating, CALIBRATING, 2, work / "examples", "calibrating")
    held = kept(photos.held, HELD, 3, work / "examples", "held")
    fine = [detail.kept(files, count, seed, work / "examples", name) for files, count, seed, name in (
        (photos.seen, DETAIL_SEEN, 4, "seen"), (photos.calibrating, DETAIL_CALIBRATING, 5, "calibrating"),
        (photos.held, DETAIL_HELD, 6, "held"))]  # fmt: skip
    config = Config(minutes=minutes)
    module = train(config, seen, work / "pixels")
    rival = train(replace(config, pixels=False), seen, work / "dials")
    detail.fitted(module.detail, fine[0])
    calibrate(module, calibrating, fine[1])
    metrics = judged(module, held, fine[2])
    widths = torch.zeros_like(held.cure)
    metrics["plans"] = {
        "left alone": plans(held, widths),
        "by pixels": plans(held, said(module.look, held).dials),
        "by dials": plans(held, said(rival.look, held).dials),
    }
    print(json.dumps(metrics, indent=2))
    write(module, config, out, metrics, photos, json.loads((work / "pixels" / "state.json").read_text())["step"])


def write(module: Diagnoser, config: Config, out: Path, metrics: dict[str, Any], photos: Photos, steps: int) -> None:
    """The weights in half precision, and their entry of the manifest."""
    about = {"architecture": "Diagnoser", "arguments": ARGUMENTS}
    out.mkdir(parents=True, exist_ok=True)
    ship(
        module,
        NAME,
        about,
        out,
        torch.float16,
        config={**asdict(config), "steps": steps, "examples": SEEN, "optimiser": "AdamW, cosine"},
        data=(
            f"good photographs spoiled by our own operations: {len(photos.seen)} to learn from, "
            f"{len(photos.calibrating)} to calibrate, {len(photos.held)} held out"
        ),
        metrics={"held_out_examples": HELD, **metrics},
        script="training/diagnoser",
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="luxgrad.training.diagnoser", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--work", type=Path, default=Path("out") / NAME)
    options = parser.parse_args()
    if options.minutes <= 0.0:
        parser.error(f"--minutes: expected more than 0; got {options.minutes:g}")
    try:
        run(apart(options.photos), options.minutes, options.out, options.work)
    except FileError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

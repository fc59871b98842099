"""Train a small blend pyramid, `abpn_small`, on flaws made here.

    python -m luxgrad.training.abpn.small PHOTOS [PHOTOS ...] --sources TEXT [--often PHOTO ...] --minutes 60
        [--out FOLDER] [--work FOLDER]

PHOTOS are folders of photographs without flaws worth retouching; every eighth, by name, is held out. Those named `--often`,
of skin and of cloth, are seen larger and more often, so that eyes and seams are not taken for flaws. TEXT names sources and
licences in the manifest. A stopped training goes on where it was. Writes the weights (float16) and their entry of the
manifest, with scores on held-out photos and flaws.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from ...files.decode import read_photo
from ...files.formats.registry import READ_ENDINGS
from ...networks.abpn import BlendPyramid
from ...networks.weights import FOLDER
from ..flaws.pictures import procedural_cloth, procedural_skin
from ..shipping import ship
from .classical import by_median
from .data import Example, Ground, Kept, Synthetic
from .evaluate import by_network, score
from .train import OURS, Config, train

NAME = "abpn_small"
HELD_OUT = 8
EDGE = 512
"""Of the examples that are made; their scale is that of a photo whose long edge is 1024."""
CROP = 384
EXAMPLES = 160
KEPT = 2500
COUNT = (8, 28)
"""Flaws of an example to learn from: more than a photo has, so that there is more to learn."""
PROCEDURAL = 300
OFTEN = 8
_LONG_EDGE = 768
_OFTEN_EDGE = 1536


CONFIG = replace(OURS, rate=1e-3)
"""For a CPU: terms that look at flaws alone instead of the paper's, and four steps in five from near."""


def photo_files(folders: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The photographs of some folders, to learn from and held out."""
    files = sorted((path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in READ_ENDINGS), key=str)
    return [f for i, f in enumerate(files) if i % HELD_OUT], [f for i, f in enumerate(files) if i % HELD_OUT == 0]


def load(files: Sequence[Path], long_edge: int = _LONG_EDGE) -> list[Tensor]:
    """Light of photographs, (1,3,H,W), at most 768 px long: what the network sees is small."""
    photos = (read_photo(file) for file in files)
    return [photo.reduced(photo.size.scaled(min(1.0, long_edge / photo.size.long_edge))).pixels for photo in photos]


def grounds(photos: Sequence[Tensor], seed: int, count: int) -> list[Ground]:
    """Photos, and skin and cloth made here with the flaws that come onto each."""
    made: list[Ground] = []
    for number in range(count):
        scale = 0.5 + 1.5 * (number // 2 % 8) / 7.0
        if number % 2:
            made.append(Ground(procedural_cloth((EDGE, EDGE), seed + number, scale), ("cloth", "dust")))
        else:
            made.append(Ground(procedural_skin((EDGE, EDGE), seed + number, scale), ("skin", "dust")))
    return [*(Ground(photo) for photo in photos), *made]


def examples(found: Sequence[Ground], seed: int, count: int = EXAMPLES) -> list[Example]:
    source = Synthetic(found, EDGE, seed)
    return [source.draw(number) for number in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--sources", required=True)
    parser.add_argument("--often", type=Path, nargs="*", default=[])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--work", type=Path, default=Path("out") / NAME)
    options = parser.parse_args()
    seen, held = photo_files(options.photos)
    config = replace(CONFIG, minutes=options.minutes)
    options.work.mkdir(parents=True, exist_ok=True)
    often = load(options.often, _OFTEN_EDGE) * OFTEN
    source = Synthetic(grounds([*load(seen), *often], 1, PROCEDURAL), EDGE, config.seed, count=COUNT)
    module = train(config, Kept(source, KEPT, options.work / "examples.bin", CROP), options.work)
    tests = examples(grounds(load(held), 1_000_001, len(held) // 2), seed=1)
    found = {"network": score(by_network(module, config.levels), tests).row(), "median": score(by_median, tests).row()}
    print(json.dumps(found, indent=2))
    data = (
        f"trained on synthetic flaws: {len(seen)} photos, {len(options.often)} of skin and cloth {OFTEN} times, "
        f"{PROCEDURAL} procedural pictures; {len(held)} photos held out. {options.sources}"
    )
    write(module, config, options.out, found, data, json.loads((options.work / "state.json").read_text())["step"])


def write(module: BlendPyramid, config: Config, out: Path, found: dict[str, dict[str, float]], data: str, steps: int) -> None:
    """The weights in half precision, and their entry of the manifest."""
    about = {"architecture": "BlendPyramid", "arguments": {"scale": config.scale}}
    metrics = {way: {name: round(value, 3) for name, value in row.items()} for way, row in found.items()}
    ship(
        module,
        NAME,
        about,
        out,
        torch.float16,
        config={**asdict(config), "edge": EDGE, "steps": steps},
        data=data,
        metrics={"examples": EXAMPLES, **metrics},
        script="training/abpn/small.py",
    )


if __name__ == "__main__":
    main()

"""What the blend pyramid does, to look at: flawed, mask, retouched and clean, for each group of flaws and for a failure.

    python -m luxgrad.training.abpn.sheet OUT.jpg PHOTOS [PHOTOS ...] [--weights abpn_small] [--tries 7] [--seed 0]

PHOTOS are files that were not learned from. Of some tries for each group the middle one by what it gained is shown, not the
best; then the worst of all.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ...files.encode import Canvas, depth_for, write_photo
from ...files.sheet import Sheet, contact_sheet
from ...light.photo import Photo
from ...light.rectangle import Region
from ...light.transfer import srgb_decode
from ...networks.weights import load_network
from ..flaws.flaw import GROUPS, Group
from ..flaws.pictures import procedural_cloth, procedural_skin
from ..flaws.scene import Scene
from .data import Example
from .evaluate import Found, Retoucher, Score, by_operation
from .held_out import Case, flawed, photo

EDGE = 1024
CELL = 300
_FLAWS = 6


@dataclass(frozen=True)
class Shown:
    """One row. panels: light of the flawed part, its mask, the part retouched, and clean. gain: dB inside the flaws of it."""

    group: str
    kinds: str
    gain: float
    panels: tuple[Tensor, ...]


def looked_at(case: Case, found: Found, group: str) -> Shown:
    """The part of a picture about its largest flaw."""
    flaw = max(case.flaws, key=lambda flaw: flaw.size)
    height, width = case.flawed.shape[1:]
    top, left = (
        min(max(0, int(place) - CELL // 2), edge - CELL) for place, edge in ((flaw.y, height), (flaw.x, width))
    )  # fmt: skip
    part = Region(top, left, CELL, CELL)
    mask = F.interpolate(found.mask, (height, width), mode="bilinear")
    cut = Example(part.cut(case.flawed), part.cut(case.clean), part.cut(case.masks), case.known)
    score = Score()
    score.add(Found(part.cut(found.codes), part.cut(mask), part.cut(mask)), cut)
    near = Counter(f.kind.replace("_", " ") for f in case.flaws if 0 <= f.y - top < CELL and 0 <= f.x - left < CELL)
    lights = (srgb_decode(codes) for codes in (cut.flawed[None], part.cut(found.codes), cut.clean[None]))
    before, after, clean = lights
    kinds = ", ".join(f"{number} {kind}" for kind, number in near.items())
    return Shown(group, kinds, score.gains()[0].item(), (before, part.cut(mask).expand(-1, 3, -1, -1), after, clean))


def lights(files: Sequence[Path], group: Group, seed: int) -> Iterator[Tensor]:
    """Pictures with a place for a group, without end: photos that have one, skin by formula too; cloth by formula alone."""
    known = () if group == "cloth" else files
    photos = [light for file in known if Scene.of(light := photo(file, EDGE), 0).found[group]]
    made = {"skin": procedural_skin, "cloth": procedural_cloth}.get(group)
    number = seed
    while True:
        yield from photos
        if made:
            yield made((EDGE, EDGE), number)
        number += 1


def rows(retouch: Retoucher, files: Sequence[Path], tries: int, seed: int) -> list[Shown]:
    """The middle one of each group by its gain, and the worst of all."""
    shown, every = [], []
    for group in GROUPS:
        tried: list[Shown] = []
        for number, light in enumerate(lights(files, group, seed)):
            if len(tried) == tries or number == 4 * tries:
                break
            case = flawed(light, seed + number, (group,), _FLAWS)
            if case.flaws and min(case.flawed.shape[1:]) >= CELL:
                tried.append(looked_at(case, retouch(case.flawed[None]), group))
        tried.sort(key=lambda row: row.gain)
        shown.append(tried[len(tried) // 2])
        every += tried
    return [*shown, min((row for row in every if all(row is not one for one in shown)), key=lambda row: row.gain)]


def sheet(found: Sequence[Shown]) -> Photo:
    captions = []
    for number, row in enumerate(found):
        name = f"the worst of all: {row.kinds}" if number == len(GROUPS) else f"{row.group}: {row.kinds}"
        captions += [name, "mask", f"retouched, {round(row.gain, 1) + 0.0:+.1f} dB inside", "clean"]
    return contact_sheet([Photo(panel) for row in found for panel in row.panels], captions, Sheet(columns=4, cell=CELL, gap=8))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--weights", default="abpn_small", help="a name; of a file NAME.safetensors in --folder, its NAME")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="where else weights lie")
    parser.add_argument("--tries", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    retouch = by_operation(load_network(options.weights, options.folder))
    picture = sheet(rows(retouch, options.photos, options.tries, options.seed))
    canvas = Canvas(picture.size, depth_for(options.out, "8"), dither=False)
    canvas.put(Region.whole(picture.size), picture.pixels)
    write_photo(options.out, canvas, {}, quality=88, force=True)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()

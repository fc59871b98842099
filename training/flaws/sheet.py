"""A contact sheet to judge the synthesiser by: clean, flawed, mask and instances of each photo.

    python -m luxgrad.training.flaws.sheet OUT.png [PHOTOS...] [--procedural 2] [--seed 0] [--edge 512] [--crop] [--groups skin]

Each photo is made smaller to the edge; with --crop, a square of that edge is cut from its middle at full size instead.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ...files.decode import read_photo
from ...files.encode import Canvas, depth_for, write_photo
from ...files.sheet import Sheet, contact_sheet
from ...light.photo import Photo
from ...light.rectangle import Region, Size
from .flaw import GROUPS, Flawed, Group
from .pictures import procedural_cloth, procedural_skin
from .synthesiser import LONG_EDGE, synthesise

INK = {"skin": (1.0, 0.25, 0.05), "cloth": (0.05, 0.4, 1.0), "dust": (1.0, 0.8, 0.0)}


def panels(truth: Flawed) -> list[Tensor]:
    """Clean, flawed, mask and boxes, as light."""
    boxed = truth.light.clone()
    for flaw in truth.instances:
        ink = boxed.new_tensor(INK[flaw.group]).view(1, 3, 1, 1)
        box, last = flaw.box, Size(*boxed.shape[-2:])
        bottom, right = min(box.top + box.height, last.height - 1), min(box.left + box.width, last.width - 1)
        for line in (
            Region(box.top, box.left, 1, box.width),
            Region(bottom, box.left, 1, box.width),
            Region(box.top, box.left, box.height, 1),
            Region(box.top, right, box.height, 1),
        ):
            line.cut(boxed).copy_(ink.expand_as(line.cut(boxed)))
    return [truth.clean, truth.light, truth.mask.square().expand(-1, 3, -1, -1), boxed]


def counted(truth: Flawed) -> str:
    """Kinds and their number in words."""
    return ", ".join(f"{number} {kind}" for kind, number in Counter(flaw.kind for flaw in truth.instances).items()) or "none"


def _pictures(options: argparse.Namespace) -> Iterator[tuple[str, Tensor, float | None]]:
    for path in options.photos:
        photo = read_photo(path)
        if options.crop:
            height, width = (min(options.edge, edge) for edge in photo.size)
            middle = Region((photo.size.height - height) // 2, (photo.size.width - width) // 2, height, width)
            yield path.stem, photo.read(middle), photo.size.long_edge / LONG_EDGE
        else:
            yield path.stem, photo.reduced(photo.size.scaled(min(1.0, options.edge / photo.size.long_edge))).pixels, None
    square = Size(options.edge, options.edge)
    for number in range(options.procedural):
        yield f"skin {number}", procedural_skin(square, options.seed + number), None
        yield f"cloth {number}", procedural_cloth(square, options.seed + number), None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("photos", type=Path, nargs="*")
    parser.add_argument("--procedural", type=int, default=0, help="so many pictures of skin and of cloth made by formula")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--edge", type=int, default=512)
    parser.add_argument("--crop", action="store_true")
    parser.add_argument("--count", type=int, help="flaws on each picture")
    parser.add_argument("--quality", type=int, default=85, help="of a JPEG")
    parser.add_argument("--groups", nargs="*", choices=GROUPS, default=GROUPS)
    options = parser.parse_args()
    shown, captions = [], []
    groups: tuple[Group, ...] = tuple(options.groups)
    for number, (name, light, scale) in enumerate(_pictures(options)):
        truth = synthesise(light, options.seed + number, groups, options.count, scale)
        shown += [Photo(panel.clamp(0.0, 1.0)) for panel in panels(truth)]
        captions += [name, counted(truth), "mask", "instances"]
    sheet = contact_sheet(shown, captions, Sheet(columns=4, cell=options.edge, gap=8))
    canvas = Canvas(sheet.size, depth_for(options.out, "8"), dither=False)
    canvas.put(Region.whole(sheet.size), sheet.pixels)
    write_photo(options.out, canvas, {}, quality=options.quality, force=True)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()

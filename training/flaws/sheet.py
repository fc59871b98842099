"""A contact sheet to judge the synthesiser by: clean, flawed, mask and instances of each photo.

    python -m luxgrad.training.flaws.sheet OUT.png [PHOTOS...] [--procedural 2] [--seed 0] [--edge 512] [--crop] [--groups skin]

Each photo is made smaller to the edge; with --crop, a square of that edge is cut from its middle at full size instead.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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

Named = tuple[str, Tensor, float | None]
"""A picture: its name, its light, and the scale of its flaws (see `synthesise`)."""
_INK = {"skin": (1.0, 0.25, 0.05), "cloth": (0.05, 0.4, 1.0), "dust": (1.0, 0.8, 0.0)}


def panels(truth: Flawed) -> list[Tensor]:
    """Clean, flawed, mask and boxes, as light."""
    boxed = truth.light.clone()
    for flaw in truth.instances:
        ink = boxed.new_tensor(_INK[flaw.group]).view(1, 3, 1, 1)
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


def flaw_sheet(
    pictures: Iterable[Named], edge: int, seed: int, groups: Sequence[Group] = GROUPS, count: int | None = None
) -> Photo:
    """Four panels for each picture, none larger than `edge` px; the seed grows by one from picture to picture."""
    shown, captions = [], []
    for number, (name, light, scale) in enumerate(pictures):
        truth = synthesise(light, seed + number, groups, count, scale)
        shown += [Photo(panel.clamp(0.0, 1.0)) for panel in panels(truth)]
        captions += [name, counted(truth), "mask", "instances"]
    return contact_sheet(shown, captions, Sheet(columns=4, cell=edge, gap=8))


def _asked(options: argparse.Namespace) -> Iterator[Named]:
    for path in options.photos:
        photo = read_photo(path)
        if options.crop:
            height, width = (min(options.edge, edge) for edge in photo.size)
            middle = Region((photo.size.height - height) // 2, (photo.size.width - width) // 2, height, width)
            yield path.stem, photo.read(middle), photo.size.long_edge / LONG_EDGE
        else:
            yield path.stem, photo.reduced(photo.size.scaled(min(1.0, options.edge / photo.size.long_edge))).pixels, None
    for number in range(options.procedural):
        yield f"skin {number}", procedural_skin((options.edge, options.edge), options.seed + number), None
        yield f"cloth {number}", procedural_cloth((options.edge, options.edge), options.seed + number), None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("photos", type=Path, nargs="*")
    parser.add_argument("--procedural", type=int, default=0, help="so many pictures of skin and of cloth made by formula")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--edge", type=int, default=512)
    parser.add_argument("--crop", action="store_true")
    parser.add_argument("--count", type=int, help="flaws on each picture")
    parser.add_argument("--groups", nargs="*", choices=GROUPS, default=GROUPS)
    options = parser.parse_args()
    sheet = flaw_sheet(_asked(options), options.edge, options.seed, options.groups, options.count)
    canvas = Canvas(sheet.size, depth_for(options.out, "8"), dither=False)
    canvas.put(Region.whole(sheet.size), sheet.pixels)
    write_photo(options.out, canvas, {}, quality=90, force=True)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()

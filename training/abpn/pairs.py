"""A user's pairs of photos before and after, kept small: the blend pyramid looks at small pictures."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ...files.decode import read_photo
from ...files.errors import FileError
from ...files.formats.registry import READ_ENDINGS
from ...light.rectangle import Size
from ...light.transfer import srgb_decode, srgb_encode
from ...ops.local.local_retouch import SEEN
from ..flaws.flaw import GROUPS, difference_mask
from .data import Example

LEAST = 64
"""Edges in px below which there is nothing to learn from."""


class Pairs:
    """A folder of photos before and after: NAME_before.EXT and NAME_after.EXT, or folders `before` and `after`.

    edge: of the crops in px. Photos are reduced to the size that Local retouch looks at, never enlarged, and kept as codes of
    8 bits: at most 6.3 MB a pair, 4.2 MB of photos 3:2 (500 pairs: 2.1 GB), whatever their size on disk; one photo is decoded
    at a time. What is smaller than a crop is continued by its last px, as the network does.
    Raises FileError: an empty folder, a photo that cannot be read or is not finite, without its partner or of another size,
    edges below 64 px.
    """

    def __init__(self, folder: Path, edge: int, seed: int = 0) -> None:
        self.edge, self.seed = edge, seed
        self.pairs: list[Tensor] = []
        for before, after in pair_files(folder):
            (size, one), (other, two) = self._kept(before), self._kept(after)
            if other != size:
                raise FileError(f"{after}: expected the size of {before.name}, {size}; got {other}")
            self.pairs.append(torch.cat([one, two]))

    def __len__(self) -> int:
        return len(self.pairs)

    def _kept(self, path: Path) -> tuple[Size, Tensor]:
        """The size of a photo, and its codes of 8 bits (3,h,w), made small."""
        photo = read_photo(path)
        small = photo.reduced(photo.size.scaled(min(1.0, SEEN / photo.size.long_edge))).pixels[0]
        if min(small.shape[1:]) < LEAST:
            raise FileError(
                f"{path}: expected edges of at least {LEAST} px where the longer has at most {SEEN}; got {photo.size}"
            )
        return photo.size, (srgb_encode(small).clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)

    def split(self, every: int) -> tuple[Pairs | None, Pairs]:
        """Some pairs held out, one of so many, and the others; none where there are fewer."""
        if len(self.pairs) < every:
            return None, self
        held, seen = copy.copy(self), copy.copy(self)
        held.pairs, seen.pairs = self.pairs[::every], [pair for n, pair in enumerate(self.pairs) if n % every]
        return held, seen

    def draw(self, number: int) -> Example:
        """A crop, mirrored by chance, at any scale at which Local retouch may look at a photo: between 512 and 1024 px."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        pair = self.pairs[int(torch.randint(len(self.pairs), (), generator=generator))]
        chance = torch.rand(4, generator=generator).tolist()
        height, width = pair.shape[1:]
        reduction = min(2.0 * max(height, width) / SEEN, min(height, width) / self.edge)
        side = round(self.edge * (1.0 + chance[0] * max(0.0, reduction - 1.0)))
        top, left = (round(place * max(0, size - side)) for place, size in zip(chance[1:], (height, width)))
        codes = pair[:, top : top + side, left : left + side] / 255.0
        codes = F.pad(codes, (0, side - codes.shape[2], 0, side - codes.shape[1]), mode="replicate")
        light = srgb_decode(codes.flip(2) if chance[3] < 0.5 else codes)[None]
        if side > self.edge:
            light = F.interpolate(light, (self.edge, self.edge), mode="bilinear", antialias=True)
        before, after = light[:, :3], light[:, 3:]
        mask = difference_mask(before, after)[0].expand(len(GROUPS), -1, -1)
        return Example(srgb_encode(before[0]), srgb_encode(after[0]), mask, torch.zeros(len(GROUPS)))


def pair_files(folder: Path) -> list[tuple[Path, Path]]:
    """The pairs of a folder by name. Raises FileError."""
    if not folder.is_dir():
        raise FileError(f"{folder}: expected a folder of pairs")
    if (folder / "before").is_dir():
        firsts, seconds = (_by_name(_photos_in(folder / name)) for name in ("before", "after"))
    else:
        found = _photos_in(folder)
        firsts, seconds = (_by_name([p for p in found if p.stem.endswith(end)], end) for end in ("_before", "_after"))
    if not firsts and not seconds:
        raise FileError(f"{folder}: expected NAME_before and NAME_after photos, or folders before and after; got none")
    for name in sorted(firsts.keys() ^ seconds.keys()):
        there = firsts.get(name) or seconds[name]
        raise FileError(f"{there}: expected its partner {'after' if name in firsts else 'before'}; there is none")
    return [(firsts[name], seconds[name]) for name in sorted(firsts)]


def _by_name(files: list[Path], end: str = "") -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        name = path.stem.removesuffix(end)
        if name in found:
            raise FileError(f"{path}: expected one photo of this name; there is {found[name].name} too")
        found[name] = path
    return found


def _photos_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in READ_ENDINGS) if folder.is_dir() else []

"""What the blend pyramid learns from: examples, drawn by number, here of photos with flaws made by us."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from ...files.errors import FileError
from ...light.transfer import srgb_encode
from ..flaws.flaw import GROUPS, Flawed, Group
from ..flaws.synthesiser import synthesise


@dataclass(frozen=True)
class Example:
    """Codes (3,H,W) with flaws and without; masks (3,H,W) by group; known: (3,), 1 where a group's mask is known."""

    flawed: Tensor
    clean: Tensor
    masks: Tensor
    known: Tensor


_PLACES = 4


class Source(Protocol):
    """Draws an example by its number: the same one on every machine. As long as there are pictures behind it: an epoch."""

    def __len__(self) -> int: ...

    def draw(self, number: int) -> Example: ...


@dataclass(frozen=True)
class Ground:
    """A picture without flaws, (1,3,H,W) linear light, and which groups of flaws may come onto it."""

    light: Tensor
    groups: tuple[Group, ...] = GROUPS


class Synthetic:
    """Pictures without flaws, and flaws made by `training.flaws`; one in eight stays as it is.

    edge: of the crops. scale: px of a crop per px of a photo whose long edge is 1024. count: fewest and most flaws. The same
    picture is seen at several scales and mirrored.
    """

    def __init__(
        self,
        grounds: Sequence[Ground],
        edge: int,
        seed: int = 0,
        scale: float = 1.0,
        count: tuple[int, int] = (3, 14),
    ) -> None:
        self.grounds, self.edge, self.seed, self.scale, self.count = grounds, edge, seed, scale, count

    def __len__(self) -> int:
        return len(self.grounds)

    def draw(self, number: int) -> Example:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        ground = self.grounds[int(torch.randint(len(self.grounds), (), generator=generator))]
        clean = _varied(ground.light, self.edge, generator)
        if torch.rand((), generator=generator) < 0.125:
            (codes,) = _codes(clean)
            return Example(codes, codes, torch.zeros(len(GROUPS), self.edge, self.edge), torch.ones(len(GROUPS)))
        seed = int(torch.randint(2**31 - 1, (), generator=generator))
        count = int(torch.randint(self.count[0], self.count[1] + 1, (), generator=generator))
        made = synthesise(clean, seed, ground.groups, count, self.scale)
        flawed, codes = _codes(made.light, clean)
        return Example(flawed, codes, group_masks(made), torch.ones(len(GROUPS)))


class Kept:
    """A number of another source's examples, drawn once and kept on disk as codes of 8 bits; seen cut, mirrored and turned.

    Of some places to cut the one is taken where flaws are seen best in its middle: most of a picture has none.

    file: where they are kept; it is filled by the first who needs it. edge: of the crops, at most the source's.
    """

    _PLANES = 9

    def __init__(self, source: Source, count: int, file: Path, edge: int, workers: int = 2) -> None:
        first = source.draw(0)
        self.edge, self.whole, self.known = edge, first.flawed.shape[-1], first.known
        shape = (count, self._PLANES, self.whole, self.whole)
        if not file.exists():
            part = file.with_suffix(".part")
            part.unlink(missing_ok=True)
            held = torch.from_file(str(part), True, math.prod(shape), dtype=torch.uint8).view(shape)
            for number, example in zip(range(count), DataLoader(Stream(source, 0), None, num_workers=workers)):
                planes = torch.cat([example["flawed"], example["clean"], example["masks"]])
                held[number] = (planes * 255.0).round().to(torch.uint8)
            part.replace(file)
        if file.stat().st_size != math.prod(shape):
            raise FileError(f"{file}: expected {math.prod(shape)} bytes of examples; got {file.stat().st_size}")
        self.held = torch.from_file(str(file), True, math.prod(shape), dtype=torch.uint8).view(shape)

    def __len__(self) -> int:
        return len(self.held)

    def draw(self, number: int) -> Example:
        generator = torch.Generator().manual_seed(number)
        index, turns, mirrored = (int(torch.randint(n, (), generator=generator)) for n in (len(self), 4, 2))
        corners = torch.randint(self.whole - self.edge + 1, (_PLACES, 2), generator=generator).tolist()
        middle = slice(self.edge // 4, self.edge - self.edge // 4)
        crops = [self.held[index, :, top : top + self.edge, left : left + self.edge] for top, left in corners]
        planes = max(crops, key=lambda crop: _apart(crop[:, middle, middle])).rot90(turns, (1, 2))
        planes = (planes.flip(2) if mirrored else planes) / 255.0
        return Example(planes[:3], planes[3:6], planes[6:], self.known)


def _apart(planes: Tensor) -> float:
    """How far codes of 8 bits with flaws are from those without."""
    return (planes[:3].float() - planes[3:6].float()).abs().mean().item()


def group_masks(made: Flawed) -> Tensor:
    """(3,H,W): where flaws of each group show."""
    masks = torch.zeros(len(GROUPS), *made.light.shape[2:])
    for flaw in made.instances:
        held = flaw.box.cut(masks[GROUPS.index(flaw.group)])
        held.copy_(torch.maximum(held, flaw.coverage.reshape(held.shape)))
    return masks


def _codes(*lights: Tensor) -> tuple[Tensor, ...]:
    return tuple(srgb_encode(light[0]).clamp(0.0, 1.0) for light in lights)


def _varied(photo: Tensor, edge: int, generator: torch.Generator) -> Tensor:
    """A crop of a photo (1,3,edge,edge), at a scale, mirrored and exposed by chance."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    size = min(photo.shape[2], photo.shape[3])
    side = min(size, round(edge * uniform(0.6, max(0.6, min(2.0, size / edge)))))
    top = int(torch.randint(photo.shape[2] - side + 1, (), generator=generator))
    left = int(torch.randint(photo.shape[3] - side + 1, (), generator=generator))
    crop = photo[:, :, top : top + side, left : left + side] * 2.0 ** uniform(-0.8, 0.5)
    crop = F.interpolate(crop, (edge, edge), mode="bilinear", antialias=side > edge)
    return crop.flip(3) if uniform(0.0, 1.0) < 0.5 else crop


class Stream(IterableDataset):
    """Examples of a source one after the other, from a number on; each worker takes its share."""

    def __init__(self, source: Source, first: int) -> None:
        self.source, self.first = source, first

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker = torch.utils.data.get_worker_info()
        start, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        number = self.first + start
        while True:
            yield vars(self.source.draw(number))
            number += step

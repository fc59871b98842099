"""Examples for the diagnoser, made once and kept on disk: photos apart for learning, for calibration and for judging."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import interpolate

from ...advice.statistics import light_of, statistics
from ...files.decode import read_photo
from ...files.errors import FileError
from ...files.formats.registry import READ_ENDINGS
from ...light.gamut import to_display
from ...networks.diagnoser import LOOKED
from .spoiling import spoiled

APART = 8
"""Of so many photos, by name, the first is held out and the fifth calibrates."""

_LONG_EDGE = 320
_SHARD = 500


class Photos(NamedTuple):
    """Files to learn from, to calibrate with and held out."""

    seen: list[Path]
    calibrating: list[Path]
    held: list[Path]


def apart(folders: Sequence[Path]) -> Photos:
    """The photographs of some folders in three parts, each folder by itself. Raises FileError where there are too few."""
    parts: tuple[list[Path], list[Path], list[Path]] = ([], [], [])
    for folder in folders:
        if not folder.is_dir():
            raise FileError(f"{folder}: expected a folder of photographs")
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READ_ENDINGS)
        for number, path in enumerate(files):
            parts[{0: 2, APART // 2: 1}.get(number % APART, 0)].append(path)
    if not all(parts):
        raise FileError(f"{', '.join(map(str, folders))}: expected at least five photographs; got {sum(map(len, parts))}")
    return Photos(*parts)


def loaded(files: Sequence[Path]) -> list[Tensor]:
    """Photos as light (1,3,h,w), small."""
    return [_small(path) for path in files]


def _small(path: Path) -> Tensor:
    photo = read_photo(path)
    return photo.reduced(photo.size.scaled(min(1.0, _LONG_EDGE / photo.size.long_edge))).pixels[:, :3].float()


class Examples(NamedTuple):
    """codes, good: (N,3,96,96) bytes. statistics (N,S), cure (N,dials), faults and meant: as of a `Spoiled`. photo: (N,)."""

    codes: Tensor
    good: Tensor
    statistics: Tensor
    cure: Tensor
    faults: Tensor
    meant: Tensor
    photo: Tensor

    def at(self, numbers: Tensor) -> Examples:
        return Examples(*(tensor[numbers] for tensor in self))


def kept(files: Sequence[Path], count: int, seed: int, folder: Path, name: str) -> Examples:
    """Examples of some photos, as many of each; read from the folder as far as they are there already."""
    photos: list[Tensor] = []
    parts = []
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, count, _SHARD):
        path = folder / f"{name}_{first}.safetensors"
        if not path.exists():
            photos = photos or loaded(files)
            began = time.perf_counter()
            made = _made(photos, range(first, min(first + _SHARD, count)), seed)
            save_file({key: value.contiguous() for key, value in made._asdict().items()}, path.with_suffix(".part"))
            path.with_suffix(".part").replace(path)
            print(f"{name}: {min(first + _SHARD, count)} of {count}, {time.perf_counter() - began:.0f} s", flush=True)
        held = load_file(path)
        parts.append(Examples(*(held[field] for field in Examples._fields)))
    return Examples(*(torch.cat(tensors) for tensors in zip(*parts)))


def _made(photos: Sequence[Tensor], numbers: range, seed: int) -> Examples:
    rows = []
    for number in numbers:
        draw = random.Random(seed * 1_000_003 + number)
        found = spoiled(_cut(photos[number % len(photos)], draw), draw)
        rows.append((_bytes(found.codes), _bytes(found.good), statistics(found.codes)[0], found.cure, found.faults, found.meant,
                     torch.tensor(number % len(photos))))  # fmt: skip
    return Examples(*(torch.stack(tensors) for tensors in zip(*rows)))


def _cut(light: Tensor, draw: random.Random) -> Tensor:
    """A large part of a photo, perhaps mirrored, made square: what is good of the whole is good of most parts."""
    height, width = light.shape[2:]
    share = 1.0 if draw.random() < 0.3 else draw.uniform(0.6, 1.0)
    rows, columns = round(share * height), round(share * width)
    top, left = draw.randint(0, height - rows), draw.randint(0, width - columns)
    part = light[..., top : top + rows, left : left + columns]
    part = part.flip(-1) if draw.random() < 0.5 else part
    return interpolate(light_of(to_display(part)), (LOOKED, LOOKED), mode="area")


def _bytes(codes: Tensor) -> Tensor:
    return (codes[0] * 255.0).round().to(torch.uint8)

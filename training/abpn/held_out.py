"""Whole photos that were not learned from, with flaws put on, at any resolution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ...files.decode import read_photo
from ...light.transfer import srgb_decode, srgb_encode
from ..flaws.flaw import GROUPS, Flaw, Group
from ..flaws.pictures import procedural_cloth, procedural_skin
from ..flaws.synthesiser import synthesise
from .data import Example, group_masks

_MULTIPLE = 8


@dataclass(frozen=True)
class Case(Example):
    """An example that knows its flaws one by one; none where it was made smaller."""

    flaws: tuple[Flaw, ...] = ()


def photo(file: Path, long_edge: int) -> Tensor:
    """Light (1,3,H,W) of a photo made smaller to a long edge, where it is larger, and cut to multiples of 8 px."""
    whole = read_photo(file)
    light = whole.reduced(whole.size.scaled(min(1.0, long_edge / whole.size.long_edge))).pixels
    height, width = (edge - edge % _MULTIPLE for edge in light.shape[2:])
    return light[:, :, :height, :width].clamp(0.0, 1.0)


def flawed(light: Tensor, seed: int, groups: Sequence[Group] = GROUPS, count: int | None = None) -> Case:
    """A picture of light with flaws as large as befits its size; with a count of 0 it stays clean."""
    made = synthesise(light, seed, groups, count)
    flawed, clean = (srgb_encode(picture[0]).clamp(0.0, 1.0) for picture in (made.light, light))
    return Case(flawed, clean, group_masks(made), torch.ones(len(GROUPS)), made.instances)


def cases(files: Iterable[Path], long_edge: int, seed: int, each: int = 1) -> Iterator[Case]:
    """Photos of a long edge, each so many times with flaws."""
    for number, file in enumerate(files):
        light = photo(file, long_edge)
        for again in range(each):
            yield flawed(light, seed + each * number + again)


def surfaces(count: int, edge: int, seed: int) -> Iterator[Case]:
    """Squares of skin and cloth made by formula, by turns, with the flaws that come onto each."""
    for number in range(seed, seed + count):
        if number % 2:
            yield flawed(procedural_cloth((edge, edge), number), number, ("cloth", "dust"))
        else:
            yield flawed(procedural_skin((edge, edge), number), number, ("skin", "dust"))


def smaller(case: Case, factor: int) -> Case:
    """The same picture with the same flaws at 1 / factor of the size: means of light, as a camera of fewer px has it."""
    flawed, clean = (srgb_encode(_mean(srgb_decode(codes), factor)) for codes in (case.flawed, case.clean))
    return Case(flawed, clean, _mean(case.masks, factor), case.known)


def _mean(planes: Tensor, factor: int) -> Tensor:
    return F.avg_pool2d(planes[None], factor)[0]

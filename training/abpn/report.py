"""One pass over held-out pictures: the network through its operation, and the classical ways beside it, scored alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from ...light.rectangle import Size
from ...ops.local.local_retouch import levels_for
from ...ops.types import Network
from ..flaws.flaw import GROUPS
from ..flaws.kinds import KINDS
from .classical import SMOOTH, change, where_large, where_masked
from .evaluate import Found, Score, by_operation
from .held_out import Case
from .instances import Tally, instances, predictions

THRESHOLDS = (0.02, 0.04, 0.08)


@dataclass
class Report:
    """Scores of px, and of flaws: by the peak or the overlap, by the overlap alone, and of each group by its own map."""

    score: Score = field(default_factory=Score)
    flaws: Tally = field(default_factory=Tally)
    strict: Tally = field(default_factory=lambda: Tally(strict=True))
    groups: dict[str, Tally] = field(default_factory=lambda: {group: Tally() for group in GROUPS})

    def add(self, found: Found, case: Case) -> None:
        """One picture. Flaws are looked for on the small picture that the operation makes of it."""
        self.score.add(found, case)
        height, width = case.flawed.shape[1:]
        levels = levels_for(Size(height, width))
        any_ = _small(1.0 - (1.0 - found.probability).prod(dim=1, keepdim=True), levels, height, width)
        true, guessed = instances(case.flaws, height, width, levels), predictions(any_)
        self.flaws.add(guessed, true)
        self.strict.add(guessed, true)
        if found.probability.shape[1] == len(GROUPS):
            for index, (group, tally) in enumerate(self.groups.items()):
                own = [flaw for flaw in case.flaws if flaw.group == group]
                of_group = _small(found.probability[:, index : index + 1], levels, height, width)
                tally.add(predictions(of_group), instances(own, height, width, levels))


def _small(probability: Tensor, levels: int, height: int, width: int) -> Tensor:
    """(h,w): a map at the size of the small picture; one of the whole picture is made smaller."""
    if probability.shape[2:] == (height, width):
        for _ in range(levels):
            probability = F.avg_pool2d(probability, 2, ceil_mode=True)
    return probability[0, 0]


def report(network: Network, cases: Iterable[Case]) -> dict[str, Report]:
    """The reports of all ways, by name."""
    reports: dict[str, Report] = {}
    retouch = by_operation(network)
    with torch.no_grad():
        for case in cases:
            codes = case.flawed[None]
            for name, found in _ways(codes, retouch(codes), case):
                reports.setdefault(name, Report()).add(found, case)
    return reports


def _ways(codes: Tensor, found: Found, case: Case) -> Iterator[tuple[str, Found]]:
    yield "network", found
    for name, smooth in SMOOTH.items():
        moved = change(codes, smooth)
        for threshold in THRESHOLDS:
            yield f"{name}, its own mask from {threshold:g}", where_large(codes, moved, threshold)
        yield f"{name}, the network's mask", where_masked(codes, moved, found.mask)
        yield f"{name}, the true mask", where_masked(codes, moved, case.masks.amax(0)[None, None])


def kinds_of(flaws: Tally) -> list[str]:
    """The kinds that occur, by group, the most frequent first."""
    there = [kind for kind in KINDS.values() if flaws.count(kind.name)]
    return [kind.name for kind in sorted(there, key=lambda kind: (GROUPS.index(kind.group), -flaws.count(kind.name)))]

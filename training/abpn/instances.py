"""Flaw by flaw: which are found, and how sure the network was, as average precision.

A prediction is a connected piece (8 neighbours) of the px where a flaw is as probable as 0.3; its
score is its highest probability. A true instance is a flaw where its mask is above 0.5, or several flaws that touch each
other there. Both are compared at the size of the picture that the network sees.

Flaws are small and soft, and one may be found in pieces: a prediction is right where its intersection over union with a true
instance is 0.3, or where its peak lies in one (the pointing game of Zhang et al. 2016). The surest comes first. A second right
prediction of the same instance is neither right nor wrong: it is retouched as it should be. Precision is over predictions,
recall over true instances, and average precision the area under the precision-recall curve, with precision made monotone at
every point (PASCAL VOC 2010, COCO).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional as F

from ...light.pieces import pieces
from ..flaws.flaw import SEEN, Flaw

FOUND = 0.3
OVERLAP = 0.3


@dataclass(frozen=True)
class Instance:
    """One true flaw or some that touch. kinds: of them. cover: (h,w), True where they are."""

    kinds: frozenset[str]
    cover: Tensor


@dataclass(frozen=True)
class Prediction:
    """score: its highest probability, first found at the px `peak`. places: of its px, as numbers along the rows."""

    score: float
    peak: int
    places: Tensor


def predictions(probability: Tensor, least: float = FOUND) -> list[Prediction]:
    """The pieces of a map of probabilities (h,w), the surest first."""
    numbers, sure = pieces(probability >= least).flatten(), probability.flatten()
    _, counts = numbers.unique(return_counts=True)
    found = []
    for places in numbers.argsort(stable=True).split(counts.tolist()):
        if numbers[places[0]]:
            peak = int(places[sure[places].argmax()])
            found.append(Prediction(sure[peak].item(), peak, places))
    return sorted(found, key=lambda prediction: -prediction.score)


def instances(flaws: Iterable[Flaw], height: int, width: int, levels: int) -> list[Instance]:
    """True instances of a picture of a size, halved so many times: a px is covered where any of its px is."""
    found: list[Instance] = []
    for flaw in flaws:
        cover = flaw.mask(height, width)
        for _ in range(levels):
            cover = F.max_pool2d(cover, 2, ceil_mode=True)
        one = Instance(frozenset([flaw.kind]), cover[0, 0] > SEEN)
        near = _grown(one.cover)
        touching = [other for other in found if (other.cover & near).any()]
        found = [other for other in found if not any(other is known for known in touching)]
        for other in touching:
            one = Instance(one.kinds | other.kinds, one.cover | other.cover)
        found.append(one)
    return found


def _grown(cover: Tensor) -> Tensor:
    return F.max_pool2d(cover[None, None].float(), 3, 1, 1)[0, 0] > 0.0


@dataclass
class Tally:
    """What was found over many pictures. strict: by overlap alone, without the peak.

    right: score and kinds of each right prediction; wrong: scores of the others; true: number of instances by their kinds.
    """

    strict: bool = False
    right: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    wrong: list[float] = field(default_factory=list)
    true: Counter[frozenset[str]] = field(default_factory=Counter)

    def add(self, found: Sequence[Prediction], true: Sequence[Instance]) -> None:
        """One picture; predictions the surest first."""
        self.true.update(instance.kinds for instance in true)
        taken: set[int] = set()
        for prediction in found:
            hits = [(overlap, index) for index, instance in enumerate(true) if (overlap := self._fit(prediction, instance))]
            free = [(overlap, index) for overlap, index in hits if index not in taken]
            if free:
                index = max(free)[1]
                taken.add(index)
                self.right.append((prediction.score, true[index].kinds))
            elif not hits:
                self.wrong.append(prediction.score)

    def _fit(self, prediction: Prediction, instance: Instance) -> float:
        """How well a prediction fits an instance; 0 where it does not."""
        cover = instance.cover.flatten()
        both = int(cover[prediction.places].sum())
        overlap = both / (len(prediction.places) + int(cover.sum()) - both)
        pointed = not self.strict and bool(cover[prediction.peak])
        return overlap if overlap >= OVERLAP or pointed else 0.0

    def count(self, kind: str | None = None) -> int:
        """How many true instances there are, of a kind or at all."""
        return sum(number for kinds, number in self.true.items() if kind is None or kind in kinds)

    def precision(self, kind: str | None = None) -> float:
        """Average precision over all flaws, or of a kind: what finds another kind is left out, what finds none counts."""
        return average_precision(self._scores(kind), self.wrong, self.count(kind))

    def recall(self, kind: str | None = None) -> float:
        """Share of the true instances that were found at all."""
        return len(self._scores(kind)) / self.count(kind)

    def _scores(self, kind: str | None) -> list[float]:
        return [score for score, kinds in self.right if kind is None or kind in kinds]


def average_precision(right: Sequence[float], wrong: Sequence[float], total: int) -> float:
    """Area under the precision-recall curve, from the scores of right and wrong predictions and the number to be found.

    Equal scores are one point of the curve, so that their order means nothing. Raises ValueError: nothing to find, or less than
    was found.
    """
    if total < len(right) or not total:
        raise ValueError(f"expected at least one instance and as many as are found, {len(right)}; got {total}")
    curve = []
    for least in sorted({*right, *wrong}, reverse=True):
        hits = sum(score >= least for score in right)
        curve.append((hits / total, hits / (hits + sum(score >= least for score in wrong))))
    area, best, before = 0.0, 0.0, curve[-1][0] if curve else 0.0
    for recall, precision in reversed(curve):
        area += best * (before - recall)
        best, before = max(best, precision), recall
    return area + best * before

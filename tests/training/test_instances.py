"""Flaws counted one by one: pieces of a mask, what touches, what counts as found, and average precision known by hand."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from luxgrad.light.pieces import pieces
from luxgrad.light.rectangle import Region
from luxgrad.training.abpn.instances import Instance, Tally, average_precision, instances, predictions
from luxgrad.training.flaws.flaw import Flaw


def drawn(*rows: str) -> torch.Tensor:
    """A mask from rows of dots and letters."""
    return torch.tensor([[letter != "." for letter in row] for row in rows])


def flaw(kind: str, top: int, left: int, height: int, width: int, depth: float = 1.0) -> Flaw:
    box = Region(top, left, height, width)
    return Flaw(kind, "skin", top, left, width, height, None, 1.0, box, torch.full((1, 1, height, width), depth))


def by_flood(mask: torch.Tensor) -> set[frozenset[tuple[int, int]]]:
    """Pieces by filling from px to px, one after the other."""
    left, found = {(row, column) for row, column in mask.nonzero().tolist()}, set()
    while left:
        waiting, piece = [left.pop()], set()
        while waiting:
            row, column = waiting.pop()
            piece.add((row, column))
            near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            left -= near
            waiting += near
        found.add(frozenset(piece))
    return found


def test_pieces_are_those_that_filling_from_px_to_px_finds() -> None:
    for seed, share in enumerate((0.1, 0.3, 0.45, 0.7)):
        mask = torch.rand(23, 31, generator=torch.Generator().manual_seed(seed)) < share
        numbers = pieces(mask)
        found = {
            frozenset(map(tuple, (numbers == number).nonzero().tolist())) for number in numbers.unique().tolist() if number
        }
        assert found == by_flood(mask)
        assert torch.equal(numbers > 0, mask)


def test_a_spiral_is_one_piece_and_corners_connect() -> None:
    spiral = drawn("xxxxxxx", "......x", "xxxxx.x", "x...x.x", "x.xxx.x", "x.....x", "xxxxxxx")
    assert len(pieces(spiral).unique()) == 2
    assert len(pieces(drawn("x..", ".x.", "..x")).unique()) == 2
    assert len(pieces(drawn("x.x", "...", "x.x")).unique()) == 5
    assert not pieces(torch.zeros(3, 4, dtype=torch.bool)).any()


def test_a_prediction_is_a_piece_with_its_peak_and_doubt_makes_none() -> None:
    sure = torch.tensor([[0.9, 0.4, 0.0, 0.2], [0.0, 0.0, 0.0, 0.0], [0.0, 0.31, 0.95, 0.5]])
    first, second = predictions(sure)
    assert (first.score, first.peak, first.places.tolist()) == (pytest.approx(0.95), 10, [9, 10, 11])
    assert (second.score, second.peak, second.places.tolist()) == (pytest.approx(0.9), 0, [0, 1])
    assert predictions(torch.full((3, 3), 0.29)) == []


def test_flaws_that_touch_are_one_instance_and_faint_px_are_none() -> None:
    flaws = [flaw("spot", 0, 0, 2, 2), flaw("wrinkle", 2, 2, 1, 2), flaw("spot", 6, 6, 1, 1), flaw("lint", 4, 0, 1, 1, 0.05)]
    found = instances(flaws[:3], 8, 8, levels=0)
    assert [sorted(one.kinds) for one in found] == [["spot", "wrinkle"], ["spot"]]
    assert found[0].cover.sum() == 6
    bridge = instances([flaws[0], flaws[2], flaw("mole", 1, 1, 6, 6)], 8, 8, levels=0)
    assert [sorted(one.kinds) for one in bridge] == [["mole", "spot"]]
    assert not instances([flaws[3]], 8, 8, levels=0)[0].cover.any()
    (small,) = instances([flaws[2]], 7, 7, levels=1)
    assert small.cover.nonzero().tolist() == [[3, 3]], "a px is covered where any of its px is"


# The area under a curve, by hand: the precision at each recall is the best at that recall or beyond.
CURVES = [
    ("all right", [0.9, 0.8], [], 2, 1.0),
    ("half of them found", [0.9], [], 2, 0.5),
    ("right, wrong, right", [0.9, 0.7], [0.8], 2, 0.5 * 1.0 + 0.5 * 2 / 3),
    ("wrong first", [0.5], [0.9], 1, 0.5),
    ("wrong last costs nothing", [0.9], [0.5, 0.4], 1, 1.0),
    ("a later rise counts earlier", [0.8, 0.7, 0.6], [0.9], 4, 0.75 * 3 / 4),
    ("equal scores are one point", [0.5], [0.5], 1, 0.5),
    ("nothing found", [], [0.9], 3, 0.0),
    ("nothing said", [], [], 3, 0.0),
    ("the ten of the usual example", [0.95, 0.95, 0.91, 0.80, 0.70], [0.88, 0.84, 0.78, 0.74, 0.71], 5,
     0.6 * 1.0 + 0.2 * 4 / 6 + 0.2 * 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "total", "area"), [case[1:] for case in CURVES], ids=[case[0] for case in CURVES])
def test_average_precision_is_the_area_worked_out_by_hand(
    right: list[float], wrong: list[float], total: int, area: float
) -> None:
    assert math.isclose(average_precision(right, wrong, total), area, abs_tol=1e-12)


def test_average_precision_without_anything_to_find_is_refused() -> None:
    for right, total in (([], 0), ([0.9], 0), ([0.9, 0.8], 1)):
        with pytest.raises(ValueError, match="expected at least one instance and as many as are found"):
            average_precision(right, [], total)


def test_an_instance_is_found_by_overlap_or_by_the_peak_and_once_only() -> None:
    wide = Instance(frozenset(["crease"]), drawn("xxxxxxxx", "........"))
    dot = Instance(frozenset(["spot"]), drawn("........", ".......x"))
    parts = torch.tensor([[0.9, 0.9, 0.0, 0.0, 0.6, 0.0, 0.0, 0.0], [0.0] * 8])
    tally = Tally()
    tally.add(predictions(parts), [wide])
    assert tally.right == [(pytest.approx(0.9), frozenset(["crease"]))]
    assert tally.wrong == [], "the second piece of the same crease is neither right nor wrong"
    strict = Tally(strict=True)
    strict.add(predictions(parts), [wide])
    assert (strict.right, len(strict.wrong)) == ([], 2)
    blob = torch.tensor([[0.0] * 8, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9, 0.8]])
    for tally in (Tally(), Tally(strict=True)):
        tally.add(predictions(blob), [dot])
        assert len(tally.right) == 1, "half of the blob is the dot"


def test_precision_of_a_kind_leaves_out_what_finds_another_and_counts_what_finds_none() -> None:
    spot, mole = (Instance(frozenset([kind]), drawn(row)) for kind, row in (("spot", "xx......"), ("mole", "......xx")))
    tally = Tally()
    tally.add(predictions(torch.tensor([[0.6, 0.6, 0.0, 0.8, 0.0, 0.0, 0.9, 0.9]])), [spot, mole])
    tally.add([], [spot])
    assert tally.true == Counter({frozenset(["spot"]): 2, frozenset(["mole"]): 1})
    assert tally.precision("mole") == pytest.approx(1.0)
    assert tally.precision("spot") == pytest.approx(0.5 * 0.5)
    assert tally.precision() == pytest.approx(1 / 3 * 1.0 + 1 / 3 * 2 / 3)
    assert (tally.recall("spot"), tally.recall("mole"), tally.recall()) == (0.5, 1.0, pytest.approx(2 / 3))

"""Whether a target shows what the photo shows, where the photo shows it.

A fit compares pixels. To a target of another scene, or of the same mirrored, shifted or cut differently, it would find
sliders too, and they would mean nothing. So the edges of what the graph makes with its sliders as they start, and of the
target, are compared before anything moves: on small copies whether they are of one scene, on patches at full size where it
lies. Where there is too little to tell, a target is believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..engine.planning import make_plan
from ..engine.render import Job, Settings
from ..graph.errors import WorkflowError
from ..graph.model import Graph, Ref
from ..graph.outputs import full_sizes
from ..light.photo import Photo
from ..light.planes import stack
from ..light.rectangle import Region, Size
from ..light.shift import shifted
from ..light.structure import Meeting, Part, edges, fullness, meeting, overlap, part, shrunk, softened, standing, telling

_EDGES = (24, 48, 96, 192)
_SMALL, _LEAST = _EDGES[-1], 12
_ALIKE, _SURELY_ALIKE, _SHARE_OF_TELLING = 4.0, 5.0, 4.0
_TELLING, _OVERLAP, _FULLNESS = 10.0, 0.25, 0.05
_SEEMS, _ELSEWHERE, _CUT = 7.5, 9.0, 12.0
_MUCH_BETTER = 1.3
_ROUGH = 1.5
_PATCH, _FAR = 160, 48
_CELLS = 5
_SURE, _ENOUGH, _MOST = 6.0, 4, 0.6
_TOGETHER = 0.5
_KNOWN = 0.06
_NOTICED, _NEAR = 0.4, 8.0
_BENT, _LEAST_BENT = 5e-4, 1.5
_MIRRORED = {(3,): "mirrored left to right", (2,): "mirrored top to bottom", (2, 3): "turned by 180 degrees"}
_QUARTERS = {1: "turned a quarter to the left", 3: "turned a quarter to the right"}

Offset = tuple[float, float]
"""px down and right, by which a target is to be moved."""


class Scene:
    """What a graph makes with its sliders as they start: small, and in patches at full size."""

    def __init__(self, graph: Graph, link: Ref, given: Mapping[Ref, Any], settings: Settings) -> None:
        full = Job(graph, [link], given, {}, 1.0, settings)
        (self.ref,) = full.plan.outputs
        self.size = full.plan.size(self.ref)
        small = Job(graph, [link], given, {}, min(1.0, _SMALL / self.size.long_edge), settings)
        execution = small.measured()
        self._measured = execution.measured
        self._execution = settings.execution(full.plan, full.inputs())
        whole = Region.whole(small.plan.size(self.ref))
        with torch.no_grad():
            self.small = _one(stack(execution.evaluate([(self.ref, whole)], execution.inputs, self._measured)[0]))

    def patch(self, region: Region) -> Tensor:
        """Light of a rectangle; statistics are the small copy's, near enough for edges."""
        with torch.no_grad():
            pixels = self._execution.evaluate([(self.ref, region)], self._execution.inputs, self._measured)[0]
        return _one(stack(pixels))


def met(
    graph: Graph, link: Ref, given: Mapping[Ref, Any], target: Photo, settings: Settings, anywhere: bool
) -> tuple[Photo, Offset | None]:
    """A target, moved to meet what a graph makes if it lies a few px beside; by how much.

    anywhere: it may show what it likes; only its size matters. Raises WorkflowError where pixels cannot be fitted to it.
    """
    plan = make_plan(graph, [link], full_sizes(given))
    size = plan.size(plan.outputs[0])
    if size != target.size:
        raise WorkflowError(f"expected a target of the size that the photo comes out, {size}; got {target.size}")
    offset = None if anywhere else offset_of(Scene(graph, link, given, settings), target)
    return (target, None) if offset is None else (shifted(target, *offset), offset)


def offset_of(scene: Scene, target: Photo) -> Offset | None:
    """By how much a target is to be moved to meet a scene of its size; None where it lies well, or nothing can be told.

    Raises WorkflowError where it shows another scene, or this one mirrored, turned, shifted too far or cut differently.
    """
    small = Size(*scene.small.shape[-2:])
    if min(small) < _LEAST:
        return None
    wanted = _one(target.reduced(small).pixels)
    fields = [(edges(one), edges(two)) for one, two in _smaller(scene.small, wanted)]
    one, two = fields[-1]
    if min(fullness(one), fullness(two)) < _FULLNESS:
        return None
    alike = max(standing(*both) for both in fields)
    there, mirrored = meeting(one, two), _mirrored(one, wanted)
    moved = there.standing > max(_SEEMS, _MUCH_BETTER * alike)
    scale = target.size.long_edge / small.long_edge
    guess = (round(there.down * scale), round(there.right * scale)) if moved else (0, 0)
    if (alike >= _ALIKE or moved) and mirrored[0] < _MUCH_BETTER * max(alike, there.standing):
        found = _placed(scene, target, (one.abs() * two.abs()).sqrt(), guess)
        if found is not None:
            return _judged(found, target.size)
    others = [(mirrored[0], _ELSEWHERE, f"the photo {mirrored[1]}"), *_cuts(one, two, scene.small, wanted)]
    if max(abs(there.down), abs(there.right)) > _ROUGH:
        others.append((there.standing, _ELSEWHERE, f"the photo {_shifted(guess)}, or cut differently"))
    best, least, words = max(others)
    if best > max(least, _MUCH_BETTER * alike):
        raise WorkflowError(f"the target shows {words}; expected the same view, edited")
    says = min(telling(one), telling(two))
    if says >= _TELLING and alike < min(_SURELY_ALIKE, says / _SHARE_OF_TELLING) and overlap(one, two) >= _OVERLAP:
        raise WorkflowError(
            "the target shows another scene than the photo; expected the same view, edited. To follow only its look, wire a "
            "loss such as loss.histogram_distance to the Fit step"
        )
    return None


def _smaller(made: Tensor, wanted: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Both small copies at several sizes: soft pictures are alike on the smallest, noisy ones on the largest."""
    sizes = [(shrunk(made, edge), shrunk(wanted, edge)) for edge in _EDGES]
    return [both for both in sizes if min(both[0].shape[-2:]) >= _LEAST]


def _one(pixels: Tensor) -> Tensor:
    """The first picture of a batch, where the arithmetic is done on the CPU."""
    return pixels[:1].float().cpu()


def _mirrored(made: Tensor, wanted: Tensor) -> tuple[float, str]:
    """How surely the target is the scene mirrored or turned, and which way."""
    turned = {words: wanted.flip(dims) for dims, words in _MIRRORED.items()}
    if wanted.shape[-1] == wanted.shape[-2]:
        turned |= {words: wanted.rot90(-turns, (2, 3)) for turns, words in _QUARTERS.items()}
    return max((meeting(made, edges(picture)).standing, words) for words, picture in turned.items())


def _cuts(one: Tensor, two: Tensor, made: Tensor, wanted: Tensor) -> list[tuple[float, float, str]]:
    """How surely the target shows a part of the scene, enlarged, or the scene a part of the target."""
    inner, outer = part(one, wanted), part(two, made)
    return [
        (inner.standing, _CUT, f"a part of what the photo shows, {_cut(inner)}"),
        (outer.standing, _CUT, f"more than the photo, which is a part of it, {_cut(outer)}"),
    ]


def _cut(found: Part) -> str:
    right, bottom = (max(0.0, 1.0 - found.share - start) for start in (found.left, found.top))
    sides = {"left": found.left, "right": right, "top": found.top, "bottom": bottom}
    cuts = ", ".join(f"{name} {100 * cut:.0f} %" for name, cut in sides.items())
    return f"about {100 * found.share:.0f} % of its edges ({cuts} cut off)"


# Where it lies ---------------------------------------------------------------------------------------------------------


def _placed(scene: Scene, target: Photo, structure: Tensor, guess: tuple[int, int]) -> tuple[complex, complex] | None:
    """How the target lies on the scene, from patches: (offset, turn and stretch per px from the middle), down + right j.

    None where too few patches tell, or they disagree.
    """
    found = []
    for region in _spots(target.size, structure, guess):
        there = _met(scene.patch(region.moved(*guess)), _one(target.read(region)))
        if there.standing >= _SURE and max(abs(there.down), abs(there.right)) <= min(_FAR, region.height / 3):
            middle = complex(region.top + region.height / 2, region.left + region.width / 2)
            found.append((middle, complex(guess[0] + there.down, guess[1] + there.right)))
    whole = complex(target.size.height / 2, target.size.width / 2)
    return _agreed([(place - whole, offset) for place, offset in found]) if len(found) >= _ENOUGH else None


def _met(made: Tensor, wanted: Tensor) -> Meeting:
    """Where two patches meet: once more after the second was moved there, because what is found between pixels is biased
    towards whole ones."""
    one = edges(softened(made))
    first = meeting(one, edges(softened(wanted)))
    again = meeting(one, edges(softened(shifted(Photo(wanted), first.down, first.right).pixels)))
    return Meeting(first.standing, first.down + again.down, first.right + again.right)


def _spots(size: Size, structure: Tensor, guess: tuple[int, int]) -> list[Region]:
    """Patches of the target with many edges, all over it, that lie on the scene too."""
    height, width = (min(_PATCH, edge // 2) for edge in size)
    if any(length + abs(move) > edge for length, move, edge in zip((height, width), guess, size)):
        return []
    rows, columns = structure.shape
    spots = []
    for down in range(_CELLS):
        for across in range(_CELLS):
            top, left = down * rows // _CELLS, across * columns // _CELLS
            cell = structure[top : (down + 1) * rows // _CELLS, left : (across + 1) * columns // _CELLS]
            row, column = divmod(int(cell.argmax()), cell.shape[1])
            spot = (
                _within(top + row, rows, height, size.height, guess[0]),
                _within(left + column, columns, width, size.width, guess[1]),
            )
            spots.append(Region(*spot, height, width))
    return list(dict.fromkeys(spots))


def _within(place: int, places: int, length: int, edge: int, move: int) -> int:
    """Where a patch about a place of the small copy begins, so that it lies inside, moved too."""
    return min(max(round((place + 1.5) / (places + 2) * edge - length / 2), -min(0, move), 0), edge - length - max(0, move))


def _agreed(found: list[tuple[complex, complex]]) -> tuple[complex, complex] | None:
    """Offset and turn and stretch that most patches agree on: of all pairs of patches, what the most follow."""
    places, offsets = (torch.tensor(values, dtype=torch.complex128) for values in zip(*found))
    apart = places[:, None] - places
    bends = torch.where(apart.abs() > 1.0, (offsets[:, None] - offsets) / torch.where(apart == 0, 1.0, apart), 0j)
    starts = offsets[:, None] - bends * places[:, None]
    follow = (starts[..., None] + bends[..., None] * places - offsets).abs() < _TOGETHER
    inside = follow.flatten(0, 1)[int(follow.flatten(0, 1).sum(1).argmax())]
    if inside.sum() < max(_ENOUGH, _MOST * len(found)):
        return None
    places, offsets = places[inside], offsets[inside]
    middle = places.mean()
    bend = ((places - middle).conj() * offsets).sum() / (places - middle).abs().square().sum()
    offset = offsets.mean() - bend * middle
    spread = (offset + bend * places - offsets).abs().square().mean().sqrt()
    return (complex(offset), complex(bend)) if spread < _KNOWN * len(places) ** 0.5 else None


def _judged(found: tuple[complex, complex], size: Size) -> Offset | None:
    offset, bend = found
    stretch, degrees = 100.0 / (1.0 + bend.real), abs(bend.imag) * 180.0 / math.pi
    words = None
    if abs(bend) * abs(complex(*size)) / 2.0 > max(_LEAST_BENT, _BENT * size.long_edge):
        turned = abs(bend.imag) > abs(bend.real)
        words = f"turned by {degrees:.2g} degrees" if turned else f"scaled to {stretch:.2f} %"
    elif abs(offset) > _NEAR:
        words = _shifted((offset.real, offset.imag))
    if words is not None:
        raise WorkflowError(
            f"the target shows the photo {words}; expected the same view, edited (or up to {_NEAR:.0f} px beside)"
        )
    return (offset.real, offset.imag) if abs(offset) >= _NOTICED else None


def _shifted(offset: tuple[float, float]) -> str:
    down, right = offset
    sides = f"{abs(right):.1f} px {'left' if right > 0 else 'right'}", f"{abs(down):.1f} px {'up' if down > 0 else 'down'}"
    return f"shifted by {' and '.join(sides)}"

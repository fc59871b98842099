"""Flaws with exact truth: put onto clean photos, in scene-linear light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...light.rectangle import Region
from . import cloth, sensor, skin  # noqa: F401  (they declare the kinds)
from .draws import Draw, ramp
from .flaw import GROUPS, Flaw, Flawed, Group
from .kinds import KINDS, Kind
from .patch import VEIL, Change, Patch, axes, material, rectangle
from .scene import Scene

LONG_EDGE = 1024
"""Sizes of kinds are px of a picture whose long edge is this."""
_HALF_SEEN = 0.1
"""Stops of change at which a mask is one half."""
_LEAST_CHANGE = 1e-6
_LEAST_SEEN = 0.25
"""A flaw whose mask stays below this everywhere would be a label without a flaw: it is put elsewhere, or left out."""
_MARGIN = 1.12
_SMALLEST = 2.0
"""Px below which a flaw would be noise."""
_ATTEMPTS = 6
_CANDIDATES = 5
_SHARES = {"skin": 6.0, "cloth": 4.0, "dust": 1.2}
"""How often flaws of each group come."""
_WITHOUT_PLACES = 0.25
"""By how much rarer, in a picture without a place for them."""
_COMPANY = 0.35
"""How often a flaw of a kind that gathers is followed by one of its kind beside it."""


def synthesise(
    light: Tensor,
    seed: int,
    groups: Sequence[Group] = GROUPS,
    count: int | None = None,
    scale: float | None = None,
) -> Flawed:
    """A clean picture with flaws put on, the same for the same seed on every machine.

    light: (1, 3, H, W) linear Rec.2020. groups: of skin, cloth, dust; a picture that has no place for one of them gets fewer
    of it, on smooth ground. count: how many flaws at most (those nobody would see are left out); None draws 3 to 14. scale: px
    of this picture per px of one whose long edge is 1024, where sizes are 3 to 300; None is by its own long edge. Raises
    ValueError.
    """
    if light.ndim != 4 or light.shape[:2] != (1, 3) or not light.numel():
        raise ValueError(f"expected one picture of shape (1, 3, H, W); got {tuple(light.shape)}")
    if unknown := set(groups) - set(GROUPS):
        raise ValueError(f"groups of flaws are {', '.join(GROUPS)}; got {', '.join(sorted(unknown))}")
    if not bool(torch.isfinite(light).all()):
        raise ValueError("expected finite light; got NaN or infinity")
    scale = max(light.shape[-2:]) / LONG_EDGE if scale is None else scale
    if not scale > 0.0:
        raise ValueError(f"expected a scale above 0; got {scale}")
    count = Draw(seed, "count").whole(3, 14) if count is None else count
    canvas = _Canvas(light.clone(), light.new_zeros(1, 1, *light.shape[-2:]), Scene.of(light, seed), scale)
    instances: list[Flaw] = []
    for number in range(count if groups else 0):
        flaw = _put(canvas, groups, Draw(seed, number), instances[-1] if instances else None)
        instances += [flaw] if flaw else []
    # Where flaws cancel out, or leave less than rounding does, the picture is the clean one to the bit.
    changed = _changed(canvas.light, light)
    mask = torch.where(changed, canvas.mask.clamp_min(_LEAST_CHANGE), 0.0)
    return Flawed(torch.where(changed, canvas.light, light), mask, tuple(instances), light)


def _changed(one: Tensor, other: Tensor) -> Tensor:
    return ((one - other).abs() > _LEAST_CHANGE).any(1, keepdim=True)


def _put(canvas: _Canvas, groups: Sequence[Group], draw: Draw, last: Flaw | None) -> Flaw | None:
    """Put one flaw on, sometimes beside the last and of its kind; None where no place would show it."""
    kind, beside = _choose(draw, groups, canvas.scene), None
    if last is not None and KINDS[last.kind].gathers and draw.chance(_COMPANY):
        kind, beside = KINDS[last.kind], last
    size = max(_SMALLEST, draw.spread(*kind.sizes) * canvas.scale)
    width = max(_SMALLEST, size * draw.uniform(*kind.slender))
    strength = draw.spread(*kind.strengths)
    for attempt in range(_ATTEMPTS):
        if beside is not None and attempt < _ATTEMPTS // 2:
            y, x = (place + 4.0 * draw.uniform(-1.0, 1.0) * (size + beside.size) for place in (beside.y, beside.x))
            if not canvas.scene.suits(kind.group, y, x):
                continue
        else:
            y, x = _place(kind, canvas.scene, size, draw)
        angle = draw.uniform(-kind.tilt, kind.tilt)
        grain = canvas.scene.grain(y, x, 0.3 * size) if kind.follows else None
        if grain is not None:
            angle = (grain + draw.uniform(-12.0, 12.0) + 90.0) % 180.0 - 90.0
        laid = canvas.lay(kind, (y, x), size, width, angle, strength, draw)
        if laid is not None:
            turned = None if kind.round else angle
            return Flaw(kind.name, kind.group, y, x, size, width, turned, strength, *laid)
    return None


@dataclass(frozen=True, eq=False)
class _Canvas:
    """The picture being flawed: its light and its mask are painted on in place."""

    light: Tensor
    mask: Tensor
    scene: Scene
    scale: float

    def lay(
        self, kind: Kind, place: tuple[float, float], size: float, width: float, angle: float, strength: float, draw: Draw
    ) -> tuple[Region, Tensor] | None:
        """Paint one flaw. Gives the rectangle around all that changed and its coverage; None where it would not be seen."""
        region = rectangle(*place, _MARGIN * size + 2.0, _MARGIN * width + 2.0, angle, self.scene.size)
        under, light, mask = self.scene.under(region), region.cut(self.light), region.cut(self.mask)
        along, across = axes(region, *place, angle, light)
        patch = Patch(
            region, along, across, light, under[:, :3], size, width, angle, self.scale, strength, self.scene.lamp, draw
        )  # fmt: skip
        keep = _edge(patch)
        if kind.tolerance is not None:
            middle = self.scene.under(Region(int(place[0]), int(place[1]), 1, 1))
            keep = keep * material(under[:, 3:6], middle[:, 3:6], kind.tolerance)
        if kind.group == "cloth" and self.scene.found["cloth"]:
            keep = keep * (1.0 - under[:, 6:])
        after, coverage = _applied(light, patch.base, kind.render(patch), keep)
        if coverage.max() < _LEAST_SEEN:
            return None
        light.copy_(after)
        mask.copy_(1.0 - (1.0 - mask) * (1.0 - coverage))
        top, left, bottom, right = _around(coverage)
        box = Region(int(region.top) + top, int(region.left) + left, bottom - top, right - left)
        return box, coverage[..., top:bottom, left:right].clone()


def _place(kind: Kind, scene: Scene, size: float, draw: Draw) -> tuple[float, float]:
    """A place that suits its group; of a kind that seeks, the best of several."""
    seek = kind.seek
    if seek is None:
        return scene.place(kind.group, size, draw)
    places = [scene.place(kind.group, size, draw) for _ in range(_CANDIDATES)]
    return max(places, key=lambda place: seek(scene, place[0], place[1], size))


def _choose(draw: Draw, groups: Sequence[Group], scene: Scene) -> Kind:
    """A kind, by how often it and its group come."""
    shares = [_SHARES[group] * (1.0 if scene.found[group] else _WITHOUT_PLACES) for group in groups]
    group = draw.one(groups, shares)
    kinds = [kind for kind in KINDS.values() if kind.group == group]
    return draw.one(kinds, [kind.often for kind in kinds])


def _edge(patch: Patch) -> Tensor:
    """1 inside, exactly 0 on the border of the turned rectangle that was cut out."""
    ends = (2.0 * patch.along.abs() - patch.size) * (1.0 / (1.0 + (_MARGIN - 1.0) * patch.size))
    sides = (2.0 * patch.across.abs() - patch.width) * (1.0 / (1.0 + (_MARGIN - 1.0) * patch.width))
    return (1.0 - ramp(ends, 0.0, 1.0)) * (1.0 - ramp(sides, 0.0, 1.0))


def _applied(before: Tensor, base: Tensor, change: Change, keep: Tensor) -> tuple[Tensor, Tensor]:
    """The changed light, and how visible the change is (0..1): of the local mean under a veil, where it moves most."""
    gain = torch.exp2(change.stops * keep)
    glow = 0.0 if change.glow is None else change.glow * keep
    after = before * gain + glow
    ratio = (base * gain + glow + VEIL) / (base + VEIL)
    moved = torch.log2(ratio).abs().amax(1, keepdim=True)
    coverage = (1.0 - torch.exp2(moved * (-1.0 / _HALF_SEEN))).clamp_min(_LEAST_CHANGE)
    changed = _changed(after, before)
    return torch.where(changed, after, before), torch.where(changed, coverage, 0.0)


def _around(coverage: Tensor) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of all that is covered."""
    rows, columns = (torch.nonzero(coverage[0, 0].amax(axis))[:, 0] for axis in (1, 0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1

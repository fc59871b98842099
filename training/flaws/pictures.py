"""Clean skin and cloth made by formula: pictures to train on where no licence allows a face."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...light.rectangle import Size
from ...light.spaces import from_oklab
from .draws import Draw, ramp
from .patch import BLOOD, MELANIN, NEUTRAL, inked
from .synthesiser import LONG_EDGE

_DERMIS = (0.80, 0.69, 0.60)
"""Skin without any pigment."""


def procedural_skin(size: Size | tuple[int, int], seed: int, scale: float | None = None) -> Tensor:
    """(1, 3, H, W) linear Rec.2020: a clean stretch of skin, of any tone, with blotches, pores, fine lines, sheen and grain.

    size: height and width, px. scale: px per px of a picture whose long edge is 1024, as for `synthesise`.
    """
    ground = _Ground(Size(*size), Draw(seed, "skin"), scale)
    draw, near = ground.draw, ground.scale * ground.draw.spread(0.7, 2.2)
    melanin = draw.uniform(0.1, 4.0)
    blotches = 0.12 * ground.noise(90 * near) + 0.06 * ground.noise(24 * near) + 0.03 * ground.noise(7 * near)
    blood = draw.uniform(0.15, 0.5) * (1.0 + 0.2 * ground.noise(110 * near) + 0.2 * ground.noise(28 * near))
    albedo = torch.tensor(_DERMIS).view(1, 3, 1, 1) * torch.exp2(
        inked(melanin * (1.0 + 0.3 * blotches) + 0.2 * blotches, MELANIN) + inked(blood, BLOOD)
    )
    form = ground.curved(draw.uniform(0.15, 0.9)) + ground.scale * (
        5.0 * ground.noise(150 * near) + 0.7 * ground.noise(50 * near)
    )
    lines = ground.noise(6.5 * near, 3.2 * near).abs() + ground.noise(3.4 * near, 6.0 * near).abs()
    pores = ramp(ground.noise(2.3 * near), 0.55, 1.05) * (0.5 + 0.5 * ground.noise(60 * near)).clamp_min(0.0)
    relief = near * draw.uniform(0.25, 0.7) * (0.35 * lines.clamp_max(0.5) - 0.5 * pores + 0.12 * ground.noise(1.7 * near))
    slant, texture = ground.facing(form), ground.facing(relief)
    shade = torch.exp2(1.5 * torch.tanh(0.8 * slant) + 0.55 * torch.tanh(texture) - 0.12 * pores)
    sheen = draw.uniform(0.0, 0.12) * torch.exp2(1.6 * slant.clamp(-2.0, 1.2)) * torch.exp2(1.8 * torch.tanh(texture))
    return ground.exposed(albedo * shade + 0.35 * sheen * ground.softly_lit(form))


def procedural_cloth(size: Size | tuple[int, int], seed: int, scale: float | None = None) -> Tensor:
    """(1, 3, H, W) linear Rec.2020: a clean stretch of cloth, of any dye, plain, striped or checked; weave, folds and grain.

    size: height and width, px. scale: px per px of a picture whose long edge is 1024, as for `synthesise`.
    """
    ground = _Ground(Size(*size), Draw(seed, "cloth"), scale)
    draw, unit = ground.draw, ground.scale
    turn = math.radians(draw.uniform(-90.0, 90.0))
    drape = ground.draped()
    down, right = ground.places()
    # Threads follow the drape: what rises is seen from another side.
    warp = right * math.cos(turn) + down * math.sin(turn) + 0.5 * drape
    weft = down * math.cos(turn) - right * math.sin(turn) + 0.35 * drape
    pitch = max(2.2, draw.spread(2.0, 7.0) * unit)
    threads, yarn = _weave(warp * (math.pi / pitch), weft * (math.pi / pitch), draw)
    slub = 0.5 * ground.noise(2.0 * pitch, 14 * pitch) + 0.5 * ground.noise(14 * pitch, 2.0 * pitch) + ground.noise(1.0)
    dye = _dye(draw)
    if draw.chance(0.35):
        period = draw.spread(20.0, 160.0) * unit
        stripe = ramp(torch.sin(warp * (2.0 * math.pi / period)), -0.15, 0.15)
        if draw.chance(0.5):
            stripe = 0.5 * stripe + 0.5 * ramp(torch.sin(weft * (2.0 * math.pi / period)), -0.15, 0.15)
        dye = dye + (_dye(draw) - dye) * stripe
    contrast = draw.uniform(0.15, 0.7)
    shade = torch.exp2(1.4 * torch.tanh(0.9 * ground.facing(drape)) + contrast * (threads + 0.35 * slub))
    sheen = draw.uniform(0.0, 0.05) * draw.chance(0.4) * torch.exp2(2.5 * ground.facing(drape).clamp(-2.0, 1.0)) * yarn
    return ground.exposed(dye * shade + sheen)


def _weave(warp: Tensor, weft: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
    """Relief of threads, about -1..1, and where a thread lies on top, 0..1: plain weave, twill, or knit."""
    kind = draw.one(("plain", "twill", "knit"))
    if kind == "plain":
        over = torch.sin(warp) * torch.sin(weft)
        relief = 0.6 * torch.maximum(torch.cos(warp).square() * over, -torch.cos(weft).square() * over) + 0.4 * over.abs() - 0.4
        return 2.0 * relief, ramp(over, -0.5, 0.5)
    if kind == "twill":
        ribs = torch.sin(warp + weft)
        return 0.7 * ribs + 0.3 * torch.sin(2.0 * weft), ramp(ribs, -0.5, 0.5)
    legs = torch.sin(weft + 1.1 * torch.sin(warp).abs() * 2.0)
    return 0.6 * legs + 0.4 * torch.cos(2.0 * warp), ramp(legs, -0.5, 0.5)


def _dye(draw: Draw) -> Tensor:
    """Light that a cloth gives back, (1, 3, 1, 1)."""
    lightness, chroma = draw.uniform(0.28, 0.93), 0.16 * draw.uniform(0.0, 1.0) ** 2
    hue = draw.uniform(-math.pi, math.pi)
    lab = (torch.tensor(value).view(1, 1, 1, 1) for value in (lightness, chroma * math.cos(hue), chroma * math.sin(hue)))
    return torch.cat(from_oklab(*lab), dim=1).clamp_min(0.003)


class _Ground:
    """The sheet that a procedural picture is drawn on: its fields, its lamp and its camera."""

    def __init__(self, size: Size, draw: Draw, scale: float | None) -> None:
        self.size, self.draw = size, draw
        self.scale = size.long_edge / LONG_EDGE if scale is None else scale
        turn = math.radians(draw.uniform(-160.0, -20.0))
        self.lamp = (math.cos(turn), math.sin(turn))

    def noise(self, cell: float, across: float | None = None) -> Tensor:
        return self.draw.smooth(*self.size, cell, torch.empty(0), across)

    def places(self) -> tuple[Tensor, Tensor]:
        return torch.arange(float(self.size.height))[:, None], torch.arange(float(self.size.width))[None]

    def turned(self) -> tuple[Tensor, Tensor]:
        """Coordinates (1, 1, H, W) in px at 1024, about the middle, turned by chance."""
        down, right = (place - 0.5 * edge for place, edge in zip(self.places(), self.size))
        turn, unit = self.draw.uniform(-math.pi, math.pi), 1.0 / self.scale
        cosine, sine = math.cos(turn) * unit, math.sin(turn) * unit
        return (right * cosine + down * sine)[None, None], (down * cosine - right * sine)[None, None]

    def curved(self, bend: float) -> Tensor:
        """Height of a limb or a cheek: round about one axis, less so about the other; `bend` is its slope at the border."""
        u, v = self.turned()
        half = 0.5 * self.size.long_edge / self.scale
        u, v = u - self.draw.uniform(-0.5, 0.5) * half, v - self.draw.uniform(-0.5, 0.5) * half
        return self.scale * bend / half * (-0.5 * u * u - self.draw.uniform(-0.3, 0.5) * v * v)

    def draped(self) -> Tensor:
        """Height of cloth that hangs or lies in soft long folds."""
        draw = self.draw
        u, v = self.turned()
        v = v + 30.0 * self.noise(320 * self.scale)
        wide = draw.spread(60.0, 260.0)
        folds = draw.hills(u * (0.22 / wide), v * (1.0 / wide))
        return self.curved(0.3) + self.scale * draw.uniform(0.1, 0.5) * wide * (
            folds + 0.25 * draw.hills(u * (0.9 / wide), v * (2.3 / wide))
        )

    def facing(self, height: Tensor) -> Tensor:
        """Slope of a relief (px high) towards the lamp."""
        wide = F.pad(height, (1, 1, 1, 1), mode="replicate")
        right, down = self.lamp
        return 0.5 * (
            (wide[..., 1:-1, :-2] - wide[..., 1:-1, 2:]) * right + (wide[..., :-2, 1:-1] - wide[..., 2:, 1:-1]) * down
        )

    def softly_lit(self, height: Tensor) -> Tensor:
        return torch.sigmoid(2.0 * self.facing(height))

    def exposed(self, light: Tensor) -> Tensor:
        """As a camera takes it: a tinted lamp, an exposure, falling off to one side, and grain."""
        draw = self.draw
        warm = draw.uniform(-0.12, 0.12)
        lamp = torch.tensor([1.0 + warm, 1.0, 1.0 - 1.3 * warm]).view(1, 3, 1, 1)
        light = light * lamp * 2.0 ** (draw.uniform(-0.6, 0.35) + 0.3 * self.noise(0.8 * self.size.long_edge))
        shot = draw.spread(0.002, 0.02)
        grain = torch.cat([draw.grains(*self.size, light) for _ in NEUTRAL], dim=1)
        return (light + shot * grain * torch.sqrt(light.clamp_min(0.0) + 1e-4)).clamp_min(0.0)

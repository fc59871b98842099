"""Flaws of cloth: relief shades, stains absorb, lint lies on top."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from .draws import bump, ramp
from .kinds import kind
from .patch import NEUTRAL, Change, Ink, Patch, inked

STAINS: tuple[Ink, ...] = ((0.55, 1.0, 1.7), (0.3, 1.0, 0.85), (0.5, 0.8, 1.9), (0.95, 1.0, 1.08), (1.3, 0.9, 0.5))
"""Coffee, wine, curry, water or grease, ink."""


@kind("cloth", sizes=(60, 300), strengths=(0.18, 0.6), slender=(0.18, 0.32), often=3, tolerance=0.27, follows=True)
def crease(patch: Patch) -> Change:
    """A sharp fold pressed into cloth: one side catches the light, the other loses it. Strength: slope at the fold."""
    draw = patch.draw
    u, off = patch.along * (2.0 / patch.size), patch.bent(draw.uniform(-0.06, 0.06), draw.uniform(0.0, 0.012))
    off = off + 0.012 * patch.size * patch.noise(0.25 * patch.size)
    fall, sign = 0.26 * patch.width, draw.one((-1.0, 1.0))
    sharp = torch.sqrt(off * off + patch.soft(draw.uniform(0.7, 2.5)) ** 2)
    ends = bump(u) * (1.0 + 0.4 * patch.noise(0.14 * patch.size)).clamp_min(0.0)
    near = bump(off * (2.2 / patch.width))
    height = sign * patch.strength * ends * fall * torch.exp(sharp * (-1.0 / fall)) * near
    pinch = 0.5 * patch.strength * ends * bump(off * (1.0 / patch.soft(3.0)))
    return Change(patch.shading(2.2 * height) + inked(pinch, NEUTRAL))


@kind("cloth", sizes=(90, 300), strengths=(0.16, 0.45), slender=(0.5, 0.9), often=2, tolerance=0.27)
def cloth_wrinkle(patch: Patch) -> Change:
    """A field of folds that run one way and fan out: crumpled or badly ironed cloth. Strength: slope of the folds."""
    draw, window = patch.draw, 1.0 - ramp(patch.radius * (1.0 + 0.2 * patch.noise(0.3 * patch.size)), 0.3, 1.0)
    spacing = patch.width / draw.uniform(3.0, 7.0)
    fan = 1.0 + draw.uniform(-0.6, 0.6) * patch.along * (1.0 / patch.size)
    bow = patch.across + draw.uniform(-0.35, 0.35) * patch.along.square() * (1.0 / patch.size)
    v = bow * fan * (1.0 / spacing) + 0.4 * patch.noise(1.8 * spacing)
    u = patch.along * (1.0 / (spacing * draw.uniform(2.5, 6.0)))
    folds, pinched = draw.hills(u, v), draw.hills(1.3 * u, 1.6 * v)
    # Cloth rises softly and is pinched where folds meet: |hills| has sharp valleys, rounded like thick cloth.
    height = window * spacing * (0.6 * folds + 0.55 * torch.sqrt(pinched * pinched + 0.02))
    dales = window * (-folds).clamp_min(0.0)
    return Change(patch.shading(1.5 * patch.strength * height) + inked(0.3 * patch.strength * dales, NEUTRAL))


@kind("cloth", sizes=(5, 60), strengths=(0.4, 0.9), slender=(0.5, 0.8), often=3, tolerance=None, gathers=True)
def lint(patch: Patch) -> Change:
    """A fibre or a speck lying on cloth: bright on dark, dark on bright, with a faint shadow.

    Strength: how little shines through.
    """
    draw = patch.draw
    if draw.chance(0.3):
        radius = patch.radius * (1.0 + 0.45 * patch.noise(0.3 * patch.size))
        small = draw.uniform(0.25, 0.6)
        cover = 1.0 - ramp(radius, 0.1 * small, max(small, min(1.0, 2.0 / patch.size)))
        shadow = bump(radius * 1.2)
    else:
        thick = max(0.6, draw.uniform(0.5, 1.1) * patch.scale**0.7)
        away, ends = _fibre(patch)
        cover = (1.0 - ramp(away, 0.2 * thick, thick + 0.5)) * ends * (0.8 + 0.35 * patch.noise(0.15 * patch.size))
        shadow = bump(away * (0.25 / thick)) * ends
    cover = patch.strength * cover.clamp(0.0, 1.0)
    brightness = float(patch.brightness.mean())
    bright = brightness < 0.15 or (brightness < 0.45 and draw.chance(0.6))
    level = max(0.2, 1.6 * brightness) * draw.uniform(0.8, 1.6) if bright else brightness * draw.uniform(0.06, 0.35)
    tone = torch.tensor([draw.uniform(0.85, 1.1), 1.0, draw.uniform(0.8, 1.1)]).to(cover).view(1, 3, 1, 1)
    return Change(torch.log2(1.0 - cover) - 0.25 * patch.strength * shadow * (1.0 - cover), cover * level * tone)


def _fibre(patch: Patch) -> tuple[Tensor, Tensor]:
    """Px from a curled thread as long as the patch's size allows, and 1 along it, 0 at its ends."""
    draw, steps = patch.draw, 16
    heading, turn = draw.uniform(-0.7, 0.7), draw.uniform(-0.25, 0.25)
    points = [(0.0, 0.0)]
    for _ in range(steps):
        x, y = points[-1]
        points.append((x + math.cos(heading), y + math.sin(heading)))
        turn = 0.75 * turn + draw.uniform(-0.22, 0.22)
        heading += turn
    xs, ys = zip(*points)
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    unit = min(0.86 * patch.size / max(wide, 1e-3), 0.86 * patch.width / max(high, 1e-3))
    spots = [((x - min(xs) - 0.5 * wide) * unit, (y - min(ys) - 0.5 * high) * unit) for x, y in points]
    near, place = torch.full_like(patch.along, 1e9), torch.zeros_like(patch.along)
    for step, ((x, y), (x2, y2)) in enumerate(itertools.pairwise(spots)):
        dx, dy = x2 - x, y2 - y
        share = (((patch.along - x) * dx + (patch.across - y) * dy) * (1.0 / max(dx * dx + dy * dy, 1e-9))).clamp(0.0, 1.0)
        away = (patch.along - x - share * dx).square() + (patch.across - y - share * dy).square()
        place = torch.where(away < near, (step + share) * (2.0 / steps) - 1.0, place)
        near = torch.minimum(near, away)
    return near.sqrt(), 1.0 - ramp(place.abs(), 0.7, 1.0)


@kind("cloth", sizes=(14, 170), strengths=(0.25, 1.0), slender=(0.6, 1.0), often=2, tolerance=0.27)
def stain(patch: Patch) -> Change:
    """A dried stain: absorption, uneven, with a darker rim. Strength: stops of green at the rim."""
    draw, ink = patch.draw, patch.draw.one(STAINS)
    radius = patch.radius * (1.15 + 0.24 * patch.noise(0.38 * patch.size) + 0.07 * patch.noise(0.12 * patch.size))
    edge = max(draw.uniform(0.06, 0.3), 3.0 * patch.soft(1.0) / patch.size)
    cover = 1.0 - ramp(radius, 1.0 - edge, 1.0)
    rim = bump((radius - (1.0 - edge)) * (1.0 / (1.4 * edge))) * cover
    inner = draw.uniform(0.25, 0.7) * (1.0 + 0.3 * patch.noise(0.3 * patch.size) + 0.15 * patch.noise(0.08 * patch.size))
    return Change(inked(patch.strength * (cover * inner + draw.uniform(0.2, 0.6) * rim).clamp_min(0.0), ink))

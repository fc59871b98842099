"""Flaws of skin. Pigments absorb, relief shades, oil shines: what lies under them stays visible."""

from __future__ import annotations

import math

import torch

from ...light.primaries import luminance
from .draws import bump, ramp
from .kinds import kind
from .patch import BLOOD, MELANIN, VEIL, VEINS, Change, Ink, Patch, inked
from .scene import Scene


def _between(one: Ink, other: Ink, share: float) -> Ink:
    r, g, b = (x + (y - x) * share for x, y in zip(one, other))
    return r, g, b


def _brightest(scene: Scene, y: float, x: float, size: float) -> float:
    return scene.lightness(y, x, 0.3 * size)


def _under_an_eye(scene: Scene, y: float, x: float, size: float) -> float:
    """Whether it is darker a little above: eyes and brows are."""
    return scene.lightness(y, x, 0.1 * size) - scene.lightness(y - 0.35 * size, x, 0.15 * size)


@kind("skin", sizes=(4, 26), strengths=(0.2, 0.75), slender=(0.6, 1.0), often=3, gathers=True)
def spot(patch: Patch) -> Change:
    """A freckle, an age spot, a healed pimple: melanin or blood, mottled, softly ending. Strength: stops of green."""
    ink = _between(MELANIN, BLOOD, patch.draw.uniform(0.0, 1.0) ** 2)
    radius = patch.radius * (1.0 + 0.28 * patch.noise(0.4 * patch.size))
    cover = 1.0 - ramp(radius, patch.draw.uniform(0.1, 0.6), 1.0)
    return Change(inked(patch.strength * cover * (1.0 + 0.35 * patch.noise(0.18 * patch.size)).clamp_min(0.0), ink))


@kind("skin", sizes=(4, 26), strengths=(1.0, 2.4), slender=(0.7, 1.0), often=3)
def mole(patch: Patch) -> Change:
    """A mole: dense melanin with an irregular edge, sometimes raised. Strength: stops of green in its middle."""
    radius = patch.radius * (1.0 + 0.16 * patch.noise(0.5 * patch.size))
    edge = max(patch.draw.uniform(0.2, 0.6), 2.0 * patch.soft(1.5) / patch.size)
    cover = 1.0 - ramp(radius, max(0.0, 1.0 - edge), 1.0)
    inner = 0.75 + 0.25 * (1.0 - radius * radius).clamp_min(0.0) + 0.22 * patch.noise(0.2 * patch.size)
    stops = inked(patch.strength * cover * inner, MELANIN)
    if patch.draw.chance(0.5):
        stops = stops + patch.shading(patch.draw.uniform(0.08, 0.2) * patch.size * bump(radius))
    return Change(stops)


@kind("skin", sizes=(8, 34), strengths=(0.45, 1.3), often=3, gathers=True)
def acne(patch: Patch) -> Change:
    """A pimple: a raised bump in an inflamed halo, with a small highlight, sometimes a pale head. Strength: stops of green."""
    draw, core = patch.draw, patch.draw.uniform(0.3, 0.45)
    radius = patch.radius * (1.0 + 0.12 * patch.noise(0.5 * patch.size))
    inside = radius * (1.0 / core)
    halo = (1.0 - ramp(radius, 0.0, 1.0)) ** 1.3 * (1.0 + 0.25 * patch.noise(0.25 * patch.size))
    rim = bump((inside - 1.0) * 1.6)
    stops = inked(patch.strength * (0.62 * halo + 0.3 * rim + 0.25 * bump(0.8 * inside)), BLOOD)
    stops = stops + patch.shading(draw.uniform(0.12, 0.3) * core * patch.size * bump(0.85 * inside))
    if draw.chance(0.3):
        head = 1.0 - ramp(inside, 0.15, 0.6)
        stops = stops + head * torch.tensor([0.18, 0.55, 0.3]).to(head).view(1, 3, 1, 1) * min(1.0, patch.strength)
    turn = math.radians(patch.angle)
    right, down = (0.22 * core * patch.size * part for part in patch.lamp)
    off = right * math.cos(turn) + down * math.sin(turn), down * math.cos(turn) - right * math.sin(turn)
    small = max(0.2 * core * patch.size, 1.2)
    highlight = bump(torch.hypot(patch.along - off[0], patch.across - off[1]) * (1.0 / small))
    return Change(stops, draw.uniform(0.1, 0.45) * highlight * patch.brightness)


@kind("skin", sizes=(60, 300), strengths=(0.14, 0.42), slender=(0.16, 0.34), often=3, tilt=55.0, tolerance=0.2, follows=True)
def wrinkle(patch: Patch) -> Change:
    """One to three lines that run together: a furrow, dark where it turns from the light, lighter on its other side.

    Strength: slope of the furrow's walls.
    """
    draw, count = patch.draw, patch.draw.one((1, 2, 3), (6, 2, 2))
    gap = patch.width * 0.75 / count
    u, middle = patch.along * (2.0 / patch.size), patch.bent(draw.uniform(-0.1, 0.1), draw.uniform(0.0, 0.025))
    height = furrow = torch.zeros_like(middle)
    for line in range(count):
        half = max(0.9, draw.spread(0.9, 2.4) * patch.scale * (patch.size / patch.scale / 120.0) ** 0.4)
        off = (
            middle
            - gap * (line - 0.5 * (count - 1) + draw.uniform(-0.2, 0.2))
            + 0.03 * patch.size * patch.noise(0.35 * patch.size)
        )
        long, shift = draw.uniform(0.65, 1.0), draw.uniform(-0.15, 0.15)
        ends = (1.0 - ramp(((u - shift) * (1.0 / long)).abs(), 0.35, 1.0)) * (1.0 + 0.35 * patch.noise(0.16 * patch.size))
        depth = ends.clamp_min(0.0) * draw.uniform(0.6, 1.0)
        valley = bump(off * (0.5 / half))
        swell = bump(off * (0.14 / half))
        height = height + depth * half * (0.8 * swell - 1.6 * valley)
        furrow = furrow + depth * valley
    # Between the walls of a furrow light is reflected to and fro by blood-filled skin: it darkens, and reddens.
    return Change(patch.shading(1.5 * patch.strength * height) + inked(1.1 * patch.strength * furrow, (0.78, 1.0, 1.1)))


@kind("skin", sizes=(36, 200), strengths=(0.3, 1.0), slender=(0.35, 0.9), often=2, tolerance=0.16, seek=_brightest)
def shine(patch: Patch) -> Change:
    """Oily skin: light added, nearer the lamp's colour than the skin's, and broken by the skin's own texture.

    Strength: of the light that is there, the share that is added.
    """
    radius = patch.radius * (1.0 + 0.22 * patch.noise(0.4 * patch.size))
    cover = (1.0 - ramp(radius, 0.05, 1.0)) * (0.75 + 0.45 * patch.noise(0.2 * patch.size)).clamp_min(0.0)
    brightness = patch.brightness
    relief = luminance(*patch.light.split(1, dim=1)).clamp_min(0.0) / (brightness + VEIL)
    texture = relief.clamp_max(2.5) ** 2.5 * (1.0 + 0.25 * patch.noise(2.2 * patch.scale))
    glow = patch.strength * cover * texture.clamp_min(0.0)
    return Change(torch.zeros_like(cover), glow * (0.6 * brightness + 0.4 * patch.base))


@kind("skin", sizes=(60, 220), strengths=(0.28, 0.7), slender=(0.35, 0.5), often=2, tilt=20.0, seek=_under_an_eye)
def dark_circle(patch: Patch) -> Change:
    """A ring under an eye: a bluish crescent, sharper along its upper edge. Strength: stops of green."""
    u = patch.along * (2.0 / patch.size)
    v = (patch.across * (2.0 / patch.width) + 0.5 * u * u - 0.15) * (1.0 + 0.1 * patch.noise(0.3 * patch.size))
    fall = torch.where(v < 0.0, bump(v * 1.7), bump(v))
    cover = fall * bump(u) * (1.0 + 0.15 * patch.noise(0.12 * patch.size))
    return Change(inked(patch.strength * cover, VEINS))

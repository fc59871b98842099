"""Whether two pictures show the same thing in the same place: their edges, compared blind to tone and colour.

An edit changes how light and how colourful things are, may turn edges around (negatives) or bury them in noise; what it
leaves is where edges are and which way they run. So every pixel becomes a complex number, its gradient squared: as long as
the gradient, at twice its angle, the same whichever side is the lighter; evened out over its surroundings, so that a dark
corner counts like a bright one. Two such fields are correlated at every offset. How far the correlation at an offset
stands above that at all others, in standard deviations, says how surely it is no accident, on any picture.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, pad

from .rectangle import Size

_SURROUNDINGS = 24
_EVEN, _LEAST = 0.02, 0.003
_TINY = 1e-12
_SIZES, _SMALLER = 28, 0.98
_SLACK = 0.03
_CUBE_ROOT = 1.0 / 3.0


class Meeting(NamedTuple):
    """How two pictures meet best: standing (in standard deviations) and offset (down, right), of the second, in px."""

    standing: float
    down: float
    right: float


def edges(light: Tensor) -> Tensor:
    """The field of edges (h-2, w-2), complex, of a picture (1,3,h,w) of light."""
    codes = torch.copysign(light.abs() ** _CUBE_ROOT, light)
    across = codes[..., 1:-1, 2:] - codes[..., 1:-1, :-2]
    along = codes[..., 2:, 1:-1] - codes[..., :-2, 1:-1]
    doubled = torch.complex(across * across - along * along, 2.0 * across * along).sum((0, 1)) * 0.25
    size = doubled.abs().sqrt()
    around = _surroundings(size)
    return doubled / ((size + _TINY) * (around + _EVEN * around.mean() + _LEAST))


def _surroundings(size: Tensor) -> Tensor:
    """The mean size of edges around each pixel, about a twelfth of the long edge wide."""
    reach = max(1, max(size.shape) // _SURROUNDINGS)
    blurred = size[None, None]
    for _ in range(3):
        blurred = avg_pool2d(pad(blurred, (reach,) * 4, mode="replicate"), 2 * reach + 1, 1)
    return blurred[0, 0]


def shrunk(light: Tensor, edge: int) -> Tensor:
    """A small picture with at most this long edge."""
    size = Size(*light.shape[-2:])
    small = size.scaled(min(1.0, edge / size.long_edge))
    return light if small == size else adaptive_avg_pool2d(light, small)


def softened(light: Tensor) -> Tensor:
    """Light (B,C,h,w) without the finest detail, for places between pixels."""
    weights = light.new_tensor([0.25, 0.5, 0.25]).expand(light.shape[1], 1, 1, 3)
    across = conv2d(pad(light, (1, 1, 0, 0), mode="replicate"), weights, groups=light.shape[1])
    return conv2d(pad(across, (0, 0, 1, 1), mode="replicate"), weights.mT, groups=light.shape[1])


def _tapered(field: Tensor) -> Tensor:
    """A field that fades towards its rim and has no mean: what buildings and horizons share is no likeness."""
    windows = (torch.hann_window(length + 2, periodic=False, dtype=field.real.dtype)[1:-1] for length in field.shape)
    down, right = windows
    fade = (down[:, None] * right).sqrt()
    return (field - (field * fade).sum() / fade.sum()) * fade


def correlation(one: Tensor, two: Tensor) -> Tensor:
    """Of two fields, -1 to 1, at every offset of the second in the first: [0, 0] is none, negative ones count from the end.

    The second may be smaller.
    """
    size = one.shape
    one, two = _tapered(one), _tapered(two)
    power = (one.abs().square().sum() * two.abs().square().sum()).sqrt()
    spectra = torch.fft.fft2(one), torch.fft.fft2(two, size)
    return torch.fft.ifft2(spectra[0] * spectra[1].conj()).real / (power + _TINY)


def standing(one: Tensor, two: Tensor) -> float:
    """How surely two fields are of one thing in one place."""
    found = correlation(one, two)
    return (found[0, 0] / (found.std() + _TINY)).item()


def telling(field: Tensor) -> float:
    """How much a field could say: its standing against itself, low where there are few edges, or only soft ones."""
    return standing(field, field)


def fullness(field: Tensor) -> float:
    """Over what share of the picture its edges are spread, 0 to 1."""
    size = field.abs()
    return (size.sum().square() / (size.numel() * size.square().sum() + _TINY)).item()


def overlap(one: Tensor, two: Tensor) -> float:
    """How much of their edges two fields have in the same places, 0 to 1, whichever way these run."""
    one, two = one.abs(), two.abs()
    return ((one * two).sum() / (one.norm() * two.norm() + _TINY)).item()


def meeting(one: Tensor, two: Tensor) -> Meeting:
    """Where two fields of one size meet best; between pixels, by the parabola through the highest and its neighbours."""
    found = correlation(one, two)
    height, width = found.shape
    row, column = divmod(int(found.argmax()), width)
    down = _top(*(found[(row + step) % height, column].item() for step in (-1, 0, 1)))
    right = _top(*(found[row, (column + step) % width].item() for step in (-1, 0, 1)))
    rows, columns = (row + height // 2) % height - height // 2, (column + width // 2) % width - width // 2
    return Meeting((found[row, column] / (found.std() + _TINY)).item(), rows + down, columns + right)


def _top(before: float, here: float, after: float) -> float:
    """Where the parabola through three neighbouring values has its top, from the middle one."""
    bend = before - 2.0 * here + after
    return 0.0 if bend >= 0.0 else min(0.5, max(-0.5, 0.5 * (before - after) / bend))


class Part(NamedTuple):
    """Where a picture is found, smaller, in another: standing, its edge as a share of the other's, and its corner there."""

    standing: float
    share: float
    top: float
    left: float


def part(whole: Tensor, picture: Tensor) -> Part:
    """Where and how large the field of a whole picture shows the edges of another (1,3,h,w), of its shape, at 0.56 to 0.98."""
    best = Part(0.0, 1.0, 0.0, 0.0)
    long_edge = max(whole.shape) + 2
    for step in range(1, _SIZES + 1):
        share = _SMALLER**step
        small = edges(shrunk(picture, round(long_edge * share)))
        found = meeting(whole, small)
        top, left = (place / length for place, length in zip((found.down, found.right), whole.shape))
        if found.standing > best.standing and min(top, left) > -_SLACK and max(top, left) + share < 1.0 + _SLACK:
            best = Part(found.standing, share, max(0.0, top), max(0.0, left))
    return best

"""Transfer functions and powers: elementwise, defined on the whole real line, with finite gradients everywhere."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MIDDLE_GREY = 0.18
_LOG2_GREY = math.log2(MIDDLE_GREY)
_TINY = 1e-7


def odd_power(x: Tensor, exponent: Tensor | float, floor: float = _TINY) -> Tensor:
    """x to a power, made odd: sign(x) * |x|**exponent, with a smooth, finite slope below `floor`.

    x * (x*x + floor**2) ** ((exponent - 1) / 2), one log2 and one exp2. Exactly the identity at exponent 1; differs
    from the plain power by at most about floor**exponent.
    """
    return x * torch.exp2((exponent - 1.0) * 0.5 * torch.log2(x * x + floor * floor))


def cube_root(x: Tensor) -> Tensor:
    """The odd cube root; the slope at 0 is finite (5e4) where the true one is infinite. Cubing it returns x within 1e-7."""
    return odd_power(x, 1.0 / 3.0)


def ev(x: Tensor, floor: float = -14.0) -> Tensor:
    """Light in photographic stops about middle grey, log2(|x| / 0.18), levelling out smoothly `floor` stops below it."""
    least = MIDDLE_GREY * 2.0**floor
    return 0.5 * torch.log2(x * x + least * least) - _LOG2_GREY


def srgb_encode(x: Tensor) -> Tensor:
    """Linear light to sRGB code values (1.0 = white), IEC 61966-2-1, continued as an odd function and above 1."""
    size = x.abs()
    curved = 1.055 * torch.exp2(torch.log2(size.clamp_min(0.0031308)) * (1.0 / 2.4)) - 0.055
    return torch.where(size <= 0.0031308, x * 12.92, torch.copysign(curved, x))


def srgb_decode(code: Tensor) -> Tensor:
    """sRGB code values to linear light, IEC 61966-2-1, continued as an odd function and above 1."""
    size = code.abs()
    curved = torch.exp2(torch.log2((size.clamp_min(0.04045) + 0.055) * (1.0 / 1.055)) * 2.4)
    return torch.where(size <= 0.04045, code * (1.0 / 12.92), torch.copysign(curved, code))


_CCT_SLOPE, _CCT_OFFSET = 10.5402377416545, 0.0729055341958355
_CCT_BREAK, _CCT_CODE_BREAK = 0.0078125, 0.155251141552511


def acescct_encode(x: Tensor) -> Tensor:
    """Linear light to ACEScct, a log encoding with a linear toe that also carries negative light (S-2016-001)."""
    logarithm = (torch.log2(x.clamp_min(_CCT_BREAK)) + 9.72) * (1.0 / 17.52)
    return torch.where(x <= _CCT_BREAK, x * _CCT_SLOPE + _CCT_OFFSET, logarithm)


def acescct_decode(code: Tensor) -> Tensor:
    """ACEScct to linear light (S-2016-001), without the standard's cut at 65504."""
    power = torch.exp2(code.clamp_min(_CCT_CODE_BREAK) * 17.52 - 9.72)
    return torch.where(code <= _CCT_CODE_BREAK, (code - _CCT_OFFSET) * (1.0 / _CCT_SLOPE), power)

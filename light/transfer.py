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


_BT709_SLOPE = 4.5
_BT709_ALPHA, _BT709_BETA = 1.09929682680944, 0.018053968510807


def bt709_encode(x: Tensor) -> Tensor:
    """Linear light to codes of BT.709 and BT.2020 (one curve, exact constants), continued as an odd function and above 1."""
    size = x.abs()
    curved = _BT709_ALPHA * torch.exp2(torch.log2(size.clamp_min(_BT709_BETA)) * 0.45) - (_BT709_ALPHA - 1.0)
    return torch.where(size <= _BT709_BETA, x * _BT709_SLOPE, torch.copysign(curved, x))


def bt709_decode(code: Tensor) -> Tensor:
    """Codes of BT.709 and BT.2020 to linear light, the exact inverse of the camera curve (no display's gamma)."""
    size, edge = code.abs(), _BT709_BETA * _BT709_SLOPE
    curved = torch.exp2(torch.log2((size.clamp_min(edge) + (_BT709_ALPHA - 1.0)) * (1.0 / _BT709_ALPHA)) * (1.0 / 0.45))
    return torch.where(size <= edge, code * (1.0 / _BT709_SLOPE), torch.copysign(curved, code))


_GAMMA_FLOOR = 1e-12


def gamma_encode(x: Tensor, gamma: float) -> Tensor:
    """Linear light to codes of a plain power, continued as an odd function; the slope at 0 is finite (4e6 at gamma 2.2)."""
    return odd_power(x, 1.0 / gamma, _GAMMA_FLOOR)


def gamma_decode(code: Tensor, gamma: float) -> Tensor:
    """Codes of a plain power to linear light, continued as an odd function."""
    return odd_power(code, gamma, _GAMMA_FLOOR)


REFERENCE_WHITE = 203.0
"""Nits of light 1.0 (ITU-R BT.2408: HDR reference white)."""
_PQ_M1, _PQ_M2 = 2610.0 / 16384.0, 2523.0 / 32.0
_PQ_C1, _PQ_C2, _PQ_C3 = 3424.0 / 4096.0, 2413.0 / 128.0, 2392.0 / 128.0
_PQ_PEAK = 10000.0 / REFERENCE_WHITE
_LEAST = 1e-30


def pq_decode(code: Tensor) -> Tensor:
    """PQ codes to linear light, 203 nits = 1.0 (SMPTE ST 2084); odd, and level beyond the standard's 10,000 nits."""
    root = torch.exp2(torch.log2(code.abs().clamp(_LEAST, 1.0)) * (1.0 / _PQ_M2))
    share = (root - _PQ_C1).clamp_min(_LEAST) / (_PQ_C2 - _PQ_C3 * root)
    return torch.copysign(_PQ_PEAK * torch.exp2(torch.log2(share.clamp_min(_LEAST)) * (1.0 / _PQ_M1)), code)


_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_HLG_PEAK, _HLG_GAMMA = 1000.0 / REFERENCE_WHITE, 1.2


def hlg_decode(code: Tensor) -> Tensor:
    """HLG codes to scene light, 0 to 1 (BT.2100, inverse OETF), continued as an odd function and above 1."""
    size = code.abs()
    curved = (torch.exp((size.clamp_min(0.5) - _HLG_C) * (1.0 / _HLG_A)) + _HLG_B) * (1.0 / 12.0)
    return torch.where(size <= 0.5, code * size * (1.0 / 3.0), torch.copysign(curved, code))


def hlg_system_gain(luminance: Tensor) -> Tensor:
    """The factor from scene light of a luminance to a 1000-nit display's, 203 nits = 1.0 (BT.2100 OOTF, gamma 1.2)."""
    return _HLG_PEAK * torch.exp2(0.5 * (_HLG_GAMMA - 1.0) * torch.log2(luminance * luminance + _TINY * _TINY))


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

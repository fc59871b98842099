"""Coding-independent code points (ITU-T H.273): numbers of PNG's cICP, of nclx in AVIF and HEIC, and of ICC's cicp."""

from __future__ import annotations

from .format import Encoding, Primaries

UNSPECIFIED = 2
IDENTITY, BT601, BT2020 = 0, 6, 9
"""Matrix coefficients: none (the codes are G, B, R), those of BT.601, those of BT.2020 with non-constant luminance."""

_C = (0.310, 0.316)
_WHITE = (0.3127, 0.3290)
_PRIMARIES: dict[int, Primaries] = {
    1: "srgb",
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), _C),
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _WHITE),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _WHITE),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _WHITE),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: "rec2020",
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: "p3",
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _WHITE),
}
_TRANSFERS = {1: "bt709", 6: "bt709", 14: "bt709", 15: "bt709", 4: "gamma:2.2", 5: "gamma:2.8", 8: "linear", 13: "srgb"}
_TRANSFERS |= {16: "pq", 18: "hlg"}
_WRITTEN_TRANSFERS = {"bt709": 14, "linear": 8, "srgb": 13, "pq": 16, "hlg": 18}


def encoding_of(primaries: int, transfer: int) -> Encoding | None:
    """What ColourPrimaries and TransferCharacteristics say; None where one is unspecified, reserved or not for light."""
    if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
        return None
    return Encoding(_TRANSFERS[transfer], _PRIMARIES[primaries])


def numbers_of(encoding: Encoding) -> tuple[int, int] | None:
    """ColourPrimaries and TransferCharacteristics of an encoding; None where there are none for it (Adobe RGB)."""
    primaries = next((number for number, name in _PRIMARIES.items() if name == encoding.primaries), None)
    transfer = _WRITTEN_TRANSFERS.get(encoding.transfer)
    return (primaries, transfer) if primaries and transfer else None

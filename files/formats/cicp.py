"""Coding-independent code points (ITU-T H.273): numbers of PNG's cICP, of nclx in AVIF and HEIC, and of ICC's cicp."""

from __future__ import annotations

from .format import Encoding, Primaries

_WHITE = (0.3127, 0.3290)
_PRIMARIES: dict[int, Primaries] = {
    1: "srgb",
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _WHITE),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _WHITE),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _WHITE),
    9: "rec2020",
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: "p3",
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

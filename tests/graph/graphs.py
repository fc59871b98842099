"""Graphs that several tests use."""

from __future__ import annotations

from typing import Any

from luxgrad import Graph


def chain(*nodes: str | tuple[str, dict[str, Any]], sink: str = "save_photo") -> Graph:
    """A graph photo -> ... -> sink; each step is called by the last part of its node."""
    data: dict[str, Any] = {"photo": {"class_type": "luxgrad.load_photo", "inputs": {}}}
    before = "photo"
    for entry in nodes:
        node, values = entry if isinstance(entry, tuple) else (entry, {})
        name = node.rpartition(".")[2]
        data[name] = {"class_type": f"luxgrad.{node}", "inputs": {"image": [before, 0], **values}}
        before = name
    data["out"] = {"class_type": f"luxgrad.{sink}", "inputs": {"image": [before, 0]}}
    return Graph.of(data)


POINTWISE = ("tone.exposure", "colour.white_balance", "tone.contrast", "tone.curve", "colour.saturation", "colour.hue_bands")

TWELVE: dict[str, Any] = {
    "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
    "exposure": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0], "stops": 0.3}},
    "balance": {
        "class_type": "luxgrad.colour.white_balance",
        "inputs": {"image": ["exposure", 0], "kelvin": 5400.0, "tint": 9.0},
    },
    "levels": {
        "class_type": "luxgrad.tone.levels",
        "inputs": {"image": ["balance", 0], "black": 0.4, "white": 0.5, "middle": 0.1},
    },
    "clarity": {"class_type": "luxgrad.detail.clarity", "inputs": {"image": ["levels", 0], "amount": 0.6}},
    "sharpen": {"class_type": "luxgrad.detail.sharpen", "inputs": {"image": ["clarity", 0], "amount": 0.7, "radius": 1.2}},
    "mask": {"class_type": "luxgrad.local.luminance_mask", "inputs": {"image": ["exposure", 0], "low": -2.0, "high": 1.0}},
    "colour": {"class_type": "luxgrad.colour.saturation", "inputs": {"image": ["sharpen", 0], "amount": 0.4, "vibrance": -0.2}},
    "local": {
        "class_type": "luxgrad.local.apply_mask",
        "inputs": {"before": ["sharpen", 0], "after": ["colour", 0], "mask": ["mask", 0], "opacity": 0.8},
    },
    "rotate": {"class_type": "luxgrad.geometry.rotate", "inputs": {"image": ["local", 0], "angle": 4.0}},
    "crop": {"class_type": "luxgrad.geometry.crop", "inputs": {"image": ["rotate", 0], "left": 6.0, "top": 9.0, "bottom": 3.0}},
    "resize": {"class_type": "luxgrad.geometry.resize", "inputs": {"image": ["crop", 0], "long_edge": 120}},
    "sigmoid": {"class_type": "luxgrad.tone.sigmoid", "inputs": {"image": ["resize", 0], "contrast": 1.7, "skew": 0.2}},
    "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["sigmoid", 0]}},
}
"""Twelve operations with two statistics (one a guide), a mask from an earlier step, neighbourhoods and geometry."""

"""Prompts for the real ComfyUI, node by node, and what comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from luxgrad.graph.ports import PORTS
from luxgrad.ops.spec import REGISTRY

from .server import Server


def codes(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def saved(server: Server, outputs: dict[str, Any], node: str) -> Path:
    entry = outputs[node]["images"][0]
    return server.base / entry["type"] / entry["subfolder"] / entry["filename"]


def load(file: str = "kitten.png") -> dict[str, Any]:
    return {"class_type": "LoadImage", "inputs": {"image": file}}


def save(link: list[Any]) -> dict[str, Any]:
    return {"class_type": "SaveImage", "inputs": {"images": link, "filename_prefix": "test"}}


def op(kind: str, link: list[Any], title: str = "", **values: Any) -> dict[str, Any]:
    spec = REGISTRY[kind]
    defaults = {param.name: param.default for param in spec.params}
    wire = {spec.inputs[0].name: link}
    return {"class_type": f"luxgrad.{kind}", "inputs": {**defaults, **wire, **values}, "_meta": {"title": title or spec.label}}


def fit(photo: list[Any], target: list[Any] | None = None, **values: Any) -> dict[str, Any]:
    defaults = {"free": "", "method": "auto", "seconds": 10.0, "seed": 0, "action": "fit"}
    wires = {"photo": photo, **({"target": target} if target else {})}
    return {"class_type": "luxgrad.fit", "inputs": {**defaults, **wires, **values}, "_meta": {"title": "Fit"}}


def port(kind: str, **values: Any) -> dict[str, Any]:
    """A source or sink of ours with its defaults."""
    defaults = {param.name: param.default for param in PORTS[f"luxgrad.{kind}"].params}
    return {"class_type": f"luxgrad.{kind}", "inputs": {**defaults, **values}}


def values_of(outputs: dict[str, Any], node: str) -> dict[tuple[str, str], float]:
    """What a Fit found, by node and slider."""
    return {(entry["node"], entry["name"]): entry["value"] for entry in outputs[node]["luxgrad_values"]}

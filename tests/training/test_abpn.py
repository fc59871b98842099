"""What the blend pyramid is trained on and how it computes: as the operation does."""

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
from luxgrad.training.abpn.data import Ground, Kept, Synthetic
from luxgrad.training.abpn.forward import forward

from .spots import Spots


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

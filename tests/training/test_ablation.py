"""The ablation: every variant learns, and differs from the full network in what its name says and in nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from luxgrad.networks.abpn import BlendPyramid
from luxgrad.training.abpn import ablation
from luxgrad.training.abpn.ablation import VARIANTS, fixed, line, trained
from luxgrad.training.abpn.data import Example
from luxgrad.training.abpn.forward import Pass, forward
from luxgrad.training.abpn.train import OURS

from .test_abpn import Spots


def codes() -> Tensor:
    return torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(5))


def variant(name: str) -> BlendPyramid:
    """A variant with nothing at rest."""
    torch.manual_seed(0)
    module = VARIANTS[name](0.02).train(False).requires_grad_(False)
    for weight in module.parameters():
        weight += 0.1 * torch.randn_like(weight)
    return module


def seen(name: str, chosen: Tensor | None = None) -> Pass:
    return forward(variant(name), codes(), 2, chosen)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_learns_in_a_second_what_a_bright_square_is(name: str, tmp_path: Path) -> None:
    config = replace(OURS, scale=0.02, batch=2, rate=2e-3, minutes=0.02, fine_every=1)  # losses of one kind of step
    module, steps = trained(name, config, Spots(), tmp_path)
    start = VARIANTS[name](0.02).state_dict()
    assert steps > 5
    assert module.state_dict().keys() == start.keys()
    losses = [float(row.split(",")[2]) for row in (tmp_path / ablation.folder_of(name) / "curve.csv").read_text().split()[1:]]
    assert sum(losses[-3:]) < sum(losses[:3])
    example = Spots().draw(1000)
    row = line(name, module, steps, 1, [example, Example(example.clean, example.clean, 0 * example.masks, example.known)])
    assert row.count("|") == len(ablation.HEAD) + 1
    assert "-" not in row.replace(" -", " ").removeprefix(f"| {name}").replace("e-", "")


def test_the_full_variant_is_the_network_as_it_is() -> None:
    torch.manual_seed(3)
    wanted = BlendPyramid(0.02).state_dict()
    torch.manual_seed(3)
    found = VARIANTS["full"](0.02).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())


def test_without_the_mask_branch_everything_is_retouched_and_nothing_of_the_branch_is_left() -> None:
    name = "without the mask branch (MPB)"
    found = seen(name)
    assert torch.equal(found.masks, torch.ones_like(found.masks))
    assert torch.equal(found.retouched, codes() + (found.results[0] - codes()))
    assert not [key for key in variant(name).state_dict() if "mask" in key]
    torch.testing.assert_close(found.results[0].shape, codes().shape)


def test_without_attention_no_layer_depends_on_the_mask() -> None:
    name = "without attention (LAM): plain convolutions"
    none, every = (torch.full((2, 3), value) for value in (0.0, 1.0))
    assert torch.equal(seen(name, none).layers[0], seen(name, every).layers[0])
    assert not torch.equal(seen("full", none).layers[0], seen("full", every).layers[0])
    assert not [key for key in variant(name).state_dict() if "gated" in key or "keep" in key]


def test_without_refinement_layers_are_enlarged_and_no_more() -> None:
    fine, middle, coarse = seen("without refinement (RM)").layers
    for larger, smaller in ((fine, middle), (middle, coarse)):
        wide = torch.nn.functional.interpolate(smaller, larger.shape[2:], mode="bilinear")
        assert torch.equal(larger, wide)
    fine, middle, _ = seen("full").layers
    assert not torch.equal(fine, torch.nn.functional.interpolate(middle, fine.shape[2:], mode="bilinear"))


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("blend: direct RGB", lambda codes, layer: layer),
        ("blend: addition", lambda codes, layer: codes + layer),
        # Pegtop: (1 - 2 b) a^2 + 2 b a, with b = layer + 0.5.
        ("blend: soft light", lambda a, layer: (1 - 2 * (layer + 0.5)) * a**2 + 2 * (layer + 0.5) * a),
    ],
)
def test_blends_that_are_not_learned_are_their_formula(name: str, formula) -> None:
    found = seen(name)
    torch.testing.assert_close(found.results[0], formula(codes(), found.layers[0]), rtol=0, atol=1e-6)
    assert not [key for key, _ in variant(name).named_parameters() if key == "coefficients"]
    assert [key for key, _ in variant("full").named_parameters() if key == "coefficients"]


def test_a_blend_by_convolutions_looks_at_neighbours_and_six_coefficients_do_not() -> None:
    picture, layer = codes()[:1], 0.1 * codes()[1:]
    other = picture.clone()
    other[..., 30, 40] += 0.5
    for name, px in (("blend: convolutions", 25), ("full", 1)):
        module = variant(name)
        moved = (module.blended(picture, layer) - module.blended(other, layer)).abs().amax(1)[0] > 0
        assert moved.sum() == px
        assert moved[28:33, 38:43].sum() == px


def test_coefficients_that_are_given_are_kept_with_the_weights() -> None:
    module = fixed((1.0, 2.0, 3.0, 4.0, 5.0, 6.0))(0.02)
    assert module.state_dict()["coefficients"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]

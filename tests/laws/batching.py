"""Laws of batches: pictures, and sampled pixels, that travel together know nothing of each other."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from luxgrad.ops.spec import OpSpec
from luxgrad.ops.types import Network

from .cases import Case, draw, draw_sliders, measured
from .law import law, making_pictures, pointwise, with_networks, with_pictures

POISONS = {"not a number": float("nan"), "infinite": float("inf"), "huge": 1e30}


@law(with_pictures)
def one_picture_of_a_batch_does_not_depend_on_another(spec: OpSpec) -> None:
    both = draw(spec, 1, batch=2)
    for index in (0, 1):
        alone = _picked(both, index)
        for together, single in zip(both.results(), alone.results()):
            torch.testing.assert_close(together[index : index + 1], single, rtol=1e-9, atol=1e-10)


@law(with_pictures)
def a_broken_picture_of_a_batch_leaves_the_others_as_they_were(spec: OpSpec) -> None:
    """In a graph, statistics included."""
    both = draw(spec, 18, batch=2)
    alone = _computed(_picked(both, 0))
    for what, poison in POISONS.items():
        second = torch.tensor([False, True]).view(2, 1, 1, 1)
        pictures = {name: torch.where(second, poison, picture) for name, picture in both.pictures.items()}
        for together, single in zip(_computed(both.changed(pictures=pictures)), alone):
            torch.testing.assert_close(
                together[:1], single, rtol=1e-9, atol=1e-10, msg=f"{spec.id}: one picture is {what}, and another changes"
            )


def _picked(case: Case, index: int) -> Case:
    one = slice(index, index + 1)
    pictures = {name: picture[one] for name, picture in case.pictures.items()}
    sliders = {name: value[one] for name, value in case.sliders.items()}
    return draw(case.spec, 0, pictures=pictures).changed(sliders=sliders)


def _computed(case: Case) -> list[Tensor]:
    job = case.job()
    if making_pictures(case.spec):
        return list(job.outputs())
    return measured(job)


@law(pointwise)
def each_pixel_may_have_sliders_of_its_own(spec: OpSpec) -> None:
    case = draw(spec, 7, height=1, width=4)
    width = next(iter(case.pictures.values())).shape[3]
    case = case.changed(sliders=draw_sliders(spec, 7, batch=width))
    row = {name: picture[:, :, :1] for name, picture in case.pictures.items()}
    in_a_row = case.changed(pictures=row, sliders={n: v.reshape(1, 1, 1, width) for n, v in case.sliders.items()})
    batched = case.changed(pictures={name: picture.permute(3, 1, 2, 0) for name, picture in row.items()})
    for one, other in zip(in_a_row.results(), batched.results()):
        torch.testing.assert_close(one, other.permute(3, 1, 2, 0), rtol=1e-10, atol=1e-12)


def _mix(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """What normalisation layers do in training mode: mix the pictures of a batch, and keep statistics."""
    if not module.training:
        return given
    module.seen += 1.0
    return tuple(x + x.mean() if isinstance(x, Tensor) else x for x in given)


@law(with_networks)
def a_network_is_evaluated_never_trained(spec: OpSpec) -> None:
    """One left in training mode gives what it gives in evaluation, and its running statistics stay."""
    case = draw(spec, 19, batch=2)
    networks = {name: value for name, value in case.others.items() if isinstance(value, Network)}
    restless = {name: _restless(network) for name, network in networks.items()}
    trained = case.changed(others={**case.others, **restless})
    for one, other in zip(trained.results(), case.results()):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12, msg=f"{spec.id} runs its network in training mode")
    for network in restless.values():
        assert not network.constants["seen"].item(), f"{spec.id}: its network keeps statistics while it runs"


def _restless(network: Network) -> Network:
    """The same function in a module that is restless and was left in training mode."""
    module = copy.deepcopy(network.module)
    module.register_buffer("seen", torch.zeros(()))
    module.register_forward_pre_hook(_mix)
    made = Network(module.train(), network.weights)
    made.constants |= network.constants
    return made

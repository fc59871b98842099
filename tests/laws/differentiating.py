"""Laws of gradients: they are the true ones, and no slider is without."""

from __future__ import annotations

import torch
from torch import Tensor

from luxgrad.ops.spec import OpSpec

from .cases import draw, real_photo, shown_to
from .law import law, with_pictures, with_sliders

_KINK = 0.01


@law(with_pictures)
def gradients_of_the_image_and_of_every_slider_are_the_true_ones(spec: OpSpec) -> None:
    case = draw(spec, 2)
    names = [*case.pictures, *case.sliders]

    def function(*tensors: Tensor) -> Tensor:
        given = dict(zip(names, tensors))
        pictures, sliders = ({name: given[name] for name in part} for part in (case.pictures, case.sliders))
        result = case.changed(pictures=pictures, sliders=sliders).numbers()
        if len(result) < 200:
            return result
        views = torch.randn(6, len(result), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return views @ result

    pictures = [_away_from(picture, spec.example.kinks) for picture in case.pictures.values()]
    tensors = [tensor.clone().requires_grad_() for tensor in (*pictures, *case.sliders.values())]
    torch.autograd.gradcheck(function, tensors, eps=1e-6, atol=2e-5, rtol=2e-4)


def _away_from(picture: Tensor, kinks: tuple[float, ...]) -> Tensor:
    """Light moved off the values where an operation's slope jumps."""
    for kink in kinks:
        near = (picture - kink).abs() < _KINK
        picture = torch.where(near, kink + torch.where(picture < kink, -_KINK, _KINK), picture)
    return picture


@law(with_sliders)
def every_slider_moves_a_real_photo(spec: OpSpec) -> None:
    photo = real_photo()
    case = draw(spec, 4, pictures=shown_to(spec, [photo * (1.0 + 0.3 * index) for index in range(len(spec.inputs))]))
    sliders = {name: value.requires_grad_() for name, value in case.sliders.items()}
    result = case.numbers()
    relative = result / (result.detach().abs() + 1e-9)
    gradients = torch.autograd.grad(relative.square().sum(), list(sliders.values()), allow_unused=True)
    for name, gradient in zip(sliders, gradients):
        assert gradient is not None and gradient.abs().item() > 1e-7, f"{spec.id}.{name} has no effect"  # noqa: PT018

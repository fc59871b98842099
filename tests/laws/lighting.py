"""Laws of light: what comes out is finite, repeatable and, at rest, what came in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from luxgrad.light.planes import Planes
from luxgrad.ops.params import Choice, Slider, Switch
from luxgrad.ops.spec import OpSpec

from .cases import Case, draw, draw_sliders, real_photo, shown_to
from .law import law, pointwise, with_neutral, with_pictures

ODD_LIGHT = {
    "black": torch.zeros(1, 3, 5, 6, dtype=torch.float64),
    "grey": torch.full((1, 3, 5, 6), 0.18, dtype=torch.float64),
    "white": torch.ones(1, 3, 5, 6, dtype=torch.float64),
    "faint": torch.full((1, 3, 5, 6), 1e-7, dtype=torch.float64),
    "HDR": torch.linspace(0.0, 50.0, 90, dtype=torch.float64).view(1, 3, 5, 6),
    "very bright": torch.full((1, 3, 5, 6), 1e4, dtype=torch.float64),
    "slightly negative": torch.linspace(-0.05, 0.05, 90, dtype=torch.float64).view(1, 3, 5, 6),
}


@law(with_pictures)
def values_and_gradients_are_finite_on_odd_light(spec: OpSpec) -> None:
    drawn = draw_sliders(spec, 3)
    for dtype in (torch.float32, torch.float64):
        for light, image in ODD_LIGHT.items():
            image = _large_enough(spec, image).to(dtype)
            for place in ("default", "low", "high", "drawn"):
                sliders = {}
                for param in spec.sliders:
                    kind: Any = param.kind
                    number = {"default": param.default, "low": kind.comfortable[0], "high": kind.comfortable[1]}.get(place)
                    sliders[param.name] = drawn[param.name] if number is None else torch.full((1, 1, 1, 1), float(number))
                case = draw(spec, 3, dtype=dtype, pictures=shown_to(spec, [image] * len(spec.inputs)))
                assert_finite(case.changed(sliders=sliders), f"{spec.id} at {place} on {light}, {dtype}")


@law(with_pictures)
def values_and_gradients_are_finite_in_every_corner_of_the_hard_ranges(spec: OpSpec) -> None:
    """Sliders at their hard bounds in mixed combinations, with every choice, on light in -0.1 to 4 that holds 0 and 1."""
    levels = torch.arange(-1, 41, dtype=torch.float64) / 10.0
    few = torch.tensor([-0.1, 0.0, 0.18, 1.0, 4.0], dtype=torch.float64)
    colours = torch.cat([levels.expand(3, -1), torch.cartesian_prod(few, few, few).T], dim=1)
    image = _large_enough(spec, torch.cat([colours, few[3].expand(3, 1)], dim=1).view(1, 3, 12, 14)).float()
    places = corners(spec)
    batch = max((len(value) for value in places.values()), default=1)
    light = [image.flatten(2).roll(37 * index, 2).view_as(image) for index in range(len(spec.inputs))]
    case = draw(spec, 5, dtype=torch.float32, pictures=shown_to(spec, light))
    pictures = {name: picture.expand(batch, -1, -1, -1) for name, picture in case.pictures.items()}
    for values in choices(spec):
        corner = case.changed(pictures=pictures, sliders=places, values={**case.values, **values})
        assert_finite(corner, f"{spec.id} with sliders at the ends of their hard ranges {values or ''}")


def corners(spec: OpSpec) -> dict[str, Tensor]:
    """Every slider at both its hard bounds, (n,1,1,1): all combinations of five sliders, of more at least all of any three."""
    count = len(spec.sliders)
    if count <= 5:
        signs = torch.tensor(list(itertools.product((0.0, 1.0), repeat=count)), dtype=torch.float64)
    else:
        hadamard = torch.ones(1, 1, dtype=torch.float64)
        while len(hadamard) < count:
            hadamard = torch.cat([torch.cat([hadamard, hadamard], 1), torch.cat([hadamard, -hadamard], 1)])
        signs = 0.5 + 0.5 * torch.cat([hadamard, -hadamard])
    bounds = [(param.kind.low, param.kind.high) for param in spec.sliders if isinstance(param.kind, Slider)]
    return {
        param.name: (low + (high - low) * signs[:, index]).float().view(-1, 1, 1, 1)
        for index, (param, (low, high)) in enumerate(zip(spec.sliders, bounds))
    }


def choices(spec: OpSpec) -> Iterator[dict[str, Any]]:
    """The defaults, then every other option of every choice and switch, one at a time."""
    yield {}
    for param in spec.params:
        options = param.kind.options if isinstance(param.kind, Choice) else (True, False)
        if isinstance(param.kind, (Choice, Switch)):
            yield from ({param.name: option} for option in options if option != param.default)


def assert_finite(case: Case, what: str) -> None:
    """That values, and gradients of pictures and sliders, are."""
    dtype = next(iter(case.pictures.values())).dtype
    pictures = {name: picture.detach().clone().requires_grad_() for name, picture in case.pictures.items()}
    sliders = {name: value.detach().to(dtype).requires_grad_() for name, value in case.sliders.items()}
    numbers = case.changed(pictures=pictures, sliders=sliders).numbers()
    assert torch.isfinite(numbers).all(), f"{what}: a value is not finite"
    if not numbers.requires_grad:  # of its pictures only the size counts
        return
    wanted: Mapping[str, Tensor] = {**pictures, **sliders}
    for name, gradient in zip(wanted, torch.autograd.grad(numbers.sum(), list(wanted.values()), allow_unused=True)):
        assert gradient is None or torch.isfinite(gradient).all(), f"{what}: a gradient of {name} is not finite"


def _large_enough(spec: OpSpec, image: Tensor) -> Tensor:
    """Light repeated until it is as large as an operation's example asks."""
    down, across = (-(-least // edge) for least, edge in zip(spec.example.size, image.shape[2:]))
    return image.repeat(1, 1, max(1, down), max(1, across))


@law(with_pictures)
def inputs_are_not_changed_and_results_repeat(spec: OpSpec) -> None:
    case = draw(spec, 1)
    before = {name: picture.clone() for name, picture in case.pictures.items()}
    assert torch.equal(case.numbers(), case.numbers()), f"{spec.id}: a second call gives something else"
    for name, picture in case.pictures.items():
        assert torch.equal(picture, before[name]), f"{spec.id} writes into its input {name}"


@law(with_neutral)
def the_declared_neutral_is_the_identity(spec: OpSpec) -> None:
    assert spec.neutral is not None
    for dtype, most in ((torch.float32, 1e-5), (torch.float64, 1e-12)):
        light = [real_photo().to(dtype) * (1.0 if index == 0 else 1.5) for index in range(len(spec.inputs))]
        case = draw(spec, 0, dtype=dtype, pictures=shown_to(spec, light))
        numbers = {name: spec.neutral[name] for name in case.sliders if name in spec.neutral}
        neutral = {name: torch.full((1, 1, 1, 1), value, dtype=dtype) for name, value in numbers.items()}
        values = {name: value for name, value in spec.neutral.items() if name not in numbers}
        result = case.changed(sliders=neutral, values=values).results()[0]
        away = (result - next(iter(case.pictures.values()))).abs().max().item()
        assert away <= most, f"{spec.id}: at neutral it is {away:.1e} from the identity in {dtype}"


@law(pointwise)
def pointwise_operations_commute_with_a_shuffle_of_pixels(spec: OpSpec) -> None:
    case = draw(spec, 6)
    pixels = next(iter(case.pictures.values()))[0, 0].numel()
    order = torch.randperm(pixels, generator=torch.Generator().manual_seed(0))

    def shuffled(tensor: Tensor) -> Tensor:
        return tensor.flatten(2)[..., order].view(tensor.shape)

    mixed = case.changed(pictures={name: shuffled(picture) for name, picture in case.pictures.items()})
    for one, other in zip(mixed.results(), case.results()):
        torch.testing.assert_close(one, shuffled(other), rtol=1e-12, atol=1e-12)


@law(with_pictures)
def planes_and_tensors_give_the_same(spec: OpSpec) -> None:
    case = draw(spec, 8)
    split = {n: Planes(*p.split(1, dim=1)) if p.shape[1] == 3 else p for n, p in case.pictures.items()}
    torch.testing.assert_close(case.changed(pictures=split).numbers(), case.numbers(), rtol=1e-12, atol=1e-12)

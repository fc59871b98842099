import torch
from torch import nn

from luxgrad.light.planes import join, planes
from luxgrad.ops.example import Example
from luxgrad.ops.family import Member, family
from luxgrad.ops.params import Choice, Slider, Switch
from luxgrad.ops.reach import POINTWISE
from luxgrad.ops.types import Image, Network, Scalar

_MODULES = {
    "tone_equaliser": {
        "summary": "Brighten or darken tones as the tone equaliser of another program does.",
        "network": "probe_tone_equaliser",
        "params": {
            "blacks": {"low": -2, "high": 2, "default": 0.0, "unit": "EV", "tip": "Exposure of the blacks, -8 EV."},
            "whites": {"low": -2, "high": 2, "default": 0.0, "unit": "EV", "tip": "Exposure of the whites, +0 EV."},
        },
        "notes": "Neutral: none.",
    },
    "vibrance": {
        "summary": "Strengthen muted colours as the vibrance of another program does.",
        "network": "probe_vibrance",
        "params": {
            "pastels": {"low": -100, "high": 100, "soft": [-50, 50], "default": 10.0, "unit": "%", "tip": "Of muted colours."},
            "protect_skin": {"default": True, "tip": "Whether skin is spared."},
        },
        "constants": {"floor": 1e-3},
    },
    "film": {
        "summary": "Give the look of a film as the film simulation of another program does.",
        "network": "probe_film",
        "display_transform": True,
        "params": {
            "strength": {"low": 0.1, "high": 4, "default": 1.0, "log": True, "tip": "How much of the film's look."},
            "stock": {"options": ["slide", "negative", "mono"], "default": "slide", "tip": "The film to imitate."},
        },
    },
}


def _numbers(member: Member, values: dict[str, Scalar]) -> list[Scalar]:
    """A member's parameters as its network sees them, each about -1..1."""
    numbers: list[Scalar] = []
    for name, kind in member.params.items():
        if isinstance(kind, Slider):
            numbers.append(2.0 * (values[name] - kind.low) / (kind.high - kind.low) - 1.0)
        elif isinstance(kind, Switch):
            numbers.append(1.0 if values[name] else -1.0)
        elif isinstance(kind, Choice):
            numbers += [1.0 if values[name] == option else 0.0 for option in kind.options]
    return numbers


def _example(member: Member) -> Example:
    wide = 3 + sum(len(kind.options) if isinstance(kind, Choice) else 1 for kind in member.params.values())
    return Example(sockets=lambda: {"network": Network(nn.Sequential(nn.Conv2d(wide, 8, 1), nn.SiLU(), nn.Conv2d(8, 3, 1)))})


@family(reach=POINTWISE, members=_MODULES, example=_example)
def modules(image: Image, network: Network, member: Member, **values: Scalar) -> Image:
    """Modules of another program, each imitated by a network of its own.

    image: the photo to change.
    network: the weights.

    A perceptron per pixel sees light in log2 and the sliders, and gives the change of light. Domain: any finite light;
    light at or below the network's floor is taken as that.
    """
    floor = member.constants.get("floor", 1e-4)
    light = [torch.log2(plane.clamp_min(floor)) / 8.0 for plane in planes(image)]
    numbers = (torch.as_tensor(number).to(light[0]).expand_as(light[0]) for number in _numbers(member, values))
    r, g, b = network(torch.cat([*light, *numbers], dim=1)).split(1, dim=1)
    return image + join(r, g, b, like=image)

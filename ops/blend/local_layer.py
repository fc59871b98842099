from typing import Annotated, NamedTuple

import torch
from torch import nn

from ...networks.abpn import GROUPS, BlendPyramid, certain
from ..example import Example
from ..params import BadValue, Choice
from ..reach import Arithmetic
from ..spec import operation
from ..types import Network, SmallPicture, weights


class LocalLayer(NamedTuple):
    layer: SmallPicture
    mask: SmallPicture


def of_a_pyramid(network: Network) -> Network:
    """A network that is a blend pyramid. Raises BadValue."""
    if not isinstance(network.module, BlendPyramid):
        raise BadValue(f"expected the weights of a blend pyramid; got those of a {type(network.module).__name__}")
    return network


def tiny() -> dict[str, Network]:
    """A blend pyramid for the laws: as small as can be, with nothing at rest."""
    module = BlendPyramid(0.01)
    for weight in module.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.1)
    nn.init.normal_(module.local.final.gated.weight, std=0.1)  # the half that draws is at rest
    nn.init.constant_(module.local.mask_head.bias, -1.9)  # type: ignore[arg-type]  # half certain, where it is steep
    return {"network": Network(module)}


@operation(reach=Arithmetic(), example=Example(sockets=tiny, scales=False))
def local_layer(
    small: SmallPicture,
    network: Annotated[Network, weights("abpn_small")],
    what: Annotated[str, Choice("all", *GROUPS)] = "all",
) -> LocalLayer:
    """Let a network look at the whole photo, small: where flaws are, and what to blend in there.

    small: the photo's codes as a small picture, at most 1024 px long.
    network: the weights of a blend pyramid; abpn_small unless wired.
    what: kinds of flaws to retouch.

    A mutual encoder, a branch that predicts where flaws of each group are, and a branch of local attentive modules that
    draws the layer with the mask in each. Domain: codes 0 to 1.
    Source: Lei et al., ABPN (CVPR 2022), local retouching layer; the masks of groups are ours.
    """
    chosen = torch.tensor([float(what in ("all", group)) for group in GROUPS], device=small.pixels.device)
    layer, masks = of_a_pyramid(network)("local", small.pixels, chosen)
    wanted = chosen.to(masks).view(1, -1, 1, 1)
    mask = certain(1.0 - (1.0 - masks * wanted).prod(dim=1, keepdim=True))
    return LocalLayer(SmallPicture(layer), SmallPicture(mask.expand_as(layer)))

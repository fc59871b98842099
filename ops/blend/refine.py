from typing import Annotated

from ...light.planes import join, stack
from ..composite import part, place
from ..example import Example
from ..frame import Frame
from ..pyramid import enlarged
from ..reach import COMPOSITE, halo
from ..spec import operation
from ..types import Image, Network, weights
from .local_layer import of_a_pyramid, tiny


@part(reach=halo(2))
def _refined(layer: Image, high: Image, network: Network) -> Image:
    """A layer refined by the detail of its level: two 3x3 convolutions."""
    red, green, blue = of_a_pyramid(network)("refinement", stack(layer), stack(high)).split(1, dim=1)
    return join(red, green, blue, like=layer)


@operation(reach=COMPOSITE, example=Example(sockets=tiny, scales=False))
def refine(high: Image, layer: Image, network: Annotated[Network, weights("abpn_small")], frame: Frame) -> Image:
    """Carry a blend layer up one level of the pyramid, along the detail of that level.

    high: the detail, from High frequencies.
    layer: the layer at half the size.
    network: the weights of a blend pyramid; abpn_small unless wired.

    The layer is enlarged, then refined by two convolutions of 3x3 (16 and 3 filters, leaky ReLU 0.2) with a way around
    them. Domain: any finite numbers. Source: Lei et al., ABPN (CVPR 2022), refining module.
    """
    wide = place(enlarged, layer, height=frame.full.height, width=frame.full.width)
    return place(_refined, wide, high, network)

from typing import Annotated, NamedTuple

from ...light.rectangle import Size
from ...networks.abpn import GROUPS
from ..blend.adaptive_blend import adaptive_blend
from ..blend.encoded import encoded
from ..blend.high_frequencies import high_frequencies
from ..blend.local_layer import local_layer, tiny
from ..blend.network_curve import network_curve
from ..blend.placed import placed
from ..blend.refine import refine
from ..composite import place
from ..example import Example
from ..frame import Frame
from ..geometry.halve import halve
from ..measure.small_picture import small_picture
from ..params import Choice, Count, Slider
from ..reach import COMPOSITE
from ..spec import operation
from ..types import Image, Mask, Network, Scalar, weights
from .apply_mask import apply_mask
from .small_mask import small_mask

SEEN = 1024
"""Most px that the long edge of the picture has which the network sees: at half of it spots on a face are gone."""


class Retouched(NamedTuple):
    image: Image
    mask: Mask
    layer: Image


def levels_for(size: Size) -> int:
    """How often a picture is halved until the network sees it whole."""
    return (-(-size.long_edge // SEEN) - 1).bit_length()


@operation(reach=COMPOSITE, example=Example(sockets=tiny, kinks=(0.0, 1.0), scales=False))
def local_retouch(
    image: Image,
    network: Annotated[Network, weights("abpn_small")],
    frame: Frame,
    limit: Mask | None = None,
    strength: Annotated[Scalar, Slider(0, 1)] = 1.0,
    what: Annotated[str, Choice("all", *GROUPS)] = "all",
    levels: Annotated[int, Count(0, 6)] = 0,
) -> Retouched:
    """Retouch flaws where they are, and nothing else: spots, wrinkles, shine, creases, stains, dust.

    image: the photo to retouch.
    network: the weights of a blend pyramid; abpn_small unless wired.
    limit: a mask outside which nothing is retouched.
    strength: how much of the retouch shows.
    what: kinds of flaws to retouch.
    levels: how often the photo is halved before the network looks at it; 0 halves it until its long edge is at most
        1024 px.

    The network finds flaws on a small picture and draws a layer that blends them away; the layer is refined level by level
    of a Laplacian pyramid up to full size, so that texture underneath stays. Gives the photo, the mask and the layer.
    Where the mask is 0 the photo stays as it is, to the bit. `luxgrad train abpn` makes weights of your own photos.
    Made of the operations of the family Blend. Domain: any finite light. Neutral: strength = 0.
    Source: Lei et al., Adaptive Blend Pyramid Network for Real-Time Local Retouching of Ultra High-Resolution Photos (2022).
    """
    codes = place(encoded, image)
    below, highs = codes, []
    for _ in range(levels or levels_for(frame.size)):
        smaller = place(halve, below)
        highs.append(place(high_frequencies, below, smaller))
        below = smaller
    layer, mask = place(local_layer, place(small_picture, below, long_edge=4096), network, what=what)
    layer = place(placed, below, layer)
    for high in reversed(highs):
        layer = place(refine, high, layer, network)
    mask = place(small_mask, image, mask, limit=limit)
    blended = place(adaptive_blend, image, layer, place(network_curve, network))
    return Retouched(place(apply_mask, image, blended, mask, opacity=strength), mask, layer)

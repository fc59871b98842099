from typing import Annotated

from ..example import Example
from ..reach import Arithmetic
from ..spec import operation
from ..types import BlendCurve, Network, weights
from .local_layer import of_a_pyramid, tiny


@operation(reach=Arithmetic(), example=Example(sockets=tiny))
def network_curve(network: Annotated[Network, weights("abpn_small")]) -> BlendCurve:
    """Take the blend curve that a network has learned.

    network: the weights of a blend pyramid; abpn_small unless wired.

    The six coefficients were learned with the layers that they blend. Source: Lei et al., ABPN (CVPR 2022).
    """
    return BlendCurve(*(value.view(1, 1, 1, 1) for value in of_a_pyramid(network)("coefficients").unbind()))

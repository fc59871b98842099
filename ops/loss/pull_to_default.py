from ..reach import Arithmetic
from ..spec import operation
from ..types import Distances, Loss


@operation(reach=Arithmetic())
def pull_to_default(distances: Distances) -> Loss:
    """How far the free sliders of a fit are from their defaults: keeps an edit gentle where the target says little.

    The mean square of (slider - default) in soft half ranges, so that all sliders count alike whatever their unit.
    """
    return distances.values.square().mean().reshape(1, 1, 1, 1)

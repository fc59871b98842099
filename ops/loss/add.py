from typing import Annotated

from ..params import Count
from ..reach import Arithmetic
from ..spec import operation
from ..types import Loss

Weight = Annotated[float, Count(0, 1e6, step=0.0001)]


@operation(reach=Arithmetic())
def add(one: Loss, two: Loss, weight_one: Weight = 1.0, weight_two: Weight = 1.0) -> Loss:
    """Two losses as one, each with its weight.

    one: the first loss.
    two: the second loss.
    weight_one: how much the first counts.
    weight_two: how much the second counts.
    """
    return weight_one * one + weight_two * two

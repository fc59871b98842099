from typing import Annotated

from luxgrad.light.planes import join, planes
from luxgrad.ops.params import Choice, Slider
from luxgrad.ops.reach import POINTWISE
from luxgrad.ops.spec import operation
from luxgrad.ops.types import Image, Scalar

_MODES = {
    "normal": lambda below, above: above,
    "multiply": lambda below, above: below * above,
    "screen": lambda below, above: below + above - below * above,
}


@operation(reach=POINTWISE)
def blend(
    below: Image,
    above: Image,
    opacity: Annotated[Scalar, Slider(0, 1)] = 1.0,
    mode: Annotated[str, Choice(*_MODES)] = "normal",
) -> Image:
    """Lay one photo over another.

    below: the photo that is covered.
    above: the photo that covers it, of the same size.
    opacity: how much of it shows.
    mode: how light meets: the upper photo alone, both multiplied, or both projected on one screen.

    In linear light. Domain: any finite light. Neutral: opacity = 0.
    """
    met = join(*(_MODES[mode](under, over) for under, over in zip(planes(below), planes(above))), like=below)
    return below + opacity * (met - below)

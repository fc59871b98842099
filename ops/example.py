"""What the laws try an operation on, where the ordinary draw will not do. Most operations say nothing here.

Ordinarily: random light of all kinds on a few pixels, sliders well inside their soft ranges, every other parameter at its
default, measured statistics, look-up tables and losses made up, networks not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ..light.rectangle import Size


@dataclass(frozen=True)
class Example:
    """An example of an operation at work, declared beside it.

    values: of counts, choices and switches, where the default does nothing or is not enough.
    sockets: called for what its small inputs (networks, tables, losses) hold, by name; a network may be tiny and random.
    size: its pictures are at least so large. light: makes the kind of picture that it is for out of random light (B3HW).
    kinks: values of light where its slope jumps; gradients are not compared with differences across them.
    scales: a proxy shows about what the full size shows; not so of a network whose kernels count px of whatever comes.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    sockets: Callable[[], Mapping[str, Any]] = dict
    size: Size = Size(1, 1)  # noqa: RUF009
    light: Callable[[Tensor], Tensor] | None = None
    kinks: tuple[float, ...] = ()
    scales: bool = True


ORDINARY = Example()

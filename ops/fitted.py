"""What a fit made that is no slider, as files named by what they hold, so that a workflow can name them."""

from __future__ import annotations

import hashlib

from ..networks.weights_file import WEIGHTS, weights_bytes
from .cube_text import cube_text
from .types import Lut, Network

Made = Lut | Network


def fitted_bytes(made: Made) -> bytes:
    """The file of a table or a network that a fit made."""
    if isinstance(made, Lut):
        return cube_text(made, "fitted by Luxgrad").encode()
    return weights_bytes({**made.constants, **made.weights}, made.about)


def fitted_name(made: Made) -> str:
    """The name by which a workflow's step finds it: of a file for a table, of weights for a network."""
    digest = hashlib.sha256(fitted_bytes(made)).hexdigest()[:16]
    return f"lut-{digest}.cube" if isinstance(made, Lut) else f"net-{digest}"


def fitted_file(made: Made, name: str) -> str:
    """The file in which it is kept beside the workflow."""
    return name if isinstance(made, Lut) else name + WEIGHTS

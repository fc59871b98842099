"""Look-up tables as the text of a .cube file, so that a graph can name its tables by what they hold.

Adobe Cube LUT Specification 1.0, and Resolve's variant for a 1D table before a cube. Red runs fastest in the file; in
memory the cube is indexed [r, g, b]. Nine digits hold float32 exactly.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .types import Lut


def cube_text(lut: Lut, title: str) -> str:
    """The text of a .cube file. With two tables the title is a comment, for OpenColorIO's sake. Raises ValueError."""
    name = "".join(letter for letter in title if letter.isprintable() and letter != '"')[:80]
    both = lut.curves is not None and lut.cube is not None
    lines = [f"# {name}" if both else f'TITLE "{name}"']
    if lut.curves is not None:
        lines.append(f"LUT_1D_SIZE {len(lut.curves)}")
        lines += _domain_lines(lut.curves_domain, "LUT_1D_INPUT_RANGE" if both else None)
    if lut.cube is not None:
        lines.append(f"LUT_3D_SIZE {len(lut.cube)}")
        lines += _domain_lines(lut.cube_domain, "LUT_3D_INPUT_RANGE" if both else None)
    tables = [] if lut.curves is None else [lut.curves]
    if lut.cube is not None:
        tables.append(lut.cube.permute(2, 1, 0, 3).reshape(-1, 3))
    lines += ("{:.9g} {:.9g} {:.9g}".format(*row) for row in torch.cat(tables).float().tolist())
    return "\n".join(lines) + "\n"


def _domain_lines(domain: Tensor, ranged: str | None) -> list[str]:
    low, high = domain.tolist()
    if ranged:
        if len({*low}) > 1 or len({*high}) > 1:
            raise ValueError("a .cube with two tables has one range for all channels")
        return [f"{ranged} {low[0]:.9g} {high[0]:.9g}"]
    if low == [0.0] * 3 and high == [1.0] * 3:
        return []
    return ["DOMAIN_MIN {:.9g} {:.9g} {:.9g}".format(*low), "DOMAIN_MAX {:.9g} {:.9g} {:.9g}".format(*high)]

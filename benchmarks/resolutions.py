"""The same photos with the same flaws at several resolutions, through the tiled executor."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ..light.rectangle import Size
from ..ops.local.local_retouch import levels_for
from ..ops.types import Network
from ..training.abpn.evaluate import Score, by_operation
from ..training.abpn.held_out import flawed, photo, smaller

EDGE = 4096
FACTORS = (8, 4, 2, 1)
Levels = Callable[[Size], int]
ABOUT = """## {photos} photos from 512 px to 4096 px

Photos of at least 3840 px, made smaller to 4096 px where they are larger, with flaws. The smaller ones are means of the
flawed picture's light, so that photos and flaws are the same at every size. Levels are the operation's own (the network
sees 1024 px, but 512 px of a photo of 512 px), or the paper's l = 1 to 4 (the network always sees about 256 px).
Seconds are of one picture, the network included.
"""


def usual(size: Size) -> int:
    return levels_for(size)


def paper(size: Size) -> int:
    """1 at 512 px to 4 at 4096 px: the network always sees about 256 px."""
    return levels_for(size.scaled(4.0))


def resolutions(network: Network, files: Sequence[Path], seed: int) -> list[str]:
    """The table: gains at each resolution, by the operation's own levels and by those of the paper."""
    lines = [ABOUT.format(photos=len(files))]
    if not files:
        return [*lines, "No photo is large enough.", ""]
    lines += [
        "| long edge | levels | sees, px | inside before, dB | gain, dB | outside, dB | mask IoU | seconds |",
        "|---" * 8 + "|",
    ]
    found: dict[tuple[int, str], tuple[Score, list[float], list[int]]] = {}
    with torch.no_grad():
        for number, file in enumerate(files):
            whole = flawed(photo(file, EDGE), seed + number)
            for factor in FACTORS:
                case = smaller(whole, factor)
                size = Size(*case.flawed.shape[1:])
                for name, choose in (("own", usual), ("paper's", paper)):
                    score, seconds, levels = found.setdefault((factor, name), (Score(), [], []))
                    start = time.perf_counter()
                    result = by_operation(network, choose(size))(case.flawed[None])
                    seconds.append(time.perf_counter() - start)
                    score.add(result, case)
                    levels.append(choose(size))
    gains: dict[str, list[float]] = {}
    for (factor, name), (score, seconds, levels) in sorted(found.items(), key=lambda entry: (entry[0][1], -entry[0][0])):
        row, edge = score.row(), EDGE // factor
        gains.setdefault(name, []).append(row["gain"])
        cells = [f"{edge}", f"{max(levels)} ({name})", f"{edge >> max(levels)}", f"{row['inside_before']:.2f}"]
        cells += [f"{row['gain']:+.2f}", f"{row['outside']:.1f}", f"{row['overlap']:.3f}", f"{sum(seconds) / len(seconds):.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    lost = ", ".join(f"{name} levels {values[0] - values[-1]:+.2f} dB" for name, values in gains.items())
    lines += ["", f"Gain lost from 512 px to 4096 px: {lost}; wanted: at most 0.3 dB.", ""]
    print("\n".join(lines), flush=True)
    return lines

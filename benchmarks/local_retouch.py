"""Local retouching on photos that were not learned from: px, flaws, resolutions, time and memory.

    LUXGRAD_DATA=FOLDER[:FOLDER...]    photos without flaws worth retouching that the network has not seen
    LUXGRAD_WEIGHTS=FILE.safetensors   of a blend pyramid (default: abpn_small, which has to ship for it)

The ablation is trained apart, by luxgrad.training.abpn.ablation; its table is taken over from benchmarks/results/ablation.md.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from PIL import Image

from ..networks.weights import WeightsError, load_network
from ..ops.types import Network
from ..training.abpn.evaluate import Score
from ..training.abpn.held_out import Case, cases, flawed, photo, surfaces
from ..training.abpn.instances import Tally
from ..training.abpn.report import Report, kinds_of, report
from .photos import RESULTS, machine, photo_files, write
from .resolutions import resolutions
from .retouch_speed import speed

EDGE = 1024
PER_PHOTO = 2
SURFACES = 24
WHOLE_RANGE = 3840
"""Long edge from which on a photo is large enough to be looked at from 512 px to 4096 px, nearly."""
LARGE = 8
SEED = 700_000

PIXELS = """## {photos} photos of {edge} px, {each} times each, and {surfaces} squares of skin and cloth

Through `local.local_retouch` in a graph. PSNR of sRGB codes inside the flaws (mask above 0.5: a tenth of a stop),
and outside (mask 0) beside what was there,
at most 100, where nothing is touched; means over pictures, the standard error of the mean gain, and the share of
pictures made worse by more than 0.1 dB. IoU of the mask where it shows by half, at the size of the picture. Without
flaws: the photos as they are. The classical ways learn nothing, and the threshold of their own mask is
best chosen after these very pictures. With the true mask they know what no way knows.
"""
FLAWS = """## Flaw by flaw: {count} instances

A prediction is a connected piece where a flaw is as probable as 0.3, a true instance a flaw, or flaws that touch; both
are compared on the picture that the network sees ({seen} px). Right is a prediction whose peak lies in the flaw, or
whose IoU with it is 0.3; in the second column by IoU alone. Average precision is the area under the precision-recall
curve, all points, as COCO has it. `training/abpn/instances.py` says it exactly.
"""
KINDS = """Of each kind, by the map of any flaw: what finds another kind is left out, what finds none counts against
every kind, so that rare kinds come off badly.
"""


def weights() -> tuple[str, Network]:
    """The network to judge, by LUXGRAD_WEIGHTS, and what it is called. Raises WeightsError."""
    name = os.environ.get("LUXGRAD_WEIGHTS", "")
    if not name:
        return "abpn_small", load_network("abpn_small")
    path = Path(name)
    network = load_network(path.stem, [path.parent])
    if network.sha256 != hashlib.sha256(path.read_bytes()).hexdigest():
        raise WeightsError(f"{path}: expected a name that no weights have that ship; call it otherwise")
    return f"{path.name} ({network.sha256[:12]})", network


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *(f"| {' | '.join(row)} |" for row in rows), ""]


def pictures(files: Sequence[Path]) -> Iterator[Case]:
    """Whole photos with flaws, twice each, and as they are; and surfaces made by formula with flaws."""
    clean = (flawed(photo(file, EDGE), SEED, count=0) for file in files)
    return chain(cases(files, EDGE, SEED, PER_PHOTO), clean, surfaces(SURFACES, EDGE, SEED))


def _pixels(name: str, score: Score) -> list[str]:
    row, gains = score.row(), score.gains()
    error = gains.std().item() / math.sqrt(len(gains))
    worse = 100.0 * (gains < -0.1).float().mean().item()
    cells = [
        f"{row['inside_before']:.2f}",
        f"{row['inside_after']:.2f}",
        f"{row['gain']:+.2f} +- {error:.2f}",
        f"{worse:.0f} %",
    ]
    cells += [f"{row['ssim_before']:.3f}", f"{row['ssim_after']:.3f}", f"{row['outside']:.1f}", f"{row['overlap']:.3f}"]
    same = sum(value >= 99.9 for value in score.untouched)
    return [name, *cells, f"{row['untouched']:.1f}", f"{same} of {len(score.untouched)}"]


def _flaws(name: str, found: Report) -> list[str]:
    flaws, strict = found.flaws, found.strict
    cells = [f"{flaws.precision():.3f}", f"{strict.precision():.3f}", f"{flaws.recall():.3f}"]
    return [name, *cells, str(len(flaws.right)), str(len(flaws.wrong))]


def _by_kind(flaws: Tally) -> list[list[str]]:
    return [
        [kind.replace("_", " "), str(flaws.count(kind)), f"{flaws.precision(kind):.3f}", f"{flaws.recall(kind):.3f}"]
        for kind in kinds_of(flaws)
    ]


def scores(network: Network, files: Sequence[Path]) -> list[str]:
    """Tables of px and of flaws, for the network and the classical ways."""
    reports = report(network, pictures(files))
    ours = reports["network"]
    heads = [
        "",
        "inside before, dB",
        "after",
        "gain",
        "worse by > 0.1",
        "SSIM inside before",
        "after",
        "outside, dB",
        "mask IoU",
    ]
    every = {name: found for name, found in reports.items() if not name.endswith(("network's mask", "true mask"))}
    lines = [
        PIXELS.format(photos=len(files), edge=EDGE, each=PER_PHOTO, surfaces=SURFACES),
        *table(
            [*heads, "without flaws, dB", "untouched to the bit"],
            [_pixels(name, found.score) for name, found in reports.items()],
        ),
        FLAWS.format(count=ours.flaws.count(), seen=EDGE // 2),
        *table(
            ["", "average precision", "by IoU alone", "recall", "right", "wrong"],
            [_flaws(name, found) for name, found in every.items()],
        ),
        "Of each group by its own map, where a flaw of another group is wrong:",
        "",
        *table(
            ["group", "instances", "average precision", "recall"],
            [
                [group, str(tally.count()), f"{tally.precision():.3f}", f"{tally.recall():.3f}"]
                for group, tally in ours.groups.items()
                if tally.count()
            ],
        ),
        KINDS,
        *table(["kind", "instances", "average precision", "recall"], _by_kind(ours.flaws)),
    ]
    print("\n".join(lines), flush=True)
    return lines


def ablation() -> list[str]:
    """The table of the ablation, where it was trained."""
    path = RESULTS / "ablation.md"
    if not path.exists():
        return ["The ablation has not been trained (`python -m luxgrad.training.abpn.ablation`).", ""]
    return [line.replace("# ", "## ", 1) if line.startswith("# ") else line for line in path.read_text("utf-8").splitlines()]


def large(files: Sequence[Path]) -> list[Path]:
    """Photos large enough for the table of resolutions."""
    return [file for file in files if max(Image.open(file).size) >= WHOLE_RANGE][:LARGE]


def run(_targets: int) -> None:
    """All tables."""
    name, network = weights()
    files = photo_files()
    lines = [
        "# Local retouching",
        "",
        f"{machine()}; weights {name}.",
        "",
        *scores(network, files),
        *resolutions(network, large(files), SEED),
        *speed(network),
        *ablation(),
    ]
    write("local_retouch.md", "\n".join(lines) + "\n")

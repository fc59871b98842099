"""Edits made by another program, outside our model: how close the sliders of one workflow come, honestly."""

from __future__ import annotations

import os
from pathlib import Path

from ..api import open_workflow
from ..files.decode import read_photo
from .photos import ROOT, machine, write

SECONDS = 20.0
NEUTRAL = {
    "Exposure.stops": 0.0,
    "White balance.kelvin": 6500.0,
    "White balance.tint": 0.0,
    "Contrast.amount": 0.0,
    "Saturation.vibrance": 0.0,
    "Vignette.amount": 0.0,
}


def folder() -> Path:
    """Where the pairs are: LUXGRAD_PAIRS, else the repository's own one."""
    return Path(os.environ.get("LUXGRAD_PAIRS") or ROOT / "workflows" / "photos")


def pairs() -> list[tuple[str, Path, Path]]:
    found = []
    for after in sorted(folder().glob("*_after.png")):
        found.append((after.stem.removesuffix("_after"), after.with_name(after.name.replace("_after", "_before")), after))
    for after in sorted(folder().glob("*_reference.png")):
        found.append((after.stem.removesuffix("_reference"), after.with_name(after.name.replace("_reference", "")), after))
    return found


def run(_targets: int) -> None:
    """Fit workflows/match_reference.json, from neutral, to every pair."""
    graph = open_workflow(ROOT / "workflows" / "match_reference.json", []).with_values(NEUTRAL)
    lines = [
        "# Edits made by RawTherapee",
        "",
        f"{machine()}; workflows/match_reference.json from neutral, {SECONDS:.0f} s allowed.",
        "",
    ]
    heads = ["pair", "PSNR before", "after", "Delta E before", "after", "95 % after", "seconds", "converged", "flat sliders"]
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, before, after in pairs():
        fitted = graph.fit({"Photo": read_photo(before)}, read_photo(after), seconds=SECONDS)
        start, end = fitted.pairs[0].before, fitted.pairs[0].after
        assert start is not None and end is not None  # noqa: PT018
        cells = [name, f"{start.psnr:.1f}", f"{end.psnr:.1f}", f"{start.delta_e:.2f}", f"{end.delta_e:.2f}"]
        cells += [f"{end.delta_e_95:.2f}", f"{fitted.seconds:.1f}", "yes" if fitted.converged else "no"]
        lines.append(f"| {' | '.join(cells)} | {sum(entry.flat for entry in fitted.free)} |")
        print(lines[-1], flush=True)
    write("pairs.md", "\n".join(lines) + "\n")

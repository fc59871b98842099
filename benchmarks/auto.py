"""Auto and the diagnoser on good photos, and on the same spoiled by our own operations, beside plainer ways and none.

A spoiled photo is written to 8-bit codes and read again before anybody looks at it: what was clipped is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import mean
from typing import NamedTuple

import torch
from torch import Tensor

from ..advice.asking import advise
from ..api import Graph
from ..graph.model import Ref, Step
from ..graph.ports import PORTS
from ..light.difference import Difference, compare
from ..light.gamut import to_display
from ..light.photo import Photo
from ..light.primaries import SRGB_TO_REC2020, mix
from ..light.transfer import srgb_decode
from ..ops.spec import REGISTRY
from .first_rules import first_rules
from .photos import machine, photo_files, photo_of, write

PIXELS = 40_000
SPOILED: dict[str, Mapping[str, float]] = {
    "untouched": {},
    "-2 EV": {"tone.exposure.stops": -2.0},
    "-1 EV": {"tone.exposure.stops": -1.0},
    "-0.5 EV": {"tone.exposure.stops": -0.5},
    "+0.7 EV": {"tone.exposure.stops": 0.7},
    "+1.5 EV": {"tone.exposure.stops": 1.5},
    "too warm (8500 K)": {"colour.white_balance.kelvin": 8500.0},
    "too cool (5000 K)": {"colour.white_balance.kelvin": 5000.0},
    "green (tint -30)": {"colour.white_balance.tint": -30.0},
    "magenta (tint 30)": {"colour.white_balance.tint": 30.0},
    "flat (contrast -0.3)": {"tone.contrast.amount": -0.3},
    "flat (contrast -0.6)": {"tone.contrast.amount": -0.6},
    "pale (saturation -0.7)": {"colour.saturation.amount": -0.7},
    "-1 EV, too warm": {"tone.exposure.stops": -1.0, "colour.white_balance.kelvin": 8500.0},
    "-1 EV, flat, too cool": {
        "tone.exposure.stops": -1.0, "colour.white_balance.kelvin": 5000.0, "tone.contrast.amount": -0.4,
    },
}  # fmt: skip
GRAPH = Graph({
    "photo": Step("photo", PORTS["luxgrad.load_photo"]),
    "save": Step("save", PORTS["luxgrad.save_photo"], links={"image": Ref("photo")}),
})  # fmt: skip
_WORSE = 1.0
_ADVISORS = ("auto", "diagnoser")


def spoiled(light: Tensor, values: Mapping[str, float]) -> Tensor:
    """A picture after some sliders, in 8-bit codes."""
    for path, value in values.items():
        op, _, name = path.rpartition(".")
        light = REGISTRY[op].function(light, **{name: value})
    return light_of((to_display(light) * 255.0 + 0.5).floor() / 255.0) if values else light


def light_of(codes: Tensor) -> Tensor:
    return torch.cat(mix(SRGB_TO_REC2020, *(srgb_decode(plane) for plane in codes.split(1, dim=1))), dim=1)


def advised(light: Tensor, advisor: str) -> Tensor:
    return Graph.of(advise(GRAPH, Photo(light), advisor).graph)(Photo(light)).pixels


def levels(light: Tensor) -> Tensor:
    """Plain auto-levels: codes between the darkest and the brightest half percent are stretched, all channels alike."""
    codes = to_display(light)
    low, high = codes.flatten().quantile(torch.tensor([0.005, 0.995])).tolist()
    return light_of(((codes - low) / max(high - low, 1e-3)).clamp(0.0, 1.0))


def grey_world(light: Tensor) -> Tensor:
    """Channels scaled so that their means are equal, at the same mean of all."""
    means = light.mean((-2, -1), keepdim=True).clamp_min(1e-6)
    return light * (means.mean(1, keepdim=True) / means)


WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "left alone": lambda light: light,
    "auto": partial(advised, advisor="auto"),
    "diagnoser": partial(advised, advisor="diagnoser"),
    "auto-levels": levels,
    "grey world": grey_world,
    "first rules": first_rules,
}


class Row(NamedTuple):
    """One way on one kind of photos: means over the photos, and how many were made worse or better by more than 1."""

    psnr: float
    delta_e: float
    worst: float
    worse: float
    better: float


def measured(photos: Sequence[Tensor], values: Mapping[str, float]) -> dict[str, Row]:
    found: dict[str, list[Difference]] = {name: [] for name in WAYS}
    for light in photos:
        bad = spoiled(light, values)
        for name, way in WAYS.items():
            found[name].append(compare(Photo(way(bad)), Photo(light)))
    alone = torch.tensor([difference.delta_e for difference in found["left alone"]])
    rows = {}
    for name, differences in found.items():
        delta = torch.tensor([difference.delta_e for difference in differences])
        psnr = torch.tensor([min(difference.psnr, 60.0) for difference in differences])
        more = delta - alone
        worse, better = (100.0 * side.float().mean().item() for side in (more > _WORSE, more < -_WORSE))
        rows[name] = Row(psnr.mean().item(), delta.mean().item(), more.max().item(), worse, better)
    return rows


def measure(photos: Sequence[Tensor]) -> dict[str, dict[str, Row]]:
    """Every way on every kind."""
    found = {}
    for kind, values in SPOILED.items():
        found[kind] = measured(photos, values)
        print(kind, *(f"{row.psnr:.1f} dB, {row.delta_e:.2f}" for row in found[kind].values()), sep=" | ", flush=True)
    return found


def table(name: str, found: Mapping[str, Mapping[str, Row]]) -> list[str]:
    heads = ["", *WAYS, *(f"{way}: worse, better by > 1; worst" for way in _ADVISORS)]
    lines = [f"## {name}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for kind, rows in found.items():
        cells = [_cell([rows[way]]) for way in WAYS]
        cells += [f"{rows[way].worse:.0f} %, {rows[way].better:.0f} %; {rows[way].worst:+.1f}" for way in _ADVISORS]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    spoiled_rows = [rows for kind, rows in found.items() if kind != "untouched"]
    cells = [_cell([rows[way] for rows in spoiled_rows]) for way in WAYS]
    return [*lines, f"| **mean of the spoiled** | {' | '.join(cells)} |{' |' * len(_ADVISORS)}", ""]


def _cell(rows: Sequence[Row]) -> str:
    return f"{mean(row.psnr for row in rows):.1f} dB, {mean(row.delta_e for row in rows):.2f}"


def run(_targets: int) -> None:
    """Every photo, untouched and spoiled."""
    files = photo_files()
    photos = [photo_of(path, PIXELS).pixels for path in files]
    lines = [
        "# Advisors: photos that are good, and the same ones spoiled",
        "",
        f"{machine()}; {len(photos)} photos of {PIXELS / 1e6:g} MP.",
        "PSNR (a photo left exactly as it was counts as 60 dB) and mean Delta E 2000 to the untouched photo; share of photos",
        "that an advisor brought further from it or nearer to it by more than 1 Delta E, and the greatest loss. *first rules*:",
        "auto before it weighed what it measures.",
        "",
        *table(f"{len(photos)} photos", measure(photos)),
    ]
    write("auto.md", "\n".join(lines))

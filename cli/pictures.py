"""`luxgrad info` and `luxgrad sheet`: commands on photos, without a workflow."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .. import api
from ..files.ahead import read_ahead
from ..files.decode import read_photo
from ..files.encode import depth_for
from ..files.info import Shot, exposure_line, photo_info
from ..files.sheet import Sheet, contact_sheet
from ..graph.errors import WorkflowError
from ..graph.schema import loads
from .problems import UsageError, problem_line
from .show import Bar, plain, table
from .workflow import refuse_inputs

_MOST_STEPS = 6


def info(options: argparse.Namespace) -> None:
    """What photo files say of themselves, without decoding them."""
    found: list[dict[str, Any]] = []
    problems: list[str] = []
    for name in options.files:
        try:
            found.append({**photo_info(Path(name)), "steps": None})
            found[-1]["steps"] = _steps(found[-1]["workflow"])
            found[-1]["workflow"] = sorted(found[-1]["workflow"])
        except Exception as error:
            line = problem_line(error)
            if line is None:
                raise
            problems.append(line)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n\n".join(_shown(facts) for facts in found), end="\n" if found else "")
    if problems:
        more = f" (and {len(problems) - 1} more of {len(options.files)} files)" if len(problems) > 1 else ""
        raise UsageError(problems[0] + more)


def _steps(workflow: dict[str, str]) -> list[str] | None:
    """The nodes of an embedded workflow; None where there is none, empty where it cannot be read here."""
    if not workflow:
        return None
    try:
        return [step.title or step.spec.id for step in loads(workflow.get("prompt") or workflow["workflow"])]
    except WorkflowError:
        return []


def _shown(facts: dict[str, Any]) -> str:
    rows = [
        ("size", f"{facts['width']} x {facts['height']} px, {facts['width'] * facts['height'] / 1e6:.1f} MP, {_bytes(facts)}"),
        ("format", _format(facts)),
        ("colour", facts["colour"]),
        ("light", facts["light"]),
        ("orientation", "upright" if facts["orientation"] == 1 else f"{facts['orientation']}, turned upright when opened"),
        ("camera", facts["camera"]),
        ("lens", facts["lens"]),
        ("exposure", exposure_line(Shot(*(facts[name] for name in Shot._fields)))),
        ("date", facts["date"]),
        ("artist", facts["artist"]),
        ("copyright", facts["copyright"]),
        ("location", _location(facts["location"])),
        ("workflow", _workflow(facts["steps"])),
        ("metadata", _metadata(facts)),
    ]
    return plain(facts["file"]) + "\n" + table([("  " + name, plain(str(text))) for name, text in rows if text])


def _bytes(facts: dict[str, Any]) -> str:
    count = facts["bytes"]
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def _format(facts: dict[str, Any]) -> str:
    kind = "float" if facts["light"] == "scene" and facts["bits"] in (16, 32) and "float" in facts["kind"] else "bits"
    depth = f"{facts['bits']}-bit float" if kind == "float" else f"{facts['bits']} bits"
    frames = f", {facts['frames']} frames" if facts["frames"] > 1 else ""
    return f"{facts['format']}, {depth}, {_CHANNELS.get(facts['channels'], str(facts['channels']) + ' channels')}{frames}"


_CHANNELS = {1: "grey", 2: "grey with alpha", 3: "colour", 4: "colour and a fourth channel"}


def _location(place: dict[str, float] | None) -> str:
    if place is None:
        return "none"
    if not {"latitude", "longitude"} <= place.keys():
        return "said in part"
    north, east = place["latitude"], place["longitude"]
    text = f"{abs(north):.5f} {'N' if north >= 0 else 'S'}, {abs(east):.5f} {'E' if east >= 0 else 'W'}"
    return text + (f", {place['altitude']:.0f} m" if "altitude" in place else "")


def _workflow(steps: list[str] | None) -> str:
    if steps is None:
        return "none"
    if not steps:
        return "yes, with steps that are not known here"
    shown = ", ".join(steps[:_MOST_STEPS]) + (", ..." if len(steps) > _MOST_STEPS else "")
    return f"{len(steps)} steps: {shown}"


def _metadata(facts: dict[str, Any]) -> str:
    if facts["xmp_refused"]:
        return f"XMP refused: {facts['xmp_refused']}"
    kinds = [name for name, there in (("EXIF", facts["exif"]), ("XMP", facts["xmp"])) if there]
    return ", ".join(kinds) or "none"


def sheet(options: argparse.Namespace) -> None:
    """Many photos on one picture."""
    out, files = Path(options.out), [Path(name) for name in options.files]
    refuse_inputs([out], files)
    depth_for(out)
    if out.exists() and not options.force:
        raise UsageError(f"{out}: it exists already; --force replaces it")
    for name, low, high in (("columns", 0, 100), ("cell", 32, 4096), ("gap", 0, 400), ("background", 0, 100)):
        if not low <= getattr(options, name) <= high:
            raise UsageError(f"--{name}: expected {low} to {high}; got {getattr(options, name)}")
    layout = Sheet(options.columns, options.cell, options.gap, options.background, options.captions != "none")
    layout.size(len(files))
    numbered = (str(number) for number in range(1, len(files) + 1))
    captions = [plain(path.name) for path in files] if options.captions == "file name" else list(numbered)

    def cell(path: Path):
        photo = read_photo(path, develop="half")
        return photo.reduced(photo.size.scaled(layout.scale_for(photo.size)))

    with Bar("sheet") as bar:
        photos = (photo() for _, photo in read_ahead(files, cell))
        made = contact_sheet(photos, captions, layout, lambda number: bar.tiles(number, len(files)))
    api.save(made, out, force=options.force)
    print(plain(f"{out}: {len(files)} photos, {made.size}"))

"""Damaged photos of every format: each is read, or refused in one line; nothing else may happen.

Files are made from small good ones by seeded damage. They are read in a process that may die: what kills it or hangs it is
counted against us, named with its seed, and kept.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..api import save
from ..files.decode import read_photo
from ..files.errors import FileError
from ..files.formats.registry import FORMATS
from ..graph.schema import from_data
from ..light.photo import Photo
from ..tests.files.raws import counts, dng
from .photos import ROOT, machine, write

FILES = 2400
_SECONDS = 40.0
_MEGAPIXELS = "40"
_EDGE = 24
_MAGIC = 12
_EXTREMES = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 0x10000)


def samples(folder: Path) -> list[Path]:
    """Small good files: every depth of every format that we write, a raw file, and HEIC where its package is installed.

    They carry a profile, EXIF and a workflow; LUXGRAD_RAW names a folder with more of them.
    """
    ramp = torch.linspace(0.0, 1.0, _EDGE * _EDGE * 3).view(1, 3, _EDGE, _EDGE)
    metadata = read_photo(ROOT / "workflows" / "photos" / "lake.jpg").metadata
    photo = Photo(ramp, alpha=ramp[:, :1], metadata=metadata)
    graph = from_data({"photo": {"class_type": "luxgrad.load_photo", "inputs": {}}})
    found = [dng(folder / "RAW_16.dng", counts(np.full((64, 64, 3), 0.4))), *_heic(folder / "HEIC_8.heic")]
    for form in FORMATS:
        for depth in form.depths:
            found.append(folder / f"{form.name.replace(' ', '_')}_{depth}{form.endings[0]}")
            save(photo, found[-1], depth=depth, workflow=graph)
    raws = os.environ.get("LUXGRAD_RAW")
    return found + (sorted(path for path in Path(raws).iterdir() if path.is_file()) if raws else [])


def _heic(path: Path) -> list[Path]:
    if importlib.util.find_spec("pillow_heif") is None:
        return []
    import pillow_heif

    pillow_heif.from_pillow(Image.linear_gradient("L").convert("RGB").resize((64, 64))).save(path)
    return [path]


def damaged(data: bytes, other: bytes, seed: int) -> bytes:
    """A good file, damaged in one or two ways, often near its beginning, where the structure is; its first bytes stay."""
    chance = random.Random(seed)
    body = bytearray(data)
    for _ in range(chance.choice((1, 1, 2))):
        most = len(body) if chance.random() < 0.5 else min(len(body), 700)
        at = chance.randrange(min(_MAGIC, most - 1), most)
        match chance.randrange(7):
            case 0:
                del body[at:]
            case 1:
                for _ in range(chance.randint(1, 6)):
                    body[chance.randrange(at, len(body))] ^= 1 << chance.randrange(8)
            case 2:
                order = chance.choice(("little", "big"))
                body[at : at + 4] = chance.choice(_EXTREMES).to_bytes(4, order)  # type: ignore[arg-type]
            case 3:
                del body[at : at + chance.randint(1, 60)]
            case 4:
                body[at:at] = body[at : at + chance.randint(1, 200)]
            case 5:
                body[at : at + chance.randint(1, 200)] = bytes(chance.randint(1, 200))
            case _:
                body[at:] = other[min(at, len(other)) :]
        if len(body) <= _MAGIC:
            break
    return bytes(body)


def outcome(path: Path) -> str:
    """`read`, or `refused: why`; anything else that happens is a fault and is raised."""
    try:
        read_photo(path)
    except FileError as error:
        text = str(error)
        if "\n" in text or path.name not in text:
            raise AssertionError(text) from None
        return "refused: " + text.split(f"{path}: ", 1)[-1]
    return "read"


def serve() -> None:
    """The process that may die: reads the names of files, one a line, and says what happened to each."""
    for line in sys.stdin:
        try:
            answer = outcome(Path(line.rstrip("\n")))
        except BaseException as error:
            answer = f"FAULT: {type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


def read_all(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """What happens to each file, in processes that are replaced when they die or hang."""
    child = None
    for path in paths:
        child = child or _process()
        assert child.stdin is not None
        assert child.stdout is not None
        clock = threading.Timer(_SECONDS, child.kill)
        clock.start()
        child.stdin.write(f"{path}\n")
        child.stdin.flush()
        line = child.stdout.readline()
        hung = not clock.is_alive()
        clock.cancel()
        if line:
            yield path, json.loads(line)
            continue
        code, child = _ended(child), None
        yield path, "FAULT: hung" if hung else f"FAULT: died with {code}"
    if child is not None:
        _ended(child)


def _ended(child: subprocess.Popen[str]) -> int:
    with child:
        assert child.stdin is not None
        child.stdin.close()
    return child.returncode


def _process() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from luxgrad.benchmarks.fuzz import serve; serve()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "LUXGRAD_MOST_MEGAPIXELS": _MEGAPIXELS},
    )


def damaged_files(folder: Path, good: list[Path], count: int, first_seed: int = 0) -> Iterator[Path]:
    """So many damaged files in turn of every good one; each is made when it is asked for."""
    data = [path.read_bytes() for path in good]
    for seed in range(first_seed, first_seed + count):
        which = seed % len(good)
        other = data[random.Random(seed).randrange(len(data))]
        path = folder / f"{seed}_{good[which].name}"
        path.write_bytes(damaged(data[which], other, seed))
        yield path


def run(_targets: int) -> None:
    """Damaged files of every format, and what became of them."""
    table: dict[str, Counter[str]] = {}
    faults = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = samples(folder)
        assert all(answer == "read" for path, answer in read_all(good) if path.stat().st_size), "a good file was refused"
        for path, answer in read_all(damaged_files(folder, good, FILES)):
            kind = path.stem.split("_", 1)[1]
            table.setdefault(kind, Counter())[answer.split(":")[0]] += 1
            if answer.startswith("FAULT"):
                faults.append(f"{path.name}: {answer}")
                print(faults[-1], flush=True)
                (ROOT / "out").mkdir(exist_ok=True)
                path.rename(ROOT / "out" / path.name)
            else:
                path.unlink()
    lines = [
        f"# {FILES} damaged photos", "", machine(), "",
        "| format | damaged files | read all the same | refused in one line | faults |", "|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [f"| {kind} | {sum(c.values())} | {c['read']} | {c['refused']} | {c['FAULT']} |" for kind, c in table.items()]
    lines += ["", *faults]
    write("fuzz.md", "\n".join(lines).rstrip() + "\n")

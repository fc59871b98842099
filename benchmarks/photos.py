"""The photos of a benchmark run, and where its tables go."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from ..files.decode import read_photo
from ..light.photo import Photo

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def folders() -> list[Path]:
    """The folders of photos: LUXGRAD_DATA, else the repository's own."""
    return [Path(name) for name in os.environ.get("LUXGRAD_DATA", "").split(os.pathsep) if name] or [
        ROOT / "workflows" / "photos"
    ]


def photo_files() -> list[Path]:
    files = sorted(path for folder in folders() for path in folder.iterdir())
    return [path for path in files if path.suffix.lower() in _ENDINGS and "reference" not in path.stem]


def photo_of(path: Path, pixels: int) -> Photo:
    """A photo of at most so many px, as a float picture."""
    photo = read_photo(path)
    small = photo.reduced(photo.size.scaled(min(1.0, (pixels / photo.size.pixels) ** 0.5)))
    return Photo(small.pixels)


def machine() -> str:
    """One line about what the figures were measured on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    threads = torch.get_num_threads()
    return f"{platform.processor() or platform.machine()}, {threads} threads, {device}, torch {torch.__version__}"


def write(name: str, text: str) -> None:
    """Keep a table, and show it."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / name).write_text(text, encoding="utf-8")
    print(text, flush=True)

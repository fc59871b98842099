"""Camera raw beside LibRaw's own rendering, darktable and RawTherapee: the same files, camera white balance, no tone curve."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..api import load
from ..light.difference import delta_e_2000
from ..light.photo import Photo
from ..light.primaries import REC2020_TO_SRGB, REC2020_TO_XYZ, SRGB_TO_REC2020, mix
from ..light.rectangle import Size
from ..light.spaces import to_lab
from .photos import machine, write

_EDGE = 500
_HEADS = ("file", "MP", "seconds", "half", "LibRaw", "95 %", "darktable", "95 %", "RawTherapee", "95 %")
_NEUTRAL = """[White Balance]
Enabled=true
Setting=Camera
[Color Management]
InputProfile=(camera)
ToneCurve=false
ApplyLookTable=false
ApplyBaselineExposureOffset=false
ApplyHueSatMap=false
OutputProfile=RTv4_sRGB
[HLRecovery]
Enabled=false
"""
_DARKTABLE = (
    *("--icc-type", "LIN_REC2020", "--apply-custom-presets", "0", "--core", "--library", ":memory:"),
    *("--conf", "plugins/darkroom/workflow=none", "--conf", "plugins/imageio/format/tiff/bpp=32"),
)


def files() -> list[Path]:
    folder = os.environ.get("LUXGRAD_RAWS", "")
    return sorted(path for path in Path(folder).iterdir() if path.suffix.lower() == ".dng") if folder else []


def run(_targets: int) -> None:
    """Mean Delta E 2000 after one fitted factor of exposure, on reduced pictures without what is clipped in either."""
    lines = [
        "# Camera raw beside other programs",
        "",
        f"{machine()}; as shot, full size, whole file to light, in a process of its own. Delta E 2000, mean and 95 %, at "
        f"{_EDGE} px after one fitted factor of exposure, where nothing is clipped. none: absent, or does not read it.",
        "",
        f"| {' | '.join(_HEADS)} |",
        "|---" * len(_HEADS) + "|",
    ]
    for path in files():
        start = time.perf_counter()
        ours = load(path)
        seconds = time.perf_counter() - start
        load(path, develop="half")
        half = time.perf_counter() - start - seconds
        cells = [path.stem, f"{ours.size.pixels / 1e6:.1f}", f"{seconds:.2f}", f"{half:.2f}"]
        for peer in (by_libraw, by_darktable, by_rawtherapee):
            theirs = peer(path)
            cells += ["none", ""] if theirs is None else [f"{value:.2f}" for value in _either_way(ours, theirs)]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    lines += [
        "",
        "RawTherapee takes the black level of synthetic_xtrans as 0; that scene is known, and our light is within 0.3 % of it.",
    ]
    if not files():
        print("skipped: LUXGRAD_RAWS names no folder of DNGs")
    else:
        write("raw.md", "\n".join(lines) + "\n")


def _either_way(ours: Photo, theirs: Photo) -> tuple[float, float]:
    """The difference after undoing that RawTherapee does not mirror what a file says is mirrored."""
    return min(difference(ours, theirs), difference(ours, Photo(theirs.pixels.flip(-1))))


def difference(ours: Photo, theirs: Photo) -> tuple[float, float]:
    """Mean and 95 % CIEDE2000 of two renderings, which may differ by a border and by exposure."""
    one, two = (_reduced(photo, min(ours.size, theirs.size, key=lambda size: size.pixels)) for photo in (ours, theirs))
    inside = (_most(two) < 0.98) & (_most(one) < 0.98) & (_least(two) > 0.002)
    factor = (one * two)[inside.expand_as(one)].sum() / (two * two)[inside.expand_as(two)].sum()
    grey = 0.18 / _luminance(one)[inside].mean()
    labs = (to_lab(*(picture * grey).split(1, dim=1)) for picture in (one, two * factor))
    apart = delta_e_2000(*labs)[inside]
    return apart.mean().item(), apart.quantile(0.95).item()


def _reduced(photo: Photo, size: Size) -> Tensor:
    """The middle of a picture, of a size, on a grid of `_EDGE` px."""
    top, left = (photo.size.height - size.height) // 2, (photo.size.width - size.width) // 2
    middle = photo.pixels[:, :, top : top + size.height, left : left + size.width].clone()
    return Photo(middle).reduced(size.scaled(min(1.0, _EDGE / size.long_edge))).pixels.double()


def _rgb(picture: Tensor) -> Tensor:
    return torch.cat(mix(REC2020_TO_SRGB, *picture.split(1, dim=1)), dim=1)


def _most(picture: Tensor) -> Tensor:
    return _rgb(picture).amax(dim=1, keepdim=True)


def _least(picture: Tensor) -> Tensor:
    return _rgb(picture).amin(dim=1, keepdim=True)


def _luminance(picture: Tensor) -> Tensor:
    return mix(REC2020_TO_XYZ, *picture.split(1, dim=1))[1]


def by_libraw(path: Path) -> Photo | None:
    """LibRaw's own conversion to linear sRGB, clipped at 0 and 1 as it is."""
    import rawpy

    with rawpy.imread(str(path)) as raw:
        codes = raw.postprocess(
            gamma=(1, 1), no_auto_bright=True, adjust_maximum_thr=0.0, use_camera_wb=True, output_bps=16
        )  # fmt: skip
    light = torch.from_numpy(codes.astype("float32") / 65535.0).permute(2, 0, 1)[None]
    return Photo(torch.cat(mix(SRGB_TO_REC2020, *light.split(1, dim=1)), dim=1))


def by_darktable(path: Path) -> Photo | None:
    return _by_program(
        "darktable-cli", lambda folder: [str(path), str(folder / "out.tif"), *_DARKTABLE, "--configdir", str(folder)]
    )


def by_rawtherapee(path: Path) -> Photo | None:
    def options(folder: Path) -> list[str]:
        (folder / "neutral.pp3").write_text(_NEUTRAL)
        profile = str(folder / "neutral.pp3")
        return ["-o", str(folder / "out.tif"), "-p", profile, "-b16", "-t", "-Y", "-c", str(path)]

    return _by_program("rawtherapee-cli", options)


def _by_program(name: str, options: Callable[[Path], list[str]]) -> Photo | None:
    """What a program makes of a file; None where it is not installed or does not read it."""
    if shutil.which(name) is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([name, *options(Path(folder))], capture_output=True, timeout=300)
        made = Path(folder) / "out.tif"
        return Photo(load(made).pixels) if made.exists() else None

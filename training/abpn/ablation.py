"""The ablations of the paper (Lei et al. 2022, table 2), each trained for the same seconds on the same examples: order only.

    python -m luxgrad.training.abpn.ablation PHOTOS [PHOTOS ...] --minutes-each 4 --out FILE.md [--work FOLDER]

PHOTOS as for `small`, and the same examples: those kept in the folder --work are used. Minutes are of the processor, not of the
clock, whatever else runs. What was trained there already is not trained again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...networks.abpn import GROUPS, BlendPyramid, LocalAttentive, Refinement
from .data import Example, Kept, Source, Synthetic
from .evaluate import Found, Score
from .forward import forward
from .small import CONFIG, COUNT, EDGE, KEPT, PROCEDURAL, examples, grounds, load, photo_files
from .train import Config, train

ADDITION = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SOFT_LIGHT = (0.0, 2.0, -2.0, 0.0, 1.0, 0.0)
"""As Pegtop has it, with the layer counted from its neutral 0.5: a layer of 0 changes nothing."""
DIRECT = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""The layer is the result."""
CROP = 256
SCALE = 0.1
"""Smaller crops and narrower networks than those of `small`: more steps in the same time."""
_TESTS = 48


class Everywhere(nn.Module):
    """In place of the mask branch: a flaw of every group at every pixel."""

    def forward(self, features: Tensor) -> Tensor:
        return features.new_full((len(features), len(GROUPS), *features.shape[2:]), 40.0)


class Enlarged(nn.Module):
    """In place of the refinement: the layer as it was enlarged."""

    def forward(self, layer: Tensor, high: Tensor) -> Tensor:
        return layer


class Plain(nn.Module):
    """In place of a local attentive module: a convolution of (features, skip) without gate and mask."""

    def __init__(self, block: LocalAttentive) -> None:
        super().__init__()
        last = block.keep is None
        self.conv = nn.Conv2d(block.gated.in_channels - 1, block.gated.out_channels // 2, 3, 1, 1, bias=last)
        self.norm = nn.Identity() if last else nn.BatchNorm2d(self.conv.out_channels)
        self.last = last
        if last:
            nn.init.zeros_(self.conv.weight)
            nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, skip: Tensor, mask: Tensor) -> Tensor:
        found = self.norm(self.conv(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skip.to(x)], dim=1)))
        return found if self.last else F.leaky_relu(found, 0.2)


class Convolved(BlendPyramid):
    """In place of six coefficients: two convolutions of (codes, layer) with a way around them."""

    def __init__(self, scale: float) -> None:
        super().__init__(scale)
        self.mixed = Refinement()

    def blended(self, codes: Tensor, layer: Tensor) -> Tensor:
        return self.mixed(codes, layer)


def without_mask(scale: float) -> BlendPyramid:
    module = BlendPyramid(scale)
    module.local.mask_ups, module.local.mask_head = nn.ModuleList(), Everywhere()  # type: ignore[assignment]
    return module


def without_attention(scale: float) -> BlendPyramid:
    module = BlendPyramid(scale)
    local = module.local
    local.blocks = nn.ModuleList(Plain(block) for block in local.blocks if isinstance(block, LocalAttentive))
    local.final = Plain(local.final)  # type: ignore[assignment]
    return module


def without_refinement(scale: float) -> BlendPyramid:
    module = BlendPyramid(scale)
    module.refinement = Enlarged()  # type: ignore[assignment]
    return module


def fixed(coefficients: Sequence[float]) -> Callable[[float], BlendPyramid]:
    """A blend that is not learned."""

    def make(scale: float) -> BlendPyramid:
        module = BlendPyramid(scale)
        del module.coefficients
        module.register_buffer("coefficients", torch.tensor(coefficients))
        return module

    return make


VARIANTS: dict[str, Callable[[float], BlendPyramid]] = {
    "full": BlendPyramid,
    "without the mask branch (MPB)": without_mask,
    "without attention (LAM): plain convolutions": without_attention,
    "without refinement (RM)": without_refinement,
    "blend: direct RGB": fixed(DIRECT),
    "blend: addition": fixed(ADDITION),
    "blend: soft light": fixed(SOFT_LIGHT),
    "blend: convolutions": Convolved,
}


def folder_of(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def trained(name: str, config: Config, source: Source, work: Path) -> tuple[BlendPyramid, int]:
    """A variant, and how many steps it took."""
    folder = work / folder_of(name)
    module = train(config, source, folder, workers=0, make=VARIANTS[name], clock=time.process_time)
    return module, json.loads((folder / "state.json").read_text(encoding="utf-8"))["step"]


COLUMNS = {
    "blend alone: gain inside, dB": ("blend", "gain", "+.2f"),
    "outside, dB": ("blend", "outside", ".1f"),
    "within its mask: gain inside, dB": ("whole", "gain", "+.2f"),
    "outside it, dB": ("whole", "outside", ".1f"),
    "no flaws, dB": ("whole", "untouched", ".1f"),
    "mask IoU": ("whole", "overlap", ".3f"),
}
HEAD = ["variant", *COLUMNS, "million weights", "steps"]
ABOUT = """# Ablation of the blend pyramid

Each variant trained from nothing for {seconds:.0f} s of one core, with the same seed and the same examples: half the
width of abpn_small, crops of {crop} px. PSNR of codes on {tests} held-out examples of {edge} px, beside doing nothing.
*Blend alone*: the layer blended in everywhere, without the mask at the end. The paper's variants (Lei et al. 2022,
table 2) had days. So short a training of one seed shows what helps at the very beginning of learning, not where it
ends, and ranks nothing that lies within a few tenths of a dB.
"""


def line(name: str, module: BlendPyramid, steps: int, levels: int, tests: Sequence[Example]) -> str:
    """A row of the table."""
    blend, whole = Score(), Score()
    with torch.no_grad():
        for example in tests:
            found = forward(module, example.flawed[None], levels)
            blend.add(Found(found.results[0], found.mask, found.masks), example)
            whole.add(Found(found.retouched, found.mask, found.masks), example)
    rows = {"blend": blend.row(), "whole": whole.row()}
    cells = [format(rows[way][key], form) if key in rows[way] else "-" for way, key, form in COLUMNS.values()]
    weights = sum(weight.numel() for weight in module.parameters())
    return f"| {' | '.join([name, *cells, f'{weights / 1e6:.2f}', str(steps)])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--minutes-each", type=float, default=4.0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("out") / "ablation")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    seen, held = photo_files(options.photos)
    config = replace(CONFIG, scale=SCALE, minutes=options.minutes_each)
    source = Synthetic(grounds(load(seen), 1, PROCEDURAL), EDGE, config.seed, count=COUNT)
    kept = Kept(source, KEPT, options.work / "examples.bin", CROP)
    tests = examples(grounds(load(held), 1_000_001, len(held) // 2), seed=1, count=_TESTS)
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    for name in VARIANTS:
        module, steps = trained(name, config, kept, options.work)
        lines.append(line(name, module, steps, config.levels, tests))
        print(lines[-1], flush=True)
        about = ABOUT.format(seconds=60.0 * options.minutes_each, tests=len(tests), edge=EDGE, crop=CROP)
        options.out.write_text("\n".join([about, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

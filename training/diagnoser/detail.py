"""The part of the diagnoser that knows the finest pixels: noise and softness, on crops of photos at full size."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from ...advice.fine import AMOUNTS, CROP, CROPS, sharpened
from ...advice.statistics import fine_statistics, light_of
from ...files.decode import read_photo
from ...light.photo import Photo
from ...light.rectangle import Region
from ...networks.diagnoser import Detail
from ...ops.spec import REGISTRY
from .spoiling import coded

NOISE, SOFT = (0.012, 0.06), (0.7, 2.4)
"""Standard deviation of noise in a middle tone, in codes; of softness in px."""

_SHARE = 0.35
_RATE, _DECAY = 3e-3, 0.02


class DetailExamples(NamedTuple):
    """statistics (N,FINE), faults (N,2: noise, softness), amounts (N,2: noise in % of white, best sharpening). photo (N,)."""

    statistics: Tensor
    faults: Tensor
    amounts: Tensor
    photo: Tensor


def kept(files: Sequence[Path], count: int, seed: int, folder: Path, name: str) -> DetailExamples:
    """Examples of some photos, read from the folder where they are there already."""
    path = folder / f"{name}_detail.safetensors"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        photos = [read_photo(file) for file in files]
        draws = [random.Random(seed * 1_000_003 + number) for number in range(count)]
        rows = [(*_made(photos[i % len(photos)], draw), torch.tensor(i % len(photos))) for i, draw in enumerate(draws)]
        made = DetailExamples(*(torch.stack(tensors) for tensors in zip(*rows)))
        save_file({key: value.contiguous() for key, value in made._asdict().items()}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
    held = load_file(path)
    return DetailExamples(*(held[field] for field in DetailExamples._fields))


def _made(photo: Photo, draw: random.Random) -> tuple[Tensor, Tensor, Tensor]:
    """Crops of a photo, perhaps noisy and perhaps soft, and toned at random so that tones say nothing."""
    if photo.size.long_edge > 1500 and draw.random() < 0.4:
        photo = photo.reduced(photo.size.scaled(draw.uniform(0.3, 0.7)))
    light = torch.cat([photo.read(_anywhere(photo, draw)) for _ in range(CROPS)])[:, :3].float()
    if draw.random() < 0.6:
        light = REGISTRY["tone.exposure"].function(light, draw.uniform(-1.5, 0.7))
        light = REGISTRY["tone.contrast"].function(light, draw.uniform(-0.4, 0.4))
    noisy, soft = draw.random() < _SHARE, draw.random() < _SHARE
    clean = light_of(coded(light))
    sigma, blur = draw.uniform(*NOISE) if noisy else 0.0, draw.uniform(*SOFT) if soft else 0.0
    codes = coded(light_of(_noise(coded(_softened(clean, blur, draw)), sigma, draw)))
    best = _best_sharpening(codes[:1], clean[:1]) if soft else 0.0
    faults = torch.tensor([float(noisy), float(soft)])
    return fine_statistics(codes)[0], faults, torch.tensor([100.0 * sigma, best])


def _anywhere(photo: Photo, draw: random.Random) -> Region:
    height, width = (min(CROP, edge) // 8 * 8 for edge in photo.size)
    return Region(draw.randint(0, photo.size.height - height), draw.randint(0, photo.size.width - width), height, width)


def _softened(light: Tensor, blur: float, draw: random.Random) -> Tensor:
    """Softness of a lens (a bell), or of the focus (a disc), of a standard deviation in px."""
    if not blur:
        return light
    reach = 3 * round(blur + 1.0)
    y, x = torch.meshgrid(*[torch.arange(-reach, reach + 1).float()] * 2, indexing="ij")
    square = x * x + y * y
    disc = torch.sigmoid(2.0 * (2.0 * blur - square.sqrt()))
    kernel = torch.exp(-0.5 * square / (blur * blur)) if draw.random() < 0.5 else disc
    kernel = (kernel / kernel.sum()).expand(3, 1, -1, -1)
    return F.conv2d(F.pad(light, [reach] * 4, mode="replicate"), kernel, groups=3)


def _noise(codes: Tensor, sigma: float, draw: random.Random) -> Tensor:
    """Noise of light and of reading, coloured as raw converters leave it, sometimes smoothed as cameras do."""
    if not sigma:
        return codes
    random_light = torch.Generator().manual_seed(draw.randrange(1 << 30))
    grains = torch.randn(codes.shape, generator=random_light)
    grey = torch.randn(codes.shape[0], 1, *codes.shape[2:], generator=random_light)
    grains = 0.6 * grains + 0.8 * grey
    if draw.random() < 0.35:
        grains = F.avg_pool2d(F.pad(grains, (1, 1, 1, 1), mode="replicate"), 3, 1)
        grains = grains / grains.std()
    return (codes + sigma * grains * (0.5 + codes).sqrt()).clamp(0.0, 1.0)


def _best_sharpening(codes: Tensor, clean: Tensor) -> float:
    """The amount of sharpening that brings soft codes nearest to the sharp light."""
    light = light_of(codes)
    far = [(coded(sharpened(light, amount)) - coded(clean)).square().mean().item() for amount in AMOUNTS]
    return AMOUNTS[min(range(len(far)), key=far.__getitem__)]


def fitted(detail: Detail, seen: DetailExamples, steps: int = 1500, seed: int = 0) -> None:
    """Train the part in place: which faults there are, and how far they go."""
    torch.manual_seed(seed)
    detail.train()
    detail.standard.of(seen.statistics)
    optimiser = torch.optim.AdamW(detail.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = torch.randint(len(seen.photo), (256,), generator=draw)
        faults, amounts = detail(seen.statistics[rows] + 0.02 * torch.randn(256, 1, generator=draw))
        far = F.smooth_l1_loss(amounts, seen.amounts[rows], reduction="none") * seen.faults[rows]
        loss = F.binary_cross_entropy_with_logits(faults, seen.faults[rows]) + 0.3 * far.mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
    detail.train(False)

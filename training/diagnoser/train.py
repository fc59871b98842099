"""The training of the diagnoser's planner, through the graph by pixels or by its dials alone; it can be stopped and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ...advice.dials import DIALS, dial_graph, turned, widths
from ...advice.faults import DETAIL, FAULTS, MEANT
from ...advice.statistics import FINE, STATISTICS, light_of
from ...graph.model import Graph
from ...light.planes import planes
from ...light.primaries import REC2020_TO_SRGB, mix
from ...light.spaces import to_oklab
from ...light.transfer import srgb_encode
from ...networks.diagnoser import Diagnoser, Look
from ..progress import Curve
from ..state import Diverged, Learner, as_time_runs_out, made, read_state, save_state
from .examples import Examples
from .spoiling import IGNORED

ARGUMENTS = {"statistics": STATISTICS, "fine": FINE, "faults": len(FAULTS), "meant": len(MEANT), "dials": len(DIALS),
             "detail": len(DETAIL)}  # fmt: skip
_SAVE_EVERY = 60.0
_TERMS = ("plan", "faults", "meant")
_SAMPLED = 16
_AT_ONCE = 200
_LATER = 0.5
_OVER = 0.2


@dataclass(frozen=True)
class Config:
    """How to train.

    minutes: of work, over all sessions; time in which the processor serves others does not count. seeing: share of the time
    for learning to see, with plans judged by their dials; after it what is seen of a picture stays as it is. pixels: whether
    plans are then judged by the pixels that the graph renders with them, or by their dials still. plan, faults, meant: weights
    of the terms.
    """

    minutes: float = 15.0
    seeing: float = 0.8
    pixels: bool = True
    batch: int = 48
    rate: float = 2e-3
    decay: float = 0.02
    plan: float = 4.0
    faults: float = 1.0
    meant: float = 0.3
    seed: int = 0


def train(config: Config, seen: Examples, folder: Path, worked: Callable[[], float] | None = None) -> Diagnoser:
    """Train the part that looks until the time is spent; returns the network in evaluation mode.

    folder: keeps `state.safetensors`, `state.json` and `curve.csv`, from which a stopped training goes on. worked: minutes
    worked so far; None is of the processor. Raises Diverged, FileError (a folder that cannot be written, a state that is
    damaged or another's).
    """
    torch.manual_seed(config.seed)
    module = Diagnoser(**ARGUMENTS).train()
    look = module.look.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    look.standard.of(seen.statistics)
    optimiser = torch.optim.AdamW(look.parameters(), lr=config.rate, betas=(0.9, 0.99), weight_decay=config.decay)
    learners = {"look": ("moment", Learner(look, optimiser))}
    step, spent = read_state(made(folder), asdict(config), learners)
    curve = Curve(folder / "curve.csv", ["step", "minutes", "loss", *_TERMS], step)
    worked = worked or _worked
    began, saved = worked(), time.time()
    draw = torch.Generator().manual_seed(config.seed + 7919 * step)
    graph = dial_graph() if config.pixels else None
    features: Tensor | None = None
    while (minutes := spent + worked() - began) < config.minutes:
        rows = torch.randint(len(seen.photo), (config.batch,), generator=draw)
        share = minutes / config.minutes
        seeing = share < config.seeing
        done = share / config.seeing if seeing else (share - config.seeing) / (1.0 - config.seeing)
        for group in optimiser.param_groups:
            group["lr"] = (config.rate if seeing else _LATER * config.rate) * as_time_runs_out(step, done)
        if seeing:
            terms = _seeing(look, seen.at(rows), draw)
        else:
            features = seen_by(look, seen) if features is None else features
            terms = _planning(look, features[rows], seen.at(rows), graph, draw)
        loss = sum((getattr(config, name) * value for name, value in terms.items()), torch.zeros(()))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(look.parameters(), 2.0)
        if not torch.isfinite(loss) or not torch.isfinite(norm):
            raise Diverged(f"step {step}: the loss is not finite; the last good state is in {folder}")
        optimiser.step()
        step += 1
        curve.add(step, minutes, loss.item(), *(value.item() for value in terms.values()))
        if time.time() - saved > _SAVE_EVERY:
            save_state(folder, asdict(config), learners, step, minutes)
            saved = time.time()
            print(curve.said(), flush=True)
    save_state(folder, asdict(config), learners, step, min(config.minutes, minutes))
    return module.train(False)


def _worked() -> float:
    """Minutes that this process has worked, each of its threads."""
    return time.process_time() / (60.0 * torch.get_num_threads())


def codes_of(stored: Tensor) -> Tensor:
    return stored.float() / 255.0


def looked(look: Look, codes: Tensor) -> Tensor:
    """What the small pictures of a batch show, convolutions in bfloat16."""
    with torch.autocast("cpu", torch.bfloat16):
        return look.features(codes.contiguous(memory_format=torch.channels_last)).float()


@torch.no_grad()
def seen_by(look: Look, examples: Examples) -> Tensor:
    """What all examples show, (N,256); its running statistics stay as they are from here on."""
    look.seen.train(False)
    return torch.cat([looked(look, codes_of(codes)) for codes in examples.codes.split(_AT_ONCE)])


def _seeing(look: Look, batch: Examples, draw: torch.Generator) -> dict[str, Tensor]:
    codes = codes_of(batch.codes)
    mirrored = torch.rand(len(codes), 1, 1, 1, generator=draw) < 0.5
    said = look.judged(looked(look, torch.where(mirrored, codes.flip(-1), codes)), batch.statistics)
    return _terms(said[0], said[1], by_dials(said[2], batch.cure), batch)


def _planning(look: Look, features: Tensor, batch: Examples, graph: Graph | None, draw: torch.Generator) -> dict[str, Tensor]:
    faults, meant, dials = look.judged(features, batch.statistics)
    if graph is None:
        return _terms(faults, meant, by_dials(dials, batch.cure), batch)
    plan = by_pixels(graph, dials, codes_of(batch.codes), codes_of(batch.good), draw)
    return _terms(faults, meant, plan, batch)


def _terms(faults: Tensor, meant: Tensor, plan: Tensor, batch: Examples) -> dict[str, Tensor]:
    known = (batch.faults != IGNORED).float()
    says = F.binary_cross_entropy_with_logits(faults, batch.faults.clamp_min(0.0), known, reduction="sum") / known.sum()
    return {"plan": plan, "faults": 4.0 * says, "meant": F.binary_cross_entropy_with_logits(meant, batch.meant)}


def by_dials(dials: Tensor, cure: Tensor) -> Tensor:
    """How far a plan lies from the dials that undo the faults, in units of their widths."""
    return F.smooth_l1_loss(dials, cure / widths(), beta=0.2)


def by_pixels(graph: Graph, dials: Tensor, codes: Tensor, good: Tensor, draw: torch.Generator) -> Tensor:
    """How far the graph with a plan's dials brings some pixels of the pictures from those of the good photos.

    Root mean square of sRGB codes and mean distance in OKLab, per picture, so that small errors count as much as large ones.
    """
    places = torch.randint(codes.shape[2] * codes.shape[3], (len(codes), 1, _SAMPLED * _SAMPLED), generator=draw)
    seen, wanted = (picture.flatten(2).gather(2, places.expand(-1, 3, -1)) for picture in (codes, good))
    shape = (len(codes), 3, _SAMPLED, _SAMPLED)
    got = turned(graph, light_of(seen.reshape(shape)), dials * widths())
    target = light_of(wanted.reshape(shape))
    return (_far(got, target) + 2.0 * _coloured(got, target)).mean()


def _far(got: Tensor, target: Tensor) -> Tensor:
    one, two = (torch.cat([srgb_encode(p) for p in mix(REC2020_TO_SRGB, *planes(light))], dim=1) for light in (got, target))
    one = one.clamp(0.0, 1.0) + _OVER * (one - one.clamp(0.0, 1.0))
    return ((one - two).square().mean((1, 2, 3)) + 1e-5).sqrt()


def _coloured(got: Tensor, target: Tensor) -> Tensor:
    one, two = (torch.cat(to_oklab(*planes(light)), dim=1) for light in (got, target))
    step = (one - two).clamp(-0.5, 0.5)
    return (step.square().sum(1) + 1e-6).sqrt().mean((1, 2))

"""How good a diagnoser is, on photos held out: fault by fault, how sure, and by the pictures its plans make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...advice.dials import dial_graph, turned, widths
from ...advice.faults import DETAIL, FAULTS, MEANT
from ...advice.statistics import light_of
from ...light.difference import delta_e_2000, display_to_lab
from ...light.gamut import to_display
from ...networks.diagnoser import Diagnoser, Look
from .calibration import auc, expected_error, platt, reliability
from .detail import DetailExamples
from .examples import Examples
from .train import codes_of, seen_by

_BATCH = 50


class Said(NamedTuple):
    """Of some examples: logits of faults and of looks, and dials in units of their widths."""

    faults: Tensor
    meant: Tensor
    dials: Tensor


def _batches(examples: Examples) -> Iterator[Examples]:
    for rows in torch.arange(len(examples.photo)).split(_BATCH):
        yield examples.at(rows)


@torch.no_grad()
def said(look: Look, examples: Examples) -> Said:
    return Said(*look.judged(seen_by(look, examples), examples.statistics))


@torch.no_grad()
def pictured(examples: Examples, dials: Tensor) -> tuple[Tensor, Tensor]:
    """PSNR of codes (dB) and mean Delta E 2000 to the good photo, (N,) each, of examples with dials turned."""
    graph, psnr, delta = dial_graph(), [], []
    for batch, turns in zip(_batches(examples), dials.split(_BATCH)):
        got = to_display(turned(graph, light_of(codes_of(batch.codes)), turns * widths()))
        wanted = codes_of(batch.good)
        psnr.append(-10.0 * torch.log10((got - wanted).square().mean((1, 2, 3)).clamp_min(1e-6)))
        delta.append(delta_e_2000(display_to_lab(got), display_to_lab(wanted)).mean((1, 2, 3)))
    return torch.cat(psnr), torch.cat(delta)


def calibrate(module: Diagnoser, examples: Examples, fine: DetailExamples) -> None:
    """Fit how sure the network is, in place, on photos used for nothing else."""
    look = said(module.look, examples)
    with torch.no_grad():
        chances = module.detail(fine.statistics)[0]
    for part, logits, truth in ((module.look.sure, look.faults, examples.faults),
                                (module.look.sure_of_meant, look.meant, examples.meant),
                                (module.detail.sure, chances, fine.faults)):  # fmt: skip
        scale, offset = platt(logits, truth)
        part.scale = scale
        part.offset = offset


@torch.no_grad()
def judged(module: Diagnoser, held: Examples, fine: DetailExamples) -> dict[str, Any]:
    """AUC by fault, calibration of all faults together, and what the plans make of spoiled and of good photos."""
    look, chances = said(module.look, held), module.detail(fine.statistics)[0]
    scores = {name: auc(look.faults[:, k], held.faults[:, k]) for k, name in enumerate(FAULTS)}
    scores |= {name: auc(look.meant[:, k], held.meant[:, k]) for k, name in enumerate(MEANT)}
    scores |= {name: auc(chances[:, k], fine.faults[:, k]) for k, name in enumerate(DETAIL)}
    bins = reliability(torch.sigmoid(look.faults), held.faults)
    fine_bins = reliability(torch.sigmoid(chances), fine.faults)
    return {
        "auc": {name: round(score, 3) for name, score in scores.items()},
        "calibration_error": round(expected_error(bins), 4),
        "calibration_error_of_detail": round(expected_error(fine_bins), 4),
        "reliability": [[round(b.confidence, 3), round(b.frequency, 3), b.cases] for b in bins],
        "reliability_of_detail": [[round(b.confidence, 3), round(b.frequency, 3), b.cases] for b in fine_bins],
    }


def plans(examples: Examples, dials: Tensor) -> dict[str, float]:
    """Means over spoiled photos and over good ones: PSNR in dB and Delta E to the good photo."""
    psnr, delta = pictured(examples, dials)
    spoiled = examples.cure.abs().sum(1) > 0.0
    return {
        "spoiled_psnr": round(psnr[spoiled].mean().item(), 2), "spoiled_delta_e": round(delta[spoiled].mean().item(), 2),
        "good_psnr": round(psnr[~spoiled].mean().item(), 2), "good_delta_e": round(delta[~spoiled].mean().item(), 2),
    }  # fmt: skip

"""The diagnoser: a small picture and its statistics -> what is wrong, how sure that is, and which way to move the dials.

Two parts that see different things: `look` sees the small picture, where light and colour are; `detail` sees statistics of
the finest pixels, which a small picture has lost. What their numbers mean is said in `advice/dials.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LOOKED = 96
"""Edge of the small picture, in px: any photo is made square, since nothing looked for depends on its proportions."""

_WIDTHS = (24, 48, 96, 128)
_FARTHEST = 3.0


class _Platt(nn.Module):
    """Logits -> logits whose sigmoid is a frequency: scale and offset for each, fitted on photos not trained on."""

    scale: Tensor
    offset: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(count))
        self.register_buffer("offset", torch.zeros(count))

    def forward(self, logits: Tensor) -> Tensor:
        return logits * self.scale + self.offset


class _Standard(nn.Module):
    """Statistics about their mean, in units of their spread, at most five of them."""

    mean: Tensor
    spread: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("spread", torch.ones(count))

    def of(self, statistics: Tensor) -> None:
        """Take the mean and the spread of examples (N,count)."""
        self.mean, self.spread = statistics.mean(0), statistics.std(0).clamp_min(1e-3)

    def forward(self, statistics: Tensor) -> Tensor:
        return ((statistics - self.mean) / self.spread).clamp(-5.0, 5.0)


class Look(nn.Module):
    """(B,3,96,96) sRGB codes and (B,statistics) -> logits of faults, logits of what is meant, dials in units of their width."""

    def __init__(self, statistics: int, faults: int, meant: int, dials: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *_WIDTHS), _WIDTHS):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.seen = nn.Sequential(*layers)
        self.standard = _Standard(statistics)
        self.joined = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(2 * _WIDTHS[-1] + statistics, 256),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(256, 128),
            nn.ReLU(),
        )
        self.faults, self.meant, self.dials = nn.Linear(128, faults), nn.Linear(128, meant), nn.Linear(128, dials)
        self.sure, self.sure_of_meant = _Platt(faults), _Platt(meant)
        nn.init.zeros_(self.dials.weight)
        nn.init.zeros_(self.dials.bias)

    def features(self, codes: Tensor) -> Tensor:
        """What the small picture shows, (B,256)."""
        seen = self.seen(codes - 0.5)
        return torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], dim=1)

    def judged(self, features: Tensor, statistics: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What features and statistics say together."""
        x = self.joined(torch.cat([features, self.standard(statistics)], dim=1))
        faults, meant = self.sure(self.faults(x)), self.sure_of_meant(self.meant(x))
        return faults, meant, _FARTHEST * torch.tanh(self.dials(x) / _FARTHEST)

    def forward(self, codes: Tensor, statistics: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.judged(self.features(codes).to(statistics), statistics)


class Detail(nn.Module):
    """(B,statistics of fine detail) -> logits of faults (B,faults), and how far each goes (B,faults), at least 0."""

    def __init__(self, statistics: int, faults: int) -> None:
        super().__init__()
        self.standard = _Standard(statistics)
        self.joined = nn.Sequential(nn.Linear(statistics, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.faults, self.amounts = nn.Linear(64, faults), nn.Linear(64, faults)
        self.sure = _Platt(faults)

    def forward(self, statistics: Tensor) -> tuple[Tensor, Tensor]:
        x = self.joined(self.standard(statistics))
        return self.sure(self.faults(x)), F.softplus(self.amounts(x))


class Diagnoser(nn.Module):
    """Both parts in one file of weights. part: "look" (codes, statistics) or "detail" (statistics)."""

    def __init__(self, statistics: int, fine: int, faults: int, meant: int, dials: int, detail: int) -> None:
        super().__init__()
        self.look, self.detail = Look(statistics, faults, meant, dials), Detail(fine, detail)

    def forward(self, part: str, *inputs: Tensor) -> tuple[Tensor, ...]:
        return self.look(*inputs) if part == "look" else self.detail(*inputs)

"""Searching for sliders: a portfolio of least-squares descents, Adam for any loss, CMA-ES as the baseline."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..graph.errors import WorkflowError
from ..light.photo import Codes, Photo
from .clock import Clock
from .entries import Entries
from .free import Space
from .levenberg import LADDER, Outcome, Problem, Uncertainty, descend, uncertainty
from .samples import Pair, Samples

_PIXELS = (1024, 4096)
_PATCHES = (320, 512)
_GOOD = 2e-7
_SHORT_LADDER = (1e-3, 1e-5, 1e-7)
_FRUITLESS = 3
_SEARCHING = 0.8
_DOUBTS, _DOUBT_MAY_COST = 4, 1.26
_CALM = (3.0, 1.0, 0.3, 0.1, 0.03)
_HARDLY_WORSE = 1.06


@dataclass(frozen=True)
class Found:
    """The end of a search: coordinates, whether it converged, (least squares) how sure they are, (Adam) entries moved.

    pull: the gradient of the loss where the search began, in the coordinates of the sliders; None without gradients.
    """

    u: Tensor
    converged: bool
    cost: float
    uncertainty: Uncertainty | None = None
    entries: tuple[Tensor, ...] = ()
    pull: Tensor | None = None


class LeastSquares:
    """The residuals of all pairs at sampled pixels, as one least-squares problem.

    last: for the end of a search. Compares what a display shows, and derivatives also count how statistics move with the
    sliders (one more measurement per slider); before, light is compared unbounded and statistics are held, which points
    downhill from farther away and is cheaper.
    """

    def __init__(self, space: Space, pairs: Sequence[Pair], count: int, seed: int, clock: Clock, last: bool = False) -> None:
        generator = torch.Generator().manual_seed(seed)
        each = max(64, count // len(pairs))
        self.space, self.pairs, self.count, self.clock, self.last = space, pairs, count, clock, last
        self.total = last and any(pair.proxy is not None for pair in pairs)
        self.samples = [Samples(pair, each, generator, shown=last) for pair in pairs]
        self.indices = [space.indices(index) for index in range(len(pairs))]
        self._statistics: tuple[bytes, list[Any]] = (b"", [])

    def _measured(self, u: Tensor) -> list[Any]:
        key = u.numpy().tobytes()
        if self._statistics[0] != key:
            own = (self.space.values(list(u[places])) for places in self.indices)
            self._statistics = (key, [pair.measured(values) for pair, values in zip(self.pairs, own)])
        return self._statistics[1]

    def forget(self) -> None:
        """Measure statistics anew: the pairs' corrections have changed."""
        self._statistics = (b"", [])

    def residuals(self, u: Tensor) -> Tensor:
        parts = zip(self.samples, self.indices, self._measured(u))
        return torch.cat([samples.residuals(u[places], measured).flatten() for samples, places, measured in parts])

    def jacobian(self, u: Tensor) -> tuple[Tensor, Tensor]:
        residuals, derivatives = [], []
        for samples, places, measured in zip(self.samples, self.indices, self._measured(u)):
            residual, derivative = samples.jacobian(u[places], measured)
            if self.total:
                derivative = derivative + samples.through_statistics(u[places], measured)
            wide = torch.zeros(residual.numel(), len(u), dtype=torch.float64)
            wide[:, places] = derivative.flatten(0, 1)
            residuals.append(residual.flatten())
            derivatives.append(wide)
        return torch.cat(residuals), torch.cat(derivatives)

    def doubts(self, u: Tensor) -> bool:
        """Set how far clipped pixels are believed; whether it matters (see `Samples.doubts`)."""
        parts = zip(self.samples, self.indices, self._measured(u))
        matters = [samples.doubts(u[places], measured) for samples, places, measured in parts]
        return any(matters)

    def believe(self) -> None:
        """Let clipped pixels count in full again."""
        for samples in self.samples:
            samples.doubt = math.inf

    def problem(self, enough: float, share: float = _SEARCHING) -> Problem:
        """What `descend` needs. share: of the time, when it shall stop."""
        low, high = self.space.vector("low"), self.space.vector("high")

        def better(u: Tensor, cost: float) -> None:
            self.clock.better(u, cost, self.last)

        return Problem(self.residuals, self.jacobian, low, high, lambda: self.clock.over(share), enough, better)

    def pull(self, u: Tensor) -> Tensor:
        """The gradient of the mean square residual."""
        residual, derivative = self.jacobian(u)
        return 2.0 / len(residual) * (derivative.T @ residual)


def least_squares(space: Space, pairs: Sequence[Pair], clock: Clock, seed: int = 0) -> Found:
    """Levenberg-Marquardt from several starts until the target is met as well as its noise allows, or time is up."""
    noise = max(_rounding_noise(pair.target) for pair in pairs)
    good = max(_GOOD, 1.5 * noise)
    few, many = _PATCHES if any(step.margin for pair in pairs for step in pair.plan.steps) else _PIXELS
    coarse = LeastSquares(space, pairs, few, seed, clock)
    fine = LeastSquares(space, pairs, many, seed + 1, clock, last=True)
    enough = max(1.02 * noise, _GOOD if fine.total else 0.01 * _GOOD)
    pull = fine.pull(space.vector())
    generator = torch.Generator().manual_seed(seed)
    best, costs, fruitless = Outcome(space.vector(), math.inf, False), [], 0
    for attempt in range(1000):
        if attempt and (clock.over(_SEARCHING) or best.cost <= good or fruitless >= _FRUITLESS):
            break
        outcome = _attempt(coarse, space, attempt, generator, seed, enough)
        if outcome.cost > 3.0 * best.cost and not outcome.cost <= good:
            fruitless += 1
            continue
        outcome = _polish(fine, outcome, 0.1 * enough)
        costs.append(outcome.cost)
        fruitless = 0 if outcome.cost < 0.98 * best.cost else fruitless + 1
        if outcome.cost < best.cost:
            best = outcome
    if best.cost > good:
        best = _doubting(fine, _calmer(fine, best))
    residual, derivative = fine.jacobian(best.u)
    if not torch.isfinite(derivative).all():
        raise WorkflowError("the derivatives at these sliders are not finite")
    agreed = sum(cost <= 1.02 * best.cost for cost in costs) >= 2
    return Found(
        best.u,
        best.cost <= good or (best.settled and agreed),
        best.cost,
        uncertainty(residual, derivative, _held(space, best.u)),
        pull=pull,
    )


def _held(space: Space, u: Tensor) -> Tensor:
    """Which coordinates lie on a bound."""
    return (u <= space.vector("low")) | (u >= space.vector("high"))


def _attempt(coarse: LeastSquares, space: Space, attempt: int, generator: torch.Generator, seed: int, enough: float) -> Outcome:
    """One start: the sliders as they stand, the same with robust weights, then random ones, plain and robust in turn."""
    start, robust = space.vector(), 3 if attempt % 2 else 0
    if attempt == 1 and (start != 0).any():
        start = space.vector("default")
    if attempt < 2:
        return descend(coarse.problem(enough), start, LADDER, robust)
    start = torch.randn(len(start), generator=generator, dtype=torch.float64) * 0.5
    fresh = LeastSquares(space, coarse.pairs, coarse.count, seed + 10 + attempt, coarse.clock)
    return descend(fresh.problem(enough), start, _SHORT_LADDER, robust and 2)


def _polish(fine: LeastSquares, outcome: Outcome, enough: float) -> Outcome:
    """On more pixels without ridge; with statistics, twice in time, each time corrected by what the full picture measures."""
    statistics = any(pair.proxy is not None for pair in fine.pairs)
    for again in range(2 if statistics else 1):
        if again and fine.clock.over(_SEARCHING):
            break
        if statistics:
            for pair, places in zip(fine.pairs, fine.indices):
                pair.correct(fine.space.values(list(outcome.u[places])))
            fine.forget()
        outcome = descend(fine.problem(enough), outcome.u, (outcome.ridge,))
    return outcome


def _doubting(fine: LeastSquares, best: Outcome) -> Outcome:
    """Other programs clip in other ways: where clipped pixels disagree more than the others, they count less.

    How much is set by the pixels that are not clipped, anew after each descent. If the whole would look much worse for it,
    clipped pixels are believed after all.
    """
    doubted = best
    for _ in range(_DOUBTS):
        if fine.clock.over() or not fine.doubts(doubted.u):
            break
        doubted = descend(fine.problem(0.0, 1.0), doubted.u, (doubted.ridge,))
    fine.believe()
    cost = fine.residuals(doubted.u).square().mean().item()
    return replace(doubted, cost=cost) if cost <= _DOUBT_MAY_COST * best.cost else best


def _calmer(fine: LeastSquares, best: Outcome) -> Outcome:
    """About as good, with sliders nearer to their defaults: a target that no sliders meet quite says little about many."""
    for share in _CALM:
        if fine.clock.over() or share * best.cost <= best.ridge:
            break
        calmer = descend(fine.problem(0.0, 1.0), best.u, (share * best.cost,))
        if calmer.cost <= _HARDLY_WORSE * best.cost:
            return calmer
    return best


def _rounding_noise(target: Photo) -> float:
    """The mean square error that storing a target in whole codes has put into it."""
    if isinstance(target.raster, Codes) and target.raster.curves is not None:
        levels = target.raster.curves.shape[1] - 1
        return 1.0 / (12.0 * levels * levels)
    return 0.0


Objective = Callable[[Tensor], Tensor]
"""objective(u) -> a scalar, differentiable with respect to the coordinates."""


def adam(space: Space, objective: Objective, clock: Clock, entries: Entries, rate: float = 0.05, steps: int = 2000) -> Found:
    """Adam on unconstrained parameters, and on free entries; the rate falls as time runs out; keeps the best."""
    z = torch.tensor(
        [u.slider.to_unconstrained(u.start, u.low, u.high) for u, _ in space.entries], dtype=torch.float64
    ).requires_grad_()
    moving = entries.tensors
    groups = [{"params": [tensor], "fastest": share * rate} for tensor, share in zip(moving, entries.rates)]
    optimiser = torch.optim.Adam([{"params": [z], "fastest": rate}, *groups])
    best, since, pull = Found(space.vector(), False, math.inf), 0, torch.zeros_like(z)
    for step in range(steps):
        if step and clock.over():
            break
        u = _from_unconstrained(space, z)
        loss = objective(u)
        optimiser.zero_grad()
        u.retain_grad()
        loss.backward()
        if not step:
            pull = torch.zeros_like(z) if u.grad is None else u.grad.clone()
        value = loss.item()
        gradients = [leaf.grad for leaf in (z, *moving) if leaf.grad is not None]
        if not math.isfinite(value) or not all(torch.isfinite(gradient).all() for gradient in gradients):
            raise WorkflowError("the loss or its gradient is not finite at these sliders")
        since = 0 if value < best.cost * (1.0 - 1e-4) else since + 1
        if value < best.cost:
            best = Found(u.detach(), False, value, None, tuple(tensor.detach().clone() for tensor in moving), pull)
            clock.better(u, value)
        if since >= 60:
            return replace(best, converged=True)
        for group in optimiser.param_groups:
            group["lr"] = group["fastest"] * (0.5 + 0.5 * math.cos(math.pi * min(1.0, clock.elapsed / clock.seconds)))
        optimiser.step()
    return best


def _from_unconstrained(space: Space, z: Tensor) -> Tensor:
    """Coordinates of a space from unconstrained parameters."""
    u = [
        unknown.slider.to_half_ranges(unknown.slider.from_unconstrained(value, unknown.low, unknown.high), unknown.default)
        for (unknown, _), value in zip(space.entries, z)
    ]
    return torch.stack(u) if u else z


def cmaes(space: Space, cost: Callable[[Tensor], float], clock: Clock, seed: int = 0) -> Found:
    """CMA-ES in the coordinates of the sliders, restarted with more points each time until time is up."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import cma
            import numpy
    except ModuleNotFoundError:
        raise WorkflowError("method cmaes needs the package cma: pip install 'luxgrad[fit]'") from None
    except Exception as error:  # whatever a broken package raises when it is loaded
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise WorkflowError(
            f"method cmaes needs the package cma, which fails to load ({reason}): pip install -U 'luxgrad[fit]'"
        ) from None

    low, high = space.vector("low"), space.vector("high")
    best = Found(space.vector(), False, math.inf)
    for restart in range(100):
        generator = numpy.random.RandomState(seed + restart)
        options = {"bounds": [low.tolist(), high.tolist()], "verbose": -9, "seed": math.nan, "randn": generator.randn}
        options["popsize"] = 2**restart * (4 + int(3 * math.log(max(2, len(space)))))
        start = torch.minimum(torch.maximum(space.vector(), low), high).tolist()
        strategy = cma.CMAEvolutionStrategy(start if len(start) > 1 else start * 2, 0.3, _twin(options, len(start)))
        while not strategy.stop():
            points = strategy.ask()
            costs = []
            for point in points:
                u = torch.tensor(point[: len(space)], dtype=torch.float64)
                costs.append(cost(u))
                if costs[-1] < best.cost:
                    best = Found(u, False, costs[-1])
                    clock.better(u, costs[-1])
                if clock.over():
                    return best
            strategy.tell(points, costs)
        if best.cost <= _GOOD:
            return Found(best.u, True, best.cost)
    return best


def _twin(options: dict[str, Any], count: int) -> dict[str, Any]:
    """CMA-ES refuses one dimension: a lone slider gets a second coordinate that nothing reads."""
    return {**options, "bounds": [side * 2 for side in options["bounds"]]} if count == 1 else options

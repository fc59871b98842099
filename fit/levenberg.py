"""Levenberg-Marquardt in a box, down a ladder of ridges, from several starts.

What makes it converge on graphs whose sliders overlap: a ridge towards the defaults that is taken away rung by rung
(sliders that trade against each other otherwise run to their bounds), bounds by an active set, robust weights and
random restarts against false minima. All arithmetic in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

LADDER = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 0.0)
_RUNG_ITERATIONS = 10
_LAST_ITERATIONS = 30
_SMALL_GAIN = 0.01
_LAST_GAIN = 1e-4
_LONGEST_STEP = 1.0
_AS_GOOD = 1.12

Residuals = Callable[[Tensor], Tensor]
"""residuals(u) -> (m,)."""
Jacobian = Callable[[Tensor], tuple[Tensor, Tensor]]
"""jacobian(u) -> residuals (m,) and derivatives (m, n)."""


@dataclass(frozen=True)
class Problem:
    """Make mean(weight * residual ** 2) small within low <= u <= high.

    overdue() says when time is up; a mean square of `enough` needs no further step. better(u, cost) hears of every step taken.
    """

    residuals: Residuals
    jacobian: Jacobian
    low: Tensor
    high: Tensor
    overdue: Callable[[], bool] = lambda: False
    enough: float = 0.0
    better: Callable[[Tensor, float], None] = lambda u, cost: None


@dataclass(frozen=True)
class Outcome:
    """Where a descent ended. cost: the mean square residual; ridge: of the rung; settled: nothing more was gained."""

    u: Tensor
    cost: float
    settled: bool
    ridge: float = 0.0


def descend(problem: Problem, start: Tensor, ladder: tuple[float, ...] = LADDER, robust_rungs: int = 0) -> Outcome:
    """Down the ladder from a start; on the first `robust_rungs` outlying pixels count less.

    Keeps the highest rung that is as good as the best: where a smaller ridge gains nothing, sliders stay near their
    defaults instead of running to their bounds.
    """
    u = torch.minimum(torch.maximum(start, problem.low), problem.high)
    rungs: list[Outcome] = []
    for rung, ridge in enumerate(ladder):
        last = rung == len(ladder) - 1
        limit, gain = (_LAST_ITERATIONS, _LAST_GAIN) if last else (_RUNG_ITERATIONS, _SMALL_GAIN)
        u, settled = _rung(problem, u, ridge, rung < robust_rungs, limit, gain)
        cost = problem.residuals(u).square().mean().item()
        rungs.append(Outcome(u, cost, settled or cost <= problem.enough, ridge))
        if cost <= problem.enough or problem.overdue():
            break
    best = min(outcome.cost for outcome in rungs)
    return next(outcome for outcome in rungs if outcome.cost <= _AS_GOOD * best)


def _rung(problem: Problem, u: Tensor, ridge: float, robust: bool, iterations: int, small_gain: float) -> tuple[Tensor, bool]:
    damping = 1e-3
    for _ in range(iterations):
        residual, derivative = problem.jacobian(u)
        if not (torch.isfinite(residual).all() and torch.isfinite(derivative).all()):
            return u, False
        weight = _robust_weight(residual) if robust else torch.ones_like(residual)

        def cost(r: Tensor, x: Tensor, weight: Tensor = weight) -> float:
            return ((weight * r * r).mean() + ridge * x.square().mean()).item()

        count = len(residual)
        weighted = derivative * weight[:, None]
        gradient = weighted.T @ residual / count + ridge / len(u) * u
        normal = weighted.T @ derivative / count
        normal.diagonal().add_(ridge / len(u))
        before = cost(residual, u)
        held = ((u <= problem.low) & (gradient > 0)) | ((u >= problem.high) & (gradient < 0))
        moved = False
        while damping < 1e8:
            step = _step(normal, gradient, held, damping)
            trial = torch.minimum(torch.maximum(u + step, problem.low), problem.high)
            tried = problem.residuals(trial)
            after = cost(tried, trial)
            if math.isfinite(after) and after < before:
                moved = True
                break
            damping *= 4.0
            if problem.overdue():
                return u, False
        if not moved:
            return u, True
        u, damping = trial, max(damping / 9.0, 1e-12)
        square = tried.square().mean().item()
        problem.better(u, square)
        if before - after < small_gain * before or square <= problem.enough:
            return u, True
        if problem.overdue():
            return u, False
    return u, False


def _step(normal: Tensor, gradient: Tensor, held: Tensor, damping: float) -> Tensor:
    """The damped Gauss-Newton step of the sliders that are not held at a bound, at most one half range long."""
    free = ~held
    step = torch.zeros_like(gradient)
    if not free.any():
        return step
    matrix = normal[free][:, free]
    diagonal = matrix.diagonal()
    damped = matrix + torch.diag(damping * (diagonal + 1e-4 * diagonal.max()) + 1e-30)
    factor, failed = torch.linalg.cholesky_ex(damped)
    if failed:
        return step
    step[free] = torch.cholesky_solve(-gradient[free, None], factor)[:, 0]
    return step * min(1.0, _LONGEST_STEP / max(step.abs().max().item(), 1e-30))


def _robust_weight(residual: Tensor) -> Tensor:
    """1 / sqrt(1 + e / median(e)) of the squared error of each pixel (three residuals)."""
    error = residual.view(-1, 3).square().mean(1)
    weight = (1.0 + error / error.median().clamp_min(1e-12)).rsqrt()
    return weight.repeat_interleave(3)


@dataclass(frozen=True)
class Uncertainty:
    """std of each slider in half ranges, and the covariance of what the residuals say of all of them."""

    std: Tensor
    covariance: Tensor


def uncertainty(residual: Tensor, derivative: Tensor, held: Tensor) -> Uncertainty:
    """How well the residuals fix the sliders, given that a slider lies within half a half range a priori.

    std also counts how far the descent seems to have stopped from the minimum (the step that it would take next, with the
    sliders that are `held` at a bound left there).
    """
    variance = max(residual.square().mean().item(), 1e-12)
    precision = derivative.T @ derivative / variance + torch.eye(derivative.shape[1], dtype=torch.float64) / 0.25
    covariance = torch.linalg.inv(precision)
    missing = torch.zeros_like(covariance[0])
    if not held.all():
        missing[~held] = torch.linalg.solve(precision[~held][:, ~held], (derivative.T @ residual / variance)[~held])
    return Uncertainty((covariance.diagonal().clamp_min(0.0) + missing.square()).sqrt(), covariance)

"""Fit: move the free sliders of a graph until a photo comes out like its target, or a loss falls."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Generic

import torch
from torch import Tensor

from ..engine.cache import Cache
from ..engine.derived import Derived, made_anew
from ..engine.render import Job, Settings
from ..engine.sweep import DISTANCES
from ..graph.errors import WorkflowError
from ..graph.model import G, Graph, Photos, Ref, Step
from ..graph.outputs import brought, gather_sources, upstream
from ..graph.ports import PORTS
from ..light.photo import Photo
from ..light.rectangle import Size
from ..ops.fitted import Made, fitted_file, fitted_name
from ..ops.spec import REGISTRY
from ..ops.types import Distances
from .asked import Options, fit_step, looked_at, options_of
from .clock import Clock
from .entries import Entries, with_made
from .free import Space, read_free
from .outcome import Keep, Outcome, outcome
from .parameters import entry_path, read_entries
from .report import Fitted, FreeEntries, PairResult, describe
from .samples import Pair
from .scene import Offset, met
from .search import Found, LeastSquares, adam, cmaes, least_squares

PROXY_PIXELS = 250_000
WATCHED = 384
_TARGET, _LOSS = "\1target", "\1loss"


def fit(
    graph: G,
    photos: Photos | Sequence[Mapping[str, Photo]] | Sequence[Photo],
    targets: Photo | Sequence[Photo | None] | None = None,
    *,
    free: str | Sequence[str] | None = None,
    method: str | None = None,
    seconds: float | None = None,
    seed: int | None = None,
    sink: str | None = None,
    progress: Callable[[float], None] | None = None,
    watch: Callable[[Tensor], None] | None = None,
    exact: bool = False,
    keep: Callable[[int, Size], Keep] | None = None,
    **settings: Any,
) -> Fitted[G]:
    """Fit a graph to one or several pairs of photo and target, or to the loss that its Fit step holds.

    photos, targets: one of each, or sequences of the same length; sliders are shared by all pairs unless freed `per
    photo`. targets may be left out where the Fit step has a target or a loss.
    free: lines as in `graph.free`; None takes the Fit step's, else all sliders before the photo.
    method: auto, lm, adam or cmaes. seconds, seed: as in the Fit step (20, 0). progress(share): may raise `Stopped`, then
    the best so far is kept. watch(picture): sees the first photo, small (B3HW light, a long edge of at most 384 px), as
    the best sliders so far make it, about once a second. exact: Delta E of every pixel; otherwise of a lattice of about half
    a million, PSNR always of all. keep(index, size): for each pair, what gets the tiles of before, after and target that the
    figures are measured on, as `outcome.Tile`. settings: fields of `render.Settings`.
    A target that shows another scene, or this one mirrored, shifted by more than 8 px or cut differently, is refused; smaller
    offsets are taken back by moving the target. Raises WorkflowError.
    """
    start = time.perf_counter()
    step = fit_step(graph, sink)
    sources: list[Any] = list(photos) if isinstance(photos, (list, tuple)) else [photos]
    wanted: list[Any] = list(targets) if isinstance(targets, (list, tuple)) else [targets] * len(sources)
    if len(wanted) != len(sources):
        raise WorkflowError(f"expected as many targets as photos; got {len(wanted)} and {len(sources)}")
    link, *beside = looked_at(graph, sink, wanted)
    chosen = options_of(step, method, seconds, seed, free)
    within = upstream(graph, [link])
    space = Space(read_free(graph, chosen.free, within), len(sources))
    problem = _Problem(graph, link, beside, step, sources, wanted, space, (chosen.free, within), Settings(**settings))
    fitted = problem.solve(chosen, progress, watch, exact, keep)
    return replace(fitted, seconds_total=time.perf_counter() - start)


class _Problem(Generic[G]):
    """A graph, its pairs, and what to make small."""

    def __init__(
        self,
        graph: G,
        link: Ref,
        beside: Sequence[Ref],
        step: Step | None,
        photos: Sequence[Photos],
        targets: Sequence[Photo | None],
        space: Space,
        entries: tuple[str, set[str]],
        settings: Settings,
    ) -> None:
        self.graph, self.link, self.space, self.settings = graph, link, space, settings
        wired = step.links if step else {}
        self.loss = wired.get("loss")
        self.reached = self._seen_by_the_loss()
        self.given = [gather_sources(graph, photo, [link, *beside]) for photo in photos]
        self.entries = Entries.of(read_entries(graph, *entries, self.given[0]), self.given)
        self.derived = [ref for ref, value in self.given[0].items() if isinstance(value, Derived)]
        self.targets = [
            photo if photo is not None else self._rendered(wired["target"], given) if "target" in wired else None
            for photo, given in zip(targets, self.given)
        ]
        if self.loss is None and any(photo is None for photo in self.targets):
            raise WorkflowError("expected a target: --target FILE, or a target or a loss wired to the Fit step")
        self.offsets: list[Offset | None] = [None] * len(self.given)
        for index, (given, target) in enumerate(zip(self.given, self.targets)):
            if target is not None:
                self.targets[index], self.offsets[index] = self._met(index, given, target)

    def _met(self, index: int, given: Mapping[Ref, Any], target: Photo) -> tuple[Photo, Offset | None]:
        """A target that pixels can be fitted to; beside a loss it may show anything, and free geometry may find it."""
        try:
            return met(self.graph, self.link, given, target, self.settings, self.loss is not None or self._moves_pixels())
        except WorkflowError as error:
            raise WorkflowError(f"photo {index + 1}: {error}" if len(self.given) > 1 else str(error)) from None

    def _border(self, index: int) -> int:
        """How many px at the edges a target that was moved does not show."""
        return math.ceil(max(map(abs, self.offsets[index] or (0.0,))))

    def _rendered(self, link: Ref, given: Mapping[Ref, Any]) -> Photo:
        job = Job(self.graph, [link], given, {}, 1.0, self.settings)
        ref = job.plan.outputs[0]
        return given[ref] if ref in given else Photo(job.outputs()[0])

    def _seen_by_the_loss(self) -> set[str]:
        """The steps that the loss depends on; all of them where it asks how far sliders are from their defaults."""
        needed = upstream(self.graph, [self.loss or self.link])
        if any("distances" in self.graph.steps[step].spec.injected.values() for step in needed):
            return set(self.graph.steps)
        return needed

    def _watcher(self, watch: Callable[[Tensor], None]) -> Callable[[Tensor], None]:
        """What shows `watch` the first photo, small, with the sliders at some coordinates."""
        jobs: list[Job] = []

        def show(u: Tensor) -> None:
            if not jobs:
                jobs.append(self._watched_job())
            (job,) = jobs
            job.tensors = self.space.values(list(u[self.space.indices(0)]))
            if self.derived:
                job.given |= made_anew(self.graph, self.given[0], job.tensors, self.settings)
            with torch.no_grad():
                watch(job.outputs()[0])

        return show

    def _watched_job(self) -> Job:
        given = {**self.given[0], **self.entries.now}
        full = Job(self.graph, [self.link], given, {}, 1.0, self.settings).plan
        scale = min(1.0, WATCHED / full.size(full.outputs[0]).long_edge)
        job = Job(self.graph, [self.link], given, {}, scale, self.settings, Cache())
        if not self.derived:
            job.keep_before([path for unknown in self.space.unknowns for path in unknown.paths])
        return job

    def solve(
        self,
        options: Options,
        progress: Callable[[float], None] | None,
        watch: Callable[[Tensor], None] | None,
        exact: bool,
        keep: Callable[[int, Size], Keep] | None,
    ) -> Fitted[G]:
        method = options.method
        if method == "auto":
            method = "adam" if self.loss is not None or self._moves_pixels() or self.entries or self.derived else "lm"
        if method == "lm" and self.loss is not None:
            raise WorkflowError("method lm fits a target photo; for a loss use adam")
        if method != "adam" and self.derived:
            raise WorkflowError(f"method {method} cannot follow pixels through another pack's node; use adam")
        if method != "adam" and self.entries:
            raise WorkflowError(f"method {method} moves sliders only; for free tables and weights use adam")
        if not self.entries and all(path.step not in self.reached for u in self.space.unknowns for path in u.paths):
            raise WorkflowError(f"no free slider reaches the loss: {', '.join(u.name for u in self.space.unknowns[:8])}")
        clock = Clock(options.seconds, progress, self._watcher(watch) if watch else None)
        before = self._loss_at(self.space.vector()) if self.loss is not None else None
        found = self._search(method, clock, options.seed)
        seconds = clock.elapsed
        self.entries.put(found.entries)
        moved = self.entries.found()
        pairs = []
        for index, given in enumerate(self.given):
            fitted = self._fitted(found, index, moved)
            last = {**given, **moved}
            for step_id in fitted.steps.keys() - self.graph.steps.keys():
                last |= brought(fitted, fitted.steps[step_id])
            if self.derived:
                own = list(found.u[self.space.indices(index)])
                last = made_anew(self.graph, last, self.space.values(own), self.settings)
            found_there = self._outcome(index, fitted, last, exact, keep)
            derived = {ref: last[ref] for ref in self.derived}
            pairs.append(PairResult(fitted, self.targets[index], *found_there, derived, self.offsets[index]))
        after = self._loss_at(found.u) if self.loss is not None else None
        sliders, trades = describe(self.space, found, self.reached)
        tables = tuple(
            FreeEntries(entry_path(self.graph, ref, made), fitted_file(made, fitted_name(made)), self.entries.moved(ref))
            for ref, made in moved.items()
        )
        return Fitted(tuple(pairs), sliders, trades, method, seconds, found.converged, clock.stopped, before, after, tables)

    def _fitted(self, found: Found, index: int, moved: Mapping[Ref, Made]) -> G:
        """The graph with one pair's sliders, and with the tables and weights that moved."""
        graph = self.graph.with_paths(self.space.settings(found.u, index))
        for ref, made in moved.items():
            graph = with_made(graph, ref, made)
        return graph

    def _moves_pixels(self) -> bool:
        """Whether a free slider moves pixels, which sampled pixels cannot follow."""
        return any(self.graph.steps[u.path.step].spec.family == "geometry" for u in self.space.unknowns)

    def _search(self, method: str, clock: Clock, seed: int) -> Found:
        if method == "adam" or self.loss is not None:
            jobs = [self._loss_job(index, _proxy_scale) for index in range(len(self.given))]

            def objective(u: Tensor) -> Tensor:
                losses = [self._loss(job, u, index) for index, job in enumerate(jobs)]
                return torch.stack(losses).mean() + self.entries.roughness()

            if method == "adam":
                return adam(self.space, objective, clock, self.entries)
            return cmaes(self.space, lambda u: objective(u).item(), clock, seed)
        pairs = [
            Pair(self.graph, self.link, given, target, self.space, self.settings, self._border(index))
            for index, (given, target) in enumerate(zip(self.given, self.targets))
            if target is not None
        ]
        if method == "lm":
            if self._moves_pixels():
                raise WorkflowError("method lm cannot move pixels: hold geometry sliders fixed, or use adam")
            return least_squares(self.space, pairs, clock, seed)
        sampled = LeastSquares(self.space, pairs, 4096, seed, clock, last=True)
        return cmaes(self.space, lambda u: sampled.residuals(u).square().mean().item(), clock, seed)

    def _loss_job(self, index: int, scale_of: Callable[[Any], float]) -> Job:
        """The loss of one pair as a rendering: the loss wired to the Fit step, else the squared error to the target."""
        graph, link, given = self.graph, self.loss, dict(self.given[index])
        if link is None:
            steps = dict(graph.steps)
            steps[_TARGET] = Step(_TARGET, PORTS["luxgrad.load_photo"])
            links = {"image": self.link, "target": Ref(_TARGET)}
            steps[_LOSS] = Step(_LOSS, REGISTRY["loss.l2"], {}, links)
            graph, link = replace(graph, steps=steps), Ref(_LOSS)
            given[Ref(_TARGET)] = self.targets[index]
        scale = 1.0 if self.derived else scale_of(Job(self.graph, [self.link], self.given[index], {}, 1.0, self.settings).plan)
        given[DISTANCES] = Distances(torch.zeros(max(1, len(self.space))))
        given |= self.entries.now
        return Job(graph, [link], given, {}, scale, self.settings)

    def _loss(self, job: Job, u: Tensor, index: int) -> Tensor:
        own = u[self.space.indices(index)]
        job.tensors = self.space.values(list(own))
        if self.derived:
            job.given |= made_anew(self.graph, self.given[index], job.tensors, self.settings)
        if len(own):
            job.given[DISTANCES] = Distances(own)
        return job.outputs()[0].double().mean()

    def _loss_at(self, u: Tensor) -> float:
        with torch.no_grad():
            losses = [self._loss(self._loss_job(i, lambda plan: 1.0), u, i).item() for i in range(len(self.given))]
        return sum(losses) / len(losses)

    def _outcome(
        self, index: int, fitted: Graph, given: Mapping[Ref, Any], exact: bool, keep: Callable[[int, Size], Keep] | None
    ) -> Outcome:
        """How far a pair was from its target and is, on the full picture."""
        if self.targets[index] is None and keep is None:
            return Outcome(None, None)
        return outcome(
            (self.graph, fitted),
            self.link,
            (self.given[index], given),
            self.targets[index],
            self.settings,
            border=self._border(index),
            exact=exact,
            keep=partial(keep, index) if keep else None,
        )


def _proxy_scale(plan: Any) -> float:
    return min(1.0, (PROXY_PIXELS / plan.size(plan.outputs[0]).pixels) ** 0.5)

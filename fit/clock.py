"""The time that a search has, and the two it talks to while it runs: who waits, and who looks on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from torch import Tensor

from ..graph.errors import Stopped

_PAUSE = 1.0
_SHARE = 0.05


class Clock:
    """How long a search may take. progress(share) hears how far it is and may raise `Stopped`.

    show(u) sees the best coordinates so far: once a second at most, and for at most a twentieth of the time.
    """

    def __init__(
        self,
        seconds: float,
        progress: Callable[[float], None] | None = None,
        show: Callable[[Tensor], None] | None = None,
    ) -> None:
        self.start, self.seconds, self.progress = time.perf_counter(), seconds, progress
        self.stopped = False
        self._show, self._due = show, _PAUSE
        self._best: Tensor | None = None
        self._cost, self._sure = math.inf, False

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.start

    def over(self, share: float = 1.0) -> bool:
        """Whether this share of the time is spent, or somebody pressed stop."""
        if self.progress is not None and not self.stopped:
            try:
                self.progress(min(1.0, self.elapsed / self.seconds))
            except Stopped:
                self.stopped = True
        over = self.stopped or self.elapsed > share * self.seconds
        if not over and self._best is not None and self.elapsed >= self._due:
            self._look(self._best)
        return over

    def better(self, u: Tensor, cost: float, sure: bool = True) -> None:
        """A search has come to coordinates that may be the best so far.

        sure: whether the cost was measured as it is at the end of a search; then costs that were not no longer count.
        """
        if self._show is None or (self._sure and not sure):
            return
        if cost < self._cost or sure > self._sure:
            self._best, self._cost, self._sure = u.detach().clone(), cost, sure

    def _look(self, u: Tensor) -> None:
        assert self._show is not None
        self._best, before = None, self.elapsed
        self._show(u)
        self._due = self.elapsed + max(_PAUSE, (self.elapsed - before) / _SHARE)

"""Tables and progress bars for the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from ..graph.errors import plain as plain

_WIDTH = 30
_PAUSE = 0.1


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows as aligned text; columns numbered in `right` are set flush right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = (cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths)))
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


class Bar:
    """A progress bar on standard error; silent where that is not a terminal."""

    def __init__(self, label: str) -> None:
        self.label, self.shown, self.live = label, 0.0, sys.stderr.isatty()

    def share(self, share: float) -> None:
        now = time.monotonic()
        if not self.live or (now - self.shown < _PAUSE and share < 1.0):
            return
        self.shown = now
        full = round(_WIDTH * share)
        print(f"\r{self.label} [{'#' * full}{'.' * (_WIDTH - full)}] {share:4.0%}", end="", file=sys.stderr, flush=True)

    def tiles(self, done: int, total: int) -> None:
        self.share(done / max(total, 1))

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self.live and self.shown:
            print("\r" + " " * (len(self.label) + _WIDTH + 9) + "\r", end="", file=sys.stderr, flush=True)

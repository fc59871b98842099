"""How a training goes: a table of its terms, and their running means in a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class Curve:
    """A CSV file that grows by a row each step; rows of an earlier session stay."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.columns, self._means = list(columns), dict[str, float]()
        self._path = path
        if not path.exists():
            self._write(columns)

    def _write(self, cells: Sequence[str]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(",".join(cells) + "\n")

    def add(self, *values: float) -> None:
        self._write([f"{value:.6g}" for value in values])
        for name, value in zip(self.columns, values):
            before = self._means.get(name, value)
            self._means[name] = value if name in self.columns[:2] else before + 0.02 * (value - before)

    def said(self) -> str:
        """Where the training stands, in a line."""
        return ", ".join(f"{name} {self._means[name]:.4g}" for name in self.columns)

"""How a training goes: a table of its terms, and their running means in a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..files.atomic import whole_file
from ..files.errors import FileError


class Curve:
    """A CSV file that grows by a row each step.

    step: where the training stands; rows up to it stay, those that a killed session wrote after its last state go.
    Raises FileError: a file that cannot be read or written, or has other columns.
    """

    def __init__(self, path: Path, columns: Sequence[str], step: int = 0) -> None:
        self.columns, self._means = list(columns), dict[str, float]()
        self._path = path
        head = ",".join(columns)
        try:
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else [head]
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"{path}: {getattr(error, 'strerror', None) or 'no table of a training'}") from None
        if lines[:1] != [head]:
            raise FileError(f"{path}: expected the columns {head}; got {', '.join(lines[:1])[:80]!r}")
        kept = [line for line in lines[1:] if line.partition(",")[0].isdecimal() and int(line.partition(",")[0]) <= step]
        with whole_file(path) as part:
            part.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")

    def add(self, *values: float) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(",".join(f"{value:.6g}" for value in values) + "\n")
        except OSError as error:
            raise FileError(f"{self._path}: could not be written: {error.strerror or error}") from None
        for name, value in zip(self.columns, values):
            before = self._means.get(name, value)
            self._means[name] = value if name in self.columns[:2] else before + 0.02 * (value - before)

    def said(self) -> str:
        """Where the training stands, in a line."""
        return ", ".join(f"{name} {self._means[name]:.4g}" for name in self.columns)

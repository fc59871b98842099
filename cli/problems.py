"""Which errors are the input's, and how they read."""

from __future__ import annotations

from ..files.errors import FileError
from ..graph.errors import WorkflowError
from ..networks.weights import WeightsError
from ..ops.params import BadValue
from .show import plain


class UsageError(ValueError):
    """Arguments that do not fit the workflow."""


def problem_line(error: Exception) -> str | None:
    """One line for a problem with the input; None for a bug of ours."""
    if isinstance(error, (FileError, WorkflowError, WeightsError, BadValue, UsageError)):
        return " ".join(plain(str(error)).split())
    if isinstance(error, MemoryError):
        return "not enough memory; a smaller --size, or fewer photos at once, takes less"
    return None

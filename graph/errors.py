"""Errors a person can act on: one line that names the step, socket or file, what was expected and what came."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

_LONGEST = 1500
_MOST_DIGITS = 40


def plain(text: str) -> str:
    """Text of others (titles, file names) made safe to show: one line, nothing that moves a cursor.

    Bytes of a file name that are no UTF-8 are shown as such: `caf\\xe9.png`.
    """
    return "".join(letter if letter.isprintable() else _byte(letter) for letter in text)


def _byte(letter: str) -> str:
    return f"\\x{ord(letter) - 0xDC00:02x}" if "\udc80" <= letter <= "\udcff" else " "


def one_line(text: str, longest: int = _LONGEST) -> str:
    """A text without line breaks and control characters, cut where it is longer than people read."""
    flat = " ".join(plain(text[: 4 * longest]).split())
    return flat if len(flat) <= longest else flat[: longest - 3] + "..."


def got(value: Any) -> str:
    """What came, in few words: a value as JSON has it, or its kind. Safe for any value, however large or deep."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_MOST_DIGITS else f"a number of more than {_MOST_DIGITS} digits"
    if isinstance(value, (str, float)):
        return repr(value) if isinstance(value, float) or len(value) <= 40 else repr(value[:37]) + "..."
    return "an object" if isinstance(value, Mapping) else "a list" if isinstance(value, (list, tuple)) else type(value).__name__


class WorkflowError(ValueError):
    """A workflow, a value or a photo that cannot be used as asked. The text is one line for people."""

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


class Stopped(Exception):
    """Raised by a progress callback to stop; a fit keeps its best so far."""


def nearest(word: str, known: Iterable[str], many: int = 3) -> str:
    """`(nearest: a, b)` for a misspelt word, or `(there are: ...)` when nothing is like it."""
    known = list(dict.fromkeys(one_line(name, 80) for name in known))
    close = difflib.get_close_matches(word, known, many, 0.5)
    if close:
        return f"(nearest: {', '.join(close)})"
    return f"(there are: {', '.join(known[:8])}{', ...' if len(known) > 8 else ''})" if known else "(there are none)"

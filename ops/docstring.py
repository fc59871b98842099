"""How the docstring of an operation is read: its help page."""

from __future__ import annotations

import fnmatch
import inspect
import re
from collections.abc import Callable

from .errors import DeclarationError


def read_docstring(function: Callable, names: list[str]) -> tuple[str, dict[str, str], str]:
    """A docstring as summary, tooltips by parameter name (or pattern, such as *_hue), and notes."""
    paragraphs = [p.strip() for p in (inspect.getdoc(function) or "").split("\n\n") if p.strip()]
    if not paragraphs:
        raise DeclarationError(f"{function.__name__}: write a docstring; its first sentence becomes the description")
    tips: dict[str, str] = {}
    notes = []
    for paragraph in paragraphs[1:]:
        current = None
        for line in paragraph.splitlines():
            start = re.match(r"([\w*]+): (.+)", line)
            if start and any(fnmatch.fnmatch(name, start[1]) for name in names):
                current = start[1]
                tips[current] = start[2].strip()
            elif current:
                tips[current] += " " + line.strip()
        if current is None:
            notes.append(" ".join(paragraph.split()))
    return " ".join(paragraphs[0].split()), tips, "\n\n".join(notes)

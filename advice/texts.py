"""Words that come from outside (people, files, other nodes, language models): made safe to keep and to show."""

from __future__ import annotations

from typing import Any

from ..graph.errors import WorkflowError

LONGEST_SAID = 4000
LONGEST_LINE = 600


def told(text: str, longest: int) -> str:
    """A text as plain lines: what cannot be printed becomes a space, and what is longer than people read is cut."""
    lines = ("".join(letter if letter.isprintable() else " " for letter in line) for line in text[: 4 * longest].splitlines())
    kept = "\n".join(" ".join(line.split()) for line in lines).strip()
    return kept if len(kept) <= longest else kept[: longest - 3] + "..."


def said(text: Any, name: str = "say") -> str:
    """What somebody says to an advisor, as plain lines. Raises WorkflowError where it is no text, or too long a one."""
    if not isinstance(text, str) or len(text) > LONGEST_SAID:
        came = f"{len(text)} characters" if isinstance(text, str) else type(text).__name__
        raise WorkflowError(f"{name}: expected text of at most {LONGEST_SAID} characters; got {came}")
    return told(text, LONGEST_SAID)

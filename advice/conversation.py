"""A conversation: turns as plain data, kept in a workflow as text and wired from node to node."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..graph.errors import WorkflowError
from ..graph.patch import Patch, well_formed
from ..graph.schema import parse
from .texts import said

MOST_TURNS = 100
LONGEST_CONVERSATION = 1_000_000

_TEXTS = ("say", "advisor", "reply")
_PATCHES = ("patch", "undo")


@dataclass(frozen=True)
class Turn:
    """One turn: what was said to which advisor, its answer, what it changed, and the patch that takes that back."""

    say: str = ""
    advisor: str = ""
    reply: str = ""
    patch: Patch = ()
    undo: Patch = ()

    def data(self) -> dict[str, Any]:
        texts = {name: getattr(self, name) for name in _TEXTS}
        return {**texts, **{name: [dict(edit) for edit in getattr(self, name)] for name in _PATCHES}}


def turns_of(text: Any) -> tuple[Turn, ...]:
    """A conversation from its text; an empty one has no turns. Raises WorkflowError."""
    if not isinstance(text, str) or len(text) > LONGEST_CONVERSATION:
        raise WorkflowError(f"conversation: expected text of at most {LONGEST_CONVERSATION} characters")
    if not text.strip():
        return ()
    try:
        data = parse(text)
        if not isinstance(data, list) or len(data) > MOST_TURNS:
            raise WorkflowError(f"expected a list of at most {MOST_TURNS} turns")
        return tuple(_turn(number, entry) for number, entry in enumerate(data, start=1))
    except WorkflowError as error:
        raise WorkflowError(f"conversation: {str(error).replace('a workflow in JSON', 'turns in JSON')}") from None


def _turn(number: int, entry: Any) -> Turn:
    if not isinstance(entry, dict) or set(entry) - {*_TEXTS, *_PATCHES}:
        raise WorkflowError(f"turn {number}: expected an object of {', '.join((*_TEXTS, *_PATCHES))}")
    try:
        say, advisor, reply = (said(entry.get(name, ""), name) for name in _TEXTS)
        patch, undo = (tuple(well_formed(entry.get(name, []))) for name in _PATCHES)
        return Turn(say, advisor, reply, patch, undo)
    except WorkflowError as error:
        raise WorkflowError(f"turn {number}: {error}") from None


def text_of(turns: Sequence[Turn]) -> str:
    """A conversation as text; the oldest turns go where there are too many."""
    kept = list(turns)[-MOST_TURNS:]
    while True:
        text = json.dumps([turn.data() for turn in kept], ensure_ascii=False, allow_nan=False) if kept else ""
        if len(text) <= LONGEST_CONVERSATION:
            return text
        kept = kept[1:]

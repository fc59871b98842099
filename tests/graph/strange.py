"""Workflow files damaged in their structure, for property tests: JSON that parses and is wrong in one place or a few."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

TEXTS = ("", "*", "-10", "-20", "1", "image", "Reroute", "PrimitiveNode", "luxgrad.tone.exposure", "LoadImage", "7:3",
         "line\nbreak", "\x1b[31mred", "\ud800", "cut \ud83d", "r\udce9sum\udce9.jpg", "\u202e\u200b", "1\0x",
         "é" * 300)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 4, 7, -10, -20, 0.5, -0.0, 1e-320, 1e300, 2**53, 2**64, -(2**63), 10**200, 10**400, float("nan"),
           float("inf"))  # fmt: skip
DEPTHS = (3, 40, 63, 70, 500, 20_000)
_DEEP = "nested "


def damaged(documents: list[Any]) -> st.SearchStrategy[str]:
    """The text of one of the documents, damaged in one to four places."""
    return _damaged(documents)


@st.composite
def _damaged(draw: st.DrawFn, documents: list[Any]) -> str:
    document = [copy.deepcopy(draw(st.sampled_from(documents)))]
    for _ in range(draw(st.integers(1, 4))):
        _damage(draw, document)
    return text_of(document[0])


def text_of(data: Any) -> str:
    """JSON with lists nested so deeply that Python's own writer would fail."""
    return re.sub(f'"{_DEEP}([0-9]+)"', lambda found: "[" * int(found[1]) + "]" * int(found[1]), json.dumps(data))


def values(document: Any = None) -> st.SearchStrategy[Any]:
    """What may stand in the place of anything: every kind of JSON, and another part of the same document."""
    parts = [part for _, _, part in places([document])] if document is not None else []
    simple = st.one_of(st.none(), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(TEXTS), st.text(max_size=5))
    nested = st.sampled_from(DEPTHS).map(lambda depth: f"{_DEEP}{depth}")
    lists = st.lists(simple, max_size=6)
    objects = st.dictionaries(st.sampled_from(("id", "type", "nodes", "links", "name", "link", "inputs", "\ud800")), simple)
    return st.one_of(simple, nested, lists, objects, *([st.sampled_from(parts).map(copy.deepcopy)] if parts else []))


def places(document: list[Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Every place of a document, as (what holds it, name or number there, what is there)."""
    waiting: list[Any] = [document]
    while waiting:
        holder = waiting.pop()
        for key, part in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            yield holder, key, part
            if isinstance(part, (dict, list)):
                waiting.append(part)


def _damage(draw: st.DrawFn, document: list[Any]) -> None:
    """One change in place, most often near the top, where the structure is."""
    holder, key = (document, 0) if draw(st.integers(0, 20)) == 20 else _place(draw, document)
    part = holder[key]
    match draw(st.integers(0, 8)):
        case 0 | 1 | 2:
            holder[key] = draw(values(document[0]))
        case 3 if holder is not document:
            del holder[key]
        case 4 if isinstance(holder, list) and holder is not document:
            holder.insert(draw(st.integers(0, len(holder))), copy.deepcopy(part))
        case 5 if isinstance(part, list):
            del part[draw(st.integers(0, len(part))) :]
        case 6 if isinstance(holder, dict):
            holder[draw(st.one_of(st.sampled_from(sorted(holder)), st.sampled_from(TEXTS)))] = part
        case 7:
            other, name = _place(draw, document)
            holder[key], other[name] = copy.deepcopy(other[name]), copy.deepcopy(part)
        case _:
            _rewire(draw, document)


def _place(draw: st.DrawFn, document: list[Any]) -> tuple[Any, Any]:
    """Any place of a document, or one found by walking down it, which comes past few numbers."""
    if draw(st.booleans()):
        return draw(st.sampled_from([(holder, key) for holder, key, _ in places(document)]))
    holder, key = document, 0
    while isinstance(holder[key], (dict, list)) and holder[key] and draw(st.integers(0, 5)):
        holder = holder[key]
        key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    return holder, key


def _rewire(draw: st.DrawFn, document: list[Any]) -> None:
    """An id, a kind or the end of a wire becomes that of another: two of one id, circles, a subgraph in itself."""
    names = ("id", "type", "link", "class_type", "origin_id", "target_id", "mode")
    found = [(holder, key) for holder, key, part in places(document) if key in names and not isinstance(part, (dict, list))]
    ends = [(holder, key) for holder, key, part in places(document)
            if isinstance(holder, list) and len(holder) in (2, 5, 6) and key < 5 and isinstance(part, (int, str))]  # fmt: skip
    kinds = [(holder, "type") for holder, key, _ in places(document) if key == "type" and isinstance(holder, dict)]
    subgraphs = [
        holder["id"] for holder, key, _ in places(document) if key == "nodes" and isinstance(holder, dict) and "id" in holder
    ]
    if subgraphs and kinds and draw(st.integers(0, 3)) == 0:
        holder, key = draw(st.sampled_from(kinds))
        holder[key] = draw(st.sampled_from(subgraphs))
    elif found or ends:
        holder, key = draw(st.sampled_from(found + ends))
        other, name = draw(st.sampled_from([place for place in found + ends if place[1] == key] or found + ends))
        holder[key] = copy.deepcopy(other[name])

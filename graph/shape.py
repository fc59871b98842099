"""Data of others, checked once at the door: JSON that can be walked, written and read again, and the shape of an API form."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .errors import WorkflowError, got, one_line

MOST_DEEP = 64
MOST_STEPS = 100_000
_MOST_NAMES = 8


class _At(NamedTuple):
    """Where a value stands: its name, or its number in a list, and what holds it."""

    name: str
    around: _At | None = None

    def __str__(self) -> str:
        names, at = [self.name], self.around
        while at is not None:
            names.append(at.name)
            at = at.around
        return ", ".join([*names[: -_MOST_NAMES - 1 : -1], *(["..."] if len(names) > _MOST_NAMES else [])])


def plain_data(data: Any, name: str = "workflow") -> Any:
    """The data as it came, when it is JSON: finite numbers, names that are text, and no deeper than people nest.

    Text may hold half a surrogate pair, as file names that are no UTF-8 do; it is written as an escape. Raises WorkflowError.
    """
    waiting: list[tuple[Any, int, _At]] = [(data, 0, _At(name))]
    while waiting:
        value, depth, at = waiting.pop()
        if value is None or isinstance(value, (str, bool)):
            continue
        if isinstance(value, (int, float)):
            if not finite(value):
                raise WorkflowError(f"{at}: expected a number up to 1e308; got {got(value)}")
        elif not isinstance(value, (Mapping, list, tuple)):
            raise WorkflowError(f"{at}: expected text, a number, a list or an object; got {got(value)}")
        elif depth == MOST_DEEP:
            raise WorkflowError(f"{at}: expected lists and objects at most {MOST_DEEP} deep; got one nested too deeply")
        else:
            waiting += [(entry, depth + 1, _At(part, at)) for part, entry in _entries(value, at)]
    return data


def _entries(value: Any, at: _At) -> Iterator[tuple[str, Any]]:
    """What an object or a list holds, each with its name; an entry of a list that has an id goes by it."""
    if not isinstance(value, Mapping):
        for number, entry in enumerate(value):
            known = entry.get("id") if isinstance(entry, Mapping) else None
            yield (f"id {one_line(str(known), 40)}" if isinstance(known, (str, int)) and finite(known) else str(number)), entry
        return
    for name, entry in value.items():
        if not isinstance(name, str):
            raise WorkflowError(f"{at}: expected names that are text; got {got(name)}")
        yield one_line(name, 40), entry


def finite(value: str | float) -> bool:
    """Whether a number is one that every reader of JSON holds; text is."""
    try:
        return isinstance(value, str) or math.isfinite(value)
    except OverflowError:
        return False


_WORDS = {str: "text", int: "a whole number", list: "a list", dict: "an object", Mapping: "an object"}


def field(entry: Mapping[str, Any], name: str, kind: type, where: str, required: bool = False) -> Any:
    """A field of an object, of the kind that it must have; None where it is missing or null. Raises WorkflowError."""
    value = entry.get(name)
    if (value is None and not required) or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise WorkflowError(f"{where}, {name}: expected {_WORDS[kind]}; got {got(value) if name in entry else 'nothing'}")


class Entry(NamedTuple):
    """A step of the API form: its class, and its values and wires by name."""

    kind: str
    inputs: Mapping[str, Any]


def entry_of(step_id: str, data: Any) -> Entry:
    """What stands under a step's id in an API form. Raises WorkflowError."""
    where = called(step_id)
    if not isinstance(data, Mapping):
        raise WorkflowError(f"{where}: expected an object with class_type and inputs; got {got(data)}")
    return Entry(field(data, "class_type", str, where, required=True), field(data, "inputs", Mapping, where) or {})


def called(step_id: str) -> str:
    """A step, before it is known to be one."""
    return f"step {one_line(step_id, 40)!r}"

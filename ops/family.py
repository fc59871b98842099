"""Families from data: many operations of one kind from one table and one function.

Twenty modules of another program differ in their sliders, ranges, tooltips and weights, not in their formula. `@family`
makes an operation of every row of a table, through the same `declare` as any other, so that each has its own signature,
node, help page, inventory line and laws.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from .docstring import read_docstring
from .errors import DeclarationError
from .example import ORDINARY, Example
from .params import Choice, Count, Kind, Slider, Switch
from .reach import Reach
from .spec import declare, folder_of, register
from .types import Network, Scalar, weights

Row = Mapping[str, Any]
_OPTIONAL = {"network": "", "notes": "", "display_transform": False, "constants": {}}
_TYPES: dict[type, Any] = {Slider: Scalar, Count: float, Choice: str, Switch: bool}


@dataclass(frozen=True)
class Member:
    """A row of a family's table, handed to its function where that names a parameter of this type.

    params: its own parameters, in order. network: the name of its weights, if it has any. constants: numbers for the formula.
    """

    name: str
    params: Mapping[str, Kind]
    network: str
    constants: Mapping[str, Any]


def family(
    reach: Reach, members: Mapping[str, Row], example: Callable[[Member], Example] = lambda member: ORDINARY
) -> Callable[[Callable], Callable]:
    """Declare an operation per row of a table; the function ends in `**values`, where a member's own parameters arrive.

    members: name -> row. A row has `summary` and `params`, and may have `network`, `notes`, `constants` and
    `display_transform`. A parameter has `default` and `tip`, and then as its kind says: `options` (a choice), nothing more
    for a default of true or false (a switch), else what `Slider` takes: `low`, `high`, `soft`, `unit`, `log`, `step`; with
    `count` true, what `Count` takes. example: what the laws of a member try it on.

    The function's docstring describes the family, then has the tooltips that members share, then notes for all of them.
    """

    def declare_members(template: Callable) -> Callable:
        folder = folder_of(template)
        for name, row in members.items():
            op_id = f"{folder}.{name}"
            row = _checked_row(op_id, row)
            member = Member(name, _kinds(op_id, row["params"]), row["network"], MappingProxyType(row["constants"]))
            function = _function(op_id, template, member, row)
            register(declare(function, reach, op_id, row["display_transform"], example=example(member), template=template))
        return template

    return declare_members


def _checked_row(op_id: str, row: Row) -> dict[str, Any]:
    missing = {"summary", "params"} - set(row)
    unknown = set(row) - {"summary", "params", *_OPTIONAL}
    if missing or unknown or not op_id.rpartition(".")[2].isidentifier():
        raise DeclarationError(
            f"{op_id}: expected a name and a row of summary, params and perhaps {', '.join(_OPTIONAL)}; "
            f"missing {sorted(missing) or 'none'}, unknown {sorted(unknown) or 'none'}"
        )
    texts = {"summary": row["summary"], "notes": row.get("notes", "")}
    texts |= {name: facts.get("tip", "") for name, facts in row["params"].items()}
    for name, text in texts.items():
        if "\n" in text or (not text and name != "notes"):
            raise DeclarationError(f"{op_id}, {name}: expected one line of text; got {text!r}")
    return {**_OPTIONAL, **row}


def _kinds(op_id: str, params: Mapping[str, Row]) -> Mapping[str, Kind]:
    kinds = {}
    for name, facts in params.items():
        try:
            kinds[name] = _kind({key: value for key, value in facts.items() if key != "tip"})
        except (KeyError, TypeError) as error:
            raise DeclarationError(f"{op_id}.{name}: {error}") from None
    return MappingProxyType(kinds)


def _kind(facts: dict[str, Any]) -> Kind:
    default, count = facts.pop("default"), facts.pop("count", False)
    if "options" in facts:
        return Choice(*facts.pop("options"), **facts)
    if isinstance(default, bool):
        return Switch(**facts)
    if count:
        return Count(**facts)
    return Slider(**{**facts, "soft": tuple(facts["soft"]) if "soft" in facts else None})


def _function(op_id: str, template: Callable, member: Member, row: Row) -> Callable:
    """The function of a member: the template's, with the member's parameters by name in the place of `**values`."""
    hints = typing.get_type_hints(template, include_extras=True)
    shared, asks, networks, rest = [], [], [], ""
    for name, parameter in inspect.signature(template).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            rest = name
        elif hints.get(name) is Member:
            asks.append(name)
        elif hints.get(name) is Network:
            networks.append(name)
            shared.append(parameter.replace(annotation=Annotated[Network, weights(member.network)]))
        else:
            shared.append(parameter.replace(annotation=hints.get(name, parameter.empty)))
    if not rest:
        raise DeclarationError(f"{op_id}: end the parameters of {template.__name__} in **values, for a member's own")
    if bool(networks) != bool(member.network):
        raise DeclarationError(f"{op_id}: a row names a network exactly where {template.__name__} takes one")
    own = [(name, kind, row["params"][name]["default"]) for name, kind in member.params.items()]
    try:
        signature = inspect.Signature([*shared, *(_parameter(*entry) for entry in own)], return_annotation=hints.get("return"))
    except ValueError as error:
        raise DeclarationError(f"{op_id}: {error}") from None

    def function(*given: Any, **named: Any) -> Any:
        arguments = signature.bind_partial(*given, **named)
        arguments.apply_defaults()
        return template(**arguments.arguments, **dict.fromkeys(asks, member))

    _, tips, notes = read_docstring(template, [parameter.name for parameter in shared])
    tips |= {name: f"{tips[name].rstrip('.')}; {member.network} unless wired." for name in networks if name in tips}
    tips |= {name: row["params"][name]["tip"] for name in member.params}
    lines = "\n".join(f"{name}: {tip}" for name, tip in tips.items())
    facts = {
        "__name__": member.name,
        "__qualname__": member.name,
        "__module__": template.__module__,
        "__doc__": "\n\n".join(text for text in (row["summary"], lines, row["notes"], notes) if text),
        "__signature__": signature,
        "__annotations__": {**{p.name: p.annotation for p in signature.parameters.values()}, "return": hints.get("return")},
    }
    for name, fact in facts.items():
        setattr(function, name, fact)
    return function


def _parameter(name: str, kind: Kind, default: Any) -> inspect.Parameter:
    annotation = Annotated[_TYPES[type(kind)], kind]  # type: ignore[valid-type]
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)

"""Operations as JSON, for programs that read the terminal."""

from __future__ import annotations

from typing import Any

from ..ops.params import Choice, Count, Slider, Switch, Text
from ..ops.spec import REGISTRY, OpSpec, Param


def operations() -> list[dict[str, Any]]:
    """Every operation with its sockets, parameters, ranges, defaults and tooltips."""
    return [operation_facts(spec) for _, spec in sorted(REGISTRY.items())]


def operation_facts(spec: OpSpec) -> dict[str, Any]:
    """All that a declaration says of an operation."""
    return {
        "id": spec.id,
        "node": spec.node_id,
        "family": spec.family,
        "label": spec.label,
        "summary": spec.summary,
        "notes": spec.notes,
        "reach": type(spec.reach).__name__.lower(),
        "neutral": dict(spec.neutral) if spec.neutral else None,
        "display_transform": spec.display_transform,
        "inputs": [{"name": e.name, "socket": e.socket, "required": e.required, "tip": e.tip} for e in spec.inputs],
        "parameters": [_parameter(param) for param in spec.params],
        "outputs": [{"name": output.name, "socket": output.socket} for output in spec.outputs],
    }


def _parameter(param: Param) -> dict[str, Any]:
    kind = param.kind
    facts: dict[str, Any] = {
        "name": param.name,
        "kind": type(kind).__name__.lower(),
        "default": param.default,
        "tip": param.tip,
    }
    if isinstance(kind, Slider):
        facts |= {
            "low": kind.low,
            "high": kind.high,
            "soft": list(kind.comfortable),
            "unit": kind.unit,
            "log": kind.log,
        }
        facts["step"] = kind.step
    elif isinstance(kind, Count):
        facts |= {"low": kind.low, "high": kind.high, "unit": kind.unit, "step": kind.step}
    elif isinstance(kind, Choice):
        facts["options"] = list(kind.options)
    elif isinstance(kind, Text):
        facts["multiline"] = kind.multiline
    else:
        assert isinstance(kind, Switch)
    return facts

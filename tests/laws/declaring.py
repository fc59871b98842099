"""Laws of what is said: the declaration is complete, and every face says the same."""

from __future__ import annotations

import json
from typing import Any

from luxgrad.cli.schema import operation_facts
from luxgrad.graph.schema import dumps, loads
from luxgrad.nodes.factory import input_types, node_class
from luxgrad.nodes.help import page
from luxgrad.ops.params import Choice, Count, Slider, Switch
from luxgrad.ops.spec import OpSpec

from .cases import as_graph, draw_sliders
from .law import every, law


@law(every)
def the_declaration_reads_as_a_help_page(spec: OpSpec) -> None:
    assert spec.summary.endswith((".", "tones.")), f"{spec.id}: end the summary in a full stop"
    for entry in (*spec.inputs, *spec.params):
        assert len(entry.tip) > 10, f"{spec.id}.{entry.name} needs a tooltip"
    for param in spec.params:
        assert isinstance(param.kind, (Slider, Count, Choice, Switch)), f"{spec.id}.{param.name}: {param.kind}"


@law(every)
def node_help_page_and_schema_say_what_the_declaration_says(spec: OpSpec) -> None:
    cls: Any = node_class(spec)
    types = input_types(spec)
    widgets = {**types["required"], **types["optional"]}
    assert list(widgets) == [
        *(entry.name for entry in spec.inputs if entry.required),
        *(entry.name for entry in spec.inputs if not entry.required),
        *(param.name for param in spec.params),
    ]
    assert tuple(output.socket for output in spec.outputs) == cls.RETURN_TYPES
    facts = json.loads(json.dumps(operation_facts(spec), allow_nan=False))
    told = {entry["name"]: entry for entry in facts["parameters"]}
    text = page(spec)
    for param in spec.params:
        _, options = widgets[param.name]
        assert options["default"] == told[param.name]["default"] == param.default, f"{spec.id}.{param.name}"
        assert param.tip in text, f"{spec.id}.{param.name}: its help page says something else"
        if isinstance(param.kind, Slider):
            said = (options["min"], options["max"]), (told[param.name]["low"], told[param.name]["high"])
            assert said[0] == said[1] == (param.kind.low, param.kind.high), f"{spec.id}.{param.name}: {said}"


@law(every)
def a_step_survives_its_file(spec: OpSpec) -> None:
    values: dict[str, Any] = {name: value.item() for name, value in draw_sliders(spec, 14).items()}
    for param in spec.params:
        if isinstance(param.kind, Choice):
            values[param.name] = param.kind.options[-1]
        elif isinstance(param.kind, Switch):
            values[param.name] = not param.default
    graph = as_graph(spec, {**spec.example.values, **values})
    again = loads(dumps(graph))
    assert again.steps["op"].all_values() == graph.steps["op"].all_values(), spec.id
    assert values.items() <= again.steps["op"].all_values().items(), spec.id
    assert again.steps["op"].links == graph.steps["op"].links, spec.id

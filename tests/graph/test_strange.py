"""Damaged workflows, patches and free texts are read, or refused in one line; what is read can be written and read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import event, given, strategies as st

from luxgrad.fit.free import read_free
from luxgrad.fit.parameters import read_entries
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.model import Graph
from luxgrad.graph.patch import apply
from luxgrad.graph.schema import dumps, from_data, loads, parse, to_data
from luxgrad.graph.ui_form import is_ui_form, to_api
from luxgrad.graph.ui_layout import from_api

from ..conftest import ROOT
from .strange import TEXTS, damaged, text_of, values
from .test_ui_form import API, nested

SHIPPED = [json.loads(path.read_text()) for path in sorted((ROOT / "workflows").glob("*.json"))]
DOCUMENTS = [*SHIPPED, from_api(API), nested(), API, *(to_data(from_data(data)) for data in SHIPPED)]


def refusal(error: WorkflowError) -> None:
    text = str(error)
    assert text.isprintable()
    assert 10 < len(text) <= 1500


def read(text: str) -> Graph | None:
    try:
        graph = loads(text)
    except WorkflowError as error:
        refusal(error)
        event("refused")
        return None
    event("read")
    return graph


def unnumbered(graph: Graph) -> list[Any]:
    """Steps in an order that does not depend on their ids, each with all before it."""
    made: dict[str, Any] = {}

    def whole(step_id: str) -> Any:
        if step_id not in made:
            step = graph.steps[step_id]
            wires = {name: (whole(link.step), link.slot) for name, link in step.links.items()}
            made[step_id] = repr((step.spec.node_id, step.title, sorted(step.all_values().items()), sorted(wires.items())))
        return made[step_id]

    return sorted(whole(step.id) for step in graph)


@given(damaged(DOCUMENTS))
def test_a_damaged_workflow_is_refused_in_one_line_or_written_and_read_again_the_same(text: str) -> None:
    graph = read(text)
    if graph is None:
        return
    written = dumps(graph)
    written.encode("utf-8")
    assert to_data(loads(written)) == to_data(graph)
    assert dumps(loads(written)) == written
    other = from_api(to_data(graph))
    assert unnumbered(from_data(other)) == unnumbered(graph)
    assert unnumbered(from_data(to_api(other))) == unnumbered(graph)


@given(damaged(DOCUMENTS), st.data())
def test_what_is_set_in_a_damaged_workflow_that_can_be_read_is_there_when_it_is_read_again(
    text: str, data: st.DataObject
) -> None:
    graph = read(text)
    if graph is None or not graph.paths():
        return
    chosen = data.draw(st.lists(st.sampled_from(graph.paths()), min_size=1, max_size=3, unique=True))
    patch = [{"edit": "set", "path": path, "value": graph.param(graph.path(path)).kind.low} for path in chosen]
    try:
        edited = apply(graph, patch)
    except WorkflowError as error:
        refusal(error)
        return
    assert unnumbered(loads(dumps(edited))) == unnumbered(edited)


@given(damaged([document for document in DOCUMENTS if is_ui_form(document)]))
def test_a_damaged_editors_document_is_converted_or_refused_in_one_line(text: str) -> None:
    try:
        api = to_api(parse(text))
    except WorkflowError as error:
        refusal(error)
        return
    json.dumps(api)


EDITS: list[Any] = [
    [{"edit": "set", "path": "Bright.stops", "value": 0.5}, {"edit": "remove", "step": "3"}],
    [{"edit": "add", "step": "warm", "node": "luxgrad.colour.white_balance", "title": "Warm", "values": {"kelvin": 5000.0},
      "links": {"image": ["1", 0]}}, {"edit": "link", "step": "4", "input": "after", "from": ["warm", 0]}],
    [{"edit": "link", "step": "5", "input": "photo", "from": ["2", 0]}, {"edit": "remove", "step": "4"}],
]  # fmt: skip


@given(damaged(EDITS))
def test_a_damaged_patch_is_applied_or_refused_in_one_line(text: str) -> None:
    try:
        patch = parse(text)
        edited = apply(from_data(API), patch)
    except WorkflowError as error:
        refusal(error)
        event("refused")
        return
    event("applied")
    assert to_data(loads(dumps(edited))) == to_data(edited)


@given(values(EDITS))
def test_a_value_of_any_kind_is_set_or_refused_in_one_line(value: Any) -> None:
    for data in (value, json.loads(text_of(value)) if "nested" not in str(value) else []):
        for path in ("Bright.stops", "5.seed", "1.file", "5.free", "3.invert"):
            try:
                graph = from_data(API).with_values({path: data})
            except WorkflowError as error:
                refusal(error)
                continue
            assert to_data(loads(dumps(graph))) == to_data(graph)


WORDS = ("2.stops", "Bright.stops", "*", "?", "[a-", "[z-a]", "[!", "]", "in", "-1..1", "..", "1..", "...", "nan..1",
         "1e999..2", "per", "photo", "=", "#", ".table", "\n", "  ", "\t", "\u2028", *TEXTS)  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=12), st.sampled_from((" ", "")))
def test_a_free_text_of_any_words_is_read_or_refused_in_one_line(words: list[str], gap: str) -> None:
    graph = from_data(API)
    text, within = gap.join(words), set(graph.steps)
    for read_it in (lambda: read_free(graph, text, within), lambda: read_entries(graph, text, within, {})):
        try:
            read_it()
        except WorkflowError as error:
            refusal(error)


LONG = ("2.stops" + " " * 100_000 + "x", "2.stops in " + "." * 100_000 + " x", "in " * 33_000, "?" * 100_000, "[" * 100_000,
        "*a" * 50_000, "a=" * 50_000, "in 1..2 " * 12_000)  # fmt: skip


@pytest.mark.parametrize("line", LONG, ids=range(len(LONG)))
def test_a_free_line_of_great_length_is_refused_before_it_is_tried(line: str) -> None:
    with pytest.raises(WorkflowError, match="free: expected lines of at most 1000 characters"):
        read_free(from_data(API), line, set(API))

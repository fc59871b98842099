"""Workflow files: read, refused and written."""

from __future__ import annotations

import copy
import functools
import json
import time
from typing import Any

import pytest

from luxgrad.engine.planning import make_plan
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.model import Ref
from luxgrad.graph.outputs import output_of
from luxgrad.graph.schema import dumps, from_data, loads
from luxgrad.light.rectangle import Size

GOOD: dict[str, Any] = {
    "1": {"class_type": "luxgrad.load_photo", "inputs": {"file": "a.jpg"}, "_meta": {"title": "Photo"}},
    "2": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["1", 0], "stops": 0.5}, "_meta": {"title": "Lift"}},
    "3": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["2", 0]}},
}


def changed(*keys: Any, to: Any) -> dict[str, Any]:
    """The good workflow with one place replaced."""
    data = copy.deepcopy(GOOD)
    place = data
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return data


BAD: dict[str, tuple[Any, str]] = {
    "a cycle": (changed("2", "inputs", "image", to=["2", 0]), r"the steps 2 -> 2 form a cycle"),
    "an unknown node": (
        changed("2", "class_type", to="luxgrad.tone.exposre"),
        r"step '2': unknown node .*nearest: luxgrad.tone.exposure",
    ),
    "another pack's node": (changed("2", "class_type", to="KSampler"), r"unknown node 'KSampler'"),
    "a wrong socket type": (
        changed("2", "inputs", "image", to=["1", 1]),
        r"step 2 \(Lift\), image: expected IMAGE; got MASK from step 1",
    ),
    "a value out of range": (
        changed("2", "inputs", "stops", to=9.0),
        r"step 2 \(Lift\), stops: expected a number from -8 to 8 EV; got 9.0",
    ),
    "a value of another kind": (
        changed("2", "inputs", "stops", to="much"),
        r"stops: expected a number from -8 to 8 EV; got 'much'",
    ),
    "a switch for a number": (changed("2", "inputs", "stops", to=True), r"stops: expected a number .* got True"),
    "an endless number": (changed("2", "inputs", "stops", to=10**300), r"stops: expected a number from -8 to 8 EV; got 1000"),
    "a missing link": (changed("3", "inputs", to={}), r"step 3 \(save_photo\): its input image \(IMAGE\) is not wired"),
    "a link to nowhere": (changed("3", "inputs", "image", to=["9", 0]), r"its wire comes from step '9', which is not there"),
    "a link to no output": (changed("3", "inputs", "image", to=["2", 4]), r"step 2 \(Lift\) has no output 4"),
    "a negative output": (changed("3", "inputs", "image", to=["2", -1]), r"expected a wire \[step, output\]"),
    "a misspelt input": (changed("2", "inputs", "stop", to=1.0), r"step 2 \(Lift\) has no input 'stop' \(nearest: stops\)"),
    "a value on a wire's socket": (
        changed("2", "inputs", "image", to=3.0),
        r"image: expected a wire, \[step, output\]; got a value",
    ),
    "a wire on a slider": (changed("2", "inputs", "stops", to=["1", 0]), r"stops: expected a value; got a wire"),
    "a number beyond numbers": (
        changed("2", "inputs", "stops", to=10**400),
        r"workflow, 2, inputs, stops: expected a number up to 1e308; got a number of more than 40 digits",
    ),
    "a number beyond numbers in a field of others": (
        changed("2", "theirs", to=[{"id": 7, "x": 10**400}]),
        r"workflow, 2, theirs, id 7, x: expected a number up to 1e308",
    ),
    "lists nested without end": (
        changed("2", "inputs", "stops", to=functools.reduce(lambda inner, _: [inner], range(100), 0.5)),
        r"workflow, 2, inputs, stops(, 0){4}, ...: expected lists and objects at most 64 deep",
    ),
    "a step that is no object": (changed("2", to=7), r"step '2': expected an object with class_type and inputs; got 7"),
    "no class_type": (changed("2", to={}), r"step '2', class_type: expected text; got nothing"),
    "an id as of a step inside another": (
        {**GOOD, "2\0image": GOOD["2"]},
        "step '2 image': expected an id without a null character",
    ),
    "inputs in a list": (changed("2", "inputs", to=[1]), r"step '2', inputs: expected an object; got a list"),
    "notes in a text": (changed("2", "_meta", to="x"), r"step '2', _meta: expected an object; got 'x'"),
    "a title that is no text": (changed("2", "_meta", "title", to=5), r"step '2', _meta, title: expected text; got 5"),
    "a list": ([1, 2], r"expected a workflow: an object of steps; got a list"),
    "nothing": ({}, r"expected a workflow; got no steps"),
    "an empty canvas": ({"nodes": [], "links": []}, "expected a workflow; got no steps"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_workflow_is_refused_in_one_line_that_says_where(what: str) -> None:
    data, expected = BAD[what]
    with pytest.raises(WorkflowError, match=expected) as caught:
        loads(json.dumps(data))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"1": ' * 100_000, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        ("", "expected a workflow in JSON"),
        (b"\x89PNG\r\n\x1a\n\0\0\xff", "got bytes that are not text|expected a workflow in JSON"),
        ('{"1": {"class_type": "x", "inputs": {"a": NaN}}}', "expected finite numbers; got NaN"),
        ('{"1": {"class_type": "x", "inputs": {"a": -Infinity}}}', "expected finite numbers; got -Infinity"),
        ('{"1": {}, "1": {}}', "'1' stands twice"),
        ('{"1": ' + "9" * 5000 + "}", "expected a workflow in JSON"),
    ],
)
def test_text_that_is_no_workflow_is_refused_in_one_line(text: str | bytes, expected: str) -> None:
    with pytest.raises(WorkflowError, match=expected) as caught:
        loads(text)
    assert "\n" not in str(caught.value)


def test_a_number_too_large_for_json_is_out_of_range() -> None:
    text = json.dumps(GOOD).replace("0.5", "1e999")
    with pytest.raises(WorkflowError, match="stops: expected a number up to 1e308; got inf"):
        loads(text)


def test_a_workflow_survives_reading_and_writing_with_fields_of_others() -> None:
    data = changed("2", "_meta", to={"title": "Lift", "colour": "#123"})
    data["2"]["is_changed"] = ["abc"]
    graph = from_data(data)
    again = json.loads(dumps(graph))
    assert again["2"]["_meta"] == {"title": "Lift", "colour": "#123"}
    assert again["2"]["is_changed"] == ["abc"]
    assert again["2"]["inputs"] == {"image": ["1", 0], "stops": 0.5}
    assert dumps(loads(dumps(graph))) == dumps(graph)


def test_paths_name_steps_by_id_or_unique_title_and_misspelt_ones_get_the_nearest() -> None:
    graph = from_data(GOOD)
    assert graph.path("Lift.stops") == graph.path("2.stops") == ("2", "stops")
    assert graph.paths() == ["Lift.stops"]
    with pytest.raises(WorkflowError, match=r"no step 'Lyft' \(nearest: Lift"):
        graph.path("Lyft.stops")
    with pytest.raises(WorkflowError, match=r"no parameter 'stps' \(nearest: Lift.stops\)"):
        graph.path("Lift.stps")
    with pytest.raises(WorkflowError, match=r"expected STEP.PARAMETER; got 'stops'"):
        graph.path("stops")


def test_a_title_used_twice_is_refused_where_it_is_used() -> None:
    data = changed("3", "inputs", "image", to=["4", 0])
    data["4"] = {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["2", 0]}, "_meta": {"title": "Lift"}}
    graph = from_data(data)
    with pytest.raises(WorkflowError, match="the title 'Lift' is used by steps 2 and 4"):
        graph.path("Lift.stops")
    assert graph.paths() == ["2.stops", "4.stops"]


def test_two_sinks_need_a_name_and_none_is_an_error() -> None:
    data = copy.deepcopy(GOOD)
    data["4"] = {"class_type": "luxgrad.save_photo", "inputs": {"image": ["1", 0]}}
    with pytest.raises(WorkflowError, match="expected one sink; got 2: name one of 3, 4 with --sink"):
        output_of(from_data(data))
    assert output_of(from_data(data), "4").step == "1"
    del data["3"], data["4"]
    with pytest.raises(WorkflowError, match="expected a workflow with a sink"):
        output_of(from_data(data))


def long_graph(count: int) -> dict[str, Any]:
    data = {"0": GOOD["1"]}
    for number in range(1, count + 1):
        data[str(number)] = {"class_type": "luxgrad.tone.exposure", "inputs": {"image": [str(number - 1), 0], "stops": 0.0}}
    data["out"] = {"class_type": "luxgrad.save_photo", "inputs": {"image": [str(count), 0]}}
    return data


def test_ten_thousand_steps_are_read_and_planned() -> None:
    graph = from_data(long_graph(10_000))
    start = time.perf_counter()
    plan = make_plan(graph, [output_of(graph)], {Ref("0", 0): Size(100, 100), Ref("0", 1): Size(100, 100)})
    assert len(plan.steps) == 10_000
    assert time.perf_counter() - start < 60.0

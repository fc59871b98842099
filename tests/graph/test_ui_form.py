"""The editor's own form: read, written, and everything that the editor can do to a wire."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.schema import dumps, from_data, loads, to_data
from luxgrad.graph.ui_form import is_ui_form, to_api
from luxgrad.graph.ui_layout import from_api

RAW = {"develop": "full", "white_balance": "as shot", "kelvin": 5500, "tint": 0,
       "highlights": "neutral", "demosaic": "auto", "denoise": "off", "noise_threshold": 0}  # fmt: skip
API: dict[str, Any] = {
    "1": {"class_type": "luxgrad.load_photo", "inputs": {"file": "a.jpg", "light": "auto", **RAW}, "_meta": {"title": "Photo"}},
    "2": {"class_type": "luxgrad.tone.exposure",
          "inputs": {"image": ["1", 0], "stops": 0.123456}, "_meta": {"title": "Bright"}},
    "3": {"class_type": "luxgrad.local.luminance_mask",
          "inputs": {"image": ["1", 0], "low": -3.0, "high": 6.0, "feather": 0.5, "invert": False}},
    "4": {"class_type": "luxgrad.local.apply_mask",
          "inputs": {"before": ["1", 0], "after": ["2", 0], "mask": ["3", 0], "opacity": 1.0}},
    "5": {"class_type": "luxgrad.fit", "inputs": {"photo": ["4", 0], "target": ["1", 0], "free": "*.stops", "method": "auto",
                                                  "seconds": 20.0, "seed": 7, "action": "keep"}},
    "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "x"}},
}  # fmt: skip


def document() -> dict[str, Any]:
    return from_api(API)


def node(ui: dict[str, Any], number: int) -> dict[str, Any]:
    return next(entry for entry in ui["nodes"] if entry["id"] == number)


def plain(api: dict[str, Any]) -> dict[str, Any]:
    return {key: {"class_type": entry["class_type"], "inputs": entry["inputs"]} for key, entry in api.items()}


def test_the_api_form_survives_the_way_through_the_ui_form() -> None:
    ui = document()
    assert is_ui_form(ui)
    assert plain(to_api(ui)) == plain(API)
    assert to_api(ui)["2"]["_meta"] == {"title": "Bright"}
    xs = {entry["id"]: entry["pos"][0] for entry in ui["nodes"]}
    assert xs[1] < xs[2] < xs[4] < xs[5] < xs[6]


def test_a_graph_goes_back_into_the_form_it_came_in_and_unknown_fields_survive() -> None:
    ui = document()
    ui["extra"] = {"ds": {"scale": 0.7}, "theirs": [1, 2]}
    node(ui, 2)["color"] = "#322"
    graph = loads(json.dumps(ui)).with_values({"Bright.stops": 0.5})
    written = json.loads(dumps(graph))
    assert written["extra"] == ui["extra"]
    assert node(written, 2)["color"] == "#322"
    assert node(written, 2)["widgets_values"] == [0.5]
    expected = copy.deepcopy(ui)
    node(expected, 2)["widgets_values"] = [0.5]
    assert written == expected
    assert to_data(loads(dumps(graph))) == to_data(graph)


def test_named_values_win_over_positional_ones_and_seeds_may_carry_their_control() -> None:
    ui = document()
    node(ui, 2)["widgets_values_named"] = {"stops": 0.25}
    node(ui, 5)["widgets_values"] = ["*.stops", "auto", 20.0, 7, "randomize", "keep"]
    api = to_api(ui)
    assert api["2"]["inputs"]["stops"] == 0.25
    assert api["5"]["inputs"] == API["5"]["inputs"]
    graph = loads(json.dumps(ui)).with_values({"5.seed": 9, "5.action": "keep", "Bright.stops": 1.0})
    written = json.loads(dumps(graph))
    assert node(written, 5)["widgets_values"] == ["*.stops", "auto", 20.0, 9, "randomize", "keep"]
    assert node(written, 2)["widgets_values_named"] == {"stops": 1.0}


def test_a_photo_source_from_before_its_raw_parameters_loads_and_takes_them() -> None:
    ui = document()
    node(ui, 1)["widgets_values"] = ["a.jpg", "auto", "image"]
    assert to_api(ui)["1"]["inputs"] == {"file": "a.jpg", "light": "auto"}
    written = json.loads(dumps(loads(json.dumps(ui)).with_values({"1.highlights": "clip"})))
    expected = ["a.jpg", "auto", "full", "as shot", 5500, 0, "clip", "auto", "off", 0, "image"]
    assert node(written, 1)["widgets_values"] == expected
    assert to_api(written)["1"]["inputs"]["highlights"] == "clip"


def test_muted_nodes_drop_out_and_bypassed_ones_are_passed_by() -> None:
    ui = document()
    node(ui, 2)["mode"] = 4
    assert to_api(ui)["4"]["inputs"]["after"] == ["1", 0]
    node(ui, 4)["mode"] = 4
    assert to_api(ui)["5"]["inputs"]["photo"] == ["1", 0]
    node(ui, 2)["mode"], node(ui, 4)["mode"] = 2, 0
    assert "after" not in to_api(ui)["4"]["inputs"]
    with pytest.raises(WorkflowError, match=r"step 4 .*its input after \(IMAGE\) is not wired"):
        from_data(ui)
    node(ui, 4)["mode"], node(ui, 3)["mode"] = 0, 4
    assert "mask" not in to_api(ui)["4"]["inputs"]


def test_reroutes_notes_and_primitives_vanish() -> None:
    ui = document()
    ui["nodes"] += [
        {"id": 20, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": 101}],
         "outputs": [{"name": "", "type": "IMAGE"}]},
        {"id": 21, "type": "Note", "widgets_values": ["hello"]},
        {"id": 22, "type": "PrimitiveNode", "outputs": [{"name": "FLOAT", "type": "FLOAT"}], "widgets_values": [0.75, "fixed"]},
    ]  # fmt: skip
    first = node(ui, 2)["inputs"][0]["link"]
    ui["links"] = [link for link in ui["links"] if link[0] != first]
    ui["links"] += [[101, 1, 0, 20, 0, "IMAGE"], [first, 20, 0, 2, 0, "IMAGE"], [102, 22, 0, 2, 1, "FLOAT"]]
    node(ui, 2)["inputs"].append({"name": "stops", "type": "FLOAT", "widget": {"name": "stops"}, "link": 102})
    api = to_api(ui)
    assert set(api) == set(API)
    assert api["2"]["inputs"] == {"image": ["1", 0], "stops": 0.75}


def nested() -> dict[str, Any]:
    """Node 7 is a subgraph that holds an exposure (3) and another subgraph (4) with a saturation (9)."""
    inner = {
        "id": "in", "name": "Inner",
        "inputs": [{"name": "image", "type": "IMAGE"}], "outputs": [{"name": "image", "type": "IMAGE"}],
        "nodes": [{"id": 9, "type": "luxgrad.colour.saturation", "mode": 0, "widgets_values": [0.1, 0.2],
                   "inputs": [{"name": "image", "type": "IMAGE", "link": 1}], "outputs": [{"name": "image", "type": "IMAGE"}]}],
        "links": [{"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 9, "target_slot": 0, "type": "IMAGE"},
                  {"id": 2, "origin_id": 9, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "IMAGE"}],
    }  # fmt: skip
    outer = {
        "id": "out", "name": "Outer",
        "inputs": [{"name": "image", "type": "IMAGE"}, {"name": "stops", "type": "FLOAT"}],
        "outputs": [{"name": "image", "type": "IMAGE"}],
        "nodes": [
            {"id": 3, "type": "luxgrad.tone.exposure", "mode": 0, "widgets_values": [0.5],
             "inputs": [{"name": "image", "type": "IMAGE", "link": 1},
                        {"name": "stops", "type": "FLOAT", "widget": {"name": "stops"}, "link": 4}],
             "outputs": [{"name": "image", "type": "IMAGE"}]},
            {"id": 4, "type": "in", "mode": 0, "inputs": [{"name": "image", "type": "IMAGE", "link": 2}],
             "outputs": [{"name": "image", "type": "IMAGE"}]},
        ],
        "links": [{"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 3, "target_slot": 0, "type": "IMAGE"},
                  {"id": 2, "origin_id": 3, "origin_slot": 0, "target_id": 4, "target_slot": 0, "type": "IMAGE"},
                  {"id": 3, "origin_id": 4, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "IMAGE"},
                  {"id": 4, "origin_id": -10, "origin_slot": 1, "target_id": 3, "target_slot": 1, "type": "FLOAT"}],
    }  # fmt: skip
    return {
        "nodes": [
            {"id": 1, "type": "LoadImage", "mode": 0, "inputs": [], "widgets_values": ["a.png", "image"],
             "outputs": [{"name": "IMAGE", "type": "IMAGE"}, {"name": "MASK", "type": "MASK"}]},
            {"id": 7, "type": "out", "mode": 0, "widgets_values": [1.5],
             "inputs": [{"name": "image", "type": "IMAGE", "link": 1},
                        {"name": "stops", "type": "FLOAT", "widget": {"name": "stops"}, "link": None}],
             "outputs": [{"name": "image", "type": "IMAGE"}]},
            {"id": 8, "type": "SaveImage", "mode": 0, "widgets_values": ["x"],
             "inputs": [{"name": "images", "type": "IMAGE", "link": 2}]},
        ],
        "links": [[1, 1, 0, 7, 0, "IMAGE"], [2, 7, 0, 8, 0, "IMAGE"]],
        "definitions": {"subgraphs": [outer, inner]}, "version": 0.4,
    }  # fmt: skip


def test_subgraphs_are_flattened_and_the_instance_gives_promoted_values() -> None:
    api = to_api(nested())
    assert set(api) == {"1", "8", "7:3", "7:4:9"}
    assert api["7:3"]["inputs"] == {"image": ["1", 0], "stops": 1.5}
    assert api["7:4:9"]["inputs"] == {"image": ["7:3", 0], "amount": 0.1, "vibrance": 0.2}
    assert api["8"]["inputs"]["images"] == ["7:4:9", 0]
    graph = from_data(nested()).with_values({"7:4:9.amount": 0.9})
    written = json.loads(dumps(graph))
    assert written["definitions"]["subgraphs"][1]["nodes"][0]["widgets_values"] == [0.9, 0.2]


def test_a_value_found_for_a_promoted_widget_is_written_where_it_is_shown() -> None:
    graph = from_data(nested()).with_values({"7:3.stops": -0.25})
    assert to_data(loads(dumps(graph)))["7:3"]["inputs"]["stops"] == -0.25


def test_what_one_widget_cannot_say_for_two_steps_is_written_into_a_new_document() -> None:
    twice = nested()
    twice["nodes"].append({"id": 17, "type": "out", "mode": 0, "inputs": [{"name": "image", "type": "IMAGE", "link": 3}],
                           "outputs": [{"name": "image", "type": "IMAGE"}]})  # fmt: skip
    twice["links"] = [[1, 1, 0, 7, 0, "IMAGE"], [3, 7, 0, 17, 0, "IMAGE"], [2, 17, 0, 8, 0, "IMAGE"]]
    both = from_data(twice).with_values({"7:4:9.amount": 0.9, "17:4:9.amount": 0.9})
    assert "definitions" in json.loads(dumps(both))
    assert to_data(loads(dumps(both))) == to_data(both)
    one = loads(dumps(from_data(twice).with_values({"7:4:9.amount": 0.9})))
    assert sorted(step.value("amount") for step in one if step.spec.id == "colour.saturation") == [0.1, 0.9]


def test_a_node_saved_without_values_takes_them() -> None:
    ui = document()
    del node(ui, 2)["widgets_values"]
    written = json.loads(dumps(loads(json.dumps(ui)).with_values({"Bright.stops": 1.0})))
    assert node(written, 2)["widgets_values"] == [1.0]
    assert node(written, 1) == node(ui, 1)


def test_a_bypassed_subgraph_is_passed_by_and_its_inside_is_not_read() -> None:
    ui = nested()
    ui["nodes"][1]["mode"] = 4
    api = to_api(ui)
    assert set(api) == {"1", "8"}
    assert api["8"]["inputs"]["images"] == ["1", 0]


def doubled(deep: int, many: int) -> dict[str, Any]:
    """A chain of subgraphs, each of which holds the next so many times."""
    chain = [
        {"id": f"s{level}", "nodes": [{"id": n, "type": f"s{level + 1}"} for n in range(many)], "links": []}
        for level in range(deep)
    ]
    last = {"id": f"s{deep}", "nodes": [{"id": 1, "type": "Note"}], "links": []}
    return {"nodes": [{"id": 1, "type": "s0"}], "links": [], "definitions": {"subgraphs": [*chain, last]}}


BAD: dict[str, tuple[Any, str]] = {
    "no nodes": ({"nodes": [1], "links": []}, "workflow, nodes 0: expected an object; got 1"),
    "links": ({"nodes": [], "links": 3}, "workflow, links: expected a list; got 3"),
    "nodes gone": ({"links": [], "version": 0.4}, "workflow, nodes: expected a list; got nothing"),
    "links gone": ({"nodes": []}, "workflow, links: expected a list; got nothing"),
    "no id": ({"nodes": [{"type": "Note"}], "links": []}, "workflow, nodes 0, id: expected an id, .*; got nothing"),
    "a list for an id": ({"nodes": [{"id": [1], "type": "Note"}], "links": []}, "nodes 0, id: .* got a list"),
    "no type": ({"nodes": [{"id": 5, "type": None}], "links": []}, "node 5, type: expected text; got null"),
    "two of one id": ({"nodes": [{"id": 1, "type": "Note"}, {"id": "1", "type": "Note"}], "links": []},
                      "node 1: expected one of this id; got two"),
    "a mode in words": ({"nodes": [{"id": 5, "type": "Note", "mode": "off"}], "links": []},
                        "node 5, mode: expected a whole number; got 'off'"),
    "a title in numbers": ({"nodes": [{"id": 5, "type": "Note", "title": 5}], "links": []}, "node 5, title: expected text"),
    "inputs in a text": ({"nodes": [{"id": 5, "type": "Note", "inputs": "x"}], "links": []},
                         "node 5, inputs: expected a list; got 'x'"),
    "an input without a name": ({"nodes": [{"id": 5, "type": "Note", "inputs": [{"link": 1}]}], "links": []},
                                "node 5, inputs 0, name: expected text; got nothing"),
    "an input with two wires": ({"nodes": [{"id": 5, "type": "Note", "inputs": [{"name": "a", "link": [1, 2]}]}], "links": []},
                                "node 5, inputs 0, link: expected an id, .*; got a list"),
    "a widget in a text": ({"nodes": [{"id": 5, "type": "Note", "inputs": [{"name": "a", "widget": "a"}]}], "links": []},
                           "node 5, inputs 0, widget: expected an object; got 'a'"),
    "values in a text": ({"nodes": [{"id": 5, "type": "Note", "widgets_values": "x"}], "links": []},
                         "node 5, widgets_values: expected a list or an object; got 'x'"),
    "a slot below the first": ({"nodes": [], "links": [[7, 1, -1, 2, 0, "IMAGE"]]},
                               r"links 0 \(id 7\), origin_slot: expected the number of a socket; got -1"),
    "a slot between two": ({"nodes": [], "links": [[7, 1, 0, 2, 0.5, "IMAGE"]]},
                           r"links 0 \(id 7\), target_slot: expected a whole number; got 0.5"),
    "definitions in a text": ({"nodes": [], "links": [], "definitions": "x"},
                              "workflow, definitions: expected an object; got 'x'"),
    "subgraphs in a text": ({"nodes": [], "links": [], "definitions": {"subgraphs": "x"}},
                            "definitions, subgraphs: expected a list; got 'x'"),
    "a subgraph without nodes": ({"nodes": [], "links": [], "definitions": {"subgraphs": [{"id": "s"}]}},
                                 "subgraph s, nodes: expected a list; got nothing"),
    "a node in a subgraph": ({"nodes": [], "links": [], "definitions": {"subgraphs": [
        {"id": "s", "links": [], "nodes": [{"id": 3, "type": 4}]}]}}, "subgraph s, node 3, type: expected text; got 4"),
    "two subgraphs of one id": ({"nodes": [], "links": [], "definitions": {"subgraphs": [
        {"id": "s", "nodes": [], "links": []}] * 2}}, "subgraph s: expected one of this id; got two"),
    "short wire": ({"nodes": [], "links": [[1, 2]]}, "expected a wire"),
    "old group": ({"nodes": [{"id": 1, "type": "workflow>Mine"}], "links": []}, "old group nodes are not read"),
    "unknown": ({"nodes": [{"id": 1, "type": "Foreign", "widgets_values": [1]}], "links": []}, "its widgets are not known"),
    "gone": ({"nodes": [{"id": 1, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 1}]}],
              "links": [[1, 9, 0, 1, 0, "IMAGE"]]}, "comes from node 9, which is not there"),
    "too many": ({"nodes": [{"id": 1, "type": "SaveImage", "widgets_values": ["a", 1, 2]}], "links": []},
                 "expected 1 widget values; got 3"),
    "endless": ({"nodes": [{"id": 1, "type": "s"}], "links": [], "definitions": {"subgraphs": [
        {"id": "s", "nodes": [{"id": 1, "type": "s"}], "links": []}]}}, "subgraph s: expected none that contains itself"),
    "deep": (doubled(40, 1), "expected subgraphs at most 32 deep; got more"),
    "unfolding without end": (doubled(31, 2), "expected at most 100000 nodes, those of subgraphs counted; got more"),
    "one name for two": ({"nodes": [{"id": "1:2", "type": "LoadImage"}, {"id": 1, "type": "s"}], "links": [],
                          "definitions": {"subgraphs": [{"id": "s", "nodes": [{"id": 2, "type": "LoadImage"}], "links": []}]}},
                         "node 1:2: expected one of this id; got two"),
    "circle": ({"nodes": [{"id": 1, "type": "Reroute", "inputs": [{"name": "", "link": 1}]},
                          {"id": 2, "type": "SaveImage", "inputs": [{"name": "images", "link": 2}]}],
                "links": [[1, 1, 0, 1, 0, "*"], [2, 1, 0, 2, 0, "IMAGE"]]}, "its wires go round in a circle"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_converted_is_refused_by_name(case: str) -> None:
    data, message = BAD[case]
    with pytest.raises(WorkflowError, match=message):
        from_data(data)

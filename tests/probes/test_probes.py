"""What a new developer writes: an operation in a file of its own, which then keeps every law without touching another file.

Every other file in this folder is such an operation, or a family of them. They stand in no list, and are known to the
registry only while they are tested.
"""

from __future__ import annotations

import pytest
import torch

from luxgrad import Graph
from luxgrad.cli.schema import operation_facts
from luxgrad.graph.schema import dumps, loads
from luxgrad.light.photo import Photo
from luxgrad.nodes.factory import node_class
from luxgrad.ops.errors import DeclarationError
from luxgrad.ops.family import family
from luxgrad.ops.reach import POINTWISE
from luxgrad.ops.spec import REGISTRY

from ..laws.enacted import LAWS, laws_of
from .declared import PROBES

MODULES = ("probes.tone_equaliser", "probes.vibrance", "probes.film")


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for op, spec in PROBES.items():
        monkeypatch.setitem(REGISTRY, op, spec)


@pytest.mark.parametrize(("op", "name"), [(op, name) for op in sorted(PROBES) for name in laws_of(PROBES[op])])
def test_law(op: str, name: str) -> None:
    LAWS[name].check(PROBES[op])


def test_highlights_are_brought_back_without_flattening_them(picture: torch.Tensor) -> None:
    graph = Graph.of(_behind_a_photo("probes.highlights", highlights=-2.0))
    photo = torch.cat([picture * 8.0, picture * 0.05], dim=3)
    edited = graph(photo)
    bright, dark = slice(10, 60), slice(120, 170)  # away from the seam
    kept = [(edited[..., where].sum() / photo[..., where].sum()).item() for where in (bright, dark)]
    assert kept[0] < 0.5
    assert kept[1] > 0.95
    light, after = (p[0, 1, :, bright].clamp_min(1e-3).log2() for p in (photo, edited))
    assert after.std().item() > 0.6 * light.std().item()


def test_two_photos_are_multiplied() -> None:
    data = _behind_a_photo("probes.blend", mode="multiply", opacity=0.5)
    data["op"]["inputs"] |= {"below": ["photo", 0], "above": ["other", 0]}
    data["other"] = data["photo"]
    del data["op"]["inputs"]["image"]
    below, above = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.2)
    edited = Graph.of(data)({"photo": Photo(below), "other": Photo(above)}).pixels
    torch.testing.assert_close(edited, torch.full_like(edited, 0.5 + 0.5 * (0.1 - 0.5)))


def _behind_a_photo(op: str, **values: object) -> dict[str, dict]:
    return {
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "op": {"class_type": f"luxgrad.{op}", "inputs": {"image": ["photo", 0], **values}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["op", 0]}},
    }


def test_rows_of_a_table_are_operations_like_any_other() -> None:
    assert set(MODULES) <= set(PROBES)
    spec = PROBES["probes.vibrance"]
    assert spec.node_id == "luxgrad.probes.vibrance"
    assert spec.summary == "Strengthen muted colours as the vibrance of another program does."
    assert [param.name for param in spec.params] == ["pastels", "protect_skin"]
    assert spec.param("pastels").tip == "Of muted colours."  # type: ignore[union-attr]
    assert spec.input("network").tip == "the weights; probe_vibrance unless wired."  # type: ignore[union-attr]
    assert PROBES["probes.film"].display_transform
    assert not spec.display_transform
    assert operation_facts(spec)["parameters"][0] == {
        "name": "pastels", "kind": "slider", "default": 10.0, "tip": "Of muted colours.", "low": -100, "high": 100,
        "soft": [-50, 50], "unit": "%", "log": False, "step": 0.001,
    }  # fmt: skip


def test_a_row_has_a_node_of_its_own() -> None:
    cls = node_class(PROBES["probes.film"])
    types = cls.INPUT_TYPES()  # type: ignore[attr-defined]
    assert list(types["required"]) == ["image"]
    assert next(iter(types["optional"])) == "network"
    assert types["optional"]["stock"] == (
        ["slide", "negative", "mono"],
        {"default": "slide", "tooltip": "The film to imitate."},
    )
    kind, options = types["optional"]["strength"]
    assert (kind, options["min"], options["max"], options["default"]) == ("FLOAT", 0.1, 4, 1.0)
    assert options["luxgrad"] == {"soft": [0.1, 4], "unit": "", "log": True}
    assert cls.CATEGORY == "Luxgrad/probes"  # type: ignore[attr-defined]


def test_a_row_is_a_plain_function_of_its_own_parameters(picture: torch.Tensor) -> None:
    film, network = PROBES["probes.film"].function, PROBES["probes.film"].example.sockets()["network"]
    assert film.__name__ == "film"
    assert torch.equal(film(picture, network), film(picture, network, strength=1.0, stock="slide"))
    assert torch.equal(film(picture, network, 2.0, "mono"), film(picture, network, stock="mono", strength=2.0))
    assert not torch.equal(film(picture, network), film(picture, network, stock="mono"))
    with pytest.raises(TypeError, match="unexpected keyword argument 'pastels'"):
        film(picture, network, pastels=1.0)


def test_rows_render_in_a_graph_survive_its_file_and_give_gradients(picture: torch.Tensor) -> None:
    data = _behind_a_photo("probes.film")
    networks, before = {}, "photo"
    for op in MODULES:
        name = op.rpartition(".")[2]
        data[f"{name} network"] = {"class_type": "luxgrad.load_network", "inputs": {}}
        data[name] = {"class_type": f"luxgrad.{op}", "inputs": {"image": [before, 0], "network": [f"{name} network", 0]}}
        networks[f"{name} network"], before = PROBES[op].example.sockets()["network"], name
    del data["op"]
    data["out"]["inputs"]["image"] = [before, 0]
    graph = Graph.of(loads(dumps(Graph.of(data)))).with_values({"film.stock": "negative", "vibrance.pastels": 20.0})
    again = Graph.of(loads(dumps(graph)))
    slider = torch.tensor(0.3, requires_grad=True)
    edited = again({"photo": Photo(picture), **networks}, {"tone_equaliser.blacks": slider}, size=40).pixels
    edited.sum().backward()
    assert slider.grad is not None
    assert slider.grad.abs().item() > 0.0
    by_hand = picture
    values = {"tone_equaliser": {"blacks": 0.3}, "vibrance": {"pastels": 20.0}, "film": {"stock": "negative"}}
    for op in MODULES:
        name = op.rpartition(".")[2]
        by_hand = PROBES[op].function(by_hand, networks[f"{name} network"], **values[name])
    torch.testing.assert_close(again({"photo": Photo(picture), **networks}, {"tone_equaliser.blacks": 0.3}).pixels, by_hand)


TIP = {"default": 0.0, "tip": "How much of it."}
BROKEN = {
    "a number without its range": ({"summary": "S.", "params": {"much": TIP}}, "probes.bad.much: .*'low' and 'high'"),
    "a word that is no fact": (
        {"summary": "S.", "params": {"much": {**TIP, "low": 0, "high": 1, "top": 2}}},
        "probes.bad.much: .*unexpected keyword argument 'top'",
    ),
    "no default": ({"summary": "S.", "params": {"much": {"low": 0, "high": 1, "tip": "How."}}}, "probes.bad.much: 'default'"),
    "no tooltip": ({"summary": "S.", "params": {"much": {"low": 0, "high": 1, "default": 0}}}, "probes.bad, much: .* got ''"),
    "a default outside": (
        {"summary": "S.", "params": {"much": {**TIP, "low": 1, "high": 2}}},
        "probes.bad: its default of much: expected a number from 1 to 2; got 0.0",
    ),
    "no summary": ({"params": {}}, r"probes.bad: expected a name and a row .* missing \['summary'\]"),
    "a row with more": ({"summary": "S.", "params": {}, "nots": ""}, r"probes.bad: .* unknown \['nots'\]"),
    "a shared name": ({"summary": "S.", "params": {"image": {**TIP, "low": 0, "high": 1}}}, "probes.bad: duplicate parameter"),
    "no weights": ({"summary": "S.", "params": {}, "network": ""}, "probes.bad: a row names a network exactly where modules"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_bad_row_is_refused_by_name(what: str) -> None:
    row, message = BROKEN[what]
    with pytest.raises(DeclarationError, match=message):
        family(POINTWISE, {"bad": {"network": "some", **row}})(PROBES["probes.film"].template)


def test_an_id_is_declared_once() -> None:
    with pytest.raises(DeclarationError, match=r"probes.film: is declared already, in .*probes.modules"):
        family(POINTWISE, {"film": {"summary": "Twice.", "params": {}, "network": "some"}})(PROBES["probes.film"].template)

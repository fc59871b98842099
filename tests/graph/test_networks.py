"""Networks in graphs: always in evaluation mode, found unwired, moved once, reached by every path, fitted and kept."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import luxgrad
from luxgrad import Graph, Photo, WorkflowError
from luxgrad.engine.cache import Cache
from luxgrad.fit import clock
from luxgrad.graph.schema import dumps
from luxgrad.networks.abpn import BlendPyramid
from luxgrad.networks.mlp import PointwiseMLP
from luxgrad.networks.weights import load_network, save_weights
from luxgrad.ops.blend.local_layer import tiny
from luxgrad.ops.types import Network

SHAPES = [(128, 6, 1, 1), (128,), (64, 128, 1, 1), (64,), (3, 64, 1, 1), (3,)]


def graph_of(**values: Any) -> Graph:
    return Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "proxy": {
            "class_type": "luxgrad.proxy.sigmoid", "inputs": {"image": ["photo", 0], **values}, "_meta": {"title": "Film"}
        },
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["proxy", 0]}},
    })  # fmt: skip


@pytest.fixture
def photo() -> Photo:
    coarse = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    return Photo(nn.functional.interpolate(coarse, size=(40, 50), mode="bilinear"), light="scene")


@pytest.fixture
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that passes by being looked at: a fit takes the same steps on every machine."""
    looks = itertools.count()
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: next(looks) * 0.01))


class Restless(nn.Module):
    """Batch normalisation and dropout: in training mode both would leak and change."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Conv2d(4, 3, 1))

    def forward(self, x: Tensor, scale: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
        y = self.layers(x) * scale
        return y, y.mean()


def test_a_network_in_training_mode_neither_changes_nor_lets_pictures_of_a_batch_see_each_other() -> None:
    module = Restless().train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network, batch = Network(module), torch.rand(2, 3, 4, 5)
    both, _ = network(batch)
    alone, _ = network(batch[:1])
    torch.testing.assert_close(both[:1], alone)
    assert module.training, "the module of the caller stays as it was"
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.constants.items())
    torch.testing.assert_close(network(batch, 2.0)[0], 2.0 * both)


def test_a_network_that_mixes_a_batch_even_so_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1: expected running statistics; got a BatchNorm2d that mixes a batch"):
        Network(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)))


def test_gradients_reach_the_weights_of_a_module_handed_over() -> None:
    module = Restless()
    Network(module)(torch.rand(1, 3, 4, 5))[1].backward()
    assert module.layers[0].weight.grad is not None


def test_frozen_weights_are_read_cast_and_told_apart_once(photo: Photo) -> None:
    network = load_network("sigmoid_proxy")
    assert load_network("sigmoid_proxy") is network
    double = network.at(torch.device("cpu"), torch.float64)
    assert network.at(torch.device("cpu"), torch.float64) is double
    assert network.at(torch.device("cpu"), torch.float32) is network
    assert double.sha256 == network.sha256 != ""
    changed = network.with_weights({name: 2.0 * weight for name, weight in network.weights.items()})
    cache = Cache()
    graph = graph_of()
    one = graph({"photo": photo, "Film.network": network}, sink="proxy", cache=cache, editing=["out.file"])
    two = graph({"photo": photo, "Film.network": changed}, sink="proxy", cache=cache, editing=["out.file"])
    assert not torch.equal(one.pixels, two.pixels)


def test_an_operation_brings_its_own_weights_and_takes_wired_ones(photo: Photo) -> None:
    wired = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "net": {"class_type": "luxgrad.load_network", "inputs": {"name": "sigmoid_proxy"}},
        "proxy": {"class_type": "luxgrad.proxy.sigmoid", "inputs": {"image": ["photo", 0], "network": ["net", 0]}},
    })  # fmt: skip
    assert torch.equal(graph_of()(photo).pixels, wired(photo, sink="proxy").pixels)
    with pytest.raises(WorkflowError, match="expected photos for sources; got one for"):
        graph_of()({"photo": photo, "out": photo})


def test_one_walk_names_every_slider_table_entry_and_weight_with_kind_and_bounds() -> None:
    found = {entry.path: entry for entry in luxgrad.traverse(graph_of())}
    assert {path for path in found if not path.startswith("Film.weights.")} == {"Film.contrast", "Film.skew", "Film.adapt"}
    assert (found["Film.contrast"].kind, found["Film.contrast"].low, found["Film.contrast"].high) == ("slider", 0.8, 3)
    weights = [entry for entry in found.values() if entry.kind == "weights"]
    assert [tuple(entry.value.shape) for entry in weights] == SHAPES
    assert all((entry.low, entry.high) == (-torch.inf, torch.inf) for entry in weights)


@pytest.mark.usefixtures("_counted")
def test_free_weights_are_fitted_written_beside_the_workflow_and_read_again(tmp_path: Path, photo: Photo) -> None:
    graph = graph_of()
    target = graph.with_values({"Film.contrast": 1.8})(photo)
    fitted = graph.fit(photo, target, free="Film.weights.layers.4.*", seconds=2)
    assert fitted.method == "adam"
    assert fitted.pairs[0].after.psnr > fitted.pairs[0].before.psnr + 3.0
    assert [(entry.path, entry.file[:4]) for entry in fitted.entries] == [("Film.weights", "net-")]
    ((name, made),) = fitted.graph.made.items()
    first = load_network("sigmoid_proxy").weights
    moved = [key for key, weight in made.weights.items() if not torch.equal(weight, first[key])]
    assert moved == ["layers.4.weight", "layers.4.bias"]

    fitted.graph.save(tmp_path / "fitted.json")
    assert (tmp_path / f"{name}.safetensors").exists()
    again = luxgrad.open(tmp_path / "fitted.json")
    torch.testing.assert_close(again({"photo": photo}).pixels, fitted.graph({"photo": photo}).pixels, rtol=0, atol=0)
    assert "luxgrad.load_network" in dumps(again)


@pytest.mark.usefixtures("_counted")
def test_the_blend_pyramid_of_a_local_retouch_is_tuned_in_its_graph_on_a_pair(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = tiny()["network"]
    module = BlendPyramid(0.01)
    module.load_state_dict({**network.constants, **network.weights})
    save_weights(module, tmp_path / "mine.safetensors", {"architecture": "BlendPyramid", "arguments": {"scale": 0.01}})
    (tmp_path / "retouch.json").write_text(json.dumps({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "net": {"class_type": "luxgrad.load_network", "inputs": {"name": "mine"}},
        "op": {
            "class_type": "luxgrad.local.local_retouch", "inputs": {"image": ["photo", 0], "network": ["net", 0], "levels": 1}
        },
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["op", 0]}},
    }))  # fmt: skip
    graph = luxgrad.open(tmp_path / "retouch.json")
    coarse = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    clean = Photo(0.2 + 0.3 * nn.functional.interpolate(coarse, size=(64, 80), mode="bilinear"))
    flawed = clean.pixels.clone()
    flawed[:, :, 20:40, 30:50] *= 1.4
    fitted = graph.fit(Photo(flawed), clean, free="net.weights.*", seconds=6)
    assert fitted.method == "adam"
    assert fitted.pairs[0].after.psnr > fitted.pairs[0].before.psnr + 3.0
    fitted.graph.save(tmp_path / "tuned.json")
    tuned = luxgrad.open(tmp_path / "tuned.json")(Photo(flawed))
    torch.testing.assert_close(tuned.pixels, fitted.graph(Photo(flawed)).pixels, rtol=0, atol=0)


@pytest.mark.parametrize(("free", "told"), [
    ("Film.weights.layer.*", r"'Film.weights.layer.\*' matches no weights \(nearest: Film.weights"),
    ("Film.table", r"'Film.table' matches no look-up table"),
    ("Flm.weights", r"'Flm.weights' matches no weights \(nearest: Film.weights, proxy.weights\)"),
])  # fmt: skip
def test_a_pattern_of_weights_that_matches_nothing_names_the_nearest(free: str, told: str, photo: Photo) -> None:
    with pytest.raises(WorkflowError, match=told):
        graph_of().fit(photo, photo, free=free)


@pytest.mark.usefixtures("_counted")
def test_weights_of_an_unknown_module_can_be_fitted_and_say_why_they_cannot_be_written(tmp_path: Path, photo: Photo) -> None:
    own = PointwiseMLP(6, 3).requires_grad_(False)
    graph = graph_of()
    given = {"photo": photo, "Film.network": Network(own)}
    fitted = graph.fit(given, Photo(photo.pixels), free="Film.weights", seconds=1)
    assert fitted.entries[0].moved > 0.0
    with pytest.raises(WorkflowError, match="expected a network whose module can be named in a file; got one of your own"):
        fitted.graph.save(tmp_path / "fitted.json")
    assert not list(tmp_path.iterdir())

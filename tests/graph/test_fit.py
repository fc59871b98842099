"""Fits: planted sliders come back, losses fall, and what cannot be known is said."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import luxgrad
from luxgrad import Graph
from luxgrad.engine.render import Settings
from luxgrad.files.cube import read_cube, write_cube
from luxgrad.files.encode import Canvas
from luxgrad.fit import clock
from luxgrad.fit.free import read_free
from luxgrad.fit.outcome import Keep, Tile, outcome
from luxgrad.graph.errors import Stopped, WorkflowError
from luxgrad.graph.model import Ref
from luxgrad.graph.schema import to_data
from luxgrad.light.gamut import to_display
from luxgrad.light.photo import Photo
from luxgrad.light.rectangle import Region, Size, strips
from luxgrad.ops.types import Lut

from .graphs import POINTWISE, TWELVE, chain


@pytest.fixture(scope="module")
def photo(request) -> Photo:
    root = request.config.rootpath
    whole = luxgrad.load(root / "workflows" / "photos" / "spices.jpg")
    return Photo(whole.reduced(whole.size.scaled(0.3)).pixels)


def planted(graph: Graph, seed: int, spread: float = 0.25) -> Graph:
    """The graph with every slider moved by a normal share of its soft half range."""
    generator = torch.Generator().manual_seed(seed)
    values = {}
    for unknown in read_free(graph, "", set(graph.steps)):
        value = unknown.from_half_ranges(torch.randn(1, generator=generator).item() * spread)
        values[unknown.path] = min(max(value, unknown.low), unknown.high)
    return graph.with_paths(values)


def as_8_bit(photo: Photo) -> Photo:
    canvas = Canvas(photo.size, "8", dither=False)
    for region in strips(photo.size):
        canvas.put(region, photo.read(region))
    return canvas.photo()


def test_planted_sliders_of_a_pointwise_graph_come_back_to_60_db(photo: Photo) -> None:
    graph = chain(*POINTWISE, "effects.vignette")
    fitted = graph.fit(photo, planted(graph, 1)(photo), seconds=30)
    result = fitted.pairs[0]
    assert result.before is not None
    assert result.after is not None
    assert result.before.psnr < 30.0
    assert result.after.psnr > 60.0
    assert fitted.converged
    assert fitted.method == "lm"


def test_a_target_in_8_bits_is_matched_to_50_db(photo: Photo) -> None:
    graph = chain(*POINTWISE)
    fitted = graph.fit(photo, as_8_bit(planted(graph, 2)(photo)), seconds=30)
    assert fitted.pairs[0].after.psnr > 50.0  # type: ignore[union-attr]
    assert fitted.converged


def test_sharpen_clarity_and_levels_are_fitted_on_patches_with_their_statistics(photo: Photo) -> None:
    graph = chain("tone.exposure", "tone.levels", "detail.clarity", "detail.sharpen", "colour.saturation")
    fitted = graph.fit(photo, planted(graph, 3)(photo), seconds=40)
    assert fitted.pairs[0].after.psnr > 45.0  # type: ignore[union-attr]


def test_geometry_after_the_sliders_is_followed(photo: Photo) -> None:
    graph = chain(
        "tone.exposure",
        "colour.saturation",
        ("geometry.rotate", {"angle": 5.0}),
        ("geometry.crop", {"left": 10.0}),
        ("geometry.resize", {"long_edge": 200}),
    )
    truth = graph.with_values({"exposure.stops": 0.7, "saturation.amount": -0.4})
    fitted = graph.fit(photo, truth(photo), free=["exposure.*", "saturation.*"], seconds=30)
    assert fitted.pairs[0].after.psnr > 60.0  # type: ignore[union-attr]
    assert fitted.graph.steps["exposure"].value("stops") == pytest.approx(0.7, abs=1e-3)


def test_a_mask_and_its_edges_are_fitted(photo: Photo) -> None:
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "lift": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0]}},
        "mask": {"class_type": "luxgrad.local.luminance_mask", "inputs": {"image": ["photo", 0]}},
        "mix": {"class_type": "luxgrad.local.apply_mask",
                "inputs": {"before": ["photo", 0], "after": ["lift", 0], "mask": ["mask", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["mix", 0]}},
    })  # fmt: skip
    start = graph.with_values({"lift.stops": 0.3})
    truth = graph.with_values({"lift.stops": 1.1, "mask.low": -1.5, "mask.feather": 0.8})
    fitted = start.fit(photo, truth(photo), free=["lift.stops", "mask.low", "mask.feather"], seconds=30)
    assert fitted.graph.steps["mask"].value("low") == pytest.approx(-1.5, abs=0.01)


def test_several_pairs_share_sliders_and_have_their_own(photo: Photo) -> None:
    graph = chain("tone.exposure", "colour.saturation", "tone.contrast")
    pictures = [Photo(photo.pixels[:, :, :150]), Photo(photo.pixels[:, :, 150:] * 0.7)]
    truths = [
        graph.with_values({"exposure.stops": stops, "saturation.amount": 0.5, "contrast.amount": -0.2}) for stops in (0.6, -0.4)
    ]
    targets = [truth(picture) for truth, picture in zip(truths, pictures)]
    fitted = graph.fit(pictures, targets, free=["exposure.stops per photo", "saturation.amount", "contrast.amount"], seconds=30)
    assert [round(pair.graph.steps["exposure"].value("stops"), 3) for pair in fitted.pairs] == [0.6, -0.4]
    assert {round(pair.graph.steps["saturation"].value("amount"), 3) for pair in fitted.pairs} == {0.5}
    assert [entry.path for entry in fitted.free][-2:] == ["exposure.stops of photo 1", "exposure.stops of photo 2"]


def test_twin_sliders_are_named_as_trading_and_uncertain(photo: Photo) -> None:
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "one": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0]}},
        "two": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["one", 0]}},
        "colour": {"class_type": "luxgrad.colour.saturation", "inputs": {"image": ["two", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["colour", 0]}},
    })  # fmt: skip
    truth = graph.with_values({"one.stops": 0.8, "two.stops": 0.2, "colour.amount": 0.3})
    fitted = graph.fit(photo, truth(photo), seconds=20)
    assert ("one.stops", "two.stops") in fitted.trades
    flat = {entry.path: entry.flat for entry in fitted.free}
    assert flat["one.stops"]
    assert flat["two.stops"]
    assert not flat["colour.amount"]
    values = fitted.graph.steps
    assert values["one"].value("stops") + values["two"].value("stops") == pytest.approx(1.0, abs=1e-3)


def test_hues_that_the_photo_lacks_are_named_flat_and_stay_at_rest(photo: Photo) -> None:
    graph = chain("tone.exposure", "colour.hue_bands")
    red = Photo(photo.pixels.mean(1, keepdim=True) * torch.tensor([1.4, 0.8, 0.6]).view(1, 3, 1, 1))
    target = as_8_bit(graph.with_values({"exposure.stops": 0.3, "hue_bands.red_chroma": 0.4})(red))
    fitted = graph.fit(red, target, seconds=20)
    entries = {entry.path: entry for entry in fitted.free}
    assert entries["hue_bands.blue_hue"].flat
    assert abs(entries["hue_bands.blue_chroma"].value) < 0.5
    assert not entries["exposure.stops"].flat


def test_adam_follows_a_loss_of_the_workflow(photo: Photo) -> None:
    data = to_data(chain("tone.exposure", "colour.white_balance", "colour.saturation"))
    data["goal"] = {"class_type": "luxgrad.load_photo", "inputs": {}}
    data["far"] = {
        "class_type": "luxgrad.loss.histogram_distance",
        "inputs": {"image": ["saturation", 0], "target": ["goal", 0]},
    }
    data["pull"] = {"class_type": "luxgrad.loss.pull_to_default", "inputs": {}}
    data["sum"] = {"class_type": "luxgrad.loss.add", "inputs": {"one": ["far", 0], "two": ["pull", 0], "weight_two": 0.001}}
    data["fit"] = {"class_type": "luxgrad.fit", "inputs": {"photo": ["saturation", 0], "loss": ["sum", 0], "seconds": 12.0}}
    data["out"]["inputs"]["image"] = ["fit", 0]
    graph = Graph.of(data)
    goal = chain("tone.exposure")(Photo(photo.pixels.flip(3)), {"exposure.stops": 0.8})
    fitted = graph.fit({"photo": photo, "goal": goal})
    assert fitted.method == "adam"
    assert fitted.loss_before is not None
    assert fitted.loss_after is not None
    assert fitted.loss_after < 0.2 * fitted.loss_before
    assert fitted.graph.steps["exposure"].value("stops") == pytest.approx(0.8, abs=0.15)


def test_adam_and_cmaes_also_match_a_target(photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = itertools.count()  # time that passes by being looked at: the same steps on every machine
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: next(looks) * 0.012))
    graph = chain("tone.exposure", "colour.saturation", "tone.contrast")
    target = graph.with_values({"exposure.stops": 0.5, "saturation.amount": -0.3, "contrast.amount": 0.3})(photo)
    for method, wanted in (("adam", 40.0), ("cmaes", 35.0)):
        fitted = graph.fit(photo, target, method=method, seconds=8)
        assert fitted.method == method
        assert fitted.pairs[0].after.psnr > wanted  # type: ignore[union-attr]


def test_a_rotation_is_fitted_with_adam_and_not_with_sampled_pixels(photo: Photo) -> None:
    graph = chain("tone.exposure", "geometry.rotate")
    target = graph.with_values({"rotate.angle": 0.8})(photo)
    with pytest.raises(WorkflowError, match="method lm cannot move pixels"):
        graph.fit(photo, target, method="lm")
    fitted = graph.fit(photo, target, free=["rotate.angle"], seconds=8)
    assert fitted.method == "adam"
    assert fitted.graph.steps["rotate"].value("angle") == pytest.approx(0.8, abs=0.1)


def test_stopping_keeps_the_best_so_far(photo: Photo) -> None:
    graph = chain(*POINTWISE)
    calls = []

    def stop(share: float) -> None:
        calls.append(share)
        if len(calls) > 2:
            raise Stopped

    fitted = graph.fit(photo, planted(graph, 5)(photo), progress=stop)
    assert fitted.stopped
    assert not fitted.converged
    assert fitted.pairs[0].after.psnr > fitted.pairs[0].before.psnr  # type: ignore[union-attr]


def test_a_target_of_another_size_is_refused_with_both(photo: Photo) -> None:
    graph = chain("tone.exposure")
    with pytest.raises(WorkflowError, match=rf"{photo.size}; got 10 x 8 px"):
        graph.fit(photo, Photo(torch.zeros(1, 3, 8, 10)))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (7, 300), (25, 19)])
def test_pictures_smaller_than_a_neighbourhood_are_fitted_too(height: int, width: int) -> None:
    graph = chain("tone.exposure", ("detail.sharpen", {"amount": 0.5}))
    tiny = Photo(torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.1)
    fitted = graph.fit(tiny, graph.with_values({"exposure.stops": 0.4})(tiny), free=["exposure.stops"], seconds=10)
    assert fitted.graph.steps["exposure"].value("stops") == pytest.approx(0.4, abs=1e-3)


@pytest.mark.parametrize("what", ["black", "grey", "equal", "white"])
def test_photos_without_information_do_not_break_a_fit(what: str) -> None:
    graph = chain("tone.exposure", "colour.saturation", "colour.hue_bands")
    level = {"black": 0.0, "grey": 0.18, "equal": 0.4, "white": 1.0}[what]
    photo = Photo(torch.full((1, 3, 30, 40), level))
    fitted = graph.fit(photo, photo, seconds=5)
    for entry in fitted.free:
        assert entry.value == pytest.approx(entry.start, abs=0.3)


def test_a_fit_without_target_or_loss_or_slider_says_what_is_missing(photo: Photo) -> None:
    with pytest.raises(WorkflowError, match="expected a target"):
        chain("tone.exposure").fit(photo)
    with pytest.raises(WorkflowError, match="expected a slider to fit"):
        chain(("geometry.crop", {"left": 5.0})).fit(photo, photo)
    with pytest.raises(WorkflowError, match="as many targets as photos; got 1 and 2"):
        chain("tone.exposure").fit([photo, photo], [photo])


def test_running_a_workflow_with_a_fit_never_fits(photo: Photo) -> None:
    data: dict[str, Any] = to_data(chain("tone.exposure"))
    data["fit"] = {"class_type": "luxgrad.fit", "inputs": {"photo": ["exposure", 0], "action": "fit"}}
    data["out"]["inputs"]["image"] = ["fit", 0]
    graph = Graph.of(data)
    torch.testing.assert_close(graph(photo, {"exposure.stops": 1.0}).pixels, photo.pixels * 2.0)


def identity_table(size: int) -> Lut:
    axis, unit = torch.linspace(0, 1, size), torch.tensor([[0.0] * 3, [1.0] * 3])
    return Lut(None, unit, torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1), unit)


def with_a_table() -> Graph:
    return Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "bright": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0]}},
        "table": {"class_type": "luxgrad.load_lut", "inputs": {"file": "start.cube"}},
        "look": {"class_type": "luxgrad.colour.lut3d", "inputs": {"image": ["bright", 0], "lut": ["table", 0]}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["look", 0]}},
    })  # fmt: skip


def test_a_free_table_learns_a_look_and_is_saved_beside_the_workflow(photo: Photo, tmp_path: Path) -> None:
    small = Photo(photo.reduced(photo.size.scaled(0.4)).pixels)
    target = chain("tone.contrast", "colour.saturation").with_values({"contrast.amount": 0.4, "saturation.amount": 0.4})(small)
    write_cube(tmp_path / "start.cube", identity_table(9), "start")
    graph = replace(with_a_table(), read=lambda kind, name: read_cube(tmp_path / name))
    fitted = graph.fit({"photo": small}, target, free="table.table", seconds=20)
    result = fitted.pairs[0]
    assert fitted.method == "adam"
    assert result.before is not None
    assert result.after is not None
    assert result.after.psnr > result.before.psnr + 10.0

    fitted.graph.save(str(tmp_path / "fitted.json"))
    again = luxgrad.open(tmp_path / "fitted.json")
    assert again.steps["table"].value("file") == fitted.entries[0].file != "start.cube"
    torch.testing.assert_close(again({"photo": small}).pixels, fitted.graph({"photo": small}).pixels, rtol=0, atol=0)


def test_a_free_table_goes_with_sliders_and_refuses_methods_that_move_sliders_only(photo: Photo) -> None:
    graph, given = with_a_table(), {"photo": photo, "table": identity_table(5)}
    target = graph.with_values({"bright.stops": 0.5})(given)
    fitted = graph.fit(given, target, free="table.table\nbright.stops", seconds=2)
    assert [entry.path for entry in fitted.free] == ["bright.stops"]
    assert [entry.path for entry in fitted.entries] == ["table.table"]
    with pytest.raises(WorkflowError, match="method lm moves sliders only"):
        graph.fit(given, target, free="table.table", method="lm")
    with pytest.raises(WorkflowError, match=r"'tabel.table' matches no look-up table \(nearest: table.table\)"):
        graph.fit(given, target, free="tabel.table")


class Counted(Photo):
    """A photo that counts how many px of it are read."""

    read_pixels = 0

    def read(self, region: Region) -> torch.Tensor:
        pixels = super().read(region)
        Counted.read_pixels += pixels.shape[0] * pixels.shape[-2] * pixels.shape[-1]
        return pixels


def test_figures_before_and_after_and_the_picture_come_from_one_pass(root: Path) -> None:
    photo = luxgrad.load(root / "workflows" / "photos" / "spices.jpg")
    graph = chain("tone.exposure", "colour.saturation", "tone.levels")
    truth = graph.with_values({"exposure.stops": 0.5, "saturation.amount": 0.3})
    target = Counted(as_8_bit(truth(photo)).pixels)
    kept = torch.zeros(1, 3, *photo.size)

    def keep(index: int, size: Size) -> Keep:
        assert (index, size) == (0, photo.size)

        def put(region: Region, tile: Tile) -> None:
            region.cut(kept).copy_(tile["after"])

        return put

    Counted.read_pixels = 0
    fitted = graph.fit(photo, target, free=["exposure.*", "saturation.*"], seconds=10, exact=True, keep=keep)
    assert Counted.read_pixels < 2.5 * photo.size.pixels  # once small, once in full, and samples
    torch.testing.assert_close(kept, to_display(fitted.graph(photo).pixels), atol=2e-6, rtol=0)
    for graph_of_pair, found in ((graph, fitted.pairs[0].before), (fitted.graph, fitted.pairs[0].after)):
        wanted = luxgrad.compare(graph_of_pair(photo), target)
        assert found is not None
        assert found.psnr == pytest.approx(wanted.psnr, abs=1e-3)
        assert found.delta_e == pytest.approx(wanted.delta_e, abs=1e-3)
    assert fitted.seconds < fitted.seconds_total


def test_before_and_after_stand_side_by_side_through_masks_statistics_and_geometry(photo: Photo) -> None:
    graph = Graph.of(TWELVE)
    moved = graph.with_values({"mask.low": -1.0, "levels.white": 0.2, "colour.amount": 0.1})
    link = Ref("sigmoid")
    target = graph(photo)
    found = outcome((graph, moved), link, ({Ref("photo"): photo},) * 2, target, Settings())
    assert found.before is not None
    assert found.after is not None
    assert found.before.psnr > 120.0
    assert found.after.psnr == pytest.approx(luxgrad.compare(moved(photo), target).psnr, abs=1e-2)

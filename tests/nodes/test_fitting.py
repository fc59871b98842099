"""Fit, Save Photo and Compare as nodes: explicit, by name, written back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from luxgrad.files.decode import read_photo
from luxgrad.light.difference import compare
from luxgrad.light.photo import Photo
from luxgrad.light.primaries import SRGB_TO_REC2020, mix
from luxgrad.light.transfer import srgb_decode

from .conftest import Editor
from .test_contract import image


def planted(editor: Editor, pixels: torch.Tensor) -> torch.Tensor:
    source = editor.foreign()
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((source, 0), pixels), stops=0.6)
    _, (lazy,) = editor.add("luxgrad.colour.saturation", image=((source, 0), lazy), amount=0.3)
    with torch.inference_mode():
        return torch.from_numpy(lazy.numpy().copy())


def wired(editor: Editor, pixels: Any, **fit: Any) -> tuple[str, str, str, Any]:
    source = editor.foreign()
    exposure, (one,) = editor.add("luxgrad.tone.exposure", "Exposure", image=((source, 0), pixels))
    saturation, (two,) = editor.add("luxgrad.colour.saturation", image=((exposure, 0), one))
    node, found = editor.add("luxgrad.fit", photo=((saturation, 0), two), seconds=4.0, **fit)
    return exposure, saturation, node, found


def test_a_plain_run_passes_the_photo_through_and_fits_nothing(editor: Editor) -> None:
    pixels = image(60, 80)
    *_, found = wired(editor, pixels, target=(("1", 0), pixels))
    photos, report = found["result"]
    assert report == ""
    assert "luxgrad_values" not in found["ui"]
    assert photos[0]._real is None


def test_a_fit_finds_the_sliders_and_writes_them_into_prompt_and_workflow(editor: Editor) -> None:
    pixels = image(60, 80)
    target = planted(editor, pixels)
    goal = editor.foreign()
    exposure, saturation, _, found = wired(editor, pixels, target=((goal, 0), target), action="fit")
    values = {(entry["node"], entry["name"]): entry["value"] for entry in found["ui"]["luxgrad_values"]}
    assert values[exposure, "stops"] == pytest.approx(0.6, abs=0.01)
    assert values[saturation, "amount"] == pytest.approx(0.3, abs=0.02)
    assert editor.prompt[exposure]["inputs"]["stops"] == values[exposure, "stops"]
    photos, report = found["result"]
    assert json.loads(report)["psnr_after"] > 50.0
    torch.testing.assert_close(photos[0].clone(), target, rtol=0, atol=0.01)
    assert found["ui"]["text"][0].startswith(f"{json.loads(report)['psnr_before']:.1f} dB -> ")


def test_a_list_is_one_fit_that_shares_its_sliders(editor: Editor) -> None:
    one, two = image(60, 80), image(50, 40, seed=1)
    targets = [planted(editor, pixels) for pixels in (one, two)]
    source, goal = editor.foreign(), editor.foreign()
    made = [editor.add("luxgrad.tone.exposure", image=((source, 0), pixels)) for pixels in (one, two)]
    node = made[0][0]
    photos = [made[0][1][0], _renamed(made[1][1][0], made[1][0], node)]
    _, found = editor.add("luxgrad.fit", photo=((node, 0), photos), target=((goal, 0), targets), action="fit", seconds=3.0)
    values = found["ui"]["luxgrad_values"]
    assert [(entry["node"], entry["name"]) for entry in values] == [(node, "stops")]
    assert len(found["result"][0]) == 2


def _renamed(lazy: Any, old: str, new: str) -> Any:
    """The same recipe under the id that the executor gives every item of a list."""
    graph = lazy.recipe.graph
    steps = {
        new if key == old else key: dataclasses.replace(step, id=new if key == old else key)
        for key, step in graph.steps.items()
    }
    recipe = type(lazy.recipe)(dataclasses.replace(graph, steps=steps), type(lazy.recipe.link)(new, 0), lazy.recipe.handed)
    return type(lazy)(recipe)


def test_a_batch_is_fitted_as_several_photos_with_the_same_sliders(editor: Editor) -> None:
    four = image(40, 50, batch=4)
    target = planted(editor, four)
    exposure, _, _, found = wired(editor, four, target=((editor.foreign(), 0), target), action="fit")
    values = {(entry["node"], entry["name"]): entry["value"] for entry in found["ui"]["luxgrad_values"]}
    assert values[exposure, "stops"] == pytest.approx(0.6, abs=0.01)


def test_a_loss_is_followed_and_a_table_learns(editor: Editor, tmp_path: Path) -> None:
    pixels = image(40, 50)
    source, goal, target = editor.foreign(), editor.foreign(), planted(editor, pixels)
    exposure, (one,) = editor.add("luxgrad.tone.exposure", image=((source, 0), pixels))
    loss, (value,) = editor.add("luxgrad.loss.l1", image=((exposure, 0), one), target=((goal, 0), target))
    _, found = editor.add("luxgrad.fit", photo=((exposure, 0), one), loss=((loss, 0), value), action="fit", seconds=4.0)
    report = found["ui"]["luxgrad_report"][0]
    assert report["loss_after"] < 0.7 * report["loss_before"]
    assert [entry["node"] for entry in found["ui"]["luxgrad_values"]] == [exposure]

    axis = torch.linspace(0, 1, 5).tolist()
    rows = "".join(f"{r} {g} {b}\n" for b in axis for g in axis for r in axis)
    (tmp_path / "start.cube").write_text("LUT_3D_SIZE 5\n" + rows)
    table, (lut,) = editor.add("luxgrad.load_lut", "Film", file="start.cube")
    look, (two,) = editor.add("luxgrad.colour.lut3d", image=((source, 0), pixels), lut=((table, 0), lut))
    _, found = editor.add("luxgrad.fit", photo=((look, 0), two), target=((goal, 0), target), action="fit", seconds=3.0,
                          free="Film.table")  # fmt: skip
    (written,) = found["ui"]["luxgrad_values"]
    assert (written["node"], written["name"]) == (table, "file")
    assert (tmp_path / written["value"]).exists()
    report = found["ui"]["luxgrad_report"][0]
    assert report["psnr_after"] > report["psnr_before"] + 0.5


def test_mistakes_are_one_line_on_the_node(editor: Editor) -> None:
    pixels = image(60, 80)
    small = image(30, 40)
    with pytest.raises(ValueError, match=r"80 x 60 px; got 40 x 30 px"):
        wired(editor, pixels, target=((editor.foreign(), 0), small), action="fit")
    with pytest.raises(ValueError, match=r"'nothing\.here' matches no slider"):
        wired(editor, pixels, target=((editor.foreign(), 0), pixels), action="fit", free="nothing.here")
    with pytest.raises(ValueError, match="expected a target"):
        wired(editor, pixels, action="fit")
    with pytest.raises(ValueError, match="expected a slider to fit"):
        editor.add("luxgrad.fit", photo=((editor.foreign(), 0), pixels), target=(("1", 0), pixels), action="fit")


def test_sliders_behind_a_foreign_node_are_named_and_not_dropped(editor: Editor) -> None:
    pixels = image(60, 80)
    source = editor.foreign()
    front, (lazy,) = editor.add("luxgrad.tone.contrast", "Behind", image=((source, 0), pixels))
    blur = editor.foreign("ImageQuantize", image=[front, 0])
    with torch.inference_mode():
        foreign = torch.from_numpy((lazy * 15).round().div(15).numpy().copy())
    after, (last,) = editor.add("luxgrad.tone.exposure", image=((blur, 0), foreign))
    _, found = editor.add("luxgrad.fit", photo=((after, 0), last), target=((source, 0), pixels), action="fit", seconds=4.0)
    assert "no gradient reaches Behind (amount): step" in found["ui"]["text"][0]
    assert "(ImageQuantize) carries no gradient" in found["ui"]["text"][0]


def test_a_photo_is_saved_at_full_depth_and_never_over_another(editor: Editor) -> None:
    pixels, source = image(40, 30), editor.foreign()
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((source, 0), pixels), stops=0.5)
    editor.add("luxgrad.save_photo", image=((source, 0), lazy), file="one.tif")
    saved = read_photo(Path("one.tif"))
    assert str(saved.size) == "30 x 40 px"
    with pytest.raises(ValueError, match=r"step \d+ .*one.tif"):
        editor.add("luxgrad.save_photo", image=((source, 0), lazy), file="one.tif")
    with pytest.raises(ValueError, match="expected a file name with an ending"):
        editor.add("luxgrad.save_photo", image=((source, 0), lazy), file="one")


def test_a_comparison_says_how_far_two_photos_are_apart(editor: Editor, tmp_path: Path) -> None:
    pixels, source = image(40, 30), editor.foreign()
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((source, 0), pixels), stops=0.5)
    _, found = editor.add("luxgrad.compare", photo=((source, 0), lazy), before=((source, 0), pixels))
    assert " dB, Delta E " in found["result"][0]
    assert (tmp_path / found["ui"]["luxgrad_before"][0]["filename"]).exists()


def test_a_comparison_of_ordinary_pictures_measures_their_light_once_decoded(editor: Editor) -> None:
    pixels, source = image(40, 30), editor.foreign()
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((source, 0), pixels), stops=0.5)
    _, found = editor.add("luxgrad.compare", photo=((source, 0), lazy), before=((source, 0), pixels))
    codes = pixels.movedim(-1, 1).split(1, dim=1)
    light = torch.cat(mix(SRGB_TO_REC2020, *(srgb_decode(plane) for plane in codes)), dim=1)
    expected = compare(Photo(light), Photo(light * 2.0**0.5))
    assert found["result"][0].startswith(f"{expected.psnr:.2f} dB, Delta E {expected.delta_e:.2f} ")


def test_a_batch_can_be_fitted_to_a_loss_of_its_own_photos(editor: Editor) -> None:
    three = image(40, 50, batch=3)
    target = planted(editor, three)
    source, goal = editor.foreign(), editor.foreign()
    exposure, (one,) = editor.add("luxgrad.tone.exposure", image=((source, 0), three))
    loss, (value,) = editor.add("luxgrad.loss.l1", image=((exposure, 0), one), target=((goal, 0), target))
    _, found = editor.add("luxgrad.fit", photo=((exposure, 0), one), loss=((loss, 0), value), action="fit", seconds=4.0)
    report = found["ui"]["luxgrad_report"][0]
    assert report["loss_after"] < 0.8 * report["loss_before"]
    assert [(entry["node"], entry["name"]) for entry in found["ui"]["luxgrad_values"]] == [(exposure, "stops")]


@pytest.mark.parametrize("free", ["", "Bright.stops in -2..2", "*.stops"])
def test_two_photos_through_one_node_share_its_sliders_also_where_they_meet_again(editor: Editor, free: str) -> None:
    """A list runs a node once per photo: the second recording is a copy, `2#2`, of the same widgets."""
    one, two = image(40, 50), image(40, 50, seed=1)

    def blended(stops: float) -> tuple[str, str, Any]:
        source, other = editor.foreign(), editor.foreign()
        exposure, (first,) = editor.add("luxgrad.tone.exposure", "Bright", image=((source, 0), one), stops=stops)
        again, (second,) = editor.add("luxgrad.tone.exposure", "Bright", image=((source, 0), two), stops=stops)
        second = _renamed(second, again, exposure)
        del editor.prompt[again]
        blend, (lazy,) = editor.add("luxgrad.local.apply_mask", before=((exposure, 0), first), after=((exposure, 0), second),
                                    mask=((other, 0), torch.full((1, 40, 50), 0.5)))  # fmt: skip
        return exposure, blend, lazy

    _, _, goal = blended(0.5)
    with torch.inference_mode():
        target = torch.from_numpy(goal.numpy().copy())
    editor.prompt.clear()
    exposure, blend, lazy = blended(0.0)
    _, found = editor.add("luxgrad.fit", photo=((blend, 0), lazy), target=((editor.foreign(), 0), target), action="fit",
                          seconds=4.0, free=free or f"{exposure}.stops")  # fmt: skip
    values = {(entry["node"], entry["name"]): entry["value"] for entry in found["ui"]["luxgrad_values"]}
    assert values == {(exposure, "stops"): pytest.approx(0.5, abs=0.01)}
    assert [(entry["node"], entry["name"]) for entry in found["ui"]["luxgrad_pulls"]] == [(exposure, "stops")]
    assert editor.prompt[exposure]["inputs"]["stops"] == values[exposure, "stops"]

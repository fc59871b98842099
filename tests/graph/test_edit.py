"""Free text, patches, undo, the cache and baking."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import PyOpenColorIO
import pytest
import torch

import luxgrad
from luxgrad import Graph
from luxgrad.engine.bake import bake
from luxgrad.engine.cache import Cache
from luxgrad.files.cube import write_cube
from luxgrad.fit.free import Space, read_free
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.patch import apply, schema
from luxgrad.graph.undo import undo
from luxgrad.light.gamut import to_display
from luxgrad.light.photo import Photo
from luxgrad.light.primaries import SRGB_TO_REC2020, mix
from luxgrad.light.transfer import srgb_decode

from .graphs import POINTWISE, TWELVE, chain

TWO_EXPOSURES = Graph.of({
    "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
    "a": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0], "stops": 1.0}, "_meta": {"title": "First"}},
    "b": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["a", 0], "stops": -0.5}},
    "c": {"class_type": "luxgrad.colour.white_balance", "inputs": {"image": ["b", 0]}},
    "unused": {"class_type": "luxgrad.tone.contrast", "inputs": {"image": ["photo", 0]}},
    "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["c", 0]}},
})  # fmt: skip
WITHIN = {"photo", "a", "b", "c"}


def free(text: str) -> list[Any]:
    return read_free(TWO_EXPOSURES, text, WITHIN)


def test_no_line_frees_every_slider_before_the_photo_comes_out() -> None:
    assert [u.name for u in free("# nothing but a comment\n\n")] == ["First.stops", "b.stops", "c.kelvin", "c.tint"]


def test_patterns_bounds_and_per_photo_are_read() -> None:
    unknowns = {u.name: u for u in free("*.stops in -1..2   # gently\nc.kelvin per photo\nFirst.stops in 0..0.5 per photo")}
    assert set(unknowns) == {"First.stops", "b.stops", "c.kelvin"}
    assert (unknowns["b.stops"].low, unknowns["b.stops"].high, unknowns["b.stops"].per_photo) == (-1.0, 2.0, False)
    assert (unknowns["First.stops"].low, unknowns["First.stops"].start) == (0.0, 0.5)
    assert unknowns["c.kelvin"].per_photo
    space = Space(list(unknowns.values()), 3)
    assert len(space) == 1 + 3 * 2
    assert space.indices(1) != space.indices(2)


def test_a_tie_moves_both_sliders_as_one_within_the_bounds_of_both() -> None:
    unknowns = free("*.stops in -1..2\nb.stops in -0.7..3\nFirst.stops = b.stops")
    assert len(unknowns) == 1
    assert [p.step for p in unknowns[0].paths] == ["a", "b"]
    assert (unknowns[0].low, unknowns[0].high) == (-0.7, 2.0)
    values = Space(unknowns, 1).settings(torch.tensor([0.2], dtype=torch.float64), 0)
    assert values[("a", "stops")] == values[("b", "stops")] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fist.stops", r"'Fist.stops' matches no slider \(nearest: First.stops"),
        ("unused.amount", r"matches no slider"),
        ("*.stops in 1..x", r"expected PATTERN in LOW..HIGH"),
        ("*.stops in 2..1", r"expected bounds of First.stops within -8..8; got 2..1"),
        ("*.stops in -9..1", r"within -8..8; got -9..1"),
        ("First.stops = nothing.stops", r"'nothing.stops' is no slider"),
        ("First.stops = c.kelvin", r"have no range in common and cannot be tied"),
        ("First.stops = b.stops = c.tint", r"expected a.slider = b.slider"),
    ],
)
def test_free_lines_that_mean_nothing_are_refused(text: str, expected: str) -> None:
    with pytest.raises(WorkflowError, match=expected):
        free(text)


def test_a_patch_adds_sets_links_and_removes() -> None:
    graph = apply(
        TWO_EXPOSURES,
        [
            {"edit": "set", "path": "First.stops", "value": 0.25},
            {
                "edit": "add",
                "step": "new",
                "node": "luxgrad.tone.contrast",
                "values": {"amount": 0.3},
                "links": {"image": ["a", 0]},
            },
            {"edit": "link", "step": "b", "input": "image", "from": ["new", 0]},
            {"edit": "remove", "step": "c"},
        ],
    )
    assert graph.steps["a"].value("stops") == 0.25
    assert graph.steps["b"].links["image"] == ("new", 0)
    assert graph.steps["out"].links["image"] == ("b", 0)
    assert "c" not in graph.steps
    assert TWO_EXPOSURES.steps["a"].value("stops") == 1.0


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"edit": "set", "path": "First.stops", "value": 99}, "edit 1: step a .*expected a number from -8 to 8"),
        ({"edit": "set", "path": "First.stops"}, "edit 1: expected set with path, value"),
        ({"edit": "paint"}, "edit 1: expected edit to be one of"),
        ({"edit": "add", "step": "a", "node": "luxgrad.tone.exposure"}, "expected a new step id"),
        ({"edit": "add", "step": "n", "node": "os.system"}, "unknown node 'os.system'"),
        ({"edit": "link", "step": "a", "input": "image", "from": ["c", 0]}, "form a cycle"),
        ({"edit": "link", "step": "a", "input": "image", "from": 3}, r"expected from to be \[step, output\]; got 3"),
        ({"edit": "remove", "step": "photo"}, "is not wired"),
        ({"edit": "link", "step": "a", "input": "image", "from": ["c"]}, r"expected from to be \[step, output\]; got a list"),
        ({"edit": "link", "step": "a", "input": "image", "from": None}, "is not wired"),
        ({"edit": "link", "step": ["a"], "input": "image", "from": ["c", 0]}, "link, step: expected text; got a list"),
        ({"edit": "add", "step": "n", "node": "luxgrad.tone.exposure", "values": "stops"}, "add, values: expected an object"),
        (
            {"edit": "add", "step": "n", "node": "luxgrad.tone.exposure", "links": {"image": 3}},
            r"expected image to be \[step, output\]; got 3",
        ),
        ({"edit": "set", "path": "First.stops", "value": [1]}, "expected a number from"),
        ({"edit": "set", "path": "First.stops", "value": 1, "reason": 3}, "set, reason: expected text; got 3"),
        ({"edit": "set", "path": "First.stops", "value": 1, "reason": "x" * 601}, "reason: expected one line of at most 600"),
        ({"edit": "set", "path": "First.stops", "value": 1, "reason": "a\nb"}, "reason: expected one line"),
        ("set", "expected edit to be one of"),
        ({"edit": "set", "path": ["a"], "value": 1}, "edit 1: set, path: expected text; got a list"),
        ({"edit": "set", "path": "b.stops", "value": float("nan")}, "the edit, value: expected a number up to 1e308; got nan"),
        ({"edit": "set", "path": "b.stops", "value": 10**5000}, "value: .* got a number of more than 40 digits"),
        ({"edit": "set", 7: 1}, "the edit: expected names that are text; got 7"),
        ({"edit": "add", "step": "n", "node": "x", "values": [1]}, "add, values: expected an object; got a list"),
        ({"edit": "add", "step": "n", "node": "x", "links": {"image": "b"}}, r"expected image to be \[step, output\]; got 'b'"),
        ({"edit": "add", "step": "n", "node": "x", "title": 5}, "add, title: expected text; got 5"),
        ({"edit": "link", "step": 7, "input": "image", "from": ["a", 0]}, "link, step: expected text; got 7"),
        ({"edit": "link", "step": "a", "input": "image", "from": [7, 0]}, r"expected from to be \[step, output\]; got a list"),
    ],
)
def test_a_bad_patch_changes_nothing_and_says_which_edit(edit: Any, expected: str) -> None:
    with pytest.raises(WorkflowError, match=expected):
        apply(TWO_EXPOSURES, [edit])


def test_edits_may_say_why() -> None:
    reason = "the brightest parts lie 1.2 EV below white"
    patch = [
        {"edit": "set", "path": "First.stops", "value": 0.5, "reason": reason},
        {"edit": "remove", "step": "c", "reason": ""},
    ]
    assert apply(TWO_EXPOSURES, patch).steps["a"].value("stops") == 0.5


def test_a_patch_is_bounded() -> None:
    with pytest.raises(WorkflowError, match="at most 1000 edits; got 1001"):
        apply(TWO_EXPOSURES, [{"edit": "set", "path": "First.stops", "value": 0.5}] * 1001)


def test_the_documented_schema_is_the_one_in_force(root: Path) -> None:
    text = (root / "docs" / "advice.md").read_text()
    (block,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert json.loads(block) == schema()


def parts(graph: Graph) -> dict[str, Any]:
    return {step.id: (step.spec.id, step.all_values(), dict(step.links), step.title) for step in graph}


@pytest.mark.parametrize("seed", range(12))
def test_what_a_patch_does_undo_takes_back(seed: int) -> None:
    rng = random.Random(seed)
    before = graph = Graph.of(TWELVE)
    done = 0
    for number in range(400):
        steps = [step for step in graph if step.spec.family]
        chosen, other = rng.choice(steps), rng.choice(list(graph))
        edits = {
            "set": {"path": f"{chosen.id}.{rng.choice(chosen.spec.sliders).name}" if chosen.spec.sliders else "x.y",
                    "value": rng.uniform(0.0, 0.9)},
            "add": {"step": f"new{number}", "node": "luxgrad.tone.exposure", "values": {"stops": 0.5},
                    "links": {"image": [other.id, 0]}},
            "link": {"step": chosen.id, "input": rng.choice(chosen.spec.inputs).name, "from": [other.id, 0]},
            "remove": {"step": chosen.id},
        }  # fmt: skip
        kind = rng.choice(list(edits))
        try:
            graph = apply(graph, [{"edit": kind, **edits[kind]}])
            done += 1
        except WorkflowError:
            continue
        if done == 8:
            break
    assert done == 8
    assert parts(graph) != parts(before)
    assert parts(apply(graph, undo(before, graph))) == parts(before)


def test_undo_opens_an_optional_input_that_a_patch_wired() -> None:
    before = chain("tone.levels")
    more = {"edit": "add", "step": "ends", "node": "luxgrad.measure.percentiles", "links": {"image": ["photo", 0]}}
    after = apply(before, [more, {"edit": "link", "step": "levels", "input": "percentiles", "from": ["ends", 0]}])
    assert parts(apply(after, undo(before, after))) == parts(before)


def test_the_cache_skips_what_stays_and_gives_the_same_picture(photos) -> None:
    graph = Graph.of(TWELVE)
    photo = luxgrad.load(photos / "lake.jpg")
    photo = photo.reduced(photo.size.scaled(0.3))
    cache, tiles_done = Cache(), []
    plain = graph(photo, {"colour.amount": 0.9}).pixels
    for value in (0.1, 0.5, 0.9):
        done: list[int] = []
        cached = graph(
            photo,
            {"colour.amount": value},
            cache=cache,
            editing=["colour.amount"],
            tile_pixels=3000,
            progress=lambda d, t, done=done: done.append(d),
        ).pixels
        tiles_done.append(max(done))
    torch.testing.assert_close(cached, plain, rtol=1e-4, atol=1e-5)
    assert tiles_done[2] == tiles_done[1] < tiles_done[0]
    assert 0 < cache.bytes <= cache.most_bytes


def test_a_cached_step_is_not_used_when_something_before_it_changed(photos) -> None:
    graph, cache = Graph.of(TWELVE), Cache()
    photo = luxgrad.load(photos / "lake.jpg")
    photo = photo.reduced(photo.size.scaled(0.2))
    graph(photo, {"exposure.stops": 0.1}, cache=cache, editing=["colour.amount"])
    later = graph(photo, {"exposure.stops": 0.8}, cache=cache, editing=["colour.amount"]).pixels
    torch.testing.assert_close(later, graph(photo, {"exposure.stops": 0.8}).pixels, rtol=1e-5, atol=1e-6)
    other = Photo(photo.pixels * 0.5)
    torch.testing.assert_close(graph(other, cache=cache).pixels, graph(other).pixels, rtol=1e-5, atol=1e-6)


def test_gradients_do_not_get_lost_in_the_cache(photos) -> None:
    graph, cache = Graph.of(TWELVE), Cache()
    photo = torch.rand(1, 3, 40, 50)
    found = []
    for kept in (None, cache, cache):
        stops = torch.tensor(0.3, requires_grad=True)
        graph(Photo(photo), {"exposure.stops": stops}, cache=kept, editing=[]).pixels.sum().backward()
        found.append(stops.grad)
    torch.testing.assert_close(found[1], found[0])
    torch.testing.assert_close(found[2], found[0])


def test_the_cache_keeps_within_its_bytes() -> None:
    cache = Cache(most_bytes=1000)
    for number in range(10):
        cache.put(str(number), torch.zeros(50))
    assert cache.bytes <= 1000
    assert len(cache) == 5
    assert cache.get("0") is None
    assert cache.get("9") is not None
    cache.put("large", torch.zeros(500))
    assert cache.get("large") is None


def test_a_baked_look_agrees_with_the_graph_through_opencolorio(tmp_path) -> None:
    graph = chain(*POINTWISE).with_values({
        "exposure.stops": 0.4, "white_balance.kelvin": 7600.0, "curve.slope_3": 0.5, "saturation.vibrance": 0.4,
        "hue_bands.blue_hue": 15.0, "contrast.amount": 0.2,
    })  # fmt: skip
    baked = bake(graph, 33)
    assert baked.psnr > 45.0
    assert baked.delta_e < 0.3
    path = tmp_path / "look.cube"
    write_cube(path, baked.lut, "look")
    codes = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))
    light = torch.cat(mix(SRGB_TO_REC2020, *(srgb_decode(plane) for plane in codes.split(1, dim=1))), dim=1)
    through_graph = to_display(graph(light))
    transform = PyOpenColorIO.FileTransform(str(path), interpolation=PyOpenColorIO.INTERP_TETRAHEDRAL)
    pixels = codes[0].permute(1, 2, 0).contiguous().numpy()
    PyOpenColorIO.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor().applyRGB(pixels)
    error = through_graph - torch.from_numpy(pixels).permute(2, 0, 1)[None]
    assert -10 * torch.log10(error.square().mean()).item() > 45.0


@pytest.mark.parametrize(
    ("node", "slider", "reason"),
    [
        ("detail.sharpen", "amount", "looks at neighbouring pixels"),
        ("geometry.crop", "left", "moves pixels"),
        ("tone.levels", "white", "depends on what the whole picture measures"),
        ("detail.clarity", "amount", "depends on what the whole picture measures"),
        ("effects.vignette", "amount", "depends on the place in the picture"),
    ],
)
def test_a_graph_that_cannot_be_baked_is_refused_by_step(node: str, slider: str, reason: str) -> None:
    name = node.split(".")[1]
    moved = chain("tone.exposure", node).with_values({f"{name}.{slider}": 0.5})
    with pytest.raises(WorkflowError, match=rf"step {name} \({node}\) cannot be baked: it {reason}"):
        bake(moved)


def test_a_step_at_rest_and_a_fit_on_the_way_do_not_stand_in_the_way_of_baking(root: Path) -> None:
    graph = luxgrad.open(root / "workflows" / "match_reference.json")
    with pytest.raises(WorkflowError, match=r"\(Vignette\) cannot be baked"):
        bake(graph.with_values({"Vignette.amount": 0.3}), 9)
    assert bake(graph.with_values({"Vignette.amount": 0.0}), 9).delta_e < 2.0

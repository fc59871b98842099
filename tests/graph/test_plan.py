"""Sizes, levels and regions, worked out before anything runs."""

from __future__ import annotations

import pytest
import torch

from luxgrad import Graph
from luxgrad.engine.estimate import estimate
from luxgrad.engine.planning import make_plan
from luxgrad.engine.render import Job
from luxgrad.engine.tiles import tiles
from luxgrad.graph.errors import WorkflowError
from luxgrad.graph.model import Ref
from luxgrad.graph.outputs import output_of
from luxgrad.light.photo import Photo
from luxgrad.light.rectangle import Region, Size

from .graphs import TWELVE, chain


def plan_of(graph, size: Size, scale: float = 1.0):
    return make_plan(graph, [output_of(graph)], {Ref("photo"): size, Ref("photo", 1): size}, scale)


def test_levels_count_the_statistics_before_a_step() -> None:
    plan = plan_of(Graph.of(TWELVE), Size(1000, 1500))
    levels = {step.id: step.level for step in plan.steps}
    assert levels["balance"] == 0
    assert levels["levels\0percentiles"] == levels["levels"] == 1
    assert levels["clarity\0guide"] == levels["clarity"] == levels["sigmoid"] == 2
    assert levels["mask"] == 0


def test_sizes_follow_geometry_on_every_scale() -> None:
    plan = plan_of(Graph.of(TWELVE), Size(1000, 1500))
    assert plan.by_step["crop"].size == Size(880, 1410)
    assert plan.by_step["resize"].size == Size(75, 120)
    proxy = plan_of(Graph.of(TWELVE), Size(1000, 1500), 0.1)
    assert proxy.by_step["crop"].size == Size(88, 141)
    assert proxy.by_step["resize"].size == Size(8, 12)


def test_a_region_needs_the_neighbourhoods_and_no_more() -> None:
    plan = plan_of(
        chain(("detail.sharpen", {"radius": 2.0}), "tone.exposure", ("geometry.crop", {"left": 10.0})), Size(100, 200)
    )
    regions = plan.regions([(Ref("crop"), Region(50, 60, 4, 5))])
    assert regions[Ref("exposure")] == Region(50, 80, 4, 5)
    assert regions[Ref("photo")] == Region(50 - 6, 80 - 6, 4 + 12, 5 + 12)
    at_edge = plan.regions([(Ref("crop"), Region(0, 0, 4, 5))])
    assert at_edge[Ref("photo")] == Region(0, 14, 10, 17)


def test_a_radius_is_in_full_size_px_and_shrinks_on_a_proxy() -> None:
    graph = chain(("detail.sharpen", {"radius": 3.0}))
    assert plan_of(graph, Size(1000, 1000)).by_step["sharpen"].margin == 9
    assert plan_of(graph, Size(1000, 1000), 0.25).by_step["sharpen"].margin == 2


def test_pictures_of_two_sizes_do_not_meet() -> None:
    graph = Graph.of({
        "a": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "b": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "mix": {
            "class_type": "luxgrad.local.apply_mask",
            "inputs": {"before": ["a", 0], "after": ["b", 0], "mask": ["a", 1]},
            "_meta": {"title": "Mix"},
        },
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["mix", 0]}},
    })  # fmt: skip
    given = {"a": Photo(torch.zeros(1, 3, 4, 5)), "b": Photo(torch.zeros(1, 3, 6, 5))}
    with pytest.raises(WorkflowError, match=r"step mix \(Mix\): expected pictures of one size; got 5 x 4 px and 5 x 6 px"):
        graph(given)


def test_a_crop_that_leaves_nothing_is_refused() -> None:
    graph = chain(("geometry.crop", {"left": 60.0, "right": 50.0}))
    with pytest.raises(WorkflowError, match=r"step crop \(geometry.crop\): expected edges that leave something"):
        graph(torch.zeros(1, 3, 10, 10))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 977), (977, 1), (101, 203)])
@pytest.mark.parametrize("square", [True, False])
def test_tiles_cover_every_pixel_once(height: int, width: int, square: bool) -> None:
    seen = torch.zeros(height, width)
    for region in tiles(Size(height, width), 500, square):
        region.cut(seen).add_(1.0)
    assert (seen == 1.0).all()


def test_a_result_is_never_larger_than_asked_for_and_never_enlarged() -> None:
    photo = torch.rand(1, 3, 301, 457)
    for node in ("tone.exposure", ("geometry.crop", {"left": 7.0, "top": 13.0}), ("geometry.resize", {"long_edge": 333})):
        assert max(chain(node)(photo, size=100).shape[2:]) == 100
    assert max(chain("tone.exposure")(photo, size=5000).shape[2:]) == 457


def test_a_proxy_looks_like_the_full_picture(photos) -> None:
    import luxgrad

    graph = chain(
        ("tone.levels", {"black": 0.4, "white": 0.5}),
        ("detail.clarity", {"amount": 0.6}),
        ("geometry.crop", {"left": 6.0, "top": 9.0, "bottom": 3.0}),
        ("effects.vignette", {"amount": -1.0}),
    )
    photo = luxgrad.load(photos / "lake.jpg")
    small, full = graph(photo, size=500), graph(photo)
    assert small.size.long_edge == 500
    assert luxgrad.compare(small, full.reduced(small.size)).delta_e < 0.5


def test_an_estimate_is_made_before_running(photos) -> None:
    import luxgrad

    needs = estimate(Job.of(Graph.of(TWELVE), luxgrad.load(photos / "lake.jpg")))
    assert 10e6 < needs.run < 500e6
    assert needs.pictures < needs.gradient < 1.5e9


def test_memory_for_gradients_is_bounded_by_smaller_tiles() -> None:
    graph, photo = Graph.of(TWELVE), torch.rand(1, 3, 260, 300)
    stops = torch.tensor(0.3, requires_grad=True)
    tiles_done = {}
    for room in (1 << 30, 1 << 20):
        done: list[int] = []
        graph(
            photo, {"exposure.stops": stops}, gradient_bytes=room, progress=lambda d, t, done=done: done.append(d)
        ).sum().backward()
        tiles_done[room] = max(done)
    assert tiles_done[1 << 20] > 3 * tiles_done[1 << 30]


def test_a_progress_callback_may_stop_a_run() -> None:
    from luxgrad.graph.errors import Stopped

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        chain("tone.exposure")(torch.rand(1, 3, 50, 50), progress=stop)

"""Walls to gradients by name: the node that is one, and sliders that go around it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from .conftest import Editor
from .test_tape import blur, by_numpy, invert, noise, package_of, smooth, thresholded


class Comfy:
    """What ComfyUI says of the node that runs, and of the sockets of a class."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run: Any = None
        utils, nodes = ModuleType("comfy_execution.utils"), ModuleType("nodes")
        utils.get_executing_context = lambda: self.run  # type: ignore[attr-defined]
        nodes.NODE_CLASS_MAPPINGS = {"Measure": SimpleNamespace(RETURN_TYPES=("INT", "FLOAT"))}  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, utils.__name__, utils)
        monkeypatch.setitem(sys.modules, nodes.__name__, nodes)

    @contextlib.contextmanager
    def node(self, number: str) -> Iterator[None]:
        self.run = SimpleNamespace(prompt_id="one", node_id=number, list_index=None)
        with torch.inference_mode():
            yield
        self.run = None


@pytest.fixture
def comfy(monkeypatch: pytest.MonkeyPatch) -> Comfy:
    return Comfy(monkeypatch)


Way = Callable[..., Any]


class Bench:
    """Exposure, then other packs' nodes, then saturation and a Fit."""

    def __init__(self, editor: Editor, comfy: Comfy) -> None:
        self.editor, self.comfy = editor, comfy
        self.source = editor.foreign()
        self.first, (self.lazy,) = editor.add("luxgrad.tone.exposure", "Before", image=((self.source, 0), smooth()), stops=0.2)

    def foreign(self, kind: str, made: Way, **wires: tuple[str, Any]) -> tuple[str, Any]:
        """A node of another pack: its id, and what it makes of the values on its wires."""
        node = self.editor.foreign(kind, **{name: [key, 0] for name, (key, _) in wires.items()})
        with self.comfy.node(node):
            return node, made(*(value for _, value in wires.values()))

    def fit(self, node: str, value: Any, free: str = "*.stops\n*.amount") -> dict[str, Any]:
        after, (last,) = self.editor.add("luxgrad.colour.saturation", "After", image=((node, 0), value))
        _, (goal,) = self.editor.add("luxgrad.colour.saturation", image=((node, 0), value), amount=0.3)
        with torch.inference_mode():
            target = torch.Tensor.clone(goal)
        _, found = self.editor.add("luxgrad.fit", photo=((after, 0), last), target=((self.editor.foreign(), 0), target),
                                   action="fit", seconds=2.0, free=free)  # fmt: skip
        ui: dict[str, Any] = found["ui"]
        return ui


def half(one: Any, other: Any) -> Any:
    return 0.5 * one + 0.5 * other


def test_a_slider_that_goes_through_a_wall_and_around_it_is_said_to_be_fitted_only_in_part(
    editor: Editor, comfy: Comfy
) -> None:
    bench = Bench(editor, comfy)
    still = bench.foreign("LanczosScale", by_numpy, image=(bench.first, bench.lazy))
    mixed = bench.foreign("ImageBlend", half, image1=(bench.first, bench.lazy), image2=still)
    ui = bench.fit(*mixed)
    why = f"what passes through step {still[0]} (LanczosScale) was held still"
    assert ui["luxgrad_report"][0]["held_still"] == [f"Before (stops): {why}"]
    assert ui["luxgrad_report"][0]["blocked"] == []
    assert f"fitted only in part: Before (stops): {why}" in ui["text"][0]
    (entry,) = ui["luxgrad_blocked"]
    assert entry == {"node": bench.first, "title": "Before", "sliders": ["stops"], "by": still[0], "why": why, "partly": True}


def test_a_way_around_a_wall_that_ends_in_one_of_our_nodes_is_told_as_well(editor: Editor, comfy: Comfy) -> None:
    bench = Bench(editor, comfy)
    still, pixels = bench.foreign("LanczosScale", by_numpy, image=(bench.first, bench.lazy))
    blend, (lazy,) = editor.add("luxgrad.local.apply_mask", before=((bench.first, 0), bench.lazy), after=((still, 0), pixels),
                                mask=((editor.foreign("SolidMask"), 0), torch.full((1, 48, 64), 0.5)))  # fmt: skip
    (line,) = bench.fit(blend, lazy)["luxgrad_report"][0]["held_still"]
    assert line == f"Before (stops): what passes through step {still} (LanczosScale) was held still"


def test_a_slider_that_nobody_frees_is_not_said_to_be_fitted_in_part(editor: Editor, comfy: Comfy) -> None:
    bench = Bench(editor, comfy)
    still = bench.foreign("LanczosScale", by_numpy, image=(bench.first, bench.lazy))
    mixed = bench.foreign("ImageBlend", half, image1=(bench.first, bench.lazy), image2=still)
    assert bench.fit(*mixed, free="After.amount")["luxgrad_report"][0]["held_still"] == []


@pytest.mark.parametrize("wall", [by_numpy, thresholded], ids=lambda f: f.__name__)
def test_of_a_chain_of_other_packs_nodes_the_one_that_breaks_it_is_named(editor: Editor, comfy: Comfy, wall: Way) -> None:
    bench = Bench(editor, comfy)
    soft = bench.foreign("Blur", blur, image=(bench.first, bench.lazy))
    hard = bench.foreign("Wall", wall, image=soft)
    last = bench.foreign("Invert", invert, image=hard)
    report = bench.fit(*last, free="")["luxgrad_report"][0]
    assert report["blocked"] == [f"Before (stops): step {hard[0]} (Wall) carries no gradient"]


def saved_and_passed_on(x: Any) -> Any:
    x.cpu().numpy()
    return x


def test_what_is_followed_all_the_way_is_told_of_nowhere(editor: Editor, comfy: Comfy) -> None:
    bench = Bench(editor, comfy)
    soft = bench.foreign("Blur", blur, image=(bench.first, bench.lazy))
    mixed = bench.foreign("ImageBlend", half, image1=(bench.first, bench.lazy), image2=soft)
    passed = bench.foreign("SaveAndPass", saved_and_passed_on, image=mixed)
    noisy = bench.foreign("AddNoise", noise, image=passed)
    report = bench.fit(*noisy)["luxgrad_report"][0]
    assert report["blocked"] == report["held_still"] == []


def test_the_size_of_a_picture_holds_nothing_still_but_a_number_from_its_pixels_does(editor: Editor, comfy: Comfy) -> None:
    bench = Bench(editor, comfy)
    measure = editor.foreign("Measure", image=[bench.first, 0])
    empty = editor.foreign("EmptyImage", width=[measure, 0])
    mixed = editor.foreign("ImageBlend", image1=[bench.first, 0], image2=[empty, 0])
    with comfy.node(mixed):
        grey = half(bench.lazy, torch.full((1, 48, 64, 3), 0.5))
    assert bench.fit(mixed, grey)["luxgrad_report"][0]["held_still"] == []
    with comfy.node(measure):
        bright = float(bench.lazy.mean())
    two, (lazy,) = editor.add("luxgrad.tone.exposure", "Next", image=((mixed, 0), grey), stops=bright)
    editor.prompt[two]["inputs"]["stops"] = [measure, 1]
    (line,) = bench.fit(two, lazy, free="Before.stops")["luxgrad_report"][0]["held_still"]
    assert line == f"Before (stops): what passes through step {measure} (Measure) was held still"


def test_the_lazy_tensor_holds_its_contract_also_while_a_node_runs(editor: Editor, comfy: Comfy) -> None:
    with comfy.node("1"):
        assert sys.modules[package_of(editor) + ".nodes.contract"].broken() is None

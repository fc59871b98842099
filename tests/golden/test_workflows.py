"""Every shared workflow: what it looks like, judged in Delta E against a picture somebody looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import luxgrad
from luxgrad.graph.outputs import gather_sources, output_of
from luxgrad.light.difference import delta_e_2000, display_to_lab
from luxgrad.light.gamut import to_display
from luxgrad.light.photo import Photo

FOLDER = Path(__file__).parent
WORKFLOWS = FOLDER.parent.parent / "workflows"
NAMES = sorted(path.stem for path in WORKFLOWS.glob("*.json"))
SIZE = 400


def render(name: str) -> Photo:
    return luxgrad.open(WORKFLOWS / f"{name}.json")({}, size=SIZE)


def difference(one: Photo, two: Photo) -> torch.Tensor:
    return delta_e_2000(*(display_to_lab(to_display(photo.pixels)) for photo in (one, two)))


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_renders_as_its_golden_picture(name: str) -> None:
    delta = difference(render(name), luxgrad.load(FOLDER / f"{name}.png"))
    assert delta.mean().item() < 0.5
    assert delta.max().item() < 2.0


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_has_a_visible_effect_and_three_families(name: str) -> None:
    graph = luxgrad.open(WORKFLOWS / f"{name}.json")
    assert len({step.spec.family for step in graph if step.spec.family}) >= 3
    photo = next(v for v in gather_sources(graph, {}, [output_of(graph)]).values() if isinstance(v, Photo))
    rendered = render(name)
    assert difference(rendered, photo.reduced(rendered.size)).mean().item() > 3.0


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_file_is_written_as_it_was_read(name: str) -> None:
    from luxgrad.graph.schema import loads

    text = (WORKFLOWS / f"{name}.json").read_text()
    again = loads(text)
    for step in again:
        assert step.title
    assert loads(luxgrad.graph.schema.dumps(again)).steps.keys() == again.steps.keys()

"""An operation that gives several pictures, and a composite, as nodes: each output a wire of its own."""

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import torch

from .conftest import Editor
from .test_contract import image


def room(pack: ModuleType, name: str) -> Any:
    return importlib.import_module(f"{pack.__name__}.{name}")


@pytest.fixture
def probes(pack: ModuleType) -> Iterator[dict[str, type]]:
    """Node classes of two operations that no file declares."""
    types, reach, spec, composite = (room(pack, f"ops.{name}") for name in ("types", "reach", "spec", "composite"))
    planes = room(pack, "light.planes")

    class Halves(NamedTuple):
        dark: types.Image
        bright: types.Image

    def halves(image: types.Image) -> Halves:
        """Light up to a half, and what goes beyond.

        image: the photo to divide.
        """
        dark = planes.each(image, lambda plane: plane.clamp_max(0.5))
        return Halves(dark, image - dark)

    def swapped(image: types.Image) -> Halves:
        """The same, the other way round.

        image: the photo to divide.
        """
        dark, bright = composite.place(halves, image)
        return Halves(bright, dark)

    specs = [spec.declare(halves, reach.POINTWISE, "probe.halves"), spec.declare(swapped, reach.COMPOSITE, "probe.swapped")]
    spec.REGISTRY.update({entry.id: entry for entry in specs})
    factory = room(pack, "nodes.factory")
    yield {entry.node_id: factory.node_class(entry) for entry in specs}
    for entry in specs:
        del spec.REGISTRY[entry.id]


@pytest.mark.parametrize("kind", ["luxgrad.probe.halves", "luxgrad.probe.swapped"])
def test_every_output_of_a_node_carries_its_own_picture(editor: Editor, probes: dict[str, type], kind: str) -> None:
    editor.classes = {**editor.classes, **probes}
    pixels = image(12, 17)
    node, (one, two) = editor.add(kind, image=((editor.foreign(), 0), pixels))
    _, (brighter,) = editor.add("luxgrad.tone.exposure", image=((node, 1), two), stops=1.0)
    assert probes[kind].RETURN_NAMES == ("dark", "bright")
    with torch.inference_mode():
        first, second, third = (torch.Tensor.clone(lazy) for lazy in (one, two, brighter))
    # Pictures that came in 8 bits go out snapped to codes, by up to 0.05 of one.
    both = light_of(first) + light_of(second)
    torch.testing.assert_close(both, light_of(pixels), rtol=0, atol=1e-3)
    torch.testing.assert_close(light_of(third), 2.0 * light_of(second), rtol=0, atol=1e-3)
    assert not torch.equal(first, second)


def light_of(codes: torch.Tensor) -> torch.Tensor:
    from luxgrad.light.transfer import srgb_decode

    return srgb_decode(codes)

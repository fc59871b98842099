"""Pictures and masks of every kind, and nodes of other packs, in the real ComfyUI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from luxgrad.ops.params import Slider
from luxgrad.ops.spec import REGISTRY, OpSpec

from .prompts import codes, fit, load, op, save, saved, values_of
from .server import Server

pytestmark = pytest.mark.skipif("COMFYUI_ROOT" not in os.environ, reason="COMFYUI_ROOT names no checkout of ComfyUI")

OTHERS = '''
import numpy, torch

class Node:
    FUNCTION, CATEGORY, RETURN_TYPES = "go", "others", ("IMAGE",)
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ("IMAGE",)}}

class OthersPosterize(Node):
    def go(self, image):
        return (torch.from_numpy(numpy.round(image.cpu().numpy() * 24.0) / 24.0),)

class OthersHalf(Node):
    def go(self, image):
        return (image.half(),)

class OthersMask(Node):
    """The right half, at half the size, as a plane without batch."""
    RETURN_TYPES = ("MASK",)
    def go(self, image):
        mask = torch.zeros(image.shape[1] // 2, image.shape[2] // 2)
        mask[:, mask.shape[1] // 2:] = 1.0
        return (mask,)

NODE_CLASS_MAPPINGS = {cls.__name__: cls for cls in (OthersPosterize, OthersHalf, OthersMask)}
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("pictures"), packs={"others": OTHERS})
    with Image.open(running.base / "input" / "kitten.png") as picture:
        small = picture.convert("RGB").resize((200, 134))
    small.save(running.base / "input" / "small.png")
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 200).astype(np.uint8), (134, 1)))
    small.putalpha(ramp)
    small.save(running.base / "input" / "alpha.png")
    yield running
    running.stop()


def done(server: Server, prompt: dict[str, Any]) -> dict[str, Any]:
    outputs = server.run(prompt)
    assert "error" not in outputs, str(outputs)[-3000:]
    return outputs


def at_rest(spec: OpSpec) -> bool:
    """Whether the defaults are the declared neutral."""
    return (
        spec.neutral is not None
        and spec.inputs[0].socket == "IMAGE" == spec.outputs[0].socket
        and all(entry.socket == "IMAGE" or not entry.required for entry in spec.inputs)
        and all(param.default == spec.neutral.get(param.name, param.default) for param in spec.params)
        and any(isinstance(param.kind, Slider) for param in spec.params)
    )


def test_operations_at_rest_change_no_saved_code(server: Server) -> None:
    kinds = [kind for kind, spec in REGISTRY.items() if at_rest(spec) and len(spec.inputs) == 1]
    assert len(kinds) >= 8
    prompt = {"1": load(), "2": save(["1", 0])}
    for number, kind in enumerate(kinds):
        prompt |= {f"op {number}": op(kind, ["1", 0]), f"out {number}": save([f"op {number}", 0])}
    outputs = done(server, prompt)
    plain = codes(saved(server, outputs, "2"))
    for number, kind in enumerate(kinds):
        assert (codes(saved(server, outputs, f"out {number}")) == plain).all(), kind


def test_a_chain_at_rest_between_load_and_save_is_load_and_save(server: Server) -> None:
    kinds = ("tone.exposure", "colour.white_balance", "tone.contrast", "colour.saturation", "geometry.crop")
    prompt = {"0": load("lake.jpg"), "plain": save(["0", 0]), "out": save([str(len(kinds)), 0])}
    for number, kind in enumerate(kinds):
        prompt[str(number + 1)] = op(kind, [str(number), 0])
    outputs = done(server, prompt)
    assert (codes(saved(server, outputs, "out")) == codes(saved(server, outputs, "plain"))).all()


def test_half_precision_comes_in(server: Server) -> None:
    prompt = {"1": load(), "2": {"class_type": "OthersHalf", "inputs": {"image": ["1", 0]}},
              "3": op("tone.exposure", ["2", 0]), "4": save(["3", 0]), "5": save(["1", 0])}  # fmt: skip
    outputs = done(server, prompt)
    away = codes(saved(server, outputs, "4")).astype(int) - codes(saved(server, outputs, "5"))
    assert np.abs(away).max() <= 1


def test_alpha_goes_through_untouched(server: Server) -> None:
    joined = {"class_type": "JoinImageWithAlpha", "inputs": {"image": ["1", 0], "alpha": ["1", 1]}}
    prompt = {"1": load("alpha.png"), "2": joined, "3": save(["2", 0]), "4": op("tone.exposure", ["2", 0]), "5": save(["4", 0]),
              "6": op("colour.saturation", ["2", 0], amount=0.5), "7": save(["6", 0])}  # fmt: skip
    outputs = done(server, prompt)
    plain = codes(saved(server, outputs, "3"))
    assert plain.shape[2] == 4
    assert np.ptp(plain[..., 3]) > 200
    assert (codes(saved(server, outputs, "5")) == plain).all()
    assert (codes(saved(server, outputs, "7"))[..., 3] == plain[..., 3]).all()


MASKS: dict[str, dict[str, Any]] = {
    "SolidMask": {"value": 1.0, "width": 200, "height": 134},
    "SolidMask of another size": {"value": 1.0, "width": 64, "height": 64},
    "LoadImageMask": {"image": "alpha.png", "channel": "alpha"},
    "ImageToMask": {"image": ["1", 0], "channel": "red"},
    "OthersMask": {"image": ["1", 0]},
}


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_of_another_pack_blends_as_it_says(server: Server, kind: str) -> None:
    mask = {"class_type": kind.split()[0], "inputs": MASKS[kind]}
    blend = {"before": ["1", 0], "after": ["2", 0], "mask": ["3", 0], "opacity": 1.0}
    prompt = {"1": load("small.png"), "2": op("tone.exposure", ["1", 0], stops=1.0), "3": mask,
              "4": {"class_type": "luxgrad.local.apply_mask", "inputs": blend}, "5": save(["4", 0]), "6": save(["2", 0]),
              "7": save(["1", 0]), "9": save(["8", 0]),
              "8": {"class_type": "MaskToImage", "inputs": {"mask": ["3", 0]}}}  # fmt: skip
    outputs = done(server, prompt)
    made, after, before = (codes(saved(server, outputs, key)).astype(float) for key in ("5", "6", "7"))
    with Image.open(saved(server, outputs, "9")) as picture:
        share = np.asarray(picture.resize((200, 134), Image.Resampling.BILINEAR)).astype(float) / 255.0
    sure = [(share > 0.999) & (made != after), (share < 0.001) & (made != before)]
    assert not any(wrong.mean() > 0.01 for wrong in sure)
    low, high = np.minimum(before, after) - 1, np.maximum(before, after) + 1
    assert ((made >= low) & (made <= high)).all()
    assert (made != before).mean() > 0.2


def test_four_pictures_of_a_batch_go_through_a_fit_with_sliders_in_common(server: Server) -> None:
    batch = {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 4}}
    chain = {"1": load("small.png"), "2": batch, "3": op("tone.exposure", ["2", 0], stops=0.5)}
    first = done(server, {**chain, "4": save(["3", 0])})
    shutil.copy(saved(server, first, "4"), server.base / "input" / "brighter.png")
    chain["3"] = op("tone.exposure", ["2", 0])
    outputs = done(server, {**chain, "5": load("brighter.png"), "6": fit(["3", 0], ["5", 0]), "7": save(["6", 0])})
    assert values_of(outputs, "6")["3", "stops"] == pytest.approx(0.5, abs=0.02)
    assert len(outputs["6"]["luxgrad_report"][0]["pairs"]) == 4
    assert len(outputs["7"]["images"]) == 4


def test_a_fit_moves_what_lies_after_a_node_without_gradient_and_names_the_rest(server: Server) -> None:
    chain = {"1": load("small.png"), "2": op("tone.exposure", ["1", 0], "Before"),
             "3": {"class_type": "OthersPosterize", "inputs": {"image": ["2", 0]}}}  # fmt: skip
    first = done(server, {**chain, "4": op("colour.saturation", ["3", 0], amount=0.4), "5": save(["4", 0])})
    shutil.copy(saved(server, first, "5"), server.base / "input" / "goal.png")
    chain["4"] = op("colour.saturation", ["3", 0], "After")
    outputs = done(server, {**chain, "5": load("goal.png"), "6": fit(["4", 0], ["5", 0]), "7": save(["6", 0])})
    found = values_of(outputs, "6")
    assert set(found) <= {("4", "amount"), ("4", "vibrance")}
    assert found["4", "amount"] == pytest.approx(0.4, abs=0.05)
    assert "no gradient reaches Before (stops): step 3 (OthersPosterize) carries no gradient" in outputs["6"]["text"][0]
    asked = server.run({**chain, "5": load("goal.png"), "6": fit(["4", 0], ["5", 0], free="Before.stops\nAfter.amount")})
    assert "no gradient reaches Before (stops): step 3 (OthersPosterize) carries no gradient" in asked["error"]

"""ComfyUI's own nodes between two of ours, in the real ComfyUI: sliders on both sides come back, or the wall is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .server import Server
from .test_comfyui import codes, fit, load, op, pytestmark as asked_for, save, saved

pytestmark = asked_for
Nodes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("comfyui"))
    with Image.open(running.base / "input" / "kitten.png") as picture:
        small = np.asarray(picture.convert("RGB").resize((96, 64)), dtype=np.float32) * 0.6 + 30
        Image.fromarray(small.astype(np.uint8)).save(running.base / "input" / "small.png")
    yield running
    running.stop()


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


PHOTO, BEFORE, MASK, OTHER = ["1", 0], ["2", 0], ["3", 0], ["4", 0]
"""The picture; after our exposure; our mask of it; after our saturation."""
BRIGHT = ["20", 0]
"""Where a mask lays it on: after our exposure."""


def one(kind: str, **inputs: Any) -> tuple[Nodes, str]:
    """One core node behind our exposure; what it gives goes into our saturation."""
    return {"10": node(kind, image=BEFORE, **inputs)}, "10"


def scaled(kind: str, **inputs: Any) -> dict[str, tuple[Nodes, str]]:
    ways = ("nearest-exact", "bilinear", "area", "bicubic")
    return {f"{kind} {way}": one(kind, upscale_method=way, **inputs) for way in ways}


def blended(mode: str) -> tuple[Nodes, str]:
    turned = node("ImageFlip", image=BEFORE, flip_method="x-axis: vertically")
    return {"9": turned, "10": node("ImageBlend", image1=BEFORE, image2=["9", 0], blend_factor=0.5, blend_mode=mode)}, "10"


def porter_duff(mode: str) -> tuple[Nodes, str]:
    """Our exposure on the side that shows."""
    over, under = (OTHER, BEFORE) if mode.startswith("DST") else (BEFORE, OTHER)
    between = node("PorterDuffImageComposite", source=over, source_alpha=["9", 0], destination=under,
                   destination_alpha=["8", 0], mode=mode)  # fmt: skip
    half = {key: node("SolidMask", value=value, width=96, height=64) for key, value in (("8", 0.3), ("9", 0.6))}
    return {**half, "10": between}, "10"


FOLLOWED: dict[str, tuple[Nodes, str]] = {
    **scaled("ImageScale", width=60, height=48, crop="center"),
    **scaled("ImageScaleBy", scale_by=0.75),
    **scaled("ImageScaleToTotalPixels", megapixels=0.01),
    **scaled("ImageScaleToMaxDimension", largest_size=72),
    "ImageInvert": one("ImageInvert"),
    **{f"ImageBlend {mode}": blended(mode) for mode in ("normal", "multiply", "screen", "overlay", "soft_light",
       "difference")},
    "ImageBlur": one("ImageBlur", blur_radius=2, sigma=1.0),
    "ImageSharpen": one("ImageSharpen", sharpen_radius=1, sigma=1.0, alpha=0.2),
    "ImageCrop": one("ImageCrop", width=70, height=50, x=10, y=5),
    "ImageFlip": one("ImageFlip", flip_method="y-axis: horizontally"),
    "ImageRotate": one("ImageRotate", rotation="90 degrees"),
    "ImageStitch": ({"10": node("ImageStitch", image1=BEFORE, image2=OTHER, direction="right", match_image_size=False,
                                spacing_width=4, spacing_color="white")}, "10"),
    "ResizeAndPadImage": one("ResizeAndPadImage", target_width=80, target_height=80, padding_color="white",
                             interpolation="bicubic"),
    "ImageBatch": ({"10": node("ImageBatch", image1=BEFORE, image2=OTHER)}, "10"),
    "ImageFromBatch": ({"9": node("ImageBatch", image1=OTHER, image2=BEFORE),
                        "10": node("ImageFromBatch", image=["9", 0], batch_index=1, length=1)}, "10"),
    "RepeatImageBatch": one("RepeatImageBatch", amount=2),
    "RebatchImages": ({"9": node("RepeatImageBatch", image=BEFORE, amount=2),
                       "10": node("RebatchImages", images=["9", 0], batch_size=2)}, "10"),
    "ImagePadForOutpaint": one("ImagePadForOutpaint", left=8, top=8, right=8, bottom=8, feathering=4),
    "ImageAddNoise": one("ImageAddNoise", seed=1, strength=0.02),
    "ImageCompositeMasked": ({"10": node("ImageCompositeMasked", destination=BEFORE, source=OTHER, x=20, y=10,
                                         resize_source=False, mask=MASK)}, "10"),
    "JoinImageWithAlpha, SplitImageWithAlpha": (
        {"9": node("JoinImageWithAlpha", image=BEFORE, alpha=MASK), "10": node("SplitImageWithAlpha", image=["9", 0])}, "10"),
    "ImageRGBToYUV, ImageYUVToRGB": (
        {"9": node("ImageRGBToYUV", image=BEFORE),
         "10": node("ImageYUVToRGB", Y=["9", 0], U=["9", 1], V=["9", 2])}, "10"),
    **{f"Morphology {kind}": one("Morphology", operation=kind, kernel_size=3)
       for kind in ("erode", "dilate", "open", "close", "gradient", "top_hat", "bottom_hat")},
    **{f"PorterDuffImageComposite {mode}": porter_duff(mode) for mode in ("ADD", "DARKEN", "DST", "DST_ATOP", "DST_IN",
       "DST_OUT", "DST_OVER", "LIGHTEN", "MULTIPLY", "OVERLAY", "SCREEN", "SRC", "SRC_ATOP", "SRC_IN", "SRC_OUT", "SRC_OVER",
       "XOR")},
}  # fmt: skip


def mask_one(kind: str, **inputs: Any) -> tuple[Nodes, str]:
    return {"10": node(kind, mask=MASK, **inputs)}, "10"


def mask_composite(operation: str) -> tuple[Nodes, str]:
    """On a part of the mask where that can be followed, else on the whole."""
    soft = operation in ("multiply", "add", "subtract")
    inside = node("SolidMask", value=0.4, width=60 if soft else 96, height=40 if soft else 64)
    place = {"x": 8, "y": 8} if soft else {"x": 0, "y": 0}
    return {"9": inside, "10": node("MaskComposite", destination=MASK, source=["9", 0], operation=operation, **place)}, "10"


MASKS: dict[str, tuple[Nodes, str]] = {
    "InvertMask": mask_one("InvertMask"),
    "CropMask": mask_one("CropMask", x=8, y=6, width=80, height=50),
    "FeatherMask": mask_one("FeatherMask", left=10, top=8, right=6, bottom=4),
    "MaskToImage, ImageToMask": (
        {"9": node("MaskToImage", mask=MASK), "10": node("ImageToMask", image=["9", 0], channel="green")}, "10"),
    **{f"MaskComposite {operation}": mask_composite(operation) for operation in ("multiply", "add", "subtract")},
    "JoinImageWithAlpha, SplitImageWithAlpha": (
        {"8": node("JoinImageWithAlpha", image=PHOTO, alpha=MASK), "9": node("SplitImageWithAlpha", image=["8", 0]),
         "10": node("InvertMask", mask=["9", 1])}, "10"),
    "PorterDuffImageComposite": (
        {"8": node("SolidMask", value=0.3, width=96, height=64),
         "9": node("PorterDuffImageComposite", source=PHOTO, source_alpha=MASK, destination=PHOTO, destination_alpha=["8", 0],
                   mode="SRC_OVER"),
         "10": node("InvertMask", mask=["9", 1])}, "10"),
}  # fmt: skip


def porter_duff_masked(mode: str, **alpha: list[Any]) -> Nodes:
    half = node("SolidMask", value=0.4, width=96, height=64)
    alphas = {"source_alpha": ["9", 0], "destination_alpha": ["9", 0], **alpha}
    return {"9": half, "10": node("PorterDuffImageComposite", source=BRIGHT, destination=PHOTO, mode=mode, **alphas)}


COMPOSITES: dict[str, Nodes] = {
    "ImageCompositeMasked": {"4": op("colour.saturation", PHOTO, "Other", amount=0.1),
                             "10": node("ImageCompositeMasked", destination=OTHER, source=BRIGHT, x=0, y=0,
                                        resize_source=False, mask=MASK)},
    "ImageCompositeMasked, ordinary": {"10": node("ImageCompositeMasked", destination=PHOTO, source=BRIGHT, x=0, y=0,
                                                  resize_source=False, mask=MASK)},
    **{f"PorterDuffImageComposite {mode}, source": porter_duff_masked(mode, source_alpha=MASK)
       for mode in ("SRC_OVER", "SRC_ATOP", "XOR")},
    "PorterDuffImageComposite DST_OVER, destination": porter_duff_masked("DST_OVER", destination_alpha=MASK),
}  # fmt: skip

WALLS: dict[str, tuple[Nodes, str]] = {
    **{f"{kind} lanczos": one(kind, upscale_method="lanczos", **inputs) for kind, inputs in {
        "ImageScale": {"width": 60, "height": 48, "crop": "center"}, "ImageScaleBy": {"scale_by": 0.75},
        "ImageScaleToTotalPixels": {"megapixels": 0.01}}.items()},
    "ImageQuantize": one("ImageQuantize", colors=64, dither="none"),
    "ImageQuantize bayer": one("ImageQuantize", colors=64, dither="bayer-4"),
    "Canny": one("Canny", low_threshold=0.1, high_threshold=0.3),
    "PorterDuffImageComposite CLEAR": porter_duff("CLEAR"),
}  # fmt: skip

MASK_WALLS: dict[str, tuple[Nodes, str]] = {
    "GrowMask": mask_one("GrowMask", expand=2, tapered_corners=True),
    "ThresholdMask": mask_one("ThresholdMask", value=0.5),
    **{f"MaskComposite {operation}": mask_composite(operation) for operation in ("and", "or", "xor")},
    "ImageColorToMask": ({"9": node("MaskToImage", mask=MASK), "10": node("ImageColorToMask", image=["9", 0], color=0)}, "10"),
}


def photo_graph(between: Nodes, last: str, stops: float, amount: float, vibrance: float) -> Nodes:
    """Exposure (2), a mask of it (3), another look at the picture (4); a core node; saturation (20)."""
    return {
        "1": load("small.png"), "2": op("tone.exposure", PHOTO, "Before", stops=stops),
        "3": op("local.luminance_mask", PHOTO, "Tones", low=-2.0, feather=2.0),
        "4": op("colour.saturation", PHOTO, "Other", amount=vibrance),
        **between, "20": op("colour.saturation", [last, 0], "After", amount=amount),
    }  # fmt: skip


def mask_graph(between: Nodes, last: str, low: float, stops: float) -> Nodes:
    """A mask (3) through a core node; our exposure (20) laid on through it (21)."""
    blend = {"before": PHOTO, "after": ["20", 0], "mask": [last, 0], "opacity": 1.0}
    return {
        "1": load("small.png"), "3": op("local.luminance_mask", PHOTO, "Tones", low=low, feather=2.0),
        **between, "20": op("tone.exposure", PHOTO, "Bright", stops=stops),
        "21": {"class_type": "luxgrad.local.apply_mask", "inputs": blend, "_meta": {"title": "Blend"}},
    }  # fmt: skip


def composite_graph(between: Nodes, low: float, stops: float) -> Nodes:
    """A mask (3) by which a core node (10) lays our exposure (20) on."""
    return {
        "1": load("small.png"), "3": op("local.luminance_mask", PHOTO, "Tones", low=low, feather=2.0),
        "20": op("tone.exposure", PHOTO, "Bright", stops=stops), **between,
        "21": op("colour.saturation", ["10", 0], "After", amount=0.2),
    }  # fmt: skip


def fitted(server: Server, goal: Nodes, start: Nodes, last: str, free: str) -> dict[str, Any]:
    """Fit `start` to what `goal` gives, with the target as a picture of its own in the running ComfyUI."""
    target = {f"t{key}": {**entry, "_meta": {}, "inputs": _renamed(entry["inputs"])} for key, entry in goal.items()}
    made = server.run({**target, "90": save([f"t{last}", 0])})
    assert "error" not in made, str(made)[-2000:]
    return server.run({**start, **target, "91": fit([last, 0], [f"t{last}", 0], seconds=6.0, free=free)})


def _renamed(inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: [f"t{value[0]}", value[1]] if isinstance(value, list) else value for name, value in inputs.items()}


def values(outputs: dict[str, Any]) -> dict[tuple[str, str], float]:
    assert "error" not in outputs, str(outputs)[-2000:]
    return {(entry["node"], entry["name"]): entry["value"] for entry in outputs["91"]["luxgrad_values"]}


@pytest.mark.parametrize("case", FOLLOWED)
def test_sliders_on_both_sides_of_a_core_node_are_found(server: Server, case: str) -> None:
    between, last = FOLLOWED[case]
    outputs = fitted(server, photo_graph(between, last, 0.3, 0.3, 0.2), photo_graph(between, last, 0.0, 0.0, 0.2), "20",
                     "Before.stops\nAfter.amount")  # fmt: skip
    found = values(outputs)
    assert found["2", "stops"] == pytest.approx(0.3, abs=0.04)
    assert found["20", "amount"] == pytest.approx(0.3, abs=0.06)
    report = outputs["91"]["luxgrad_report"][0]
    assert "Before" not in json.dumps([report["blocked"], report["held_still"]])


@pytest.mark.parametrize("case", MASKS)
def test_sliders_of_a_mask_are_found_through_a_core_node(server: Server, case: str) -> None:
    between, last = MASKS[case]
    outputs = fitted(server, mask_graph(between, last, -1.5, 0.8), mask_graph(between, last, -2.2, 0.5), "21",
                     "Tones.low\nBright.stops")  # fmt: skip
    found = values(outputs)
    assert found["3", "low"] == pytest.approx(-1.5, abs=0.1)
    assert found["20", "stops"] == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("case", COMPOSITES)
def test_sliders_of_a_mask_are_found_where_a_core_node_lays_on_by_it(server: Server, case: str) -> None:
    goal, start = composite_graph(COMPOSITES[case], -1.5, 0.8), composite_graph(COMPOSITES[case], -2.2, 0.5)
    found = values(fitted(server, goal, start, "21", "Tones.low\nBright.stops"))
    assert found["3", "low"] == pytest.approx(-1.5, abs=0.1)
    assert found["20", "stops"] == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("blended", [["2", 0], ["10", 0]], ids=["around the wall", "around it by another core node"])
def test_a_slider_that_also_goes_through_a_wall_is_said_to_be_fitted_only_in_part(server: Server, blended: list[Any]) -> None:
    between = {
        "9": node("ImageScale", image=BEFORE, upscale_method="lanczos", width=96, height=64, crop="disabled"),
        "10": node("ImageBlur", image=BEFORE, blur_radius=1, sigma=1.0),
        "11": node("ImageBlend", image1=blended, image2=["9", 0], blend_factor=0.5, blend_mode="normal"),
    }
    outputs = fitted(server, photo_graph(between, "11", 0.3, 0.3, 0.0), photo_graph(between, "11", 0.0, 0.0, 0.0), "20", "")
    report = outputs["91"]["luxgrad_report"][0]
    assert report["held_still"] == ["Before (stops): what passes through step 9 (ImageScale) was held still"]
    assert report["blocked"] == []
    assert f"fitted only in part: {report['held_still'][0]}" in outputs["91"]["text"][0]


@pytest.mark.parametrize("case", WALLS)
def test_a_core_node_without_gradient_is_named(server: Server, case: str) -> None:
    between, last = WALLS[case]
    outputs = fitted(server, photo_graph(between, last, 0.3, 0.3, 0.0), photo_graph(between, last, 0.0, 0.0, 0.0), "20", "")
    assert ("2", "stops") not in values(outputs)
    assert f"Before (stops): step 10 ({case.split()[0]}) carries no gradient" in outputs["91"]["luxgrad_report"][0]["blocked"]


@pytest.mark.parametrize("case", MASK_WALLS)
def test_a_core_node_of_masks_without_gradient_is_named(server: Server, case: str) -> None:
    between, last = MASK_WALLS[case]
    outputs = fitted(server, mask_graph(between, last, -1.5, 0.8), mask_graph(between, last, -1.5, 0.5), "21", "")
    assert ("20", "stops") in values(outputs)
    assert "3" not in {key for key, _ in values(outputs)}
    (line,) = outputs["91"]["luxgrad_report"][0]["blocked"]
    assert line.startswith("Tones (low, high, feather): step ")
    assert line.endswith(f"({case.split()[0]}) carries no gradient")


def test_eager_mode_gives_the_same_pictures_and_names_every_node_of_others(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    between, last = FOLLOWED["ImageBlur"]
    graph = {**photo_graph(between, last, 0.3, 0.3, 0.0), "90": save(["20", 0])}
    lazy = codes(saved(server, server.run(graph), "90"))
    eager = Server(tmp_path_factory.mktemp("eager"), settings={"Luxgrad.Eager": True})
    try:
        shutil.copy(server.base / "input" / "small.png", eager.base / "input" / "small.png")
        np.testing.assert_array_equal(codes(saved(eager, eager.run(graph), "90")), lazy)
        outputs = fitted(eager, photo_graph(between, last, 0.3, 0.3, 0.0), photo_graph(between, last, 0.3, 0.0, 0.0), "20", "")
    finally:
        eager.stop()
    assert values(outputs)["20", "amount"] == pytest.approx(0.3, abs=0.06)
    assert "Before (stops): step 10 (ImageBlur) carries no gradient" in outputs["91"]["luxgrad_report"][0]["blocked"]

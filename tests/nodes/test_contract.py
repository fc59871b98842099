"""The contract with ComfyUI, driven without ComfyUI: classes, sockets, and the lazy IMAGE and MASK."""

from __future__ import annotations

import copy
import importlib
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tomllib
import torch

from .conftest import ROOT, Editor


@pytest.fixture(params=["lazy", "eager"])
def editor(pack: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Editor:
    """All that is said of values on wires holds in both modes."""
    choose(pack, request.param, monkeypatch)
    return Editor(pack)


def choose(pack: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set ComfyUI's setting of the mode."""
    monkeypatch.setattr(room(pack, "comfy"), "setting", {"Luxgrad.Eager": mode == "eager"}.get)


def room(pack: Any, name: str) -> Any:
    return importlib.import_module(f"{pack.__name__}.nodes.{name}")


def rendered(value: torch.Tensor) -> torch.Tensor:
    """The pixels on a wire as an ordinary tensor."""
    return value.rendered() if hasattr(value, "rendered") else value


def unread(value: torch.Tensor) -> bool:
    """Whether nobody has read the pixels; in eager mode, where all are there, whether they are ordinary pixels."""
    return value._real is None if hasattr(value, "recipe") else type(value) is torch.Tensor


SOCKETS = {
    "IMAGE",
    "MASK",
    "STRING",
    "FLOAT",
    "INT",
    "LUXGRAD_LOSS",
    "LUXGRAD_LUT",
    "LUXGRAD_NETWORK",
    "LUXGRAD_PERCENTILES",
    "LUXGRAD_GUIDE",
    "LUXGRAD_SMALL_PICTURE",
    "LUXGRAD_BLEND_CURVE",
}


def image(height: int = 24, width: int = 36, batch: int = 1, channels: int = 3, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        return (torch.rand(batch, height, width, channels, generator=generator) * 255).round() / 255


def test_every_class_says_all_that_comfyui_asks(pack: Any) -> None:
    assert len(pack.NODE_CLASS_MAPPINGS) >= 34
    for node_id, cls in pack.NODE_CLASS_MAPPINGS.items():
        assert node_id.startswith("luxgrad.")
        assert callable(getattr(cls, cls.FUNCTION))
        assert cls.CATEGORY.startswith("Luxgrad")
        assert cls.DESCRIPTION.endswith(".")
        assert set(cls.RETURN_TYPES) <= SOCKETS
        assert len(cls.RETURN_NAMES) == len(cls.RETURN_TYPES)
        types = cls.INPUT_TYPES()
        json.dumps(types)
        for name, entry in {**types["required"], **types["optional"]}.items():
            kind, options = entry
            assert options["tooltip"], f"{node_id}.{name}"
            if kind == "FLOAT":
                assert options["min"] <= options["default"] <= options["max"]
                assert options["step"] <= 0.1
            else:
                assert isinstance(kind, list) or kind in SOCKETS | {"INT", "BOOLEAN"}
        assert pack.NODE_DISPLAY_NAME_MAPPINGS[node_id]


def test_every_operation_on_pictures_records_and_renders_at_its_shape(editor: Editor) -> None:
    source = editor.foreign()
    for kind, cls in editor.classes.items():
        spec = cls.SPEC
        if (
            not spec.family
            or not spec.makes_picture
            or any(entry.required and entry.socket in ("LUXGRAD_LUT", "LUXGRAD_NETWORK") for entry in spec.inputs)
        ):
            continue
        wires: dict[str, Any] = {}
        for entry in spec.inputs:
            if entry.socket == "IMAGE":
                wires[entry.name] = ((source, 0), image())
            elif entry.socket == "MASK":
                wires[entry.name] = ((source, 1), image()[..., 0])
            elif entry.socket == "LUXGRAD_BLEND_CURVE":
                node, (curve,) = editor.add("luxgrad.blend.blend_curve")
                wires[entry.name] = ((node, 0), curve)
        _, (lazy, *_) = editor.add(kind, **wires)
        shape = tuple(lazy.shape)
        assert unread(lazy), kind
        assert tuple(lazy.clone().shape) == shape, kind
        assert not rendered(lazy).is_inference()


METADATA = importlib.import_module("luxgrad.nodes.contract").METADATA


@pytest.mark.parametrize("asked", METADATA)
def test_metadata_never_renders_and_is_that_of_the_pixels(editor: Editor, asked: str) -> None:
    source = editor.foreign()
    _, (photo,) = editor.add("luxgrad.tone.exposure", image=((source, 0), image(batch=2)), stops=0.5)
    _, (mask,) = editor.add("luxgrad.local.luminance_mask", image=((source, 0), photo))
    for value in (photo, mask):
        found = METADATA[asked](value)
        hash(value), repr(value)
        assert unread(value)
        assert found == METADATA[asked](torch.zeros(value.shape))


def test_comfyui_sorting_its_cache_by_size_renders_nothing(editor: Editor) -> None:
    """The scan that ComfyUI makes over cached outputs when memory runs short: all of them, nested in lists."""
    source = editor.foreign()
    _, (photo,) = editor.add("luxgrad.tone.exposure", image=((source, 0), image(batch=2)))
    _, (mask,) = editor.add("luxgrad.local.luminance_mask", image=((source, 0), photo))
    _, (measured,) = editor.add("luxgrad.measure.percentiles", image=((source, 0), photo))
    used, todo = 0, [[[photo], [mask]], [[measured]]]
    while todo:
        output = todo.pop()
        if isinstance(output, (list, tuple)):
            todo += output
        elif isinstance(output, torch.Tensor) and output.device.type == "cpu":
            used += output.numel() * output.element_size()
    assert used == 2 * 24 * 36 * (3 + 1) * 4
    assert unread(photo)
    assert unread(mask)


CALLS: dict[str, Any] = {
    "numpy": lambda x: x.cpu().numpy(),
    "asarray": lambda x: np.asarray(x),
    "index": lambda x: x[0],
    "slice": lambda x: x[..., :2],
    "iterate": lambda x: list(x),
    "arithmetic": lambda x: 1.0 - x * 255,
    "reflected": lambda x: 255.0 * x,
    "movedim": lambda x: x.movedim(-1, 1),
    "interpolate": lambda x: torch.nn.functional.interpolate(x.movedim(-1, 1), size=(7, 9), mode="bilinear"),
    "conv": lambda x: torch.nn.functional.avg_pool2d(x.movedim(-1, 1), 3),
    "cat": lambda x: torch.cat((x, x), dim=0),
    "stack": lambda x: torch.stack([x, x]),
    "where": lambda x: torch.where(x > 0.5, x, torch.zeros_like(x)),
    "out": lambda x: torch.add(x, 1.0, out=torch.empty(x.shape)),
    "in place from": lambda x: torch.empty(x.shape).copy_(x),
    "setitem": lambda x: torch.zeros(x.shape).__setitem__(slice(None), x),
    "clamp": lambda x: x.clamp(0, 1),
    "float": lambda x: x.float(),
    "half": lambda x: x.half(),
    "to": lambda x: x.to("cpu"),
    "contiguous": lambda x: x.contiguous(),
    "detach": lambda x: x.detach(),
    "clone": lambda x: x.clone(),
    "mean": lambda x: x.mean().item(),
    "bool": lambda x: bool((x > -1).all()),
    "tolist": lambda x: x[0, 0, 0].tolist(),
    "data_ptr": lambda x: x.data_ptr(),
    "dlpack": lambda x: torch.from_dlpack(x.clone()),
    "deepcopy": lambda x: copy.deepcopy(x),
    "save": lambda x: torch.save(x, io.BytesIO()),
    "einsum": lambda x: torch.einsum("bhwc->bchw", x),
    "unbind": lambda x: x.unbind(0),
    "view": lambda x: x.view(-1),
    "permute": lambda x: x.permute(0, 3, 1, 2),
    "new": lambda x: x.new_zeros(3),
    "zeros_like": lambda x: torch.zeros_like(x),
    "sum": lambda x: sum(x),
    "equal": lambda x: torch.equal(x, x),
    "kornia": lambda x: __import__("kornia").filters.box_blur(x.movedim(-1, 1), 3),
}


@pytest.mark.parametrize("call", CALLS)
def test_whatever_reads_pixels_gets_them(editor: Editor, call: str) -> None:
    source = editor.foreign()
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((source, 0), image()), stops=0.5)
    with torch.inference_mode():
        found = CALLS[call](lazy)
        expected = CALLS[call](rendered(lazy).clone())
    assert isinstance(found, type(expected))
    if isinstance(found, torch.Tensor):
        torch.testing.assert_close(found, expected)


def test_both_modes_give_the_same_pixels(pack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {}
    for mode in ("lazy", "eager"):
        choose(pack, mode, monkeypatch)
        editor = Editor(pack)
        source = editor.foreign()
        one, (photo,) = editor.add("luxgrad.tone.contrast", image=((source, 0), image(batch=2)), amount=0.4)
        two, (mask,) = editor.add("luxgrad.local.luminance_mask", image=((one, 0), photo))
        _, (last,) = editor.add("luxgrad.local.apply_mask", before=((source, 0), image(batch=2)), after=((one, 0), photo),
                                mask=((two, 0), mask))  # fmt: skip
        made[mode] = [rendered(value) for value in (photo, mask, last)]
    for lazy, eager in zip(made["lazy"], made["eager"]):
        torch.testing.assert_close(eager, lazy, rtol=0, atol=0)


def test_a_fit_finds_the_recipe_beside_the_pixels(editor: Editor) -> None:
    source, pixels = editor.foreign(), image(48, 64)
    _, (goal,) = editor.add("luxgrad.tone.exposure", image=((source, 0), pixels), stops=0.4)
    one, (first,) = editor.add("luxgrad.tone.exposure", image=((source, 0), pixels))
    two, (last,) = editor.add("luxgrad.colour.saturation", image=((one, 0), first))
    with torch.inference_mode():
        target = rendered(goal).clone()
    _, found = editor.add("luxgrad.fit", photo=((two, 0), last), target=((editor.foreign(), 0), target), action="fit",
                          seconds=3.0, free="*.stops")  # fmt: skip
    assert found["ui"]["luxgrad_values"][0]["node"] == one
    assert found["ui"]["luxgrad_values"][0]["value"] == pytest.approx(0.4, abs=0.01)
    torch.testing.assert_close(rendered(found["result"][0][0]), target, rtol=0, atol=0.01)


def test_pixels_that_another_node_wrote_into_are_those_that_go_on(editor: Editor) -> None:
    source = editor.foreign()
    _, (first,) = editor.add("luxgrad.tone.exposure", image=((source, 0), image()))
    with torch.inference_mode():
        first[:, :12] = 0.25
    _, (last,) = editor.add("luxgrad.tone.exposure", image=((editor.foreign("Writes"), 0), first))
    torch.testing.assert_close(rendered(last)[:, :12], torch.full((1, 12, 36, 3), 0.25), rtol=0, atol=1e-5)
    torch.testing.assert_close(rendered(last)[:, 12:], image()[:, 12:].clone(), rtol=0, atol=1e-5)


def test_where_torch_breaks_the_contract_every_node_renders_at_once(
    pack: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wire, lazy = room(pack, "wire"), room(pack, "lazy")
    assert not wire.eager()
    monkeypatch.setattr(lazy, "_QUIET", set())
    wire._lazy_holds.cache_clear()
    try:
        _, (photo,) = Editor(pack).add("luxgrad.tone.exposure", image=(("1", 0), image()))
    finally:
        wire._lazy_holds.cache_clear()
    assert type(photo) is torch.Tensor
    assert "renders every node at once: with this torch, asking a lazy tensor for its shape renders it" in caplog.text


def test_the_setting_of_comfyui_asks_for_eager_mode(pack: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wire = room(pack, "wire")
    monkeypatch.setitem(sys.modules, "folder_paths", SimpleNamespace(get_user_directory=lambda: str(tmp_path)))
    file = tmp_path / "default" / "comfy.settings.json"
    file.parent.mkdir()
    for text, expected in (("{", False), ("[]", False), ('{"Luxgrad.Eager": false}', False), ('{"Luxgrad.Eager": true}', True)):
        file.write_text(text)
        assert wire.eager() is expected


def test_a_setting_of_comfyui_limits_the_files_that_are_read(
    pack: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, photos: Path
) -> None:
    monkeypatch.setitem(sys.modules, "folder_paths", SimpleNamespace(get_user_directory=lambda: str(tmp_path)))
    file = tmp_path / "default" / "comfy.settings.json"
    file.parent.mkdir()
    read = importlib.import_module(f"{pack.__name__}.files.decode").read_photo
    assert room(pack, "mappings")
    assert room(pack, "comfy").limit_of_files("megapixels")[0] is None
    for text, error in (
        (
            '{"Luxgrad.MostMegapixels": 0.01}',
            r"to 0.01 MP; got \d+ x \d+ px \(the setting `Most megapixels of a file` sets the limit",
        ),
        (
            '{"Luxgrad.MostGigabytes": 1e-6}',
            r"at most 1e-06 GB; got 0.0 GB \(the setting `Most gigabytes of a file` sets the limit",
        ),
        (
            '{"Luxgrad.MostMegapixels": "many"}',
            "the setting `Most megapixels of a file`: expected a number above 0; got 'many'",
        ),
    ):
        file.write_text(text)
        with pytest.raises(ValueError, match=error):
            read(photos / "lake.jpg")
    file.write_text('{"Luxgrad.MostMegapixels": 50}')
    assert read(photos / "lake.jpg").size


def test_a_neutral_operation_between_load_and_save_changes_no_code(editor: Editor) -> None:
    every = torch.arange(256).float().div(255).view(1, 16, 16, 1).expand(-1, -1, -1, 3)
    codes = torch.cat([every, image(16, 16)])
    source = editor.foreign()
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((source, 0), codes))
    saved, untouched = ((255.0 * x.cpu().numpy()).clip(0, 255).astype(np.uint8) for x in (lazy, codes))
    assert (saved == untouched).all()


def test_a_neutral_operation_changes_no_16_bit_code(editor: Editor) -> None:
    every = torch.arange(65536, dtype=torch.float64).div(65535).float().view(1, 256, 256, 1).expand(-1, -1, -1, 3)
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((editor.foreign(), 0), every))
    assert ((lazy.double() * 65535).round() == (every.double() * 65535).round()).all()


def test_half_precision_grey_and_alpha_come_in_and_alpha_goes_on(editor: Editor) -> None:
    source = editor.foreign()
    half = editor.add("luxgrad.tone.exposure", image=((source, 0), image().half()))[1][0]
    assert half.dtype == torch.float32
    assert tuple(editor.add("luxgrad.tone.exposure", image=((source, 0), image(channels=1)))[1][0].clone().shape) == (
        1,
        24,
        36,
        3,
    )
    rgba = image(channels=4)
    _, (lazy,) = editor.add("luxgrad.tone.exposure", image=((source, 0), rgba), stops=1.0)
    torch.testing.assert_close(lazy[..., 3], rgba[..., 3].clone())
    _, (cropped,) = editor.add("luxgrad.geometry.crop", image=((source, 0), lazy), left=50.0)
    assert tuple(cropped.shape) == (1, 24, 18, 4)
    torch.testing.assert_close(cropped[..., 3], rgba[:, :, 18:, 3].clone())


def test_a_mask_of_another_size_is_stretched_to_the_picture(editor: Editor) -> None:
    source, before = editor.foreign(), image()
    with torch.inference_mode():
        mask = torch.zeros(64, 64)
        mask[:, 32:] = 1.0
    _, (after,) = editor.add("luxgrad.tone.exposure", image=((source, 0), before), stops=1.0)
    _, (lazy,) = editor.add("luxgrad.local.apply_mask", before=((source, 0), before), after=((source, 0), after),
                            mask=((source, 1), mask))  # fmt: skip
    torch.testing.assert_close(lazy[:, :, :16], before[:, :, :16].clone(), rtol=0, atol=1e-5)
    torch.testing.assert_close(lazy[:, :, 20:], after[:, :, 20:], rtol=0, atol=1e-5)


def test_a_batch_keeps_its_pictures_apart(editor: Editor) -> None:
    source, four = editor.foreign(), image(batch=4)
    _, (lazy,) = editor.add("luxgrad.tone.levels", image=((source, 0), four))
    for index in range(4):
        _, (one,) = editor.add("luxgrad.tone.levels", image=((source, 0), four[index : index + 1]))
        torch.testing.assert_close(lazy[index], one[0], rtol=0, atol=1e-5)


def test_wrong_values_are_refused_on_the_node_with_its_name(editor: Editor) -> None:
    source = editor.foreign()
    with pytest.raises(ValueError, match=r"step 2 \(Bright\), stops: expected a number from -8 to 8 EV; got 99"):
        editor.add("luxgrad.tone.exposure", "Bright", image=((source, 0), image()), stops=99)
    with pytest.raises(ValueError, match=r"expected an IMAGE of shape"):
        editor.add("luxgrad.tone.exposure", image=((source, 0), torch.zeros(3, 4)))
    with torch.inference_mode():
        bad = torch.full((1, 4, 4, 3), float("nan"))
    with pytest.raises(ValueError, match="expected finite pixels; got NaN"):
        editor.add("luxgrad.tone.exposure", image=((source, 0), bad))[1][0].mean()


def test_a_prompt_from_before_a_parameter_was_added_runs_with_its_default(editor: Editor) -> None:
    for cls in editor.classes.values():
        kinds = {type(param.kind).__name__ for param in cls.SPEC.params if param.name in cls.INPUT_TYPES()["required"]}
        assert kinds <= {"File"}, cls
    exposure = editor.classes["luxgrad.tone.exposure"]()
    with torch.inference_mode():
        (out,) = getattr(exposure, exposure.FUNCTION)(unique_id="9", prompt=editor.prompt, image=image())
        fit = editor.classes["luxgrad.fit"]()
        hidden = {"unique_id": ["10"], "prompt": [editor.prompt]}
        through = getattr(fit, fit.FUNCTION)(**hidden, photo=[image()])["result"][0]
        saved = editor.classes["luxgrad.save_photo"]()
        getattr(saved, saved.FUNCTION)(unique_id="11", prompt=editor.prompt, image=image(), file="old.png")
    assert (out == image()).all()
    assert len(through) == 1
    assert Path("old.png").exists()


def test_the_manager_installs_what_the_library_needs_but_neither_torch_nor_the_front_end() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["files"]}
    lines = {line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")}
    assert lines == {entry for entry in wanted if not entry.startswith("torch")}
    assert not any("torch" in line or "frontend" in line for line in lines)
    assert {"PublisherId", "DisplayName"} <= project["tool"]["comfy"].keys()

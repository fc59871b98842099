"""The terminal face: what it writes, what it prints, and how it refuses."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

import luxgrad
from luxgrad import environment
from luxgrad.cli.main import main
from luxgrad.graph.schema import to_data
from luxgrad.light.photo import Photo

from ..graph.graphs import chain


@pytest.fixture
def desk(tmp_path: Path, root: Path) -> Path:
    """A folder with a small photo, a reference made from it, and some workflows."""
    photo = luxgrad.load(root / "workflows" / "photos" / "lake.jpg")
    small = Photo(photo.reduced(photo.size.scaled(0.15)).pixels)
    luxgrad.save(small, tmp_path / "photo.png", depth="8", dither=False)
    truth = chain("tone.exposure", "colour.saturation").with_values({"exposure.stops": 0.6, "saturation.amount": 0.3})
    luxgrad.save(truth(small), tmp_path / "target.tif")
    write(tmp_path / "edit.json", to_data(chain("tone.exposure", "colour.saturation")))
    return tmp_path


def write(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run a command that must end with exit code 2 and one line; returns the line."""
    assert main([str(argument) for argument in arguments]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_ops_lists_every_operation_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ops"]) == 0
    assert "tone.exposure" in capsys.readouterr().out
    assert main(["ops", "--json"]) == 0
    operations = {entry["id"]: entry for entry in json.loads(capsys.readouterr().out)}
    stops = operations["tone.exposure"]["parameters"][0]
    assert (stops["name"], stops["low"], stops["high"], stops["soft"], stops["unit"]) == ("stops", -8, 8, [-3, 3], "EV")
    assert operations["tone.sigmoid"]["display_transform"]
    assert operations["colour.lut3d"]["inputs"][1] == {
        "name": "lut", "socket": "LUXGRAD_LUT", "required": True, "tip": operations["colour.lut3d"]["inputs"][1]["tip"],
    }  # fmt: skip


def test_run_sets_values_and_writes_every_format(desk: Path) -> None:
    for name, depth in (("a.jpg", np.uint8), ("a.png", np.uint16), ("a.tif", np.uint16)):
        out = desk / name
        assert (
            main(
                [
                    "run",
                    str(desk / "edit.json"),
                    "--input",
                    str(desk / "photo.png"),
                    "--out",
                    str(out),
                    "--set",
                    "exposure.stops=1",
                ]
            )
            == 0
        )
        codes = np.asarray(Image.open(out)) if name == "a.jpg" else tifffile.imread(out) if name == "a.tif" else None
        if codes is not None:
            assert codes.dtype == depth
        lighter = luxgrad.load(out).pixels.mean() / luxgrad.load(desk / "photo.png").pixels.mean()
        assert lighter.item() > 1.4


def test_run_writes_the_long_edge_asked_for(desk: Path) -> None:
    out = desk / "small.png"
    assert (
        main(["run", str(desk / "edit.json"), "--input", f"photo={desk / 'photo.png'}", "--out", str(out), "--size", "99"]) == 0
    )
    assert luxgrad.load(out).size.long_edge == 99


def test_what_the_user_types_may_lie_anywhere_what_a_workflow_names_may_not(desk: Path, root: Path, capsys) -> None:
    data = to_data(chain("tone.exposure"))
    data["table"] = {"class_type": "luxgrad.load_lut", "inputs": {"file": "../look.cube"}}
    data["look"] = {"class_type": "luxgrad.colour.lut3d", "inputs": {"image": ["exposure", 0], "lut": ["table", 0]}}
    data["out"]["inputs"]["image"] = ["look", 0]
    write(desk / "lut.json", data)
    look = root / "workflows" / "luts" / "vintage_400_film.cube"
    run = ["run", desk / "lut.json", "--input", desk / "photo.png", "--out", desk / "o.png"]
    assert "step table (load_lut): '../look.cube' lies outside the folders" in refused(capsys, *run)
    assert main([*map(str, run), "--set", f"table.file={look}"]) == 0
    data["table"]["inputs"]["file"] = "vintage_400_film.cube"
    write(desk / "lut.json", data)
    assert "there is no LUT 'vintage_400_film.cube'" in refused(capsys, *run, "--force")
    assert main([*map(str, run), "--force", "--root", str(look.parent)]) == 0


def test_weights_of_the_users_own_go_into_the_folder_of_a_fit(desk: Path) -> None:
    from luxgrad.networks.mlp import PointwiseMLP
    from luxgrad.networks.weights import save_weights

    about = {"architecture": "PointwiseMLP", "arguments": {"inputs": 6, "outputs": 3}}
    save_weights(PointwiseMLP(6, 3), desk / "mine.safetensors", about)
    (desk / "net.json").write_text(json.dumps({
        "Photo": {"class_type": "luxgrad.load_photo", "inputs": {"file": "photo.png"}},
        "Net": {"class_type": "luxgrad.load_network", "inputs": {"name": "mine"}},
        "Film": {"class_type": "luxgrad.proxy.sigmoid", "inputs": {"image": ["Photo", 0], "network": ["Net", 0]}},
        "Light": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["Film", 0]}},
        "Save": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["Light", 0]}},
    }))  # fmt: skip
    assert main(["run", str(desk / "net.json"), "--set", "Light.stops=0.4", "--out", str(desk / "goal.tif")]) == 0
    out = desk / "fit"
    goal = ["--target", str(desk / "goal.tif"), "--free", "Light.stops", "--seconds", "3"]
    assert main(["fit", str(desk / "net.json"), *goal, "--out", str(out)]) == 0
    moved = out.rename(desk.parent / "elsewhere")
    assert main(["run", str(moved / "fitted.json"), "--out", str(moved / "again.tif")]) == 0
    assert (moved / "inputs" / "mine.safetensors").exists()


def test_fit_writes_a_folder_that_runs_by_itself(desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    out = desk / "fit"
    assert (
        main(
            [
                "fit",
                str(desk / "edit.json"),
                "--input",
                str(desk / "photo.png"),
                "--target",
                str(desk / "target.tif"),
                "--out",
                str(out),
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert "exposure.stops" in printed
    assert str(out / "comparison.png") in printed
    report = json.loads((out / "report.json").read_text())
    assert {
        "psnr_before",
        "psnr_after",
        "delta_e_before",
        "delta_e_after",
        "delta_e_one_in",
        "seconds",
        "seconds_total",
        "method",
        "converged",
        "free",
    } <= report.keys()
    assert report["method"] == "lm"
    assert report["converged"]
    assert report["seconds"] < report["seconds_total"]
    assert report["delta_e_one_in"] == 1
    assert report["psnr_after"] > 50.0
    assert set(report["free"][0]) == {"path", "start", "value", "std", "flat", "pull", "reached", "moves"}
    assert report["free"][0]["value"] == pytest.approx(0.6, abs=1e-3)
    (desk / "photo.png").unlink()
    monkeypatch.chdir("/")
    assert main(["run", str(out / "fitted.json"), "--out", str(desk / "again.tif")]) == 0
    again, result = (tifffile.imread(path).astype(int) for path in (desk / "again.tif", out / "result.tif"))
    assert np.abs(again - result).max() <= 1
    measured = luxgrad.compare(luxgrad.load(out / "result.tif"), luxgrad.load(desk / "target.tif"))
    assert measured.psnr == pytest.approx(report["psnr_after"], abs=0.1) or measured.psnr > 80.0
    with Image.open(out / "comparison.png") as comparison:
        assert comparison.size[0] > 400


def test_a_fit_to_another_scene_is_refused_in_one_line_and_writes_nothing(
    desk: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = luxgrad.load(desk / "photo.png")
    other = luxgrad.load(root / "workflows" / "photos" / "spices.jpg").pixels
    luxgrad.save(Photo(other[..., : photo.size.height * 3, : photo.size.width * 3]).reduced(photo.size), desk / "other.png")
    line = refused(capsys, "fit", desk / "edit.json", "--input", desk / "photo.png", "--target", desk / "other.png",
                   "--out", desk / "out")  # fmt: skip
    assert "another scene" in line
    assert "loss.histogram_distance" in line
    assert not (desk / "out").exists()


def test_fit_says_that_a_target_was_moved(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = luxgrad.load(desk / "photo.png").pixels
    for name, place in (("here", (4, 4)), ("beside", (2, 7))):
        top, left = place
        luxgrad.save(Photo(photo[..., top : top + 120, left : left + 220]), desk / f"{name}.png", dither=False)
    arguments = ["--input", desk / "here.png", "--target", desk / "beside.png", "--out", desk / "out", "--exact"]
    assert main([str(entry) for entry in ["fit", desk / "edit.json", *arguments]]) == 0
    assert "the target lay beside the photo: moved +3.0" in capsys.readouterr().out
    report = json.loads((desk / "out" / "report.json").read_text())
    assert report["pairs"][0]["target_moved"] == pytest.approx([-2.0, 3.0], abs=0.05)
    assert report["psnr_after"] > 40.0


def test_fit_takes_several_pairs_and_sliders_of_their_own(desk: Path) -> None:
    arguments = [
        "fit",
        desk / "edit.json",
        "--pair",
        desk / "photo.png",
        desk / "target.tif",
        "--pair",
        desk / "photo.png",
        desk / "photo.png",
    ]
    arguments += [
        "--free",
        "exposure.stops per photo",
        "--free",
        "saturation.amount per photo",
        "--out",
        desk / "fit",
        "--seconds",
        "10",
    ]
    assert main([str(argument) for argument in arguments]) == 0
    values = [json.loads((desk / "fit" / f"fitted{n}.json").read_text())["exposure"]["inputs"]["stops"] for n in ("", "_2")]
    assert values == pytest.approx([0.6, 0.0], abs=2e-3)
    assert (desk / "fit" / "result_2.tif").exists()
    assert len(json.loads((desk / "fit" / "report.json").read_text())["pairs"]) == 2


def test_fit_uses_the_target_and_the_options_of_its_step(desk: Path) -> None:
    data = to_data(chain("tone.exposure", "colour.saturation"))
    data["goal"] = {"class_type": "luxgrad.load_photo", "inputs": {"file": "target.tif"}}
    data["fit"] = {"class_type": "luxgrad.fit", "inputs": {
        "photo": ["saturation", 0], "target": ["goal", 0], "free": "exposure.stops in -1..0.2", "seconds": 5.0}}  # fmt: skip
    data["out"]["inputs"]["image"] = ["fit", 0]
    write(desk / "with_fit.json", data)
    assert main(["fit", str(desk / "with_fit.json"), "--input", f"photo={desk / 'photo.png'}", "--out", str(desk / "fit")]) == 0
    report = json.loads((desk / "fit" / "report.json").read_text())
    assert [entry["path"] for entry in report["free"]] == ["exposure.stops"]
    assert report["free"][0]["value"] == pytest.approx(0.2)


def test_bake_writes_a_table_and_prints_its_error(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            ["bake", str(desk / "edit.json"), "--set", "exposure.stops=0.5", "--out", str(desk / "look.cube"), "--points", "17"]
        )
        == 0
    )
    assert "error against the graph on random colours" in capsys.readouterr().out
    assert (desk / "look.cube").read_text().count("\n") == 17**3 + 2


def test_auto_prints_a_patch_or_writes_a_workflow(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["auto", str(desk / "edit.json"), "--input", str(desk / "photo.png")]) == 0
    patch = json.loads(capsys.readouterr().out)
    assert {edit["edit"] for edit in patch} <= {"set", "add", "link"}
    assert main(["auto", str(desk / "edit.json"), "--input", str(desk / "photo.png"), "--out", str(desk / "auto.json")]) == 0
    assert main(["run", str(desk / "auto.json"), "--input", str(desk / "photo.png"), "--out", str(desk / "auto.png")]) == 0


def test_advise_says_what_it_finds_and_why_or_writes_the_workflow(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    luxgrad.save(Photo(luxgrad.load(desk / "photo.png").pixels * 0.25), desk / "dark.png")
    command = ["advise", str(desk / "edit.json"), "--input", str(desk / "dark.png")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "too dark (" in said
    assert "EV under white" in said
    assert main([*command, "--json", "--apply", str(desk / "advised.json")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {finding["what"] for finding in report["findings"]} >= {"too dark"}
    assert all(edit["reason"] for edit in report["patch"] if edit["edit"] in ("set", "add"))
    assert report["conversation"][0]["advisor"] == "auto"
    advised = luxgrad.open(desk / "advised.json")
    assert advised.steps != luxgrad.open(desk / "edit.json").steps
    assert main(["advise", "--advisors"]) == 0
    assert capsys.readouterr().out.startswith("auto: Rules for exposure")


def test_an_advice_step_says_who_is_asked_what_and_keeps_the_turn(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads((desk / "edit.json").read_text())
    (link,) = (entry["inputs"]["image"] for entry in data.values() if entry["class_type"] == "luxgrad.save_photo")
    data["ask"] = {"class_type": "luxgrad.advice", "inputs": {"photo": link, "advisor": "nobody", "say": "warmer"}}
    write(desk / "ask.json", data)
    command = ["advise", str(desk / "ask.json"), "--input", str(desk / "photo.png")]
    assert main(command) == 2
    assert "there is no advisor 'nobody'" in capsys.readouterr().err
    assert main([*command, "--advisor", "auto", "--apply", str(desk / "next.json")]) == 0
    step = luxgrad.open(desk / "next.json").steps["ask"]
    assert [(turn["say"], turn["advisor"]) for turn in json.loads(step.value("conversation"))] == [("warmer", "auto")]
    assert step.value("say") == ""
    assert main([*command, "--advisor", "auto", "--apply", str(desk / "ask.json"), "--force"]) == 2
    assert "inputs are never overwritten" in capsys.readouterr().err
    data["info"] = {"class_type": "luxgrad.photo_info", "inputs": {"photo": link}}
    data["ask"]["inputs"]["words"] = ["info", 10]
    write(desk / "wired.json", data)
    assert main(["advise", str(desk / "wired.json"), "--input", str(desk / "photo.png"), "--advisor", "auto"]) == 2
    assert "its words come by wire from another node; give the sentence with --say" in capsys.readouterr().err


def test_a_photo_alone_is_diagnosed_and_the_answer_is_a_workflow_that_runs(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUXGRAD_LANGUAGE", "none")
    photo, fitted = str(desk / "photo.png"), desk / "fitted.json"
    assert main(["diagnose", photo]) == 0
    capsys.readouterr()
    assert main(["diagnose", photo, "--say", "warmer, remove the dog", "--out", str(fitted)]) == 0
    said = capsys.readouterr().out
    assert "Understood: warmer." in said
    assert "Not known, so nothing is done for it: 'remove the dog'" in said
    assert "LUXGRAD_LANGUAGE is none" in said
    assert main(["run", str(fitted), "--out", str(desk / "warm.png")]) == 0
    step = luxgrad.open(fitted).steps["wished_white_balance"]
    assert step.value("kelvin") > 7000
    assert main(["diagnose", photo, "--input", photo]) == 2
    assert "is itself the photo" in capsys.readouterr().err
    assert main(["diagnose", photo, "--say", "exposure = 1", "--advisor", "parameter", "--json"]) == 0


def test_run_renders_the_photo_of_a_diagnosis(desk: Path) -> None:
    data = json.loads((desk / "edit.json").read_text())
    (save,) = (entry for entry in data.values() if entry["class_type"] == "luxgrad.save_photo")
    data["ask"] = {
        "class_type": "luxgrad.diagnose",
        "inputs": {"photo": save["inputs"]["image"], "advisor": "parameter", "say": "exposure = -3"},
    }
    plain, dark = desk / "plain.png", desk / "dark.png"
    assert main(["run", str(desk / "edit.json"), "--input", str(desk / "photo.png"), "--out", str(plain)]) == 0
    save["inputs"]["image"] = ["ask", 0]
    write(desk / "asking.json", data)
    assert main(["run", str(desk / "asking.json"), "--input", str(desk / "photo.png"), "--out", str(dark)]) == 0
    assert luxgrad.load(dark).pixels.mean() < 0.4 * luxgrad.load(plain).pixels.mean()


@pytest.mark.parametrize("say", ["x" * 4001])
def test_a_sentence_that_is_too_long_is_one_line(desk: Path, capsys: pytest.CaptureFixture[str], say: str) -> None:
    assert main(["advise", str(desk / "edit.json"), "--input", str(desk / "photo.png"), "--say", say]) == 2
    assert capsys.readouterr().err == "luxgrad: say: expected text of at most 4000 characters; got 4001 characters\n"


def test_check_says_what_a_workflow_needs_and_what_is_odd(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = to_data(chain("tone.exposure", "tone.sigmoid"))
    data["photo"] = {"class_type": "LoadImage", "inputs": {"image": "photo.png"}}
    write(desk / "odd.json", data)
    assert main(["check", str(desk / "odd.json")]) == 0
    printed = capsys.readouterr().out
    assert "works as in ComfyUI: 8 bits, without colour profile" in printed
    assert "brings display light, already rendered" in printed
    assert "MB to render" in printed
    luxgrad.save(Photo(torch.rand(1, 3, 8, 9) * 4), desk / "scene.tif", depth="float")
    assert main(["check", str(desk / "edit.json"), "--input", str(desk / "scene.tif")]) == 0
    assert "scene light from step photo (load_photo) reaches the sink without a display transform" in capsys.readouterr().out


def test_comfyuis_own_nodes_work_headless_as_there(desk: Path) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "photo.png"}},
        "2": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }
    write(desk / "comfy.json", graph)
    assert main(["run", str(desk / "comfy.json"), "--out", str(desk / "out.png")]) == 0
    before, after = (np.asarray(Image.open(desk / name)) for name in ("photo.png", "out.png"))
    np.testing.assert_array_equal(before, after)
    with Image.open(desk / "out.png") as image:
        assert "icc_profile" not in image.info


def test_an_input_is_never_overwritten_and_an_output_only_with_force(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ["run", desk / "edit.json", "--input", desk / "photo.png", "--out"]
    before = (desk / "photo.png").read_bytes()
    assert "it is an input, and inputs are never overwritten" in refused(capsys, *run, desk / "photo.png", "--force")
    os.link(desk / "photo.png", desk / "same.png")
    (desk / "out.png").write_text("mine")
    assert "it exists already; --force replaces it" in refused(capsys, *run, desk / "out.png")
    assert (desk / "out.png").read_text() == "mine"
    assert main([*map(str, run), str(desk / "out.png"), "--force"]) == 0
    assert (desk / "photo.png").read_bytes() == before
    fit = [
        "fit",
        desk / "edit.json",
        "--input",
        desk / "photo.png",
        "--target",
        desk / "target.tif",
        "--seconds",
        "2",
        "--out",
        desk / "fit",
    ]
    assert main([str(argument) for argument in fit]) == 0
    assert "--force replaces it" in refused(capsys, *fit)


WHAT = [
    "a missing workflow", "binary junk", "0 bytes", "a missing photo", "an empty photo", "a photo with NaN", "no photo",
    "a misspelt path", "a misspelt step", "a value out of range", "a NaN value", "no value", "two sinks", "two sources",
    "an unknown ending", "a missing folder", "a size of nothing", "a target of another size", "no target",
    "a pattern that matches nothing", "a cube with another name", "cuda without a device",
]  # fmt: skip


def bad_arguments(desk: Path) -> dict[str, tuple[list[Any], str]]:
    edit, photo, target, out = desk / "edit.json", desk / "photo.png", desk / "target.tif", desk / "o.png"
    run = ["run", edit, "--input", photo, "--out", out]
    luxgrad.save(Photo(torch.rand(1, 3, 10, 12)), desk / "other.png")
    tifffile.imwrite(desk / "nan.tif", np.full((6, 6, 3), np.nan, np.float32), photometric="rgb")
    (desk / "junk.json").write_bytes(bytes(range(256)))
    (desk / "empty.json").write_bytes(b"")
    (desk / "empty.png").write_bytes(b"")
    two = to_data(chain("tone.exposure"))
    two["second"] = {"class_type": "luxgrad.save_photo", "inputs": {"image": ["photo", 0]}}
    write(desk / "two.json", two)
    sources = to_data(chain("tone.exposure"))
    sources["b"] = {"class_type": "luxgrad.load_photo", "inputs": {}}
    sources["mix"] = {"class_type": "luxgrad.local.apply_mask",
                      "inputs": {"before": ["exposure", 0], "after": ["b", 0], "mask": ["b", 1]}}  # fmt: skip
    sources["out"]["inputs"]["image"] = ["mix", 0]
    write(desk / "sources.json", sources)
    return {
        "a missing workflow": (["run", desk / "no.json", "--out", out], "no.json: No such file or directory"),
        "binary junk": (["run", desk / "junk.json", "--out", out], "junk.json: expected a workflow in JSON"),
        "0 bytes": (["check", desk / "empty.json"], "empty.json: expected a workflow in JSON"),
        "a missing photo": (["run", edit, "--input", desk / "no.png", "--out", out], "no.png: No such file or directory"),
        "an empty photo": (["run", edit, "--input", desk / "empty.png", "--out", out], "empty.png: .*got an empty file"),
        "a photo with NaN": (
            ["run", edit, "--input", desk / "nan.tif", "--out", out],
            "nan.tif: expected finite light; got NaN",
        ),
        "no photo": (["run", edit, "--out", out], r"step photo \(load_photo\): expected the name of a photo file; got none"),
        "a misspelt path": ([*run, "--set", "exposure.stop=1"], r"has no parameter 'stop' \(nearest: exposure.stops\)"),
        "a misspelt step": ([*run, "--set", "expsure.stops=1"], r"no step 'expsure' \(nearest: exposure"),
        "a value out of range": ([*run, "--set", "exposure.stops=20"], "expected a number from -8 to 8 EV; got 20"),
        "a NaN value": ([*run, "--set", "exposure.stops=nan"], "expected a number from -8 to 8 EV; got nan"),
        "no value": ([*run, "--set", "exposure.stops"], "--set: expected PATH=VALUE"),
        "two sinks": (
            ["run", desk / "two.json", "--input", photo, "--out", out],
            "expected one sink; got 2: name one of out, second with --sink",
        ),
        "two sources": (
            ["run", desk / "sources.json", "--input", photo, "--out", out],
            r"has 2 photo sources \(.*\): write STEP=FILE",
        ),
        "an unknown ending": (["run", edit, "--input", photo, "--out", desk / "o.gif"], "expected a name ending in"),
        "a missing folder": (["run", edit, "--input", photo, "--out", desk / "no" / "o.png"], "there is no folder"),
        "a size of nothing": ([*run, "--size", "0"], "--size: expected 1 px or more"),
        "a target of another size": (
            ["fit", edit, "--input", photo, "--target", desk / "other.png", "--out", desk / "fit"],
            "expected a target of the size that the photo comes out, 240 x 135 px; got 12 x 10 px",
        ),
        "no target": (["fit", edit, "--input", photo, "--out", desk / "fit"], "expected a target: --target FILE"),
        "a pattern that matches nothing": (
            ["fit", edit, "--input", photo, "--target", target, "--free", "exposur.*", "--out", desk / "fit"],
            r"'exposur.\*' matches no slider \(nearest: exposure.stops",
        ),
        "a cube with another name": (["bake", edit, "--out", desk / "look.png"], "expected a name ending in .cube"),
        "cuda without a device": ([*run, "--device", "cuda"], "no CUDA device is available"),
    }


@pytest.mark.parametrize("what", WHAT)
def test_bad_input_gets_one_line_and_exit_2_and_writes_nothing(
    desk: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    if what == "cuda without a device" and torch.cuda.is_available():
        pytest.skip("a CUDA device is available")
    cases = bad_arguments(desk)
    assert set(cases) == set(WHAT)
    arguments, expected = cases[what]
    before = sorted(desk.rglob("*"))
    assert re.search(expected, refused(capsys, *arguments))
    assert sorted(desk.rglob("*")) == before


def test_wrong_arguments_get_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "a.json"])
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def command(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "luxgrad", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/", **options,
    )  # fmt: skip


def test_ctrl_c_leaves_nothing_half_written_and_exits_130(desk: Path, root: Path) -> None:
    photo = root / "workflows" / "photos" / "lake.jpg"
    process = command(
        "fit", root / "workflows" / "match_reference.json", "--input", f"Photo={photo}", "--target", photo,
        "--set", "Exposure.stops=1", "--method", "cmaes", "--seconds", "60", "--out", desk / "fit",
    )  # fmt: skip
    before = sorted(desk.iterdir())
    time.sleep(6.0)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert errors.strip() == "luxgrad: interrupted; nothing was written"
    assert sorted(desk.iterdir()) == before


def test_ctrl_c_while_the_program_starts_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "use", interrupted)
    assert main(["ops"]) == 130
    assert capsys.readouterr().err == "luxgrad: interrupted; nothing was written\n"


@pytest.mark.parametrize("name", ["o.tif", "o.png", "o.jpg"])
def test_a_full_disk_is_one_line_and_leaves_nothing(desk: Path, name: str) -> None:
    process = command(
        "run", desk / "edit.json", "--input", desk / "photo.png", "--out", desk / name,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400)),
    )  # fmt: skip
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    assert errors.strip().endswith("could not be written: File too large")
    assert not (desk / name).exists()
    assert not list(desk.glob(".*part*"))


def test_a_graph_of_ten_thousand_steps_and_a_diamond_of_forty_levels_are_checked(desk: Path, capsys) -> None:
    from ..graph.test_schema import long_graph

    write(desk / "long.json", long_graph(10_000))
    assert main(["check", str(desk / "long.json"), "--input", str(desk / "photo.png")]) == 0
    assert "10002 steps" in capsys.readouterr().out
    data: dict[str, Any] = {"photo": {"class_type": "luxgrad.load_photo", "inputs": {"file": "photo.png"}}}
    before = "photo"
    for level in range(40):
        data[f"m{level}"] = {"class_type": "luxgrad.local.luminance_mask", "inputs": {"image": [before, 0]}}
        data[f"s{level}"] = {"class_type": "luxgrad.local.apply_mask",
                             "inputs": {"before": [before, 0], "after": [before, 0], "mask": [f"m{level}", 0]}}  # fmt: skip
        before = f"s{level}"
    data["out"] = {"class_type": "luxgrad.save_photo", "inputs": {"image": [before, 0]}}
    write(desk / "diamond.json", data)
    assert main(["run", str(desk / "diamond.json"), "--out", str(desk / "diamond.png"), "--set", "out.depth=8"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(desk / "diamond.png")), np.asarray(Image.open(desk / "photo.png")))


def test_a_hostile_name_is_printed_on_one_line(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = to_data(chain("tone.exposure"))
    data["photo"]["inputs"]["file"] = "a\nb\x1b[31m\ud800.jpg"
    data["photo"]["_meta"] = {"title": "evil\n\x1b[2Jtitle"}
    write(desk / "evil.json", data)
    line = refused(capsys, "run", desk / "evil.json", "--out", desk / "o.png")
    assert "\x1b" not in line


def test_the_program_runs_without_imagecodecs_and_cma_and_names_their_extras(desk: Path, capsys, monkeypatch) -> None:
    for name in ("imagecodecs", "cma"):
        monkeypatch.setitem(sys.modules, name, None)
    run = ["run", desk / "edit.json", "--input", desk / "photo.png", "--out"]
    assert main([*map(str, run), str(desk / "o.jpg")]) == 0
    assert "16-bit PNG needs the package imagecodecs: pip install 'luxgrad[files]'" in refused(capsys, *run, desk / "o.png")
    fit = ["fit", desk / "edit.json", "--input", desk / "photo.png", "--target", desk / "photo.png", "--method", "cmaes"]
    assert "method cmaes needs the package cma: pip install 'luxgrad[fit]'" in refused(capsys, *fit, "--out", desk / "fit")
    shutil.rmtree(desk / "fit", ignore_errors=True)

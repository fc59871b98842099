"""Look-up tables, weights, and the folders that workflows may read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

from luxgrad.files.cube import read_cube
from luxgrad.files.errors import FileError
from luxgrad.files.folder import Folders
from luxgrad.networks import weights
from luxgrad.networks.mlp import PointwiseMLP
from luxgrad.ops.cube_text import cube_text
from luxgrad.ops.types import Lut

UNIT = torch.tensor([[0.0] * 3, [1.0] * 3])


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    cube = torch.rand(4, 4, 4, 3)
    domain = torch.tensor([[0.0, -0.1, 0.0], [1.0, 1.5, 2.0]])
    path = tmp_path / "a.cube"
    path.write_text(cube_text(Lut(None, UNIT, cube, domain), 'a "title"'))
    again = read_cube(path)
    torch.testing.assert_close(again.cube, cube, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(again.cube_domain, domain)
    assert again.curves is None


def test_red_runs_fastest_in_a_cube_file(tmp_path: Path) -> None:
    path = tmp_path / "order.cube"
    path.write_text("LUT_3D_SIZE 2\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n")
    cube = read_cube(path).cube
    assert cube is not None
    assert cube[1, 0, 0].tolist() == [1, 0, 0]
    assert cube[0, 0, 1].tolist() == [0, 0, 1]


ROWS = "0 0 0\n" * 8
BAD = {
    "empty": ("", "expected LUT_1D_SIZE or LUT_3D_SIZE; got neither"),
    "short": ("LUT_3D_SIZE 2\n" + ROWS[:-6], "expected 8 entries, as the size says; got 7"),
    "long": ("LUT_3D_SIZE 2\n" + ROWS + "0 0 0\n", "line 10: expected 8 entries, as the size says; got more"),
    "huge": ("LUT_3D_SIZE 4096\n", "LUT_3D_SIZE: expected a whole number from 2 to 129; got '4096'"),
    "one": ("LUT_3D_SIZE 1\n0 0 0\n", "expected a whole number from 2 to 129; got '1'"),
    "words": ("LUT_3D_SIZE two\n", "got 'two'"),
    "letters": ("LUT_3D_SIZE 2\n" + ROWS.replace("0 0 0", "a b c", 1), "line 2: expected numbers or a keyword"),
    "nan": ("LUT_3D_SIZE 2\n" + ROWS.replace("0 0 0", "0 nan 0", 1), "line 2: expected three finite numbers"),
    "infinite": ("LUT_3D_SIZE 2\n" + ROWS.replace("0 0 0", "0 1e999 0", 1), "line 2: expected three finite numbers"),
    "two columns": ("LUT_3D_SIZE 2\n" + ROWS.replace("0 0 0", "0 0", 1), "line 2: expected three finite numbers"),
    "falling": ("LUT_3D_SIZE 2\nDOMAIN_MIN 1 1 1\nDOMAIN_MAX 0 0 0\n" + ROWS, "expected a domain that rises"),
    "video": ("LUT_3D_SIZE 2\nLUT_IN_VIDEO_RANGE\n" + ROWS, "expected full range"),
    "unknown": ("LUT_5D_SIZE 2\n", "line 1: expected numbers or a keyword of .cube; got 'LUT_5D_SIZE'"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_table_is_refused_in_one_line_that_says_where(tmp_path: Path, what: str) -> None:
    text, expected = BAD[what]
    path = tmp_path / "bad.cube"
    path.write_text(text)
    with pytest.raises(FileError, match=expected) as caught:
        read_cube(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_bytes_that_are_no_text_and_other_endings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.cube").write_bytes(b"\xff\xfe\0\0" * 50)
    with pytest.raises(FileError, match="got bytes that are not text"):
        read_cube(tmp_path / "a.cube")
    (tmp_path / "a.3dl").write_text("")
    with pytest.raises(FileError, match=r"expected a .cube look-up table; got .3dl"):
        read_cube(tmp_path / "a.3dl")


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/passwd", "link.jpg", "folder/../../secret.jpg"])
def test_a_workflow_reads_nothing_outside_its_folders(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.jpg").write_text("secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "folder").mkdir()
    (inside / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(FileError, match="lies outside the folders a workflow may use"):
        Folders([inside]).find("photo", name)


def test_a_name_is_looked_up_in_the_workflows_folder_then_in_the_roots(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    (tmp_path / "two" / "a.jpg").write_text("")
    folders = Folders([tmp_path / "one", tmp_path / "two"])
    assert folders.find("photo", "a.jpg") == tmp_path / "two" / "a.jpg"
    (tmp_path / "one" / "a.jpg").write_text("")
    assert folders.find("photo", "a.jpg") == tmp_path / "one" / "a.jpg"
    with pytest.raises(FileError, match=r"there is no photo 'b.jpg' in"):
        folders.find("photo", "b.jpg")
    with pytest.raises(FileError, match="expected the name of a photo file; got none"):
        folders.find("photo", "")


def test_shipped_weights_are_what_their_manifest_says() -> None:
    for name, entry in weights.manifest().items():
        path = weights.FOLDER / entry["file"]
        assert path.stat().st_size < 10_000_000
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
        network = weights.load_network(name)
        assert sum(weight.numel() for weight in network.weights.values()) == entry["parameters"]
        assert {"config", "data", "metrics", "licence"} <= entry.keys()


ABOUT = {"architecture": "PointwiseMLP", "arguments": {"inputs": 6, "outputs": 3}}


def test_weights_of_a_users_folder_are_found_by_what_they_say_or_by_its_manifest(tmp_path: Path) -> None:
    module = PointwiseMLP(6, 3)
    sha256 = weights.save_weights(module, tmp_path / "mine.safetensors", ABOUT, torch.bfloat16)
    network = weights.load_network("mine", [tmp_path])
    assert network.about == ABOUT
    assert network.sha256 == sha256
    for name, weight in module.state_dict().items():
        assert network.weights[name].dtype == torch.float32
        assert torch.equal(network.weights[name], weight.bfloat16().float())
    assert weights.load_network("mine", [tmp_path]) is network
    entry = {"file": "mine.safetensors", "sha256": sha256, **ABOUT}
    (tmp_path / "weights.json").write_text(json.dumps({"named": entry}))
    assert weights.load_network("named", [tmp_path]).sha256 == sha256
    assert {"mine", "named", "sigmoid_proxy"} <= set(weights.names([tmp_path]))


@pytest.mark.parametrize(("about", "told"), [
    ({"architecture": "os.system", "arguments": {}}, "expected an architecture of PointwiseMLP"),
    ({"architecture": "PointwiseMLP", "arguments": {"inputs": 10**12, "outputs": 3}}, "whole numbers up to 65536"),
    ({"architecture": "PointwiseMLP", "arguments": {"inputs": 65536, "outputs": 65536}}, r"expected shape .*; got"),
    ({"architecture": "PointwiseMLP", "arguments": {"width": 6}}, "PointwiseMLP cannot be made"),
    ({"architecture": "PointwiseMLP", "arguments": {"inputs": 5, "outputs": 3}}, r"expected shape .*; got"),
])  # fmt: skip
def test_weights_that_ask_for_what_is_not_there_are_refused(tmp_path: Path, about: dict, told: str) -> None:
    weights.save_weights(PointwiseMLP(6, 3), tmp_path / "odd.safetensors", about)
    with pytest.raises(weights.WeightsError, match=told):
        weights.load_network("odd", [tmp_path])


def test_missing_unknown_changed_and_wrong_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(weights.WeightsError, match="no weights 'vgg'; there are: abpn_small, diagnoser, sigmoid_proxy"):
        weights.load_network("vgg")
    with pytest.raises(weights.WeightsError, match="lies outside the folder"):
        weights.load_network("../../secret", [tmp_path])
    sha256 = weights.save_weights(PointwiseMLP(6, 3), tmp_path / "a.safetensors", ABOUT)
    listed = {"file": "a.safetensors", "sha256": sha256, **ABOUT}
    (tmp_path / "weights.json").write_text(json.dumps({"named": listed, "gone": {**listed, "file": "b.safetensors"}}))
    with pytest.raises(weights.WeightsError, match="No such file"):
        weights.load_network("gone", [tmp_path])
    data = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "a.safetensors").write_bytes(data[:-4] + b"\0\0\0\0")
    with pytest.raises(weights.WeightsError, match=r"expected sha256 .*; got"):
        weights.load_network("named", [tmp_path])
    (tmp_path / "cut.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(weights.WeightsError, match=r"cut\.safetensors"):
        weights.load_network("cut", [tmp_path])
    (tmp_path / "plain.safetensors").write_bytes(b"something else")
    with pytest.raises(weights.WeightsError, match="expected weights that name their architecture"):
        weights.load_network("plain", [tmp_path])
    wild = PointwiseMLP(6, 3)
    with torch.no_grad():
        next(wild.parameters()).fill_(float("nan"))
    weights.save_weights(wild, tmp_path / "wild.safetensors", ABOUT)
    with pytest.raises(weights.WeightsError, match="expected finite values"):
        weights.load_network("wild", [tmp_path])
    (tmp_path / "weights.json").write_text("[1, 2]")
    with pytest.raises(weights.WeightsError, match="expected an object of weights by name; got list"):
        weights.load_network("other", [tmp_path])

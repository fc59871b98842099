"""Workflows and requests of ill will, in the real ComfyUI: nothing outside the folders, one clear line on the node."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ..files.raws import counts, dng, patches
from .prompts import load, op, port, saved
from .server import Server

pytestmark = pytest.mark.skipif("COMFYUI_ROOT" not in os.environ, reason="COMFYUI_ROOT names no checkout of ComfyUI")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    around = tmp_path_factory.mktemp("hostile")
    (around / "secret.png").write_bytes(b"not for workflows")
    running = Server(around / "comfyui")
    (running.base / "input" / "link.png").symlink_to(around / "secret.png")
    (running.base / "input" / "folder").symlink_to(around)
    yield running
    running.stop()


def test_limits_are_settings_and_a_raw_file_is_decoded_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = Server(tmp_path_factory.mktemp("limits"), settings={"Luxgrad.MostMegapixels": 0.02})
    try:
        dng(running.base / "input" / "chart.dng", counts(patches(np.full((4, 6, 3), 0.18))))
        for file, error in (("chart.dng", ""), ("kitten.png", "(the setting `Most megapixels of a file` sets the limit)")):
            outputs = running.run({"1": port("load_photo", file=file), "2": save_photo(["1", 0], "out.png")})
            assert error in str(outputs.get("error", "")), outputs
            assert ("error" in outputs) == bool(error), outputs
        log = (running.base / "server.log").read_text()
        assert log.count("Starting server") == 1, "ComfyUI's main.py ran again in the process that decodes"
    finally:
        running.stop()


def everything(server: Server) -> set[str]:
    """Every file in and around the server's folder, but for its own book-keeping."""
    around = server.base.parent
    files = {str(path.relative_to(around)) for path in around.rglob("*") if path.is_file() and "custom_nodes" not in path.parts}
    return {name for name in files if not name.startswith(("comfyui/user", "comfyui/temp", "comfyui/server.log"))}


def save_photo(link: list[Any], file: str) -> dict[str, Any]:
    return port("save_photo", image=link, file=file, depth="8", dither=False)


ESCAPES = ["../../escaped.png", "/tmp/luxgrad_escaped.png", "a/../../../escaped.png", "..\\..\\escaped.png", "nul\0byte.png",
           "x" * 300 + ".png", ".png", "escaped", "", "../", "folder/../../escaped.png", "%date%/../../../escaped.png",
           "line\nbreak.png", "escaped.exe", "escaped.png\0.exe"]  # fmt: skip


@pytest.mark.parametrize("file", ESCAPES)
def test_a_sink_writes_into_the_output_folder_or_says_why_not(server: Server, file: str) -> None:
    before = everything(server)
    outputs = server.run({"1": load("kitten.png"), "2": save_photo(["1", 0], file)})
    new = everything(server) - before
    assert all(name.startswith("comfyui/output/") for name in new), new
    assert ("error" in outputs) == (not new)
    if "error" in outputs:
        assert str(outputs["error"]).startswith("step 2 (save_photo)")
        assert "\n" not in str(outputs["error"]).strip()


@pytest.mark.parametrize("file", ["con.png", "a b & c;$(touch x).png", "sub/folder/deep.png", "ünïcode ☀.png", "-rf.png"])
def test_odd_names_are_names(server: Server, file: str) -> None:
    outputs = server.run({"1": load("kitten.png"), "2": save_photo(["1", 0], file)})
    assert "error" not in outputs, str(outputs)[-2000:]
    assert (server.base / "output" / outputs["2"]["text"][0]).is_file()


SOURCES = ["/etc/passwd", "../secret.png", "../../secret.png", "link.png", "folder/secret.png", "nul\0.png", "x" * 5000, "",
           "kitten.png/..", "../secret.png [output]", "link.png [input]", "file:///etc/passwd",
           "http://127.0.0.1/x.png", ".", "~"]  # fmt: skip


@pytest.mark.parametrize("kind", ["load_photo", "load_lut"])
@pytest.mark.parametrize("file", SOURCES)
def test_a_source_opens_nothing_outside_the_folders(server: Server, kind: str, file: str) -> None:
    photo = {"1": port("load_photo", file=file)}
    lut = {"1": port("load_lut", file=file), "0": load("kitten.png"),
           "3": {"class_type": "luxgrad.colour.lut3d", "inputs": {"image": ["0", 0], "lut": ["1", 0]}}}  # fmt: skip
    chain, last = (photo, "1") if kind == "load_photo" else (lut, "3")
    prompt = {**chain, "2": save_photo([last, 0], "out.png")}
    before = everything(server)
    outputs = server.run(prompt)
    assert everything(server) == before
    said = json.dumps(outputs["error"])
    assert "outside the folders" in said or "there is no" in said or "expected the name" in said
    assert "root:" not in said
    assert "not for workflows" not in said


def ask(server: Server, body: bytes, **headers: str) -> tuple[int, bytes]:
    """The answer to a preview request."""
    headers = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(server.url + "/luxgrad/preview", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def good() -> dict[str, Any]:
    return {"prompt": {"1": load(), "2": op("tone.exposure", ["1", 0], stops=0.5)}, "node": "2"}


def changed(node: str, **inputs: Any) -> dict[str, Any]:
    order = good()
    order["prompt"][node]["inputs"] |= inputs
    return order


def test_a_preview_is_served_to_this_origin_only(server: Server) -> None:
    body = json.dumps(good()).encode()
    status, picture = ask(server, body)
    assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
    assert ask(server, body, Origin=server.url)[0] == 200
    assert ask(server, body, Content_Type="text/plain")[0] == 403
    assert ask(server, body, Content_Type="application/x-www-form-urlencoded")[0] == 403
    for origin in ("http://elsewhere.example", "null", f"http://elsewhere.example@127.0.0.1:{server.port}", "http://127.0.0.1:1",
                   f"{server.url}.elsewhere.example", f"http://127.0.0.1:{server.port}/"):  # fmt: skip
        assert ask(server, body, Origin=origin)[0] in (403, 500), origin  # ComfyUI itself stumbles over a port of letters
    assert ask(server, body, Sec_Fetch_Site="cross-site")[0] == 403


def titled(meta: Any) -> dict[str, Any]:
    order = good()
    order["prompt"]["2"]["_meta"] = meta
    return order


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"prompt": "\xff\xfe"}',
    "a list": b"[]",
    "a number": b"3",
    "no node": json.dumps({"prompt": good()["prompt"]}).encode(),
    "no prompt": b'{"node": "2"}',
    "a prompt of text": b'{"prompt": "x", "node": "2"}',
    "deep nesting": b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b', "node": "2"}',
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "unknown class": json.dumps({"prompt": {"2": {"class_type": "luxgrad.__import__", "inputs": {}}}, "node": "2"}).encode(),
    "a class of numbers": json.dumps({"prompt": {"2": {"class_type": 3, "inputs": {}}}, "node": "2"}).encode(),
    "a node of numbers": json.dumps({**good(), "node": 2.5}).encode(),
    "a node of lists": json.dumps({**good(), "node": ["2"]}).encode(),
    "text for a slider": json.dumps(changed("2", stops="1; import os")).encode(),
    "a list for a slider": json.dumps(changed("2", stops=[1, 2, 3])).encode(),
    "an object for a slider": json.dumps(changed("2", stops={"__class__": "x"})).encode(),
    "not a number": b'{"prompt": {"1": {"class_type": "LoadImage", "inputs": {"image": "kitten.png"}}, "2": {"class_type": '
                    b'"luxgrad.tone.exposure", "inputs": {"image": ["1", 0], "stops": NaN}}}, "node": "2"}',
    "infinity": b'{"prompt": {"1": {"class_type": "LoadImage", "inputs": {"image": "kitten.png"}}, "2": {"class_type": '
                b'"luxgrad.tone.exposure", "inputs": {"image": ["1", 0], "stops": 1e999}}}, "node": "2"}',
    "a slot of text": json.dumps(changed("2", image=["1", "x"])).encode(),
    "a slot below nothing": json.dumps(changed("2", image=["1", -1])).encode(),
    "a slot of infinity": json.dumps(changed("2", image=["1", 1e300])).encode(),
    "a link to objects": json.dumps(changed("2", image=[{"a": 1}, 0])).encode(),
    "itself": json.dumps(changed("2", image=["2", 0])).encode(),
    "a file outside": json.dumps(changed("1", image="../../../../etc/passwd")).encode(),
    "a linked file": json.dumps(changed("1", image="link.png")).encode(),
    "a file of numbers": json.dumps(changed("1", image=3)).encode(),
    "inputs of text": b'{"prompt": {"2": {"class_type": "luxgrad.tone.exposure", "inputs": "x"}}, "node": "2"}',
    "a title of lists": json.dumps(titled(["x"])).encode(),
    "a title of numbers": json.dumps(titled({"title": 3})).encode(),
}  # fmt: skip


@pytest.mark.parametrize("case", BODIES)
def test_a_wrong_request_is_answered_with_one_line(server: Server, case: str) -> None:
    before = everything(server)
    status, answer = ask(server, BODIES[case])
    if case.startswith("a title"):
        assert status == 200
    else:
        assert status == 400, answer[:300]
    if status == 400:
        said = json.loads(answer)["error"]
        assert said
        assert "\n" not in said
        assert len(said) < 600
        assert "root:" not in said
    assert everything(server) == before
    assert ask(server, json.dumps(good()).encode())[0] == 200


def test_a_huge_request_is_refused_and_the_server_lives(server: Server) -> None:
    order = good()
    order["prompt"] |= {f"n{number}": op("tone.exposure", [f"n{number - 1}" if number else "1", 0]) for number in range(20_000)}
    order["node"] = "n19999"
    status, answer = ask(server, json.dumps(order).encode())
    assert status == 400
    assert "steps in a row" in json.loads(answer)["error"]
    fan = good()
    fan["prompt"]["2"]["inputs"] |= {f"x{number}": ["1", 0] for number in range(100_000)}
    assert ask(server, json.dumps(fan).encode())[0] in (200, 400)
    assert ask(server, json.dumps(good()).encode())[0] == 200


TITLES = ["<img src=x onerror=alert(1)>", "a.b.c", "../../x", "line\nbreak\x1b[31m", "x" * 10_000, "{0.__class__}", "%s%n", ""]


@pytest.mark.parametrize("title", TITLES)
def test_a_title_is_only_a_name(server: Server, title: str) -> None:
    wrong = op("tone.exposure", ["1", 0], title, stops=0.5)
    fit = {"class_type": "luxgrad.fit", "_meta": {"title": title},
           "inputs": {"photo": ["2", 0], "target": ["1", 0], "free": "none.such", "method": "auto", "seconds": 1.0, "seed": 0,
                      "action": "fit"}}  # fmt: skip
    prompt = {"1": load(), "2": wrong, "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "t"}}}
    assert saved(server, server.run(prompt), "3").is_file()
    said = str(server.run({**prompt, "4": fit})["error"])
    assert "'none.such' matches no slider" in said
    assert "\n" not in said.strip()
    assert len(said) < 1500

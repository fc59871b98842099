"""An endpoint comes from the environment alone: on this machine, or by https; and without one nothing opens a socket."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

import luxgrad
from luxgrad import environment
from luxgrad.advice.language import files
from luxgrad.advice.language.files import NoLanguage, chosen
from luxgrad.cli.main import main
from luxgrad.endpoint.address import Address, address_of
from luxgrad.endpoint.settings import KEY, LANGUAGE, MODEL, PICTURE, SECONDS, endpoint_of, is_url
from luxgrad.light.photo import Photo

from .conftest import SECRET, Server


@pytest.fixture(autouse=True)
def _as_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_source", environment._language)
    for name in (LANGUAGE, MODEL, KEY, PICTURE, SECONDS):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:11434/v1", Address("127.0.0.1", 11434, "/v1", False)),
        ("http://localhost:8080/v1/", Address("localhost", 8080, "/v1", False)),
        ("http://[::1]:8000", Address("::1", 8000, "", False)),
        ("HTTP://127.8.8.8/v1", Address("127.8.8.8", 80, "/v1", False)),
        ("https://api.example.org/v1", Address("api.example.org", 443, "/v1", True)),
        ("https://192.168.1.5:8443/openai/v1", Address("192.168.1.5", 8443, "/openai/v1", True)),
    ],
)
def test_this_machine_and_https_are_addresses(url: str, address: Address) -> None:
    assert address_of(url, "X") == address


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/v1", "http://192.168.1.5/v1", "http://127.0.0.1.example.org/v1", "http://localhost.example.org",
        "http://0x7f000001/v1", "http://2130706433/v1", "http://127.1/v1", "http://0.0.0.0/v1", "http://[::]/v1", "http:///v1",
        "http://[::ffff:8.8.8.8]/", "http://127.0.0.1:99999/v1", "http://127.0.0.1:x/v1", "http://[::1/v1", "https://",
        f"https://user:{SECRET}@example.org/v1", f"http://{SECRET}@127.0.0.1/v1", f"https://example.org/v1?key={SECRET}",
        f"https://example.org/v1#{SECRET}", "http://127.0.0.1/v1 x", "http://127.0.0.1/v\r\n1", "https://\u0435xample.org/v1",
    ],
)  # fmt: skip
def test_everything_else_is_refused_in_one_line_before_anything_is_sent(url: str) -> None:
    assert is_url(url)
    with pytest.raises(NoLanguage, match=r"^X: expected https://HOST/v1, or http:// on this machine") as caught:
        address_of(url, "X")
    assert str(caught.value).isprintable()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/v1", "file:///etc/passwd", "//127.0.0.1/v1", "127.0.0.1:11434"])
def test_what_is_no_url_of_the_web_is_the_name_of_a_file_that_is_not_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_url(url)
    monkeypatch.setenv(LANGUAGE, url)
    with pytest.raises(NoLanguage, match="LUXGRAD_LANGUAGE: expected none, smollm2"):
        chosen()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (MODEL, "", "LUXGRAD_LANGUAGE_MODEL: expected the name of a language model of the endpoint"),
        (MODEL, "a\nb", "LUXGRAD_LANGUAGE_MODEL: expected the name"),
        (KEY, f"{SECRET}\r\nX-Evil: 1", "LUXGRAD_LANGUAGE_KEY: expected a key of plain letters, digits and signs"),
        (KEY, f"{SECRET} {SECRET}", "LUXGRAD_LANGUAGE_KEY: expected a key"),
        (KEY, f"{SECRET}\u00e9", "LUXGRAD_LANGUAGE_KEY: expected a key"),
        (PICTURE, "perhaps", "LUXGRAD_LANGUAGE_PICTURE: expected yes or no; got 'perhaps'"),
        (SECONDS, "0", "LUXGRAD_LANGUAGE_SECONDS: expected seconds, above 0 and up to 3600; got '0'"),
        (SECONDS, "nan", "LUXGRAD_LANGUAGE_SECONDS: expected seconds"),
        (SECONDS, "inf", "LUXGRAD_LANGUAGE_SECONDS: expected seconds"),
        (SECONDS, "soon", "LUXGRAD_LANGUAGE_SECONDS: expected seconds"),
    ],
)
def test_a_setting_that_is_wrong_is_one_line_without_the_key(name: str, value: str, expected: str) -> None:
    with pytest.raises(NoLanguage) as caught:
        endpoint_of({LANGUAGE: "http://127.0.0.1:1/v1", MODEL: "m", name: value})
    assert str(caught.value).startswith(expected)
    assert str(caught.value).isprintable()
    assert SECRET not in str(caught.value)


def test_the_terminal_asks_the_endpoint_that_is_set_and_prints_no_key(
    server: Server, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    server.says({"chosen": [{"what": "more cheerful", "how": "plainly"}]})
    out = tmp_path / "said.json"
    assert main(["diagnose", str(photos / "spices.jpg"), "--say", "chirpy", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Understood: more cheerful.\n")
    server.reply = lambda handler: handler.sends(SECRET.encode(), 403)
    assert main(["diagnose", str(photos / "spices.jpg"), "--say", "chirpy", "--json"]) == 0
    again = capsys.readouterr()
    assert "Read by its words alone: the endpoint" in again.out
    assert SECRET not in printed.out + printed.err + again.out + again.err + out.read_text()


def test_a_refused_setting_is_said_and_the_reader_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LANGUAGE, "http://example.org/v1")
    advised = luxgrad.diagnose(None, _grey(), "warmer, and chirpy")
    assert advised.patch
    refused = "LUXGRAD_LANGUAGE: expected https://HOST/v1, or http:// on this machine; got http to example.org"
    assert advised.lines()[2] == f"Read by its words alone: {refused}."


def _grey() -> Photo:
    import torch

    return Photo(torch.linspace(0.01, 0.2, 24 * 36 * 3).reshape(1, 3, 24, 36))


def test_without_an_endpoint_nothing_opens_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, never)
    monkeypatch.setenv(LANGUAGE, "none")
    for advisor, say in (("auto", ""), ("diagnoser", ""), ("style", "chirpy, and warmer"), ("parameter", "exposure 1")):
        assert luxgrad.diagnose(None, _grey(), say, advisor).lines()
    monkeypatch.setenv(LANGUAGE, "http://127.0.0.1:9/v1")
    monkeypatch.setenv(MODEL, "m")
    with pytest.raises(AssertionError, match="a socket was opened"):
        luxgrad.diagnose(None, _grey(), "chirpy")


def test_one_in_this_process_is_not_looked_for_at_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LANGUAGE, "http://127.0.0.1:9/v1")
    monkeypatch.setenv(MODEL, "m")
    with pytest.raises(NoLanguage, match="expected a name or a path; got a language model elsewhere"):
        chosen()


def test_a_process_that_decodes_has_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(KEY, SECRET)
    monkeypatch.setenv("LUXGRAD_TEST", "kept")
    program = tmp_path / "program.py"
    program.write_text("import os, pathlib; pathlib.Path(FOLDER, 'seen').write_text(repr(dict(os.environ)))")
    child = environment.Child(program, tmp_path)
    until = time.monotonic() + 20.0
    while child.wait(0.1) is None and time.monotonic() < until:
        pass
    child.end()
    seen = (tmp_path / "seen").read_text()
    assert "kept" in seen
    assert SECRET not in seen

"""Whatever is at the other end, a request ends in time, in one line, and nothing of what came is repeated."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from luxgrad.advice.language.files import NoLanguage
from luxgrad.endpoint import line
from luxgrad.endpoint.address import Address, address_of
from luxgrad.endpoint.line import MOST_BYTES, posted

from .conftest import SECRET, Handler, Reply, Server

HEADERS = {"Authorization": f"Bearer {SECRET}"}


def refusal(address: Address, seconds: float = 5.0) -> str:
    start = time.monotonic()
    with pytest.raises(NoLanguage) as caught:
        posted(address, "/v1/chat/completions", b"{}", HEADERS, seconds)
    assert time.monotonic() - start < seconds + 1.0
    text = str(caught.value)
    assert text.isprintable()
    assert SECRET not in text
    assert "EVIL" not in text
    return text.removeprefix(f"the endpoint {address} ")


def local(port: int) -> Address:
    return Address("127.0.0.1", port, "/v1", False)


def raw(data: bytes) -> Reply:
    return lambda handler: handler.wfile.write(data)


def chunked(handler: Handler) -> None:
    handler.sends(b"", Content_Length="", Transfer_Encoding="chunked")
    for _ in range(160):
        handler.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    handler.wfile.write(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (lambda h: h.sends(f"EVIL {SECRET}".encode(), 500), "answered 500 (Internal Server Error)"),
        (lambda h: h.sends(SECRET.encode(), 401, X_Key=SECRET), "answered 401 (Unauthorized)"),
        (raw(b"HTTP/1.1 299 EVIL\r\nContent-Length: 0\r\n\r\n"), "answered 299"),
        (lambda h: h.sends(b"x" * (10 << 20)), "answered with more than 1 MB"),
        (chunked, "answered with more than 1 MB"),
        (lambda h: h.sends(b"{", Content_Length="1000"), "broke off in its answer"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "broke off (IncompleteRead)"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nEVIL\r\n"), "broke off (IncompleteRead)"),
        (raw(b""), "broke off (RemoteDisconnected)"),
        (raw(b"EVIL\r\n\r\n"), "broke off (BadStatusLine)"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70000 + b"\r\n\r\n"), "broke off (LineTooLong)"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"), "broke off (HTTPException)"),
        (lambda h: h.sends(b"\x1f\x8b", Content_Encoding="gzip"), "answered with packed bytes, which were not asked for"),
    ],
)
def test_a_fault_at_the_other_end_is_one_line(server: Server, reply: Reply, expected: str) -> None:
    server.reply = reply
    assert refusal(local(server.port)) == expected


def drips(head: bytes) -> Reply:
    """Begins, and then goes on a byte at a time, for ever."""

    def drip(handler: Handler) -> None:
        handler.wfile.write(head)
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.02)

    return drip


def goes_on(handler: Handler) -> None:
    while True:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "reply",
    [drips(b"HTTP/1.1 200 OK\r\n\r\n"), drips(b"HTTP/1.1 200 OK\r\nX: "), drips(b""), goes_on],
    ids=["in the body", "in a header", "in the first line", "by continuing"],
)
def test_an_answer_that_drips_ends_in_time_and_the_line_is_shut(server: Server, reply: Reply) -> None:
    server.reply = reply
    before = threading.active_count()
    assert refusal(local(server.port), 0.2) == "gave no whole answer within 0.2 s"
    assert server.left.wait(2.0), "the server sees that nobody listens any more"
    while threading.active_count() > before + 1:  # the stand-in's own goes on for a moment
        time.sleep(0.01)


def test_one_that_says_nothing_ends_in_time_too(server: Server) -> None:
    over = threading.Event()
    server.reply = lambda handler: over.wait(5.0) and None
    assert refusal(local(server.port), 0.2) == "gave no whole answer within 0.2 s"
    over.set()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_what_is_sent_follows_no_redirect(server: Server, status: int) -> None:
    server.reply = lambda handler: handler.sends(b"", status, Location=f"http://127.0.0.1:{server.port}/v1/EVIL")
    assert refusal(local(server.port)) == f"answered {status}: it sends elsewhere, where nothing is sent"
    assert len(server.asked) == 1


def test_no_server_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert refusal(local(port)) == "refuses connections: is the server running?"


def test_proxies_are_not_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.sends(b"fine")
    assert posted(local(server.port), "/v1", b"{}", {}, 5.0) == b"fine"


def test_a_name_that_leads_away_from_this_machine_is_not_spoken_to(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "is_this_machine", lambda host: host != "127.0.0.1")
    assert refusal(address_of(f"http://localhost:{server.port}/v1", "X")) == "is not this machine: http is for that alone"
    assert not server.asked


def test_a_name_that_takes_for_ever_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def slow(*_: object) -> None:
        over.wait(5.0)
        raise socket.gaierror

    monkeypatch.setattr(socket, "create_connection", slow)
    assert refusal(local(9), 0.1) == "gave no whole answer within 0.1 s"
    over.set()


def test_a_bug_of_ours_is_not_taken_for_a_fault_of_theirs(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_answer", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        posted(local(server.port), "/v1", b"{}", {}, 5.0)
    assert MOST_BYTES < 10 << 20


# By https -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "both.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    made.write_text(made.read_text() + key.read_text())
    return made


@pytest.fixture
def encrypted(server: Server, certificate: Path) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def test_a_certificate_that_nobody_signed_is_refused_and_nothing_is_sent(encrypted: Server) -> None:
    encrypted.handle_error = lambda *_: None  # type: ignore[method-assign]
    assert refusal(local(encrypted.port)._replace(secure=True)) == "has a certificate that does not hold"
    assert not encrypted.asked


def test_by_https_an_answer_comes_and_one_that_drips_ends_in_time(
    encrypted: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(ssl, "create_default_context", lambda: context)
    address = local(encrypted.port)._replace(secure=True)
    encrypted.sends(b"fine")
    assert posted(address, "/v1", b"{}", HEADERS, 5.0) == b"fine"
    encrypted.reply = drips(b"HTTP/1.1 200 OK\r\n\r\n")
    encrypted.handle_error = lambda *_: None  # type: ignore[method-assign]
    assert refusal(address, 0.3) == "gave no whole answer within 0.3 s"


def test_a_handshake_that_never_ends_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = local(listening.getsockname()[1])._replace(secure=True)
        assert refusal(address, 0.2) in ("gave no whole answer within 0.2 s", "cannot be reached within 0.2 s")

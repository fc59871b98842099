"""A stand-in for a server of the OpenAI interface, on this machine, that answers whatever a test wants it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import torch

import luxgrad
from luxgrad.advice.language import files
from luxgrad.endpoint.settings import KEY, LANGUAGE, MODEL, SECONDS, endpoint_of
from luxgrad.light.photo import Photo

from ..conftest import ROOT

SECRET = "sk-not-to-be-told-1234567890"

Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Keeps what was asked, and lets the server's `reply` answer."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
        self.close_connection = True
        try:
            self.server.reply(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.left.set()

    def log_message(self, *_: object) -> None:
        pass

    def sends(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.reply: Reply = lambda handler: handler.sends(b"{}")
        self.left = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def variables(self) -> dict[str, str]:
        return {LANGUAGE: f"http://127.0.0.1:{self.port}/v1", MODEL: "stand-in", KEY: SECRET, SECONDS: "5"}

    def says(self, content: Any) -> None:
        """From now on it answers with a message of this content: text as it is, anything else as JSON."""
        text = content if isinstance(content, str) else json.dumps(content)
        self.sends(json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode())

    def sends(self, body: bytes) -> None:
        self.reply = lambda handler: handler.sends(body)


@pytest.fixture
def server() -> Iterator[Server]:
    standing = Server()
    thread = threading.Thread(target=standing.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield standing
    standing.shutdown()
    standing.server_close()
    thread.join()


@pytest.fixture
def asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The stand-in, set as the language model that is asked."""
    monkeypatch.setattr(files, "_source", lambda: (endpoint_of(server.variables), LANGUAGE))
    return server


@pytest.fixture(scope="session")
def dark() -> Photo:
    """A good photo, small, made too dark and in light that is too yellow."""
    photo = luxgrad.load(ROOT / "workflows" / "photos" / "spices.jpg")
    small = photo.reduced(photo.size.scaled(0.2)).pixels
    return Photo(small * torch.tensor([0.36, 0.3, 0.24]).reshape(1, 3, 1, 1))

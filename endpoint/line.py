"""One request and its answer, within a time and a size, whatever is at the other end.

By the standard library's `http.client`, which follows no redirects and asks no proxies. What it lacks is a limit for all of
it: its time is that of every single read, so that an answer which drips would never end, and names are looked up without any.
So the line is a thread's, and who asked waits for the thread, so long and no longer; then the line is shut, which ends the
thread's reading at once.
"""

from __future__ import annotations

import contextlib
import http
import queue
import socket
import ssl
import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

from ..advice.language.files import NoLanguage
from .address import Address, is_this_machine

MOST_BYTES = 1 << 20
"""Of an answer: some sentences take a thousandth of it."""
_CONNECTING = 10.0
_PIECE = 1 << 16


def posted(address: Address, path: str, body: bytes, headers: Mapping[str, str], seconds: float) -> bytes:
    """What comes back for a body that is sent. Raises NoLanguage in one line: nothing of what came is in it."""
    line = _Line(address, min(_CONNECTING, seconds))
    answers: queue.SimpleQueue[bytes | str | Exception] = queue.SimpleQueue()
    threading.Thread(target=_ask, args=(line, path, body, headers, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        answer = f"gave no whole answer within {seconds:g} s"
    finally:
        line.shut()
    if isinstance(answer, Exception):
        raise answer  # a bug of ours
    if isinstance(answer, str):
        raise NoLanguage(f"the endpoint {address} {answer}")
    return answer


def _ask(
    line: _Line, path: str, body: bytes, headers: Mapping[str, str], answers: queue.SimpleQueue[bytes | str | Exception]
) -> None:
    try:
        answers.put(_answer(line, path, body, headers))
    except _Refused as refusal:
        answers.put(str(refusal))
    except ssl.SSLCertVerificationError:
        answers.put("has a certificate that does not hold")
    except TimeoutError:
        answers.put(f"cannot be reached within {line.connecting:g} s")
    except ConnectionRefusedError:
        answers.put("refuses connections: is the server running?")
    except socket.gaierror:
        answers.put("has a name that cannot be looked up")
    except (OSError, HTTPException, ValueError) as error:
        answers.put(f"broke off ({type(error).__name__})")
    except Exception as error:
        answers.put(error)
    finally:
        line.close()


class _Refused(Exception):
    """An answer that is not read; the text says why."""


def _answer(line: _Line, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    connection = line.opened()
    with contextlib.closing(connection):
        connection.request("POST", path, body, {"Accept-Encoding": "identity", "Connection": "close", **headers})
        with connection.getresponse() as response:
            if 300 <= response.status < 400:
                raise _Refused(f"answered {response.status}: it sends elsewhere, where nothing is sent")
            if response.status != 200:
                raise _Refused(f"answered {response.status}{_phrase(response.status)}")
            if response.getheader("Content-Encoding", "identity").lower() != "identity":
                raise _Refused("answered with packed bytes, which were not asked for")
            whole, told = bytearray(), response.length  # None: until the line ends, or in chunks
            while (told is None or len(whole) < told) and (piece := response.read1(_PIECE)):
                whole += piece
                if len(whole) > MOST_BYTES:
                    raise _Refused(f"answered with more than {MOST_BYTES >> 20} MB")
            if told is not None and len(whole) < told:
                raise _Refused("broke off in its answer")
    return bytes(whole)


def _phrase(status: int) -> str:
    try:
        return f" ({http.HTTPStatus(status).phrase})"
    except ValueError:
        return ""


class _Line:
    """A connection that another thread can shut at any point, while it is made too."""

    def __init__(self, address: Address, connecting: float) -> None:
        self.address, self.connecting = address, connecting
        self._socket: socket.socket | None = None
        self._over = False
        self._lock = threading.Lock()

    def opened(self) -> HTTPConnection:
        """The connection, with the certificate checked. One that is not encrypted is to this machine, wherever names point."""
        host, port, _, secure = self.address
        plain = self._kept(socket.create_connection((host, port), self.connecting))
        if secure:
            context = ssl.create_default_context()
            wrapped = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
            self._kept(wrapped)
            wrapped.do_handshake()
        elif not is_this_machine(plain.getpeername()[0]):
            raise _Refused("is not this machine: http is for that alone")
        assert self._socket is not None
        self._socket.settimeout(None)  # who asked counts the time
        connection = HTTPConnection(host, port)
        connection.sock = self._socket
        return connection

    def _kept(self, opened: socket.socket) -> socket.socket:
        with self._lock:
            self._socket = opened
            if self._over:
                opened.close()
                raise _Refused("came too late")
        return opened

    def close(self) -> None:
        """By who speaks on it, when all is said."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()

    def shut(self) -> None:
        """By who waits: whoever reads is told that this is the end."""
        with self._lock:
            self._over = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # not SSL's own, which the thread would trip over

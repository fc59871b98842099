"""Where an endpoint is: on this machine, or anywhere by https. Everything else is refused before anything is sent."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from ..advice.language.files import NoLanguage

_EXPECTED = "expected https://HOST/v1, or http:// on this machine"


class Address(NamedTuple):
    """A host, a port, the path that those of the interface begin with, and whether the line is encrypted."""

    host: str
    port: int
    path: str
    secure: bool

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def address_of(url: str, setting: str) -> Address:
    """The address in a URL. Raises NoLanguage, which never repeats more of it than the host: keys have stood in URLs."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NoLanguage(f"{setting}: {_EXPECTED}; got what is no URL") from None
    if not url.isascii() or not url.isprintable() or " " in url or not host or parts.scheme not in ("http", "https"):
        raise NoLanguage(f"{setting}: {_EXPECTED}; got what is no such URL")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise NoLanguage(f"{setting}: {_EXPECTED}, without user, password and query; a key goes into LUXGRAD_LANGUAGE_KEY")
    secure = parts.scheme == "https"
    if not secure and not (host == "localhost" or is_this_machine(host)):
        raise NoLanguage(f"{setting}: {_EXPECTED}; got http to {host[:80]}")
    return Address(host, port or (443 if secure else 80), parts.path.rstrip("/"), secure)


def is_this_machine(host: str) -> bool:
    """Whether an IP address is one of this machine's own, which no network carries."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

"""What is set of an endpoint, by variables of the environment that the terminal and Python hand over; never by a workflow."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..advice.language.files import NoLanguage
from ..graph.errors import one_line
from .address import address_of
from .asking import Endpoint

LANGUAGE = "LUXGRAD_LANGUAGE"
MODEL, KEY, PICTURE, SECONDS = (f"{LANGUAGE}_{name}" for name in ("MODEL", "KEY", "PICTURE", "SECONDS"))
_LONGEST = 3600.0


def is_url(told: str | None) -> bool:
    """Whether a setting of the language model names an endpoint and not a file."""
    return told is not None and told.strip().lower().startswith(("http:", "https:"))


def endpoint_of(variables: Mapping[str, str]) -> Endpoint:
    """The endpoint that is set. Raises NoLanguage in one line, in which no key ever stands."""
    address = address_of(variables[LANGUAGE].strip(), LANGUAGE)
    model = variables.get(MODEL, "").strip()
    if not model or len(model) > 200 or not model.isprintable():
        raise NoLanguage(f"{MODEL}: expected the name of a language model of the endpoint; got {one_line(model, 40)!r}")
    key = variables.get(KEY, "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key or len(key) > 4000:
        raise NoLanguage(f"{KEY}: expected a key of plain letters, digits and signs")
    picture = variables.get(PICTURE, "").strip().lower()
    if picture not in ("", "no", "yes"):
        raise NoLanguage(f"{PICTURE}: expected yes or no; got {one_line(picture, 40)!r}")
    return Endpoint(address, model, key, _seconds(variables.get(SECONDS, "")), picture == "yes")


def _seconds(text: str) -> float:
    if not text.strip():
        return Endpoint.seconds
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds <= _LONGEST:
        raise NoLanguage(f"{SECONDS}: expected seconds, above 0 and up to {_LONGEST:g}; got {one_line(text, 40)!r}")
    return seconds

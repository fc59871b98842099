"""An advisor of the tests' own, and a photo."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import luxgrad
from luxgrad.advice.advisor import ADVISORS
from luxgrad.light.photo import Photo


@pytest.fixture
def probe() -> Iterator[str]:
    """The name of an advisor that was not there before."""
    from . import probe as module

    importlib.reload(module)
    yield "probe"
    del ADVISORS["probe"]


@pytest.fixture(scope="session")
def spices() -> Photo:
    """A good photo, small."""
    photo = luxgrad.load(Path(__file__).resolve().parents[2] / "workflows" / "photos" / "spices.jpg")
    return Photo(photo.reduced(photo.size.scaled(0.2)).pixels)

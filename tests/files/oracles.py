"""Other programs that the tests ask; where one is missing, the test that needs it is skipped by its name."""

from __future__ import annotations

import shutil

import pytest


def program(name: str) -> str:
    """The path of a program."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"the program {name} is not installed")
    return found

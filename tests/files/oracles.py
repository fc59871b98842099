"""Other programs that the tests ask; where one is missing, the test that needs it is skipped by its name."""

from __future__ import annotations

import shutil
from types import ModuleType

import imagecodecs
import pytest
from packaging.version import Version
from PIL import features


def program(name: str) -> str:
    """The path of a program."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"the program {name} is not installed")
    return found


def codecs_since(version: str) -> ModuleType:
    """imagecodecs where it has what a test asks of it; it may be older than that."""
    if Version(imagecodecs.__version__) < Version(version):
        pytest.skip(f"imagecodecs is {imagecodecs.__version__}, before {version}")
    return imagecodecs


def pillow_avif() -> None:
    """Pillow as another reader and writer of AVIF (Pillow 11.3)."""
    if "avif" not in features.modules or not features.check("avif"):
        pytest.skip("Pillow cannot open AVIF")

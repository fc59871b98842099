"""Fixtures that every room shares."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# The same few examples every time; `pytest --hypothesis-profile=long` looks for new ones.
settings.register_profile("few", max_examples=60, derandomize=True, deadline=None, database=None,
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])  # fmt: skip
settings.register_profile("long", settings.get_profile("few"), max_examples=5000, derandomize=False, print_blob=True)
settings.load_profile("few")


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture
def photos() -> Path:
    """The photographs of the repository."""
    return ROOT / "workflows" / "photos"


@pytest.fixture
def picture() -> torch.Tensor:
    """A (1, 3, 60, 90) crop of a real photo, linear Rec.2020."""
    import luxgrad

    photo = luxgrad.load(ROOT / "workflows" / "photos" / "spices.jpg")
    return photo.pixels[:, :, 300:360, 500:590].clone()

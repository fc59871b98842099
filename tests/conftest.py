"""Fixtures that every room shares."""

from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent


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

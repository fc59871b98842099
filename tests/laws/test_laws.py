"""Every operation keeps every law that speaks of it. Truth is tested per operation in tests/ops."""

from __future__ import annotations

import pytest

from luxgrad.ops.spec import REGISTRY

from .enacted import LAWS, laws_of


@pytest.mark.parametrize(("op", "name"), [(op, name) for op in sorted(REGISTRY) for name in laws_of(REGISTRY[op])])
def test_law(op: str, name: str) -> None:
    LAWS[name].check(REGISTRY[op])

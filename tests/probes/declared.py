"""The operations that this folder's files declare, without their being known to the registry."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from luxgrad.ops.spec import REGISTRY, OpSpec


def _declared() -> dict[str, OpSpec]:
    """The operations of this folder's files, taken out of the registry again."""
    before = dict(REGISTRY)
    for file in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if not file.name.startswith("test_") and file.name != "declared":
            importlib.import_module(f".{file.name}", __package__)
    found = {op: spec for op, spec in REGISTRY.items() if op not in before}
    for op in found:
        del REGISTRY[op]
    return found


PROBES = _declared()

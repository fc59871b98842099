"""Laws as plain functions of a declaration, so that any operation can be held to all of them, registered or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from luxgrad.ops.reach import Geometry, Pointwise, Reducer
from luxgrad.ops.spec import OpSpec


@dataclass(frozen=True)
class Law:
    """check raises AssertionError where an operation breaks the law. concerns: which operations it speaks of."""

    name: str
    check: Callable[[OpSpec], None]
    concerns: Callable[[OpSpec], bool]


LAWS: dict[str, Law] = {}


def law(concerns: Callable[[OpSpec], bool]) -> Callable[[Callable[[OpSpec], None]], Callable[[OpSpec], None]]:
    """Make a function a law; its name is a sentence."""

    def enact(check: Callable[[OpSpec], None]) -> Callable[[OpSpec], None]:
        LAWS[check.__name__] = Law(check.__name__, check, concerns)
        return check

    return enact


def laws_of(spec: OpSpec) -> list[str]:
    """The laws that speak of an operation, by name."""
    return [law.name for law in LAWS.values() if law.concerns(spec)]


def every(spec: OpSpec) -> bool:
    return True


def with_pictures(spec: OpSpec) -> bool:
    return any(entry.picture for entry in spec.inputs)


def scaling(spec: OpSpec) -> bool:
    return with_pictures(spec) and spec.example.scales


def making_pictures(spec: OpSpec) -> bool:
    return any(output.picture for output in spec.outputs)


def with_sliders(spec: OpSpec) -> bool:
    return bool(spec.sliders)


def with_neutral(spec: OpSpec) -> bool:
    return spec.neutral is not None


def with_networks(spec: OpSpec) -> bool:
    return with_pictures(spec) and any(entry.socket == "LUXGRAD_NETWORK" for entry in spec.inputs)


def pointwise(spec: OpSpec) -> bool:
    return making_pictures(spec) and isinstance(spec.reach, Pointwise) and "frame" not in spec.injected.values()


def masking(spec: OpSpec) -> bool:
    return isinstance(spec.reach, Pointwise) and bool(spec.reach.mask)


def with_pictures_that_may_be_missing(spec: OpSpec) -> bool:
    return making_pictures(spec) and any(entry.picture and not entry.required for entry in spec.inputs)


def moving_pixels(spec: OpSpec) -> bool:
    return isinstance(spec.reach, Geometry)


def measuring(spec: OpSpec) -> bool:
    return isinstance(spec.reach, Reducer)

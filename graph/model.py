"""Steps, links and graphs: plain frozen data."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from torch import Tensor

from ..light.photo import Photo
from ..ops.fitted import Made
from ..ops.params import BadValue, Slider
from ..ops.spec import OpSpec, Param
from .errors import WorkflowError, nearest, one_line

Read = Callable[..., Any]
"""read(kind, name, **options) -> the photo, look-up table or network of that name; raises WorkflowError."""

G = TypeVar("G", bound="Graph")

Photos = Photo | Tensor | Mapping[str, Photo]


HIDDEN = "\0"
"""Between the id of a step and the name of a step inside it: a measured statistic, own weights, a part of a composite."""


class Ref(NamedTuple):
    """One value of a graph: an output of a step, by the step's id and the number of the output. Wires begin here."""

    step: str
    slot: int = 0


class Path(NamedTuple):
    """One slider (or other parameter) of one step."""

    step: str
    name: str


@dataclass(frozen=True)
class Step:
    """An operation placed in a graph: its values and where its wires come from.

    values: only what was set; the rest has its default. extra: fields of the file that are not ours, kept as they are.
    """

    id: str
    spec: OpSpec
    values: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Ref] = field(default_factory=dict)
    title: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """A parameter's value, or its default."""
        if name in self.values:
            return self.values[name]
        param = self.spec.param(name)
        assert param is not None
        return param.default

    def all_values(self) -> dict[str, Any]:
        return {param.name: self.value(param.name) for param in self.spec.params}

    def __str__(self) -> str:
        return f"step {one_line(self.id, 60)} ({one_line(self.title, 60) or self.spec.id})"


@dataclass(frozen=True)
class Graph:
    """Steps by id, in the order of the file. `luxgrad.Graph` adds what can be done with it: call, fit, save.

    read: how files that steps name are found and opened; None outside a folder. made: look-up tables and networks that a
    fit made, by the name that their steps give; `save` writes them. document: the UI form that the graph was read from.
    """

    steps: Mapping[str, Step]
    read: Read | None = None
    made: Mapping[str, Made] = field(default_factory=dict)
    document: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", MappingProxyType(dict(self.steps)))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps.values())

    def by_role(self, role: str) -> list[Step]:
        """The steps that are a `source`, `sink`, `view`, `sheet`, `advice` or `fit`."""
        return [step for step in self if getattr(step.spec.reach, "role", None) == role]

    def step(self, name: str) -> Step:
        """A step by id or by unique title."""
        if name in self.steps:
            return self.steps[name]
        titled = [step for step in self if step.title == name]
        if len(titled) > 1:
            ids = " and ".join(step.id for step in titled)
            raise WorkflowError(f"the title {name!r} is used by steps {ids}; name one by its id")
        if not titled:
            raise WorkflowError(f"there is no step {name!r} {nearest(name, self._names())}")
        return titled[0]

    def _names(self) -> list[str]:
        return [self.name(step.id) for step in self] + list(self.steps)

    @cached_property
    def _titles(self) -> Counter[str]:
        return Counter(step.title for step in self)

    def name(self, step_id: str) -> str:
        """What people call a step: its title where that is unique and holds no dot, else its id."""
        title = self.steps[step_id].title
        alone = self._titles[title] == 1 and title not in self.steps
        return title if title and alone and "." not in title else step_id

    def path(self, text: str) -> Path:
        """`step.parameter` as a path; errors name the nearest paths."""
        name, dot, parameter = text.rpartition(".")
        if not dot:
            raise WorkflowError(f"expected STEP.PARAMETER; got {text!r} {nearest(text, self.paths())}")
        step = self.step(name)
        if step.spec.param(parameter) is None:
            known = [f"{name}.{param.name}" for param in step.spec.params]
            raise WorkflowError(f"{step} has no parameter {parameter!r} {nearest(text, known)}")
        return Path(step.id, parameter)

    def show(self, path: Path) -> str:
        """A path as people write it."""
        return f"{self.name(path.step)}.{path.name}"

    def param(self, path: Path) -> Param:
        param = self.steps[path.step].spec.param(path.name)
        assert param is not None
        return param

    def value(self, path: Path) -> Any:
        return self.steps[path.step].value(path.name)

    def paths(self) -> list[str]:
        """Every slider of the graph."""
        return [self.show(Path(step.id, param.name)) for step in self for param in step.spec.sliders]

    def with_values(self: G, values: Mapping[str, Any]) -> G:
        """The same graph with parameters set by path, each checked against its declaration."""
        return self.with_paths({self.path(text): value for text, value in values.items()})

    def with_paths(self: G, values: Mapping[Path, Any]) -> G:
        steps = dict(self.steps)
        for path, value in values.items():
            step = steps[path.step]
            steps[path.step] = dataclasses.replace(step, values={**step.values, path.name: checked(step, path.name, value)})
        return dataclasses.replace(self, steps=steps)


def checked(step: Step, name: str, value: Any) -> Any:
    """A value that a parameter accepts; WorkflowError says which step, what was expected and what came."""
    param = step.spec.param(name)
    assert param is not None
    try:
        return param.kind.check(value)
    except BadValue as error:
        raise WorkflowError(f"{step}, {name}: {error}") from None


def is_slider(param: Param) -> bool:
    return isinstance(param.kind, Slider)

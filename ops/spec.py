"""One declaration per operation: the signature is the schema, the docstring is the help page, the decorator the reach.

`@operation` reads the function once, checks that the declaration is complete, keeps the `OpSpec` in `REGISTRY` and
returns the function itself. Every face (ComfyUI node, terminal, JSON schema, help page, tiling, laws) reads the spec.
"""

from __future__ import annotations

import fnmatch
import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .docstring import read_docstring
from .errors import DeclarationError
from .example import ORDINARY, Example
from .frame import Frame
from .params import BadValue, Choice, Count, File, Kind, Slider, Switch, Text
from .reach import Arithmetic, Composite, Interval, Pointwise, Port, Reach, Reducer
from .types import SOCKETS, Distances, Metadata, Reader, Socket, Writer

PICTURES = ("IMAGE", "MASK")
_INJECTED = {Frame: "frame", Metadata: "metadata", Distances: "distances", Reader: "read", Writer: "write"}


@dataclass(frozen=True)
class Input:
    """A socket where a wire ends.

    measured: a statistic that, unwired, is taken from the step's first picture. weights: of the network that, unwired,
    the operation brings itself.
    """

    name: str
    socket: str
    tip: str
    required: bool
    measured: bool
    weights: str = ""

    @property
    def picture(self) -> bool:
        return self.socket in PICTURES


@dataclass(frozen=True)
class Param:
    """Something a person sets."""

    name: str
    kind: Kind
    default: Any
    tip: str


@dataclass(frozen=True)
class Output:
    """A socket where wires begin."""

    name: str
    socket: str

    @property
    def picture(self) -> bool:
        return self.socket in PICTURES


@dataclass(frozen=True)
class OpSpec:
    """All there is to know of an operation. template: the function of its family, where a table made it (`family`)."""

    id: str
    node_id: str
    function: Callable[..., Any]
    reach: Reach
    inputs: tuple[Input, ...]
    params: tuple[Param, ...]
    outputs: tuple[Output, ...]
    injected: typing.Mapping[str, str]
    summary: str
    notes: str
    neutral: typing.Mapping[str, float] | None
    display_transform: bool = False
    example: Example = ORDINARY
    template: Callable[..., Any] | None = None

    @property
    def family(self) -> str:
        return self.id.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.id.rpartition(".")[2]

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @property
    def sliders(self) -> tuple[Param, ...]:
        return tuple(param for param in self.params if isinstance(param.kind, Slider))

    @property
    def makes_picture(self) -> bool:
        return bool(self.outputs) and self.outputs[0].picture

    def param(self, name: str) -> Param | None:
        return next((param for param in self.params if param.name == name), None)

    def input(self, name: str) -> Input | None:
        return next((entry for entry in self.inputs if entry.name == name), None)


def measurer(socket: str) -> OpSpec:
    """The operation that measures a statistic, by the socket it comes out of."""
    return next(s for s in REGISTRY.values() if isinstance(s.reach, Reducer) and s.outputs[0].socket == socket)


REGISTRY: dict[str, OpSpec] = {}
"""Operation id -> spec, filled as the files of `ops/` are imported."""

_SPECS: dict[Callable, OpSpec] = {}


def spec_of(function: Callable) -> OpSpec:
    """The spec of an operation, or of a part of a composite, by its function. Raises DeclarationError."""
    if function not in _SPECS:
        raise DeclarationError(f"{function.__module__}.{function.__name__} is no operation; declare it as one, or as a part")
    return _SPECS[function]


def operation(reach: Reach, display_transform: bool = False, example: Example = ORDINARY) -> Callable[[Callable], Callable]:
    """Declare an operation. display_transform: it renders scene light for a display. example: what its laws try it on."""

    def declare_operation(function: Callable) -> Callable:
        op_id = f"{folder_of(function)}.{function.__name__}"
        register(declare(function, reach, op_id, display_transform, example=example))
        return function

    return declare_operation


def folder_of(function: Callable) -> str:
    """The folder of a declaring function, which is the family of what it declares. Raises DeclarationError."""
    family, _, file = function.__module__.rpartition(".")
    if file != function.__name__:
        raise DeclarationError(f"{function.__module__}: name the function {file}, as its file (one op = one file)")
    return family.rpartition(".")[2]


def register(spec: OpSpec) -> None:
    """Make an operation known to every face. Raises DeclarationError where its id is taken."""
    if spec.id in REGISTRY:
        raise DeclarationError(f"{spec.id}: is declared already, in {REGISTRY[spec.id].function.__module__}")
    REGISTRY[spec.id] = spec


def declare(
    function: Callable,
    reach: Reach,
    op_id: str,
    display_transform: bool = False,
    node_id: str | None = None,
    hidden: bool = False,
    example: Example = ORDINARY,
    template: Callable | None = None,
) -> OpSpec:
    """Read a function's signature and docstring into a spec. Raises DeclarationError where something is missing.

    node_id: the class name of its node in a workflow file, where that is not `luxgrad.` and the id. hidden: people never
    see it, so that it needs no tooltips.
    """
    hints = typing.get_type_hints(function, include_extras=True)
    summary, tips, notes = read_docstring(function, list(inspect.signature(function).parameters))
    inputs, params, injected = [], [], {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint, default = hints.get(name), parameter.default
        kind, socket, optional = _kind(hint), _socket(hint), default is not inspect.Parameter.empty
        if hint in _INJECTED:
            injected[name] = _INJECTED[hint]
            continue
        tip = next((text for pattern, text in tips.items() if fnmatch.fnmatch(name, pattern)), None)
        if tip is None and not hidden:
            raise DeclarationError(f"{op_id}: write a docstring line '{name}: ...' (it becomes the tooltip)")
        if kind is not None:
            params.append(Param(name, kind, _checked_default(op_id, name, kind, default), tip or ""))
        elif socket is not None:
            free = optional or socket.measured or bool(socket.weights)
            inputs.append(Input(name, socket.name, tip or "", not free, socket.measured, socket.weights))
        else:
            raise DeclarationError(f"{op_id}: annotate {name} with a socket type or Annotated[Scalar, Slider(...)]")
    _check_reach(op_id, reach, {*hints, "frame", "total", "size"})
    _check_masked(op_id, reach, inputs)
    _check_example(op_id, example, params)
    spec = OpSpec(
        id=op_id,
        node_id=node_id or f"luxgrad.{op_id}",
        function=function,
        reach=reach,
        inputs=tuple(inputs),
        params=tuple(params),
        outputs=_outputs(op_id, hints.get("return")),
        injected=MappingProxyType(injected),
        summary=summary,
        notes=notes,
        neutral=_neutral(op_id, notes, params),
        display_transform=display_transform,
        example=example,
        template=template,
    )
    _check_outputs(spec)
    _SPECS[function] = spec
    return spec


def interval_or_value(param: Param, value: Any, free: bool) -> Any:
    """What a reach function is told of a parameter: sliders as intervals, the rest as they are."""
    if not isinstance(param.kind, Slider):
        return value
    return Interval(param.kind.low, param.kind.high) if free else Interval(value, value)


def _kind(hint: Any) -> Kind | None:
    extras = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return next((extra for extra in extras if isinstance(extra, (Slider, Count, Choice, Switch, Text, File))), None)


def _socket(hint: Any) -> Socket | None:
    if type(None) in typing.get_args(hint):
        return next((socket for socket in map(_socket, typing.get_args(hint)) if socket), None)
    if typing.get_origin(hint) is typing.Annotated:
        return next((extra for extra in typing.get_args(hint)[1:] if isinstance(extra, Socket)), None)
    return SOCKETS.get(hint) if isinstance(hint, type) else None


def _outputs(op_id: str, hint: Any) -> tuple[Output, ...]:
    if hint is None or hint is type(None):
        return ()
    named = isinstance(hint, type) and issubclass(hint, tuple) and hint not in SOCKETS
    fields = typing.get_type_hints(hint, include_extras=True) if named else {}
    entries = tuple(fields.values()) or (typing.get_args(hint) if typing.get_origin(hint) is tuple else (hint,))
    sockets = [socket.name for socket in map(_socket, entries) if socket is not None]
    if len(sockets) != len(entries):
        raise DeclarationError(f"{op_id}: annotate what it returns with a socket type")
    names = list(fields) or [socket.removeprefix("LUXGRAD_").lower() for socket in sockets]
    return tuple(Output(name, socket) for name, socket in zip(names, sockets))


def _neutral(op_id: str, notes: str, params: list[Param]) -> typing.Mapping[str, float] | None:
    """The sentence `Neutral: a = 0, b = 1.` or `Neutral: the defaults.` of the notes, as values; else None."""
    if "Neutral: the defaults." in notes:
        return MappingProxyType({param.name: param.default for param in params if isinstance(param.kind, Slider)})
    sentence = re.search(r"Neutral: ((?:\w+ = -?[\d.]*\d(?:, )?)+)", notes)
    if not sentence:
        return None
    values = {name: float(value) for name, value in re.findall(r"(\w+) = (-?[\d.]*\d)", sentence[1])}
    unknown = set(values) - {param.name for param in params}
    if unknown:
        raise DeclarationError(f"{op_id}: 'Neutral:' names {', '.join(sorted(unknown))}, which is no parameter")
    return MappingProxyType(values)


def _checked_default(op_id: str, name: str, kind: Kind, default: Any) -> Any:
    if default is inspect.Parameter.empty:
        raise DeclarationError(f"{op_id}: give {name} a default")
    try:
        value: Any = kind.check(default)
    except BadValue as error:
        raise DeclarationError(f"{op_id}: its default of {name}: {error}") from None
    if isinstance(kind, Slider):
        low, high = kind.comfortable
        if not kind.low <= low < high <= kind.high or not low <= value <= high:
            raise DeclarationError(f"{op_id}.{name}: hard range must contain the soft range, and that the default")
        if kind.step > 0.001 or (kind.log and kind.low <= 0):
            raise DeclarationError(f"{op_id}.{name}: a slider's step is 0.001 or finer, a log slider's range above 0")
    return value


def _check_outputs(spec: OpSpec) -> None:
    """What one function gives is of one kind: it runs on tiles or it does not."""
    if isinstance(spec.reach, Composite) and not any(entry.picture and entry.required for entry in spec.inputs):
        raise DeclarationError(f"{spec.id}: a composite takes a picture, whose size it keeps")
    kinds = {output.picture for output in spec.outputs}
    if isinstance(spec.reach, (Composite, Port)) or not kinds:
        return
    if len(kinds) > 1:
        raise DeclarationError(f"{spec.id}: it gives pictures and other values: write it as a composite of operations")
    if kinds.pop() == isinstance(spec.reach, (Reducer, Arithmetic)):
        raise DeclarationError(f"{spec.id}: a reducer gives values without pixels, the other reaches pictures")


def _check_reach(op_id: str, reach: Reach, known: set[str]) -> None:
    if not isinstance(reach, Reducer):
        return
    for function in (reach.contribute, reach.finish):
        unknown = set(inspect.signature(function).parameters) - known
        if unknown:
            raise DeclarationError(f"{op_id}: {function.__name__} names {', '.join(sorted(unknown))}, not parameters")


def _check_masked(op_id: str, reach: Reach, inputs: list[Input]) -> None:
    if not isinstance(reach, Pointwise) or not reach.mask:
        return
    sockets = {entry.name: entry.socket for entry in inputs}
    first = next((entry.name for entry in inputs if entry.picture), "")
    if sockets.get(reach.mask) != "MASK" or sockets.get(reach.masked) not in PICTURES or first in (reach.mask, reach.masked):
        raise DeclarationError(f"{op_id}: `through` names a mask and a picture, inputs after the picture that stays")


def _check_example(op_id: str, example: Example, params: list[Param]) -> None:
    kinds = {param.name: param.kind for param in params if not isinstance(param.kind, Slider)}
    unknown = set(example.values) - set(kinds)
    if unknown:
        raise DeclarationError(f"{op_id}: its example sets {', '.join(sorted(unknown))}, which is no count, choice or switch")
    for name, value in example.values.items():
        try:
            kinds[name].check(value)
        except BadValue as error:
            raise DeclarationError(f"{op_id}: its example sets {name}: {error}") from None

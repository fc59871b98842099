"""Load Photo, Load LUT, Load Network: sources open what they name when they run, and record a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..files.formats.registry import READ_ENDINGS
from ..graph.errors import WorkflowError
from ..graph.ports import DEVELOPING
from ..networks.weights import names
from ..ops.spec import OpSpec
from . import comfy
from .factory import RecordingNode

_ENDINGS = {"photo": READ_ENDINGS, "LUT": (".cube",)}


class SourceNode(RecordingNode):
    """A source in ComfyUI. Its first parameter names the file."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802
        types = super().INPUT_TYPES()
        param = cls.SPEC.params[0]
        kind = param.kind.kind  # type: ignore[union-attr]
        choices = names(comfy.weight_folders()) if kind == "network" else comfy.files_of(_ENDINGS[kind], kind)
        options = types["required"][param.name][1]
        if choices and options["default"] not in choices:
            options = {**options, "default": choices[0]}
        if kind == "photo":
            options = {**options, "image_upload": True, "luxgrad_shared": comfy.shared(READ_ENDINGS)}
        types["required"][param.name] = choices, options
        return types

    def answer(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> tuple[Any, ...]:
        return self.given(unique_id, prompt, values, lambda: opened(self.SPEC, values))


def opened(spec: OpSpec, values: Mapping[str, Any]) -> Any:
    """What a source's values name, camera raw developed as they say."""
    param = spec.params[0]
    kind, name = param.kind.kind, str(values.get(param.name, param.default))  # type: ignore[union-attr]
    options = {name: values[name] for name in DEVELOPING if name in values}
    return comfy.read(kind, name, **options)


class FileNode(SourceNode):
    """A source that opens a file of the user's, which may change or vanish."""

    @classmethod
    def VALIDATE_INPUTS(cls, file: str) -> bool | str:  # noqa: N802
        """Looks for the file itself: menus are older than files."""
        try:
            comfy.path_of(cls.SPEC.params[0].kind.kind, file)  # type: ignore[union-attr]
        except WorkflowError as error:
            return str(error)
        return True

    @classmethod
    def IS_CHANGED(cls, file: str, **_others: Any) -> str:  # noqa: N802
        try:
            status = comfy.path_of(cls.SPEC.params[0].kind.kind, file).stat()  # type: ignore[union-attr]
        except (WorkflowError, OSError):
            return "missing"
        return f"{status.st_mtime_ns} {status.st_size}"

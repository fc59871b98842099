"""All node classes, by id and by the name people read."""

from __future__ import annotations

from typing import Any

from ..advice.language import files as language_files
from ..files import limits
from ..graph.ports import PORTS
from ..ops.spec import REGISTRY
from . import comfy, live
from .advising import AdviceNode, AutoNode, DiagnoseNode
from .factory import node_class
from .fitting import FitNode
from .gallery import ContactSheetNode, PhotoInfoNode
from .sinks import CompareNode, SavePhotoNode
from .sources import FileNode, SourceNode

_PORT_CLASSES: dict[str, Any] = {
    "luxgrad.load_photo": FileNode,
    "luxgrad.load_lut": FileNode,
    "luxgrad.load_network": SourceNode,
    "luxgrad.save_photo": SavePhotoNode,
    "luxgrad.compare": CompareNode,
    "luxgrad.photo_info": PhotoInfoNode,
    "luxgrad.contact_sheet": ContactSheetNode,
    "luxgrad.diagnose": DiagnoseNode,
    "luxgrad.advice": AdviceNode,
    "luxgrad.auto": AutoNode,
    "luxgrad.fit": FitNode,
}

NODE_CLASS_MAPPINGS: dict[str, type] = {
    **{spec.node_id: node_class(spec) for spec in REGISTRY.values()},
    **{node_id: node_class(PORTS[node_id], base) for node_id, base in _PORT_CLASSES.items()},
}

NODE_DISPLAY_NAME_MAPPINGS: dict[str, str] = {
    node_id: spec.label
    for node_id, spec in ((cls.SPEC.node_id, cls.SPEC) for cls in NODE_CLASS_MAPPINGS.values())  # type: ignore[attr-defined]
}

comfy.on_server(live.register)
limits.set_by(comfy.limit_of_files)
language_files.set_by(comfy.language_model)

"""Save Photo, whichever face asks: its values, a rendering and a workflow become a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..light.photo import Photo
from ..light.rectangle import Region, Size
from .encode import Canvas, depth_for, write_photo
from .errors import FileError

_MOST_TEXT = 8 << 20


def save_rendered(
    path: Path,
    values: Mapping[str, Any],
    size: Size,
    render: Callable[[Callable[[Region, Tensor], None]], Any],
    beside: Callable[[], Photo],
    workflow: Mapping[str, str],
    force: bool = False,
) -> None:
    """Write what `render(put)` puts, tile by tile, as a file. Raises FileError.

    values: of Save Photo's parameters. beside: gives what travels beside the pixels (alpha, metadata). workflow: as texts,
    embedded where `values` say so.
    """
    canvas = Canvas(size, depth_for(path, values["depth"]), values["dither"], space=values["colour_space"])
    texts = workflow if values["workflow"] and values["metadata"] != "none" else {}
    if sum(map(len, texts.values())) > _MOST_TEXT:
        raise FileError(f"{path}: expected a workflow of at most {_MOST_TEXT >> 20} MB to embed; set workflow = false")
    render(canvas.put)
    photo = beside()
    write_photo(path, canvas, photo.metadata, photo.alpha, int(values["quality"]), force, values["metadata"], texts)

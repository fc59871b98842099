"""Photo Info and Contact Sheet: what photos say of themselves, and many of them on one picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..engine.render import as_photo, origin
from ..files.info import exposure_line, shot_of
from ..files.metadata import FILE_NAME
from ..files.sheet import Sheet, contact_sheet
from ..light.photo import Photo
from . import comfy
from .factory import RecordingNode, arriving, naming
from .recipe import Recipe, source_of
from .sinks import preview
from .wire import carry


class PhotoInfoNode(RecordingNode):
    """What the camera wrote, as typed outputs."""

    OUTPUT_NODE = True

    def answer(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        with naming(self.SPEC, unique_id, prompt):
            recipe = arriving(self.SPEC, unique_id, prompt, values)["photo"].frames()[0]
            metadata, shot = _metadata(recipe), shot_of(_metadata(recipe))
            size, name = recipe.size, str(metadata.get(FILE_NAME, ""))
            lines = [name, str(size), shot.camera, shot.lens, exposure_line(shot), shot.date]
            text = "\n".join(line for line in lines if line)
        exposure = (shot.seconds, shot.aperture, shot.iso, shot.focal_length)
        return {"ui": {"text": [text]}, "result": (*exposure, shot.camera, shot.lens, shot.date, *reversed(size), name, text)}


def _metadata(recipe: Recipe) -> Mapping[str, Any]:
    photo = origin(recipe.job())
    return photo.metadata if photo else {}


class ContactSheetNode(RecordingNode):
    """Takes a list of photos, each of which may be a batch, and renders every one at the size of its cell."""

    INPUT_IS_LIST = True
    OUTPUT_NODE = True

    def answer(self, unique_id: Any = "", prompt: Any = None, **values: Any) -> Any:
        unique_id, prompt = (value[0] if isinstance(value, list) else value for value in (unique_id, prompt))
        photos = values.pop("photos")
        settings = {name: value[0] for name, value in values.items()}
        with naming(self.SPEC, unique_id, prompt) as step:
            frames = [
                frame
                for photo in photos
                for frame in arriving(self.SPEC, unique_id, prompt, {"photos": photo})["photos"].frames()
            ]
            words = settings.pop("captions")
            sheet = Sheet(**settings, captions=words != "none")
            captions = [_caption(frame, number, words) for number, frame in enumerate(frames, start=1)]
            made = source_of(step.id, contact_sheet(_rendered(frames, sheet), captions, sheet), 0)
        return {"ui": {"images": [preview(made)]}, "result": (carry(made),)}


def _caption(recipe: Recipe, number: int, words: str) -> str:
    name = _metadata(recipe).get(FILE_NAME) if words == "file name" else None
    return str(name or number)


def _rendered(frames: list[Recipe], sheet: Sheet) -> Iterator[Photo]:
    for frame in frames:
        with comfy.rendering(sheet.cell * sheet.cell) as settings:
            job = frame.job(settings, sheet.scale_for(frame.size), comfy.CACHE)
            yield as_photo(job, job.outputs()[0].detach())

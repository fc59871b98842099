"""Save Photo and Compare: where photos leave the graph for a file or the screen."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image as Picture
from torch import Tensor

from ..files.encode import Canvas, depth_for, write_photo
from ..graph.render import as_photo, companions
from ..light.difference import compare
from ..light.rectangle import Region
from . import comfy
from .factory import RecordingNode, arriving, naming
from .recipe import Recipe

_PREVIEW = 1024


class SavePhotoNode(RecordingNode):
    """Renders tile by tile into the codes of the file."""

    OUTPUT_NODE = True

    def record(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        with naming(self.SPEC, unique_id, prompt):
            recipe = arriving(self.SPEC, unique_id, prompt, values)["image"]
            files = [_saved(frame, values) for frame in recipe.frames()]
        return {"ui": {"images": [preview(frame) for frame in recipe.frames()], "text": files}}


def _saved(recipe: Recipe, values: Mapping[str, Any]) -> str:
    size = recipe.size
    path, subfolder = comfy.output_path(values["file"], size.width, size.height)
    canvas = Canvas(size, depth_for(path, values["depth"]), values["dither"])

    def put(region: Region, pixels: Tensor) -> None:
        canvas.put(region, pixels.cpu())

    with comfy.rendering(size.pixels) as settings:
        job = recipe.job(settings, cache=comfy.CACHE)
        job.measured().render(job.plan.outputs[0], put)
        beside = companions(job)
    write_photo(path, canvas, beside.metadata, beside.alpha, int(values["quality"]))
    return str(Path(subfolder) / path.name)


class CompareNode(RecordingNode):
    """Two pictures in one frame, and how far they are apart."""

    OUTPUT_NODE = True

    def record(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
        with naming(self.SPEC, unique_id, prompt):
            recipes = arriving(self.SPEC, unique_id, prompt, values)
            before, after = recipes["before"].frames()[0], recipes["photo"].frames()[0]
            text = f"two sizes: {before.size} before, {after.size} after"
            if before.size == after.size:
                with comfy.rendering(2 * before.size.pixels) as settings:
                    jobs = [recipe.job(settings, cache=comfy.CACHE) for recipe in (before, after)]
                    found = compare(*(as_photo(job, job.outputs()[0]) for job in jobs))
                text = f"{found.psnr:.2f} dB, Delta E {found.delta_e:.2f} (95 %: {found.delta_e_95:.2f})"
            shown = {"luxgrad_before": [preview(before)], "luxgrad_after": [preview(after)], "text": [text]}
        return {"ui": shown, "result": (text,)}


def preview(recipe: Recipe) -> dict[str, str]:
    """A small 8-bit PNG of a picture in the temp folder, for the editor to draw."""
    with comfy.rendering(_PREVIEW * _PREVIEW) as settings:
        codes = recipe.render(settings, min(1.0, _PREVIEW / recipe.size.long_edge))[0, ..., :3]
    name = f"luxgrad_{secrets.token_hex(8)}.png"
    picture_of(codes).save(comfy.temp_folder() / name, compress_level=1)
    return {"filename": name, "subfolder": "", "type": "temp"}


def picture_of(codes: Tensor) -> Picture.Image:
    """Codes (H,W,3) as an 8-bit picture, rounded."""
    return Picture.fromarray((codes.clamp(0.0, 1.0) * 255.0 + 0.5).floor().byte().numpy())

"""Save Photo and Compare: where photos leave the graph for a file or the screen."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image as Picture
from torch import Tensor

from ..engine.export import export_job
from ..engine.render import Put, as_photo, companions, origin
from ..files.save import save_rendered
from ..graph.embedding import texts_of
from ..light.difference import compare
from . import comfy
from .factory import RecordingNode, arriving, naming
from .recipe import Recipe

_PREVIEW = 1024


class SavePhotoNode(RecordingNode):
    """Renders tile by tile into the codes of the file."""

    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802
        types = super().INPUT_TYPES()
        types["hidden"] |= {"extra_pnginfo": "EXTRA_PNGINFO"}
        return types

    def answer(
        self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, extra_pnginfo: Any = None, **values: Any
    ) -> Any:
        with naming(self.SPEC, unique_id, prompt):
            recipe = arriving(self.SPEC, unique_id, prompt, values)["image"]
            document = extra_pnginfo.get("workflow") if isinstance(extra_pnginfo, dict) else None
            workflow = {} if comfy.without_metadata() else texts_of(prompt, document)
            files = [_saved(frame, values, workflow) for frame in recipe.frames()]
        return {"ui": {"images": [preview(frame) for frame in recipe.frames()], "text": files}}


def _saved(recipe: Recipe, values: Mapping[str, Any], workflow: Mapping[str, str]) -> str:
    with comfy.rendering(recipe.size.pixels) as settings:
        long_edge, sharpen = int(values["size"]), values["sharpen"]
        job = export_job(recipe.graph, recipe.link, recipe.given(), long_edge, sharpen, settings, comfy.CACHE)
        (ref,) = job.plan.outputs
        size, photo = job.plan.size(ref), origin(job)
        path, subfolder = comfy.output_path(values["file"], size.width, size.height, photo.metadata if photo else {})

        def render(put: Put) -> None:
            job.measured().render(ref, lambda region, pixels: put(region, pixels.cpu()))

        save_rendered(path, values, size, render, lambda: companions(job), workflow)
    return str(Path(subfolder) / path.name)


class CompareNode(RecordingNode):
    """Two pictures in one frame, and how far they are apart."""

    OUTPUT_NODE = True

    def answer(self, unique_id: str = "", prompt: Mapping[str, Any] | None = None, **values: Any) -> Any:
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
    return kept(small(recipe))


def small(recipe: Recipe) -> Picture.Image:
    """A picture as the editor draws it: 8 bits, 1024 px."""
    with comfy.rendering(_PREVIEW * _PREVIEW) as settings:
        return picture_of(recipe.render(settings, min(1.0, _PREVIEW / recipe.size.long_edge))[0, ..., :3])


def kept(picture: Picture.Image) -> dict[str, str]:
    """A picture as a PNG in the temp folder, in the words in which a node tells the editor."""
    name = f"luxgrad_{secrets.token_hex(8)}.png"
    picture.save(comfy.temp_folder() / name, compress_level=1)
    return {"filename": name, "subfolder": "", "type": "temp"}


def picture_of(codes: Tensor) -> Picture.Image:
    """Codes (H,W,3) as an 8-bit picture, rounded."""
    return Picture.fromarray((codes.clamp(0.0, 1.0) * 255.0 + 0.5).floor().byte().numpy())

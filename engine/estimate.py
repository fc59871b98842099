"""How much memory a rendering takes, asked of the graph itself before it runs."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..light.photo import Codes, Photo
from .backward import saved_per_pixel
from .execute import OVERHEAD
from .render import Job

_PROXY_PIXELS = 1 << 16


@dataclass(frozen=True)
class Estimate:
    """Bytes beyond the program itself: of photos and result, and of the tiles at work, without and with gradients."""

    pictures: int
    tile: int
    gradient_tile: int

    @property
    def run(self) -> int:
        return self.pictures + self.tile

    @property
    def gradient(self) -> int:
        return self.pictures + self.gradient_tile


def estimate(job: Job) -> Estimate:
    """What rendering a job will take, from a probe on a small proxy of its photos."""
    (ref,) = job.plan.outputs
    size = job.plan.size(ref)
    scale = min(1.0, (_PROXY_PIXELS / size.pixels) ** 0.5)
    proxy = Job(job.graph, job.links, job.given, job.tensors, scale, job.settings)
    execution = proxy.measured()
    saved = saved_per_pixel(execution, [ref])
    held = sum(_bytes(value) for value in job.given.values() if isinstance(value, Photo))
    forward, backward = (min(tile, size.pixels) for tile in (execution.tile_pixels, execution.gradient_tile(saved)))
    return Estimate(held + 12 * size.pixels, int(saved * forward), int(OVERHEAD * saved * backward))


def _bytes(photo: Photo) -> int:
    raster: Tensor = photo.raster.values if isinstance(photo.raster, Codes) else photo.raster
    return raster.numel() * raster.element_size()

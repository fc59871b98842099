"""A photo: pixels on their way, with what travels beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor

from .planes import Planes, stack
from .primaries import Matrix, mix
from .rectangle import Region, Size, strips
from .shrink import Shrinking


@dataclass(frozen=True, eq=False)
class Codes:
    """Pixels as a file stores them, decoded a rectangle at a time, so that a large photo is never held as floats.

    values: (H, W, C) of uint8, uint16 or float32, C = 1 (grey) or 3. curves: (C, levels) float32, the linear light of
    each code, or None where values are linear already. to_rec2020: the matrix from the file's primaries.
    """

    values: Tensor
    curves: Tensor | None
    to_rec2020: Matrix

    def read(self, region: Region) -> Tensor:
        """Linear Rec.2020 light (B3hw) of a rectangle."""
        if region.many:
            cut = self.values[region.rows(), region.columns()].permute(3, 0, 1, 2)
        else:
            cut = self.values[region.top :, region.left :][: region.height, : region.width].permute(2, 0, 1)[:, None]
        channels = [self._linear(index, plane).unsqueeze(1) for index, plane in enumerate(cut)]
        if len(channels) == 1:
            return stack(Planes(*channels * 3))
        return stack(Planes(*mix(self.to_rec2020, *channels)))

    def _linear(self, channel: int, codes: Tensor) -> Tensor:
        if self.curves is None:
            return codes.float()
        flat = codes.to(torch.int32).reshape(-1)
        return self.curves[channel].index_select(0, flat).view(codes.shape)


@dataclass(frozen=True, eq=False)
class Photo:
    """One picture (or a batch that shares sliders): linear Rec.2020 D65 light, unbounded, and its metadata.

    raster: a B3HW float tensor, or `Codes`. alpha: B1HW in 0..1 or None; geometry moves it, colour ignores it.
    light: `display` (already rendered: JPEG, PNG, IMAGE) or `scene` (raw, EXR, float TIFF).
    metadata: what the file says of itself; the executor hands it to operations that ask.
    batch_of: the batch that this is one picture of.
    """

    raster: Tensor | Codes
    alpha: Tensor | None = None
    light: Literal["display", "scene"] = "display"
    metadata: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    batch_of: Photo | None = field(default=None, kw_only=True, repr=False)

    @property
    def size(self) -> Size:
        if isinstance(self.raster, Codes):
            return Size(self.raster.values.shape[0], self.raster.values.shape[1])
        return Size(self.raster.shape[-2], self.raster.shape[-1])

    @property
    def batch(self) -> int:
        return 1 if isinstance(self.raster, Codes) else self.raster.shape[0]

    @property
    def pixels(self) -> Tensor:
        """The whole picture as a B3HW tensor (decoded anew each time when it holds `Codes`)."""
        return self.raster if isinstance(self.raster, Tensor) else self.read(Region.whole(self.size))

    def frame(self, index: int) -> Photo:
        """One picture of a batch, which remembers the batch."""
        assert isinstance(self.raster, Tensor)
        one = slice(index, index + 1)
        alpha = self.alpha if self.alpha is None or len(self.alpha) == 1 else self.alpha[one]
        return replace(self, raster=self.raster[one], alpha=alpha, batch_of=self)

    def opacity(self) -> Tensor:
        """Alpha as a B1HW tensor, 1 everywhere where the photo has none."""
        return torch.ones(1, 1, 1, 1).expand(self.batch, 1, *self.size) if self.alpha is None else self.alpha

    def read(self, region: Region) -> Tensor:
        """Light of a rectangle (B3hw); of many rectangles, one batch element each."""
        return self.raster.read(region) if isinstance(self.raster, Codes) else region.cut(self.raster)

    def reduced(self, size: Size) -> Photo:
        """A smaller picture of the same scene: the mean light of the area behind each new pixel."""
        if size == self.size:
            return self
        pixels = _area_mean(self, size)
        alpha = None if self.alpha is None else _area_mean(Photo(self.alpha), size)
        return replace(self, raster=pixels, alpha=alpha)


def _area_mean(photo: Photo, size: Size) -> Tensor:
    small = Shrinking(photo.size, size)
    for strip in strips(photo.size):
        small.add(strip, photo.read(strip))
    return small.result()

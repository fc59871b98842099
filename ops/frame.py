"""Where the pixels at hand lie in their picture."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..light.planes import Picture
from ..light.rectangle import Region, Size


@dataclass(frozen=True)
class Frame:
    """The rectangle an operation is working on.

    size: of the whole picture. region: the rectangle at hand; many rectangles (sampled pixels) are a batch.
    full: the size at full resolution; scale: px of this picture per full-size px (1 unless on a proxy).
    halo: the reach of a neighbourhood operation in px. core: the part of the region whose result counts.
    index: number of the picture in a sequence. input: for geometry operations, the frame of the input pixels.
    """

    size: Size
    region: Region
    full: Size
    scale: float = 1.0
    halo: int = 0
    core: Region | None = None
    index: int = 0
    input: Frame | None = None

    @classmethod
    def whole(cls, image: Picture, halo: int = 0) -> Frame:
        """The frame of a whole picture, for calling operations by hand."""
        size = Size(image.shape[-2], image.shape[-1])
        return cls(size, Region.whole(size), size, halo=halo)

    def coords(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column of each pixel's centre in px, (B,1,H,1) and (B,1,1,W), first centre at 0.5."""
        y, x = self.region.rows(like.device), self.region.columns(like.device)
        if y.ndim == 2:
            y, x = y[None], x[None]
        return y[:, None].to(like.dtype) + 0.5, x[:, None].to(like.dtype) + 0.5

    def counted(self, pixels: Tensor) -> Tensor:
        """The pixels of this rectangle whose result counts, without their margin."""
        if self.core is None:
            return pixels
        rows, columns = self.core.within(self.region)
        return pixels[..., rows, columns]

    def relative(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column of each pixel's centre as a share of the height and of the width, 0..1."""
        y, x = self.coords(like)
        return y / self.size.height, x / self.size.width

"""A photo that is looked at small again and again."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from .photo import Photo
from .rectangle import Region, Size


@dataclass(frozen=True, eq=False)
class Looked(Photo):
    """A photo that remembers its last proxy."""

    whole: Photo | None = None
    proxies: dict[Size, Photo] = field(default_factory=dict)

    @classmethod
    def of(cls, photo: Photo) -> Looked:
        """A photo that remembers, or one that does already."""
        return photo if isinstance(photo, cls) else cls(photo.raster, photo.alpha, photo.light, photo.metadata, photo)

    @property
    def size(self) -> Size:
        assert self.whole is not None
        return self.whole.size

    @property
    def pixels(self) -> Tensor:
        assert self.whole is not None
        return self.whole.pixels

    def read(self, region: Region) -> Tensor:
        assert self.whole is not None
        return self.whole.read(region)

    def reduced(self, size: Size) -> Photo:
        assert self.whole is not None
        if size not in self.proxies:
            self.proxies.clear()
            self.proxies[size] = self.whole.reduced(size)
        return self.proxies[size]

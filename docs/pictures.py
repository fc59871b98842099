"""Draw the before and after of every workflow, and its thumbnail for templates: python docs/pictures.py"""

from pathlib import Path

import torch

import luxgrad
from luxgrad.graph.outputs import gather_sources, output_of
from luxgrad.light.photo import Photo

ROOT = Path(__file__).resolve().parent.parent
GAP = 8

for path in sorted((ROOT / "workflows").glob("*.json")):
    graph = luxgrad.open(path)
    after = graph({}, size=560)
    photo = next(value for value in gather_sources(graph, {}, [output_of(graph)]).values() if isinstance(value, Photo))
    before = photo.reduced(after.size)
    gap = torch.ones(1, 3, after.size.height, GAP)
    sheet = Photo(torch.cat([before.pixels, gap, after.pixels], dim=3))
    luxgrad.save(sheet, ROOT / "docs" / "pictures" / f"{path.stem}.jpg", quality=88, dither=False, force=True)
    luxgrad.save(graph({}, size=320), path.with_suffix(".jpg"), quality=85, dither=False, force=True)

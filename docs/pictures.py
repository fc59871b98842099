"""Draw before and after of every workflow, its thumbnail for templates, and a sheet of flaws: python docs/pictures.py"""

from pathlib import Path

import torch

import luxgrad
from luxgrad.graph.outputs import gather_sources, output_of
from luxgrad.light.photo import Photo
from luxgrad.light.rectangle import Region
from luxgrad.training.flaws import procedural_cloth, procedural_skin
from luxgrad.training.flaws.sheet import flaw_sheet

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

portrait = luxgrad.load(ROOT / "workflows" / "photos" / "portrait.jpg").read(Region(20, 920, 300, 300))
rows = [
    flaw_sheet([("a photo", portrait, 0.8)], edge=300, seed=9, groups=("skin", "dust"), count=10),
    flaw_sheet([("skin by formula", procedural_skin((300, 300), 12, 1.0), 0.8)], edge=300, seed=2, groups=("skin",), count=8),
    flaw_sheet([("cloth by formula", procedural_cloth((300, 300), 6, 1.0), 0.8)], edge=300, seed=8, groups=("cloth",), count=7),
]
sheet = Photo(torch.cat([row.pixels for row in rows], dim=2))
luxgrad.save(sheet, ROOT / "docs" / "pictures" / "flaws.jpg", quality=88, dither=False, force=True)

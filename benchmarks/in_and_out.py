"""Reading and writing large photos, beside the codec libraries alone."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from .photos import machine, write
from .speed import REPEATS, child, large_photo

OURS = """
import luxgrad.api as luxgrad
start = time.perf_counter()
luxgrad.save(luxgrad.load(sys.argv[1]), sys.argv[2], force=True)
seconds = time.perf_counter() - start
"""

PILLOW = """
from PIL import Image
start = time.perf_counter()
image = Image.open(sys.argv[1])
image.load()
image.save(sys.argv[2], quality=95, subsampling=0, optimize=True, icc_profile=image.info.get("icc_profile"))
seconds = time.perf_counter() - start
"""

TIFFFILE = """
import tifffile
start = time.perf_counter()
codes = tifffile.imread(sys.argv[1])
tifffile.imwrite(sys.argv[2], codes, photometric="rgb", compression="zlib", compressionargs={"level": 4}, predictor=True,
                 rowsperstrip=(1 << 20) // codes[0].nbytes)
seconds = time.perf_counter() - start
"""

START = """
seconds = 0.0
"""


def run(_targets: int) -> None:
    """A 24 MP JPEG and a 24 MP 16-bit TIFF, loaded and saved untouched; float copies are of 24 MP x 3 x 4 bytes."""
    lines = [
        "# Photos in and out", "", machine(), "",
        "| load and save, 24 MP | seconds | ratio to the peer | peak MB | of it beyond the start, in float pictures |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jpeg, tiff = large_photo(folder / "large.jpg"), folder / "large.tif"
        child(OURS, jpeg, tiff)
        for kind, source, peer, code in (("JPEG", jpeg, "Pillow", PILLOW), ("16-bit TIFF", tiff, "tifffile", TIFFFILE)):
            out = folder / f"out{source.suffix}"
            base = 1.0
            for label, body in ((f"peer: {peer}, {kind}", code), (f"Luxgrad, {kind}", OURS)):
                start = child(START + ("import luxgrad.api\n" if body is OURS else ""), source)["peak"]
                entries = [child(body, source, out) for _ in range(REPEATS)]
                seconds, peak = statistics.median(e["seconds"] for e in entries), max(e["peak"] for e in entries)
                base = seconds if body is not OURS else base
                copies = (peak - start) / (24e6 * 12 / 2**20)
                lines.append(f"| {label} | {seconds:.2f} | {seconds / base:.1f} | {peak:.0f} | {copies:.1f} |")
                print(lines[-1], flush=True)
    write("in_and_out.md", "\n".join(lines) + "\n")

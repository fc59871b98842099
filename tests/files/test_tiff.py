"""TIFF of every layout that tifffile writes: the same codes; and files that lie."""

from __future__ import annotations

import resource
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

import luxgrad
from luxgrad.files.decode import read_photo
from luxgrad.files.errors import FileError
from luxgrad.files.formats.format import Beside, Saving
from luxgrad.files.formats.tiff import decode, encode, read_header

CHANCE = np.random.default_rng(3)
SIZE = (50, 70)
EXIF = b"II*\0\x08\0\0\0\1\0\x0f\1\2\0\6\0\0\0\x1a\0\0\0\0\0\0\0Maker\0"


def codes(kind: str, channels: int = 3) -> np.ndarray:
    if np.dtype(kind).kind == "f":
        return CHANCE.normal(0.5, 2.0, (*SIZE, channels)).astype(kind)
    return CHANCE.integers(0, np.iinfo(kind).max, (*SIZE, channels), kind, endpoint=True)


LAYOUTS = {
    "strips": {"rowsperstrip": 7},
    "tiles": {"tile": (16, 32)},
    "LZW": {"compression": "lzw"},
    "LZW with predictor": {"compression": "lzw", "predictor": True},
    "deflate": {"compression": "zlib"},
    "deflate with predictor, tiles": {"compression": "zlib", "predictor": True, "tile": (32, 16)},
    "PackBits": {"compression": "packbits"},
    "zstd": {"compression": "zstd"},
    "planar": {"planarconfig": "separate"},
    "planar tiles": {"planarconfig": "separate", "tile": (32, 32), "compression": "lzw"},
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True], ids=["classic", "BigTIFF"])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float16", "float32"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_codes(tmp_path: Path, layout: str, kind: str, big: bool, order: str) -> None:
    options = dict(LAYOUTS[layout])
    written = codes(kind)
    stored = np.moveaxis(written, -1, 0) if "planarconfig" in options else written
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", bigtiff=big, byteorder=order, **options)
    read = decode(tmp_path / "a.tif")
    assert read.values.dtype == np.dtype(kind)
    assert np.ascontiguousarray(read.values).tobytes() == written.tobytes()
    told = read_header(tmp_path / "a.tif")
    assert (told.width, told.height, told.channels, told.bits) == (70, 50, 3, np.dtype(kind).itemsize * 8)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_come_with_their_count(tmp_path: Path, bits: int) -> None:
    written = CHANCE.integers(0, 1 << bits, SIZE, np.uint8)
    options = {"bilevel": True} if bits == 1 else {}
    if bits == 1:
        Image.fromarray(written.astype(bool)).save(tmp_path / "a.tif")
    else:
        tifffile.imwrite(tmp_path / "a.tif", pack(written, bits), photometric="minisblack", **options)
        patch_tags(tmp_path / "a.tif", {256: SIZE[1], 258: bits})
    read = decode(tmp_path / "a.tif")
    assert (read.values[..., 0] == written).all()
    assert read.bits == bits
    assert read_photo(tmp_path / "a.tif").pixels.max() == 1.0


def pack(values: np.ndarray, bits: int) -> np.ndarray:
    rows = np.unpackbits(values[..., None], axis=2)[..., 8 - bits :].reshape(len(values), -1)
    return np.packbits(rows, axis=1)


@pytest.mark.parametrize("bits", [10, 12])
def test_ten_and_twelve_bits_come_with_their_count(tmp_path: Path, bits: int) -> None:
    written = CHANCE.integers(0, 1 << bits, (8, 16), np.uint16)
    rows = np.unpackbits(written.astype(">u2").view(np.uint8).reshape(8, 16, 2), axis=2)[..., 16 - bits :].reshape(8, -1)
    packed = np.packbits(rows, axis=1)
    tifffile.imwrite(tmp_path / "a.tif", packed, photometric="minisblack")
    patch_tags(tmp_path / "a.tif", {256: 16, 258: bits})
    read = decode(tmp_path / "a.tif")
    assert (read.values[..., 0] == written).all()
    assert read.bits == bits


def patch_tags(path: Path, values: dict[int, int]) -> None:
    """Other numbers in the first directory of a little-endian classic TIFF."""
    data = bytearray(path.read_bytes())
    start = struct.unpack_from("<I", data, 4)[0]
    for index in range(struct.unpack_from("<H", data, start)[0]):
        at = start + 2 + 12 * index
        tag, kind = struct.unpack_from("<HH", data, at)
        if tag in values:
            struct.pack_into("<H" if kind == 3 else "<I", data, at + 8, values[tag])
    path.write_bytes(data)


def test_white_is_zero_where_a_file_says_so_and_alpha_is_not_turned(tmp_path: Path) -> None:
    written = codes("uint8", 2)
    tifffile.imwrite(tmp_path / "a.tif", written, photometric="miniswhite", planarconfig="contig", extrasamples=["unassalpha"])
    read = decode(tmp_path / "a.tif")
    assert (read.values[..., 0] == 255 - written[..., 0]).all()
    assert (read.alpha == written[..., 1]).all()


def test_a_palette_gives_its_colours(tmp_path: Path) -> None:
    picture = Image.fromarray(codes("uint8")).quantize(64)
    picture.save(tmp_path / "a.tif")
    read = decode(tmp_path / "a.tif")
    assert read.values.dtype == np.uint16
    assert ((read.values >> 8) == np.asarray(picture.convert("RGB"))).all()


def test_jpeg_in_tiff_is_read_as_pillow_reads_it(tmp_path: Path) -> None:
    y, x = np.mgrid[0:64, 0:96]
    smooth = np.stack([x * 2, y * 3, 255 - x], axis=2).astype(np.uint8)
    Image.fromarray(smooth).convert("YCbCr").save(tmp_path / "a.tif", compression="jpeg", quality=92)
    with Image.open(tmp_path / "a.tif") as image:
        theirs = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(decode(tmp_path / "a.tif").values.astype(int) - theirs).max() <= 3


def test_cmyk_comes_as_ink(tmp_path: Path) -> None:
    written = codes("uint8", 4)
    Image.frombytes("CMYK", (SIZE[1], SIZE[0]), written.tobytes()).save(tmp_path / "a.tif")
    assert (decode(tmp_path / "a.tif").values == written).all()


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_colour_multiplied_by_alpha_is_divided_by_it(tmp_path: Path, kind: str) -> None:
    most = 1.0 if kind == "float32" else np.iinfo(kind).max
    colour = np.abs(codes(kind))
    alpha = (np.linspace(0.5, 1.0, SIZE[1])[None].repeat(SIZE[0], 0) * most).astype(kind)
    stored = (colour * (alpha[..., None] / most) + (0.0 if kind == "float32" else 0.5)).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", np.dstack([stored, alpha]), photometric="rgb", extrasamples=["assocalpha"])
    read = decode(tmp_path / "a.tif")
    assert np.abs(read.values.astype(float) - colour).max() <= (1e-5 if kind == "float32" else 1)
    assert (read.alpha == alpha).all()


@pytest.mark.parametrize(
    ("extra", "place"), [(["unassalpha"], 3), (["unspecified"], None), (["unspecified", "unassalpha"], 4)], ids=str
)
def test_channels_beyond_alpha_are_dropped(tmp_path: Path, extra: list[str], place: int | None) -> None:
    written = codes("uint8", 3 + len(extra))
    tifffile.imwrite(tmp_path / "a.tif", written, photometric="rgb", extrasamples=extra, planarconfig="contig")
    read = decode(tmp_path / "a.tif")
    assert (read.values == written[..., :3]).all()
    assert read.alpha is None if place is None else (read.alpha == written[..., place]).all()


def test_the_photo_is_the_first_page_that_is_no_thumbnail(tmp_path: Path) -> None:
    small, large = codes("uint8")[::10, ::10], codes("uint8")
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(small, photometric="rgb", subfiletype=1)
        writer.write(large, photometric="rgb")
    assert (decode(tmp_path / "a.tif").values == large).all()
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        writer.write(small, photometric="rgb", subfiletype=1, subifds=1)
        writer.write(large, photometric="rgb")
    assert (decode(tmp_path / "b.tif").values == large).all()
    tifffile.imwrite(tmp_path / "c.tif", small, photometric="rgb", subfiletype=1)
    with pytest.raises(FileError, match="got thumbnails only"):
        decode(tmp_path / "c.tif")


def test_floats_of_64_bits_are_rounded_to_32(tmp_path: Path) -> None:
    written = codes("float64")
    tifffile.imwrite(tmp_path / "a.tif", written, photometric="rgb")
    assert (decode(tmp_path / "a.tif").values == written.astype(np.float32)).all()


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float16", "float32"])
@pytest.mark.parametrize("channels", [3, 4])
def test_what_is_written_is_read_by_tifffile_bit_for_bit(tmp_path: Path, kind: str, channels: int) -> None:
    written, path, packet = codes(kind, channels), tmp_path / "a.tif", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    encode(path, written, Beside(b"profile" * 20, exif=EXIF, xmp=packet), Saving())
    assert tifffile.imread(path).tobytes() == written.tobytes()
    read = decode(path)
    assert np.ascontiguousarray(read.values).tobytes() == np.ascontiguousarray(written[..., :3]).tobytes()
    assert (read.profile, read.xmp) == (b"profile" * 20, packet)
    assert read.alpha is None or read.alpha.tobytes() == written[..., 3].tobytes()
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages[0].tags["Make"].value == "Maker"


def test_float_light_goes_out_and_in_without_a_changed_bit(tmp_path: Path) -> None:
    written = codes("float32")
    tifffile.imwrite(tmp_path / "a.tif", written, photometric="rgb")
    photo = luxgrad.load(tmp_path / "a.tif")
    assert photo.light == "scene"
    luxgrad.save(photo, tmp_path / "b.tif", depth="float")
    assert torch.equal(luxgrad.load(tmp_path / "b.tif").raster.values, torch.from_numpy(tifffile.imread(tmp_path / "b.tif")))
    assert np.abs(tifffile.imread(tmp_path / "b.tif") - written).max() < 3e-6


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_light_that_is_not_finite_is_refused_with_its_place(tmp_path: Path, value: float) -> None:
    written = codes("float32")
    written[3, 4, 1] = value
    tifffile.imwrite(tmp_path / "a.tif", written, photometric="rgb")
    with pytest.raises(FileError, match=r"NaN or infinity, first at row 3, column 4"):
        read_photo(tmp_path / "a.tif")


REFUSED = {
    "32-bit numbers": (np.zeros((4, 4), np.uint32), {}, "1 to 16 bits, half or float"),
    "signed numbers": (np.zeros((4, 4), np.int16), {}, "1 to 16 bits, half or float"),
    "complex numbers": (np.zeros((4, 4), np.complex64), {}, "1 to 16 bits, half or float"),
    "Lab": (np.zeros((4, 4, 3), np.uint8), {"photometric": "cielab"}, "expected RGB, grey"),
    "YCbCr without JPEG": (np.zeros((4, 4, 3), np.uint8), {"photometric": "ycbcr"}, "YCbCr compressed by JPEG"),
    "JPEG XL": (np.zeros((4, 4, 3), np.uint8), {"photometric": "rgb", "compression": "jpegxl"}, "compressed by none, LZW"),
    "a volume": (np.zeros((16, 16, 16), np.uint8), {"volumetric": True, "tile": (16, 16, 16)}, "expected RGB, grey"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_other_kinds_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    values, options, words = REFUSED[kind]
    tifffile.imwrite(tmp_path / "a.tif", values, **{"photometric": "minisblack", **options})
    with pytest.raises(FileError, match=f"a.tif: .*{words}"):
        read_photo(tmp_path / "a.tif")


def test_a_lying_size_is_refused_and_so_is_a_giant_tile(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", codes("uint8"), photometric="rgb")
    patch_tags(tmp_path / "a.tif", {256: 60000, 257: 60000})
    with pytest.raises(FileError, match="60000 x 60000 px"):
        read_photo(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", codes("uint8"), photometric="rgb", tile=(16, 16))
    patch_tags(tmp_path / "b.tif", {322: 65520, 323: 65520})
    with pytest.raises(FileError, match="tiles of at most 64 MP; got 65520 x 65520 px"):
        read_photo(tmp_path / "b.tif")


def test_directories_in_a_circle_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", codes("uint8"), photometric="rgb", subfiletype=1)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    start = struct.unpack_from("<I", data, 4)[0]
    after = start + 2 + 12 * struct.unpack_from("<H", data, start)[0]
    struct.pack_into("<I", data, after, start)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(FileError, match=r"a.tif: (damaged|expected a photo)"):
        read_photo(tmp_path / "a.tif")


def test_a_strip_that_unpacks_to_gigabytes_takes_no_more_room_than_the_picture(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((64, 64, 3), np.uint8), photometric="rgb", compression="zlib", rowsperstrip=64
    )
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        place = tiff.pages[0].dataoffsets[0]
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 24)) for _ in range(64)) + packer.flush()
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[:place] + bomb)
    patch_tags(tmp_path / "a.tif", {279: len(bomb)})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileError, match=r"a.tif: damaged"):
        read_photo(tmp_path / "a.tif")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_a_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", codes("uint8"), photometric="rgb", compression="zlib")
    data = (tmp_path / "a.tif").read_bytes()
    for length in (9, 40, 120, 200, len(data) // 2):
        (tmp_path / "a.tif").write_bytes(data[:length])
        with pytest.raises(FileError, match=r"a.tif: (damaged|expected)"):
            read_photo(tmp_path / "a.tif")

"""HEIC in, by the user's own decoder, against that package's own face."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageOps

import luxgrad
from luxgrad.files.decode import decode
from luxgrad.files.errors import FileError
from luxgrad.files.formats.format import Encoding
from luxgrad.files.formats.heic import HEIC
from luxgrad.files.formats.heif import read_still
from luxgrad.files.formats.heif_write import _meta_and_data
from luxgrad.files.formats.isobmff import boxes, make_box
from luxgrad.files.formats.items import Item, Items, Property, Reference, read_items
from luxgrad.files.formats.registry import told_by

from .heif_files import PROFILE, XMP, body_of, damaged, exif, patched


@pytest.fixture
def pillow_heif():
    return pytest.importorskip("pillow_heif", reason="the optional decoder pillow_heif is not installed")


def noise(channels: int, bits: int = 8) -> np.ndarray:
    kind = np.uint8 if bits == 8 else np.uint16
    return np.random.default_rng(0).integers(0, 1 << bits, (64, 96, channels), dtype=kind)


def written(pillow_heif, path: Path, codes: np.ndarray, bits: int = 8, **options) -> bytes:
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[codes.shape[2]] + (";16" if bits > 8 else "")
    stored = codes << (16 - bits) if bits > 8 else codes
    lossless = {"quality": -1, "chroma": 444, "matrix_coefficients": 0}
    pillow_heif.encode(mode, codes.shape[1::-1], stored.tobytes(), path, **{**lossless, **options})
    return path.read_bytes()


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_code_of_a_lossless_file_is_read(pillow_heif, tmp_path: Path, bits: int, channels: int) -> None:
    codes, path = noise(channels, bits), tmp_path / "a.heic"
    written(pillow_heif, path, codes, bits)
    decoded, colours = HEIC.decode(path), min(channels, 3)
    assert decoded.bits == bits
    np.testing.assert_array_equal(decoded.values, codes[..., :colours])
    assert (decoded.alpha is not None) == (channels == 4)
    if channels == 4:
        np.testing.assert_array_equal(decoded.alpha, codes[..., 3])
    header = HEIC.header(path)
    assert (header.width, header.height, header.channels, header.bits) == (96, 64, channels, bits)


def test_profile_exif_and_xmp_are_read(pillow_heif, tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    pillow_heif.register_heif_opener()
    Image.fromarray(noise(3)).save(path, "HEIF", icc_profile=PROFILE, exif=exif(), xmp=XMP)
    decoded = decode(path)
    assert (decoded.profile, decoded.xmp) == (PROFILE, XMP)
    assert luxgrad.load(path).metadata["Model"] == "Camera 1"


def test_the_numbers_of_its_colour_space_are_read(pillow_heif, tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    written(pillow_heif, path, noise(3, 10), 10, color_primaries=9, transfer_characteristics=16, matrix_coefficients=9)
    assert HEIC.decode(path).encoding == Encoding("pq", "rec2020")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rotation_and_mirroring_are_applied_once(pillow_heif, tmp_path: Path, orientation: int) -> None:
    path, codes = tmp_path / "a.heic", noise(3)
    pillow_heif.register_heif_opener()
    options = {"quality": -1, "chroma": 444, "matrix_coefficients": 0, "exif": exif(orientation=orientation)}
    Image.fromarray(codes).save(path, "HEIF", **options)
    assert read_still(path).orientation == orientation
    stored = Image.fromarray(codes)
    stored.getexif()[0x0112] = orientation
    upright = np.array(ImageOps.exif_transpose(stored))
    decoded = HEIC.decode(path)
    assert decoded.orientation == 1
    np.testing.assert_array_equal(decoded.values, upright)


def test_files_cut_anywhere_or_with_impossible_lengths_are_refused_before_a_decoder_sees_them(
    pillow_heif, tmp_path: Path
) -> None:
    path = tmp_path / "a.heic"
    for what, content in damaged(written(pillow_heif, path, noise(4), exif=exif())):
        path.write_bytes(content)
        with pytest.raises(FileError):
            pytest.fail(f"{what}: read as {HEIC.header(path)}")


@pytest.mark.parametrize("shape", [(63, 95), (65, 97), (1, 1), (64, 641)])
@pytest.mark.parametrize("chroma", [420, 444])
def test_sizes_that_are_no_whole_blocks_are_read(pillow_heif, tmp_path: Path, shape: tuple[int, int], chroma: int) -> None:
    path = tmp_path / "a.heic"
    codes = np.full((*shape, 3), (200, 90, 30), np.uint8)
    written(pillow_heif, path, codes, quality=90, chroma=chroma, matrix_coefficients=6)
    decoded = HEIC.decode(path)
    assert decoded.values.shape == codes.shape
    assert np.abs(decoded.values.astype(int) - codes).max() <= 4


def test_a_grid_is_one_picture_and_its_first_tile_says_the_depth(pillow_heif, tmp_path: Path) -> None:
    codes, path = noise(3, 10), tmp_path / "a.heic"
    items, contents = {}, {}
    for number, left in ((1, 0), (2, 48)):
        data = written(pillow_heif, path, codes[:, left : left + 48], 10)
        file = io.BytesIO(data)
        tile = read_items(file, next(box for box in boxes(file) if box.kind == b"meta"))
        items[number] = tile.items[tile.primary]
        contents[number] = items[number].read(file, len(data))
    items[3], contents[3] = Item(b"grid"), struct.pack(">BBBBHH", 0, 0, 0, 1, 96, 64)
    items[3].properties = (Property(b"ispe", struct.pack(">III", 0, 96, 64)),)
    start = make_box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    grid = Items(3, items, [Reference(b"dimg", 3, (1, 2))])
    path.write_bytes(start + _meta_and_data(grid, contents, len(start)))
    np.testing.assert_array_equal(HEIC.decode(path).values, codes)
    assert HEIC.decode(path).bits == 10


@pytest.mark.parametrize("width", [8, 64, 95, 97, 200, 40_000])
def test_a_size_that_lies_is_refused(pillow_heif, tmp_path: Path, width: int) -> None:
    path = tmp_path / "a.heic"
    data = written(pillow_heif, path, noise(3))
    path.write_bytes(patched(data, body_of(data, b"ispe") + 4, ">I", width))
    with pytest.raises(FileError, match="damaged"):
        decode(path)


def test_without_a_decoder_the_way_to_get_one_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(imagecodecs.avif_encode(noise(3)).replace(b"avif", b"heic", 2))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(FileError, match="HEIC needs the package pillow_heif: pip install pillow-heif"):
        HEIC.decode(path)


def test_brands_tell_heic_from_avif(tmp_path: Path) -> None:
    def start(*brands: bytes) -> bytes:
        return (8 + 4 * (len(brands) + 1)).to_bytes(4, "big") + b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])

    told = {
        brands: told_by(start(*brands), Path("a")) for brands in ((b"heic", b"mif1"), (b"mif1", b"avif"), (b"crx ", b"isom"))
    }
    assert [form.name if form else None for form in told.values()] == ["HEIC", "AVIF", "camera raw"]

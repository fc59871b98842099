"""Photos in and out: every code, profile, orientation and byte of EXIF."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms

import luxgrad
from luxgrad import Graph
from luxgrad.files.encode import Canvas
from luxgrad.light.photo import Photo
from luxgrad.light.rectangle import Region, Size

NEUTRAL = Graph.of({
    "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
    "exposure": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0]}},
    "balance": {"class_type": "luxgrad.colour.white_balance", "inputs": {"image": ["exposure", 0]}},
    "curve": {"class_type": "luxgrad.tone.curve", "inputs": {"image": ["balance", 0]}},
    "colour": {"class_type": "luxgrad.colour.saturation", "inputs": {"image": ["curve", 0]}},
    "bands": {"class_type": "luxgrad.colour.hue_bands", "inputs": {"image": ["colour", 0]}},
    "sharpen": {"class_type": "luxgrad.detail.sharpen", "inputs": {"image": ["bands", 0]}},
    "clarity": {"class_type": "luxgrad.detail.clarity", "inputs": {"image": ["sharpen", 0]}},
    "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["clarity", 0]}},
})  # fmt: skip


def codes_of(path: Path) -> np.ndarray:
    if path.suffix == ".tif":
        return tifffile.imread(path)
    data = path.read_bytes()
    return imagecodecs.png_decode(data)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_neutral_graph_returns_every_code(tmp_path: Path, name: str, kind: type) -> None:
    levels = np.iinfo(kind).max + 1
    rows = np.arange(levels, dtype=kind).reshape(256, -1)
    grey = np.stack([rows, rows, rows], axis=2)
    generator = np.random.default_rng(0)
    colour = generator.integers(0, levels, (256, 64, 3), dtype=kind)
    codes = np.concatenate([grey, colour], axis=1)
    source, result = tmp_path / name, tmp_path / f"out_{name}"
    if source.suffix == ".tif":
        tifffile.imwrite(source, codes, photometric="rgb")
    else:
        source.write_bytes(imagecodecs.png_encode(codes))
    depth = "8" if kind is np.uint8 else "16"
    luxgrad.save(NEUTRAL(luxgrad.load(source)), result, depth=depth)
    np.testing.assert_array_equal(codes_of(result), codes)


def test_every_8_bit_code_survives_comfyuis_truncation() -> None:
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    canvas = Canvas(Size(16, 16), "8", truncate=True)
    source = Canvas(Size(16, 16), "8")
    source.codes[:] = codes
    canvas.put(Region(0, 0, 16, 16), NEUTRAL(source.photo()).pixels)
    np.testing.assert_array_equal(canvas.codes, codes)


def test_float_light_survives_a_float_tiff_and_counts_as_scene_light(tmp_path: Path) -> None:
    light = torch.rand(1, 3, 20, 30) * 60.0 - 0.5
    path = tmp_path / "hdr.tif"
    luxgrad.save(Photo(light), path, depth="float")
    again = luxgrad.load(path)
    assert again.light == "scene"
    torch.testing.assert_close(again.pixels, light, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((40, 60, 3), np.uint8)
    upright[:20, :30] = (200, 30, 30)
    upright[:20, 30:] = (30, 200, 30)
    turn = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270}  # fmt: skip
    stored = Image.fromarray(upright)
    stored = stored.transpose(turn[orientation]) if orientation in turn else stored
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = orientation, "Camera"
    path = tmp_path / "photo.png"
    stored.save(path, exif=exif)
    photo = luxgrad.load(path)
    np.testing.assert_array_equal(photo.raster.values.numpy(), upright)
    result = tmp_path / "out.tif"
    luxgrad.save(photo, result)
    assert luxgrad.load(result).size == photo.size
    assert luxgrad.load(result).metadata["Orientation"] == 1


@pytest.mark.parametrize("name", ["out.jpg", "out.png", "out.tif"])
@pytest.mark.parametrize("depth", ["8", "16"])
def test_exif_travels_to_every_format(tmp_path: Path, name: str, depth: str) -> None:
    if name == "out.jpg" and depth == "16":
        depth = "auto"
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x013B] = "Maker", "Camera 1", "Somebody"
    exif[0x8769] = {0x829A: 0.004, 0x8827: 640, 0x9003: "2026:01:02 03:04:05"}
    exif[0x8825] = {1: "N", 2: (48.0, 30.0, 0.0)}
    source = tmp_path / "in.jpg"
    Image.new("RGB", (30, 20), (90, 120, 60)).save(source, exif=exif)
    luxgrad.save(luxgrad.load(source), tmp_path / name, depth=depth)
    again = luxgrad.load(tmp_path / name)
    assert again.metadata["Model"] == "Camera 1"
    assert again.metadata["Artist"] == "Somebody"
    assert again.metadata["ISOSpeedRatings"] == 640
    assert again.metadata["ExposureTime"] == pytest.approx(0.004)
    with Image.open(tmp_path / "out.jpg" if name == "out.jpg" else source) as image:
        assert image.getexif().get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("name", ["out.jpg", "out.png", "out.tif"])
def test_every_file_carries_an_srgb_profile_that_littlecms_reads(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    luxgrad.save(Photo(torch.full((1, 3, 10, 10), 0.2)), path)
    if name == "out.tif":
        with tifffile.TiffFile(path) as file:
            data = file.pages[0].tags[34675].value
    else:
        with Image.open(path) as image:
            data = image.info["icc_profile"]
    profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
    assert ImageCms.getProfileDescription(profile).strip() == "sRGB"
    codes = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8))
    through = ImageCms.profileToProfile(codes, profile, ImageCms.createProfile("sRGB"), renderingIntent=1)
    assert np.abs(np.asarray(through).astype(int) - np.asarray(codes)).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_grey_palette_and_alpha_pictures_are_read(tmp_path: Path, mode: str) -> None:
    image = (
        Image.new("L", (7, 5), 255 if mode == "1" else 200).convert(mode)
        if mode != "I;16"
        else Image.fromarray(np.full((5, 7), 51400, np.uint16))
    )
    path = tmp_path / "grey.png"
    image.save(path)
    photo = luxgrad.load(path)
    assert photo.size == Size(5, 7)
    assert (photo.alpha is not None) == (mode in ("LA", "RGBA"))
    expected = 1.0 if mode == "1" else 0.5775804
    assert photo.pixels.mean().item() == pytest.approx(expected, abs=2e-3)


def test_alpha_is_carried_through_geometry_and_ignored_by_colour(tmp_path: Path) -> None:
    codes = np.zeros((20, 40, 4), np.uint8)
    codes[..., 3] = np.linspace(0, 255, 40, dtype=np.uint8)
    Image.fromarray(codes).save(tmp_path / "alpha.png")
    graph = Graph.of({
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {}},
        "lift": {"class_type": "luxgrad.tone.exposure", "inputs": {"image": ["photo", 0], "stops": 2.0}},
        "crop": {"class_type": "luxgrad.geometry.crop", "inputs": {"image": ["lift", 0], "left": 50.0}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["crop", 0]}},
    })  # fmt: skip
    photo = graph(luxgrad.load(tmp_path / "alpha.png"))
    luxgrad.save(photo, tmp_path / "out.png", depth="8")
    np.testing.assert_array_equal(codes_of(tmp_path / "out.png")[..., 3], codes[:, 20:, 3])


def test_8_bit_dither_is_fixed_to_the_place_and_leaves_whole_codes_alone(tmp_path: Path) -> None:
    ramp = torch.linspace(0.2, 0.22, 64 * 64).view(1, 1, 64, 64).expand(1, 3, -1, -1)
    for name in ("one.png", "two.png"):
        luxgrad.save(Photo(ramp), tmp_path / name, depth="8")
    one = codes_of(tmp_path / "one.png")
    np.testing.assert_array_equal(one, codes_of(tmp_path / "two.png"))
    luxgrad.save(Photo(ramp), tmp_path / "plain.png", depth="8", dither=False)
    plain = codes_of(tmp_path / "plain.png")
    assert np.abs(one.astype(int) - plain).max() == 1
    exact = 255 * (1.055 * ramp[0, 0].numpy() ** (1 / 2.4) - 0.055)
    assert abs((one[..., 0] - exact).mean()) < 0.03


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def huge_png(width: int, height: int, depth: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def jpeg(**options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def tiff(array: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


HOSTILE = {
    "empty.jpg": (b"", "got an empty file"),
    "junk.jpg": (bytes(range(256)) * 8, "expected a photo .*; got something else"),
    "cut.jpg": (jpeg()[:1500], "damaged, or of a kind that cannot be read"),
    "cut.png": (b"\x89PNG\r\n\x1a\n\0\0", "damaged"),
    "huge.png": (huge_png(60000, 60000, 8), "expected 1 px to 200 MP; got 60000 x 60000 px|damaged"),
    "huge16.png": (huge_png(60000, 60000, 16), "expected 1 px to 200 MP; got 60000 x 60000 px"),
    "cut16.png": (huge_png(64, 64, 16), "damaged"),
    "cut.tif": (tiff(np.zeros((50, 50, 3), np.uint8), photometric="rgb")[:600], "damaged"),
    "nan.tif": (
        tiff(np.full((5, 5, 3), np.nan, np.float32), photometric="rgb"),
        "expected finite light; got NaN .*row 0, column 0",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_photo_is_refused_in_one_line_that_names_it(tmp_path: Path, name: str) -> None:
    data, expected = HOSTILE[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(luxgrad.FileError, match=f"{name}: .*({expected})") as caught:
        luxgrad.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_folder_or_photo_is_named(tmp_path: Path) -> None:
    with pytest.raises(luxgrad.FileError, match=r"nothing.jpg: No such file"):
        luxgrad.load(tmp_path / "nothing.jpg")
    with pytest.raises(luxgrad.FileError, match=r"there is no folder"):
        luxgrad.save(Photo(torch.zeros(1, 3, 2, 2)), tmp_path / "no" / "out.png")
    with pytest.raises(luxgrad.FileError, match=r"expected a name ending in .jpg"):
        luxgrad.save(Photo(torch.zeros(1, 3, 2, 2)), tmp_path / "out.gif")
    with pytest.raises(luxgrad.FileError, match=r"expected 8 or hdr bits for JPEG; got 16"):
        luxgrad.save(Photo(torch.zeros(1, 3, 2, 2)), tmp_path / "out.jpg", depth="16")


def test_a_file_is_replaced_only_by_force_and_never_half_written(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_text("mine")
    photo = Photo(torch.zeros(1, 3, 4, 4))
    with pytest.raises(luxgrad.FileError, match="it exists already; --force replaces it"):
        luxgrad.save(photo, path)
    assert path.read_text() == "mine"
    luxgrad.save(photo, path, force=True)
    with pytest.raises(luxgrad.FileError, match="expected finite light; got NaN"):
        luxgrad.save(Photo(torch.full((1, 3, 4, 4), float("nan"))), path, force=True)
    assert luxgrad.load(path).size == Size(4, 4)
    assert [file.name for file in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 50), (50, 1), (33, 17)])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_pictures_of_odd_sizes_go_through(tmp_path: Path, height: int, width: int, name: str) -> None:
    path = tmp_path / name
    luxgrad.save(NEUTRAL(Photo(torch.full((1, 3, height, width), 0.3))), path)
    assert luxgrad.load(path).size == Size(height, width)
    assert luxgrad.load(path).pixels.mean().item() == pytest.approx(0.3, abs=5e-3)  # within a level

"""AVIF in and out: codes, colour, orientation and metadata against Pillow's plugin, avifdec, avifenc and exiftool."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageOps

import luxgrad
from luxgrad import environment
from luxgrad.files.decode import decode
from luxgrad.files.errors import FileError
from luxgrad.files.formats import avif
from luxgrad.files.formats.avif import AVIF, encode
from luxgrad.files.formats.cicp import encoding_of, numbers_of
from luxgrad.files.formats.format import Beside, Encoding, Saving
from luxgrad.files.formats.heif import read_still
from luxgrad.files.photo import _upright

from .heif_files import PROFILE, XMP, body_of, damaged, exif, patched
from .oracles import pillow_avif, program


def noise(channels: int, depth: str = "8", shape: tuple[int, int] = (20, 31)) -> np.ndarray:
    kind = np.uint8 if depth == "8" else np.uint16
    return np.random.default_rng(0).integers(0, 1 << int(depth), (*shape, channels), dtype=kind)


def written(path: Path, codes: np.ndarray, depth: str = "8", quality: int = 100, beside: Beside | None = None) -> bytes:
    encode(path, codes, beside or Beside(PROFILE), Saving(quality, depth))
    return path.read_bytes()


@pytest.mark.parametrize("depth", ["8", "10", "12"])
@pytest.mark.parametrize("channels", [3, 4])
def test_quality_100_returns_every_code(tmp_path: Path, depth: str, channels: int) -> None:
    codes, path = noise(channels, depth), tmp_path / "a.avif"
    written(path, codes, depth)
    decoded = AVIF.decode(path)
    assert decoded.bits == int(depth)
    np.testing.assert_array_equal(decoded.values, codes[..., :3])
    if channels == 4:
        assert decoded.alpha is not None
        np.testing.assert_array_equal(decoded.alpha, codes[..., 3])


@pytest.mark.parametrize("depth", ["8", "10"])
def test_another_decoder_finds_the_same_codes(tmp_path: Path, depth: str) -> None:
    codes, path, png = noise(3, depth), tmp_path / "a.avif", tmp_path / "a.png"
    written(path, codes, depth)
    if depth == "8":
        pillow_avif()
        np.testing.assert_array_equal(np.array(Image.open(path)), codes)
    subprocess.run([program("avifdec"), "-d", "16" if depth == "10" else "8", path, png], check=True, capture_output=True)
    found = imagecodecs.png_decode(png.read_bytes())
    most = 1023 if depth == "10" else 255
    np.testing.assert_array_equal(np.floor(found / np.iinfo(found.dtype).max * most + 0.5), codes)


def test_a_10_bit_ramp_is_near_at_quality_90(tmp_path: Path) -> None:
    ramp = np.arange(1024, dtype=np.uint16)
    codes = np.broadcast_to(ramp[None, :, None], (16, 1024, 3))
    written(tmp_path / "a.avif", codes, "10", quality=90)
    error = np.abs(AVIF.decode(tmp_path / "a.avif").values.astype(int) - codes)
    assert error.max() <= 6
    assert error.mean() < 1.5


class Plain:
    """An encoder without words for pixel formats and without numbers of colour, as imagecodecs was before 2025.11.11."""

    def avif_encode(self, data, level=None, speed=None, bitspersample=None, pixelformat=None) -> bytes:
        assert isinstance(pixelformat, int)
        return imagecodecs.avif_encode(data, level=level, speed=speed, bitspersample=bitspersample, pixelformat=pixelformat)


@pytest.mark.parametrize("encoding", [Encoding("pq", "rec2020"), Encoding("srgb", "p3")])
@pytest.mark.parametrize("quality", [100, 90, 60])
def test_an_encoder_that_cannot_be_told_the_colour_writes_files_that_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: Encoding, quality: int
) -> None:
    path, ramp = tmp_path / "a.avif", np.arange(1024, dtype=np.uint16)
    codes = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (16, 1024, 3)))
    monkeypatch.setattr(avif, "imagecodecs", lambda _: Plain())
    written(path, codes, "10", quality, Beside(PROFILE, encoding))
    monkeypatch.undo()
    decoded = AVIF.decode(path)
    assert b"nclx" + struct.pack(">HH", *numbers_of(encoding)) in path.read_bytes()
    assert np.abs(decoded.values.astype(int) - codes).max() <= {100: 0, 90: 6, 60: 40}[quality]


@pytest.mark.parametrize(
    ("options", "channels"),
    [(("-y", "400", "-r", "limited"), 1), (("-y", "400", "-r", "full"), 1), (("-y", "444", "-r", "limited"), 3),
     (("-y", "420", "-r", "full"), 3)],
)  # fmt: skip
@pytest.mark.parametrize("depth", [8, 10])
def test_grey_and_limited_range_become_full_range(tmp_path: Path, options: tuple, channels: int, depth: int) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (16, 1, 3))
    Image.fromarray(ramp).save(tmp_path / "a.png")
    command = [program("avifenc"), *options, "-d", str(depth), "--min", "0", "--max", "0", "a.png", "a.avif"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    decoded = AVIF.decode(tmp_path / "a.avif")
    assert (decoded.bits, decoded.values.shape[2]) == (depth, channels)
    most = (1 << depth) - 1
    assert np.abs(decoded.values / most - ramp[..., :channels] / 255).max() < 1.6 / 255


def test_profile_exif_and_xmp_are_read_back_by_pillow_and_by_us(tmp_path: Path) -> None:
    pillow_avif()
    path = tmp_path / "a.avif"
    written(path, noise(4), beside=Beside(PROFILE, exif=exif(), xmp=XMP))
    with Image.open(path) as image:
        assert image.info["icc_profile"] == PROFILE
        assert image.getexif()[0x0110] == "Camera 1"
        assert image.info["xmp"] == XMP
        np.testing.assert_array_equal(np.array(image), noise(4))
    decoded = AVIF.decode(path)
    assert (decoded.profile, decoded.xmp, decoded.encoding) == (PROFILE, XMP, None)
    assert luxgrad.load(path).metadata["Model"] == "Camera 1"


def test_exiftool_and_avifdec_read_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    written(path, noise(3, "10"), "10", beside=Beside(PROFILE, Encoding("srgb", "p3"), exif(), XMP))
    said = subprocess.run([program("avifdec"), "--info", path], check=True, capture_output=True, text=True).stdout
    facts = dict(line.strip(" *").split(":", 1) for line in said.splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    assert (facts["Bit Depth"], facts["Color Primaries"], facts["Transfer Char."], facts["Range"]) == ("10", "12", "13", "Full")
    assert facts["ICC Profile"] == f"Present ({len(PROFILE)} bytes)"
    assert facts["XMP Metadata"] == f"Present ({len(XMP)} bytes)"
    assert facts["Exif Metadata"].startswith("Present")
    tags = json.loads(subprocess.run([program("exiftool"), "-json", path], check=True, capture_output=True).stdout)[0]
    assert tags["Model"] == "Camera 1"
    assert tags["ProfileDescription"] == "Display P3"
    assert "Warning" not in tags


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rotation_and_mirroring_are_applied_once_and_exifs_word_is_ignored(tmp_path: Path, orientation: int) -> None:
    pillow_avif()
    path = tmp_path / "a.avif"
    Image.fromarray(noise(3)).save(path, quality=100, subsampling="4:4:4", exif=exif(orientation=orientation))
    decoded = AVIF.decode(path)
    assert decoded.orientation == orientation
    upright = _upright(decoded.values, decoded.orientation)
    with Image.open(path) as image:
        theirs = np.array(ImageOps.exif_transpose(image)).astype(int)
    assert np.abs(upright - theirs).max() <= 1, "libavif before 1.1 rounds otherwise"
    photo = luxgrad.load(path)
    np.testing.assert_array_equal(photo.raster.values, upright)
    assert photo.metadata["Orientation"] == 1


def test_a_crop_is_applied(tmp_path: Path) -> None:
    Image.fromarray(noise(3)).save(tmp_path / "a.png")
    command = [program("avifenc"), "-l", "--crop", "4,2,10,12", "a.png", "a.avif"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    np.testing.assert_array_equal(AVIF.decode(tmp_path / "a.avif").values, noise(3)[2:14, 4:14])


def test_a_grid_is_one_picture(tmp_path: Path) -> None:
    codes = noise(3, shape=(128, 192))
    Image.fromarray(codes).save(tmp_path / "a.png")
    tiles = []
    for row in (0, 1):
        for column in (0, 1, 2):
            tiles.append(f"{row}{column}.png")
            Image.fromarray(codes[row * 64 : row * 64 + 64, column * 64 : column * 64 + 64]).save(tmp_path / tiles[-1])
    command = [program("avifenc"), "-l", "--grid", "3x2", *tiles, "a.avif"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    np.testing.assert_array_equal(AVIF.decode(tmp_path / "a.avif").values, codes)


def test_of_a_sequence_the_first_frame_is_read_and_the_frames_are_counted(tmp_path: Path) -> None:
    pillow_avif()
    path, frames = tmp_path / "a.avif", [Image.new("RGB", (32, 20), (60 * n, 10, 200)) for n in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], quality=100, subsampling="4:4:4")
    assert AVIF.header(path).frames == 3
    decoded = AVIF.decode(path)
    assert decoded.facts["Frames"] == 3
    assert np.abs(decoded.values[0, 0].astype(int) - (0, 10, 200)).max() <= 2


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((1, 13), ("srgb", "srgb")),
        ((9, 16), ("pq", "rec2020")),
        ((9, 18), ("hlg", "rec2020")),
        ((12, 8), ("linear", "p3")),
        ((1, 14), ("bt709", "srgb")),
    ],
)
def test_numbers_of_colour_spaces_become_words_and_words_numbers(tmp_path: Path, numbers: tuple, words: tuple) -> None:
    assert encoding_of(*numbers) == Encoding(*words)
    assert numbers_of(Encoding(*words)) == numbers
    path = tmp_path / "a.avif"
    data = imagecodecs.avif_encode(noise(3), level=90)
    path.write_bytes(patched(data, body_of(data, b"colr") + 4, ">HH", *numbers))
    assert read_still(path).encoding == Encoding(*words)
    assert read_still(path).profile is None


def test_pq_becomes_light_with_203_nits_at_1(tmp_path: Path) -> None:
    nits = np.array([0.0, 100.0, 203.0, 1000.0, 10_000.0])
    power = (nits / 10_000) ** (2610 / 16384)  # ITU-R BT.2100, table 4
    codes = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    whole = np.floor(codes * 4095 + 0.5).astype(np.uint16)
    pixels = np.broadcast_to(whole[None, :, None], (4, 5, 3))
    path = tmp_path / "a.avif"
    written(path, pixels, "12", beside=Beside(PROFILE, Encoding("pq", "rec2020")))
    light = luxgrad.load(path).pixels[0, :, 0]
    np.testing.assert_allclose(light, np.broadcast_to(nits / 203, (3, 5)), rtol=2e-3, atol=1e-6)


def test_a_space_without_numbers_is_left_to_its_profile(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    written(path, noise(3), beside=Beside(PROFILE, Encoding("gamma:2.19921875", "adobe")))
    assert PROFILE in path.read_bytes()
    assert b"nclx" + bytes((0, 2, 0, 2)) in path.read_bytes()


@pytest.mark.parametrize(("primaries", "transfer", "said"), [(3, 13, "H.273 primaries 3"), (1, 9, "primaries 1, transfer 9")])
def test_numbers_that_name_nothing_of_ours_are_refused(tmp_path: Path, primaries: int, transfer: int, said: str) -> None:
    path = tmp_path / "a.avif"
    data = imagecodecs.avif_encode(noise(3))
    path.write_bytes(patched(data, body_of(data, b"colr") + 4, ">HH", primaries, transfer))
    with pytest.raises(FileError, match=said):
        AVIF.header(path)


def test_files_cut_anywhere_or_with_impossible_lengths_are_refused_before_a_decoder_sees_them(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    data = written(path, noise(4), beside=Beside(PROFILE, exif=exif(), xmp=XMP))
    broken = list(damaged(data))
    assert len(broken) > 150
    for what, content in broken:
        path.write_bytes(content)
        with pytest.raises(FileError):
            pytest.fail(f"{what}: read as {AVIF.header(path)}")


@pytest.mark.parametrize(
    ("kind", "offset", "layout", "value", "said"),
    [
        (b"ispe", 4, ">I", 30, "header says 30 x 20 px; inside are 31 x 20 px"),
        (b"ispe", 4, ">I", 0x7FFFFFFF, "header says 2147483647 x 20 px; inside are 31 x 20 px"),
        (b"ispe", 8, ">I", 0, "header says 31 x 0 px; inside are 31 x 20 px"),
        (b"iloc", 14, ">I", 0xFFFFFF00, "item 1 reaches to byte .* beyond"),
        (b"iloc", 6, ">H", 0xFFFF, "at most 4096 items; got 65535"),
        (b"iinf", 4, ">H", 0xFFFF, "at most 4096 items; got 65535"),
        (b"ipma", 4, ">I", 0xFFFFFFFF, "at most 4096 items with properties"),
        (b"pitm", 4, ">H", 9, "its picture is item 9, which is missing"),
        (b"iloc", 10, ">H", 1, "item 1 elsewhere"),
    ],
)
def test_boxes_that_lie_are_refused(tmp_path: Path, kind: bytes, offset: int, layout: str, value: int, said: str) -> None:
    path = tmp_path / "a.avif"
    data = written(path, noise(3))
    path.write_bytes(patched(data, body_of(data, kind) + offset, layout, value))
    with pytest.raises(FileError, match=said):
        AVIF.decode(path)


def test_a_picture_beyond_the_limit_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "a.avif", noise(3))
    monkeypatch.setenv("LUXGRAD_MOST_MEGAPIXELS", "0.0006")
    environment.use()
    with pytest.raises(FileError, match=r"expected 1 px to 0\.0006 MP; got 31 x 20 px"):
        decode(tmp_path / "a.avif")


def test_a_photo_is_saved_and_loaded(tmp_path: Path, photos: Path) -> None:
    photo = luxgrad.load(photos / "kitten.png")
    luxgrad.save(photo, tmp_path / "a.avif", depth="8", quality=100)
    np.testing.assert_array_equal(luxgrad.load(tmp_path / "a.avif").raster.values, photo.raster.values)

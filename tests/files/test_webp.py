"""WebP in and out, against Pillow."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import luxgrad
from luxgrad.files.decode import decode, format_of
from luxgrad.files.errors import FileError
from luxgrad.files.formats.format import Beside, Saving
from luxgrad.files.formats.webp import WEBP, encode
from luxgrad.files.icc_write import build_profile
from luxgrad.light.encodings import SPACES

PROFILE = build_profile(SPACES["Display P3"])
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'


def noise(channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 31, channels), dtype=np.uint8)


def exif(model: str = "Camera 1") -> bytes:
    block = Image.Exif()
    block[0x0110] = model
    return block.tobytes()


@pytest.mark.parametrize("channels", [3, 4])
def test_quality_100_returns_every_code_also_under_alpha_0(tmp_path: Path, channels: int) -> None:
    codes, path = noise(channels), tmp_path / "a.webp"
    encode(path, codes, Beside(PROFILE), Saving(100))
    np.testing.assert_array_equal(np.array(Image.open(path)), codes)
    decoded = decode(path)
    np.testing.assert_array_equal(decoded.values, codes[..., :3])
    if channels == 4:
        assert decoded.alpha is not None
        np.testing.assert_array_equal(decoded.alpha, codes[..., 3])


def test_lossy_pictures_decode_to_pillows_codes_and_are_near(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 96, dtype=np.uint8)
    codes = np.stack(np.broadcast_arrays(ramp[None], ramp[:, None], np.uint8(90)), axis=2)
    path = tmp_path / "a.webp"
    encode(path, codes, Beside(PROFILE), Saving(90))
    again = decode(path).values
    np.testing.assert_array_equal(again, np.array(Image.open(path).convert("RGB")))
    assert np.abs(again.astype(int) - codes).mean() < 3


def test_profile_exif_and_xmp_are_read_back_by_pillow_and_by_us(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    encode(path, noise(3), Beside(PROFILE, exif=exif(), xmp=XMP), Saving())
    with Image.open(path) as image:
        assert image.info["icc_profile"] == PROFILE
        assert image.getexif()[0x0110] == "Camera 1"
        assert image.info["xmp"] == XMP
    decoded = decode(path)
    assert (decoded.profile, decoded.xmp) == (PROFILE, XMP)
    assert luxgrad.load(path).metadata["Model"] == "Camera 1"


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}, {"quality": 80, "icc_profile": PROFILE}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_header_says_size_and_alpha_without_decoding(tmp_path: Path, options: dict, mode: str) -> None:
    path = tmp_path / "a.webp"
    Image.fromarray(noise(len(mode))).save(path, **options)
    header = WEBP.header(path)
    assert (header.width, header.height, header.channels, header.bits, header.frames) == (31, 20, len(mode), 8, 1)


def test_of_an_animation_the_first_frame_is_read_and_the_frames_are_counted(tmp_path: Path) -> None:
    path, frames = tmp_path / "a.webp", [Image.new("RGB", (31, 20), (60 * n, 10, 200)) for n in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    assert WEBP.header(path).frames == 3
    decoded = decode(path)
    assert decoded.facts["Frames"] == 3
    assert decoded.values[0, 0].tolist() == [0, 10, 200]


def test_a_photo_is_saved_and_loaded(tmp_path: Path, photos: Path) -> None:
    photo = luxgrad.load(photos / "kitten.png")
    luxgrad.save(photo, tmp_path / "a.webp", quality=100)
    np.testing.assert_array_equal(luxgrad.load(tmp_path / "a.webp").raster.values, photo.raster.values)


def test_an_edge_that_webp_cannot_hold_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="at most 16383 px; got 16384 x 1 px"):
        encode(tmp_path / "a.webp", np.zeros((1, 16384, 3), np.uint8), Beside(PROFILE), Saving())


def test_truncated_and_lying_files_are_refused(tmp_path: Path) -> None:
    path, broken = tmp_path / "a.webp", tmp_path / "b.webp"
    encode(path, noise(4), Beside(PROFILE, exif=exif()), Saving())
    data = path.read_bytes()
    for length in range(12, len(data), 97):
        broken.write_bytes(data[:length])
        with pytest.raises(FileError):
            decode(broken)
    body = b"WEBPVP8X" + struct.pack("<II3s3s", 10, 0, b"\xff\x3f\0", b"\xff\xff\xff") + data[12:]
    broken.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    with pytest.raises(FileError, match="expected 1 px to 200 MP; got 16384 x 16777216 px"):
        decode(broken)
    assert format_of(broken) is WEBP

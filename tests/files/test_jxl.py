"""JPEG XL: codes, colour and metadata against libjxl's own programs, and streams that lie."""

from __future__ import annotations

import base64
import io
import struct
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

import luxgrad
from luxgrad.files.decode import read_photo
from luxgrad.files.errors import FileError
from luxgrad.files.formats import jxl
from luxgrad.files.formats.format import Beside, Encoding, Saving
from luxgrad.files.formats.isobmff import make_box
from luxgrad.files.formats.jxl import JPEG_XL, decode, encode, header
from luxgrad.files.formats.jxl_bits import BitReader, BitWriter
from luxgrad.files.formats.jxl_header import Depth, read_header, relabelled

from .oracles import codecs_since, program

ADOBE_LOSSLESS = """{|XpD5W<(jfP{GfR5g-GY>D$aK5zvp`3{%~m4AXHguHx&-3le%0qk4>JJ<4P?Sza*qouRR7lHiSv~0yUhhg1Lj96}1vTwzfe
C+>i`^j>L4uODntsDTSX`EpTcnS9J-+2zawSava{{6c*<ln!2MR2<Xf!#sQD)i9=5BU)40|aHkTnofx!a^SC6UF_jbJeT~%00of8SDs!Q8x$z0RVgeOBj=
mgM%3;mKG>9B?UYH%{k`;0001h0{{R30000"""
STRANGE_LOSSY = """{|XpDkiw0^fP{GfY^vlC;5@HmtLpWF>wHhB{Ile8^RcWd6j&E9Q-+_?8aqo`t=7;P<co#;ZBnM<i$gPRCaw(U4H=SO&1T535YVob!-LapoM
sBR3HI;b`5w4y0sA)m`*&~1zkmCRpt=Qt*+I@I<k18d`LNUn2-*dGEwE-M4D17aqNq=t@@7)*3A)K(Mkuth0RR(-0FVLy|EdB2P@yu)xWUW0o-aRiSWMfv&d^rd7M3K6jAN
5@0*55AqQ?y+kOTk#$lUx*Jz%sdNh}24-|$`M3sCu`whb^WfBRqj)$hJ4+ZjK*s@6AD>e-CI#bGd>LkJ8YOA-M"""
"""6 x 4 px, written by cjxl 0.7 with ICC profiles: Adobe RGB's primaries and sRGB's curve; the same and a curve with a jump."""

RAMP = np.arange(6)[None, :, None] * 40 + np.arange(4)[:, None, None] * 9 + np.arange(3) * 5
SPACES = [Encoding(), Encoding("srgb", "p3"), Encoding("srgb", "rec2020"), Encoding("gamma:2.19921875", "adobe")]
EXIF = b"II*\0\x08\0\0\0\1\0\x0f\1\2\0\6\0\0\0\x1a\0\0\0\0\0\0\0Maker\0"


def fixture(text: str, path: Path) -> Path:
    path.write_bytes(base64.b85decode(text.replace("\n", "")))
    return path


def beside(encoding: Encoding = SPACES[0], **more) -> Beside:
    return Beside(b"", encoding, **more)


def codes(kind: str, channels: int = 3) -> np.ndarray:
    chance = np.random.default_rng(5)
    if np.dtype(kind).kind == "f":
        return (chance.normal(0.5, 3.0, (33, 47, channels))).astype(kind)
    return chance.integers(0, np.iinfo(kind).max, (33, 47, channels), kind, endpoint=True)


def smooth(kind: str) -> np.ndarray:
    y, x = np.mgrid[0:48, 0:64] / 64
    return (np.stack([0.2 + 0.6 * x, 0.3 + 0.5 * y, 0.7 - 0.4 * x * y], axis=2) * np.iinfo(kind).max + 0.5).astype(kind)


def run(*words: object) -> str:
    return subprocess.run([str(word) for word in words], capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("encoding", SPACES, ids=lambda encoding: str(encoding.primaries))
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float16", "float32"])
def test_at_quality_100_and_for_floats_every_code_and_its_colour_come_back(
    tmp_path: Path, kind: str, channels: int, encoding: Encoding
) -> None:
    path, written = tmp_path / "a.jxl", codes(kind, channels)
    if written.dtype.kind == "f":
        encoding = Encoding("linear", encoding.primaries)
    encode(path, written, beside(encoding), Saving(100 if written.dtype.kind == "u" else 60))
    read = decode(path)
    assert read.values.dtype == written.dtype
    assert read.values.tobytes() == np.ascontiguousarray(written[..., :3]).tobytes()
    assert (read.alpha is None) if channels == 3 else (read.alpha.tobytes() == written[..., 3].tobytes())
    assert imagecodecs.jpegxl_decode(path.read_bytes()).tobytes() == written.tobytes()
    told = header(path)
    assert (told.width, told.height, told.channels, told.bits) == (47, 33, channels, written.dtype.itemsize * 8)
    if encoding.primaries == "adobe":
        assert read.encoding.primaries == ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), (0.3127, 0.329))
        assert read.encoding.transfer == ("linear" if written.dtype.kind == "f" else "gamma:2.199219")
    else:
        assert read.encoding == encoding


@pytest.mark.parametrize("channels", [3, 4])
def test_every_half_there_is_comes_back(tmp_path: Path, channels: int) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    finite = bits[(bits & 0x7C00) != 0x7C00]
    planes = [np.roll(finite, 977 * channel).reshape(-1, 256) for channel in range(channels)]
    written = np.stack(planes, axis=2).view(np.float16)
    encode(tmp_path / "a.jxl", written, beside(Encoding("linear")), Saving())
    read = decode(tmp_path / "a.jxl")
    assert read.values.tobytes() == np.ascontiguousarray(written[..., :3]).tobytes()
    assert (read.alpha is None) if channels == 3 else (read.alpha.tobytes() == written[..., 3].tobytes())


class Refusing:
    """An encoder that refuses floats at some efforts, as libjxl 0.12 does where signs mix."""

    JpegxlError = imagecodecs.JpegxlError

    def __init__(self, *refused: int) -> None:
        self.refused, self.asked = refused, []

    def jpegxl_encode(self, codes: np.ndarray, **options) -> bytes:
        self.asked.append(options["effort"])
        if options["effort"] in self.refused:
            raise imagecodecs.JpegxlError("JxlEncoderProcessOutput", None)
        return imagecodecs.jpegxl_encode(codes, **{**options, "effort": 9})


def test_floats_that_one_effort_refuses_are_stored_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, written, encoder = tmp_path / "a.jxl", codes("float32"), Refusing(3, 5)
    monkeypatch.setattr(jxl, "imagecodecs", lambda _: encoder)
    encode(path, written, beside(Encoding("linear")), Saving())
    monkeypatch.undo()
    assert encoder.asked == [3, 5, 7]
    assert decode(path).values.tobytes() == written.tobytes()


def test_floats_that_every_effort_refuses_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = Refusing(3, 5, 7, 9, 10), Refusing(3, 5, 7, 9, 10)
    for encoder, written in ((small, codes("float32")), (large, np.zeros((300, 300, 3), np.float32))):
        monkeypatch.setattr(jxl, "imagecodecs", lambda _, encoder=encoder: encoder)
        with pytest.raises(FileError, match="half can hold them"):
            encode(tmp_path / "a.jxl", written, beside(Encoding("linear")), Saving())
    assert (small.asked, large.asked) == ([3, 5, 7, 9, 10], [3, 5, 7])


@pytest.mark.parametrize(("primaries", "words"), [("srgb", "sRGB"), ("p3", "P3"), ("rec2020", "Rec.2100"), ("adobe", "Custom")])
def test_jxlinfo_reads_the_colour_that_was_written(tmp_path: Path, primaries: str, words: str) -> None:
    encode(tmp_path / "a.jxl", smooth("uint16"), beside(Encoding("srgb", primaries)), Saving(100))
    assert f"{words} primaries" in run(program("jxlinfo"), tmp_path / "a.jxl")


@pytest.mark.parametrize("encoding", SPACES[:3], ids=lambda encoding: str(encoding.primaries))
@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_lossy_codes_mean_the_same_colour_in_every_space_and_djxl_agrees(tmp_path: Path, kind: str, encoding: Encoding) -> None:
    path, written = tmp_path / "a.jxl", smooth(kind)
    encode(path, written, beside(encoding), Saving(95))
    read = decode(path)
    most = np.iinfo(kind).max
    assert read.encoding == encoding
    assert np.abs(read.values / most - written / most).mean() < 0.004
    assert path.stat().st_size < written.nbytes / 8
    run(program("djxl"), path, tmp_path / "a.ppm")
    theirs = imagecodecs_ppm(tmp_path / "a.ppm")
    assert np.abs(theirs / most - read.values / most).max() < 2 / 255


def imagecodecs_ppm(path: Path) -> np.ndarray:
    data = path.read_bytes()
    _, size, most, rest = data.split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(rest, ">u2" if int(most) > 255 else "u1").reshape(height, width, 3)


def test_a_photo_goes_out_and_in_through_the_public_face(tmp_path: Path) -> None:
    light = torch.rand(1, 3, 20, 30) * 4.0 - 0.2
    photo = luxgrad.Photo(light, alpha=torch.rand(1, 1, 20, 30), light="scene")
    luxgrad.save(photo, tmp_path / "a.jxl", depth="float")
    again = luxgrad.load(tmp_path / "a.jxl")
    assert again.light == "scene"
    assert (again.pixels - light).abs().max() < 3e-6
    assert torch.equal(again.alpha, photo.alpha)


def test_exif_and_xmp_are_read_by_exiftool_and_come_back(tmp_path: Path) -> None:
    path, packet = tmp_path / "a.jxl", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    encode(path, codes("uint8"), beside(exif=b"Exif\0\0" + EXIF, xmp=packet), Saving(100))
    read = decode(path)
    assert (read.exif, read.xmp, read.orientation) == (EXIF, packet, 1)
    assert read_photo(path).metadata["Make"] == "Maker"
    assert "Maker" in run(program("exiftool"), "-Make", path)


def test_compressed_metadata_is_read_and_a_bomb_of_it_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jxl"
    encode(path, codes("uint8"), beside(), Saving(100))
    good = path.read_bytes()
    path.write_bytes(good + make_box(b"brob", b"Exif" + imagecodecs.brotli_encode(b"\0\0\0\0" + EXIF)))
    assert decode(path).exif == EXIF
    path.write_bytes(good + make_box(b"brob", b"xml " + imagecodecs.brotli_encode(bytes(40 << 20), level=5)))
    with pytest.raises(FileError, match="more than 16 MB"):
        decode(path)
    path.write_bytes(good + make_box(b"brob", b"xml not brotli at all"))
    with pytest.raises(FileError, match="compressed metadata"):
        decode(path)


def test_an_icc_profile_in_the_stream_is_read_as_littlecms_reads_it(tmp_path: Path) -> None:
    read = decode(fixture(ADOBE_LOSSLESS, tmp_path / "a.jxl"))
    assert (read.values == RAMP).all()
    profile = ImageCms.ImageCmsProfile(io.BytesIO(read.profile))
    assert ImageCms.getProfileDescription(profile).strip() == "adobe"
    assert struct.unpack(">I", read.profile[:4])[0] == len(read.profile) == 484
    Image.fromarray(RAMP.astype(np.uint8)).save(tmp_path / "a.png", icc_profile=read.profile)
    assert torch.equal(read_photo(tmp_path / "a.jxl").pixels, read_photo(tmp_path / "a.png").pixels)


def test_what_was_compressed_from_a_profile_without_a_name_is_read_as_the_same_light(tmp_path: Path) -> None:
    read = decode(fixture(STRANGE_LOSSY, tmp_path / "a.jxl"))
    assert (read.values.dtype, read.encoding, read.light) == (np.float32, Encoding("linear"), "display")
    light = read_photo(tmp_path / "a.jxl").pixels
    assert light.min() > -0.05
    assert 0.6 < light.max() < 1.0


def test_orientation_is_applied_once_by_the_stream_and_exif_is_not_asked(tmp_path: Path) -> None:
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "a.jpg", exif=exif, quality=95)
    run(program("cjxl"), tmp_path / "a.jpg", tmp_path / "a.jxl")
    ours, theirs = read_photo(tmp_path / "a.jxl").pixels, read_photo(tmp_path / "a.jpg").pixels
    assert ours.shape == theirs.shape == (1, 3, 48, 32)
    assert (ours - theirs).abs().max() < 0.1


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_codes_of_odd_depths_come_with_their_bits(tmp_path: Path, bits: int) -> None:
    written = codes("uint16") >> (16 - bits)
    stream = codecs_since("2024.9.22").jpegxl_encode(written, lossless=True, bitspersample=bits)
    (tmp_path / "a.jxl").write_bytes(stream)
    read = decode(tmp_path / "a.jxl")
    assert (read.values == written).all()
    assert (read.bits, header(tmp_path / "a.jxl").bits) == (bits, bits)


def test_grey_is_one_channel(tmp_path: Path) -> None:
    written = codes("uint8")[..., 0]
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(written, lossless=True))
    assert (decode(tmp_path / "a.jxl").values[..., 0] == written).all()


def test_of_an_animation_the_first_frame_is_read(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.roll(smooth("uint8"), 20 * step, 1)) for step in range(3)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:], duration=100)
    run(program("cjxl"), "-d", 0, tmp_path / "a.png", tmp_path / "a.jxl")
    assert (decode(tmp_path / "a.jxl").values == smooth("uint8")).all()
    assert "animation" in header(tmp_path / "a.jxl").kind


@pytest.mark.parametrize("ratio", range(8))
@pytest.mark.parametrize("by_eight", [0, 1])
def test_every_way_to_write_a_size_is_read(ratio: int, by_eight: int) -> None:
    write = BitWriter()
    write.bits(0x0AFF, 16)
    write.bits(by_eight, 1)
    edge = [(19, 5)] if by_eight else [(1, 2), (159, 13)]
    for value, count in [*edge, (ratio, 3), *(() if ratio else edge), (1, 1), (1, 1)]:
        write.bits(value, count)
    told = read_header(write.bytes())
    over = (1.0, 1.0, 1.2, 4 / 3, 1.5, 16 / 9, 1.25, 2.0)[ratio]
    assert (told.width, told.height, told.encoding) == (int(160 * over + 1e-9), 160, Encoding())


def test_a_lying_size_is_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    write = BitWriter()
    write.bits(0x0AFF, 16)
    for value, count in [(0, 1), (3, 2), ((1 << 30) - 1, 30), (1, 3), (1, 1), (1, 1)]:
        write.bits(value, count)
    (tmp_path / "a.jxl").write_bytes(write.bytes() + bytes(40))
    with pytest.raises(FileError, match=r"a.jxl: expected 1 px to 200 MP; got 1073741824 x 1073741824 px"):
        read_photo(tmp_path / "a.jxl")


@pytest.mark.parametrize("text", [ADOBE_LOSSLESS, STRANGE_LOSSY], ids=["lossless", "lossy"])
def test_a_stream_that_ends_early_is_refused_at_every_length(tmp_path: Path, text: str) -> None:
    data = fixture(text, tmp_path / "a.jxl").read_bytes()
    for length in range(3, len(data) - 60, 5):
        with pytest.raises((FileError, imagecodecs.JpegxlError)):
            decode_bytes(data[:length], tmp_path)


def test_a_profile_with_flipped_bits_is_refused_or_another_profile_but_never_a_surprise(tmp_path: Path) -> None:
    data = fixture(ADOBE_LOSSLESS, tmp_path / "a.jxl").read_bytes()
    chance = np.random.default_rng(2)
    refused = 0
    for _ in range(200):
        damaged = bytearray(data)
        damaged[chance.integers(5, 150)] ^= 1 << chance.integers(8)
        try:
            decode_bytes(bytes(damaged), tmp_path)
        except (FileError, imagecodecs.JpegxlError, IndexError, ValueError):
            refused += 1
    assert refused > 50


def decode_bytes(data: bytes, folder: Path):
    (folder / "damaged.jxl").write_bytes(data)
    return decode(folder / "damaged.jxl")


def test_colour_that_is_not_told_is_refused_by_name(tmp_path: Path) -> None:
    stream = imagecodecs.jpegxl_encode(codes("uint8"), lossless=True)
    told = read_header(stream)
    write = BitWriter()
    write.copy(stream, 0, told.colour_at[0])
    for value, count in [(0, 2), (0, 2), (1, 2), (1, 2), (0, 1), (2, 2), (0, 4), (1, 2)]:  # RGB, D65, sRGB, unknown transfer
        write.bits(value, count)
    write.copy(stream, told.colour_at[1], told.end)
    (tmp_path / "a.jxl").write_bytes(write.bytes() + stream[-(-told.end // 8) :])
    with pytest.raises(FileError, match=r"a.jxl: JPEG XL whose colour is not told"):
        read_photo(tmp_path / "a.jxl")


def test_a_space_that_the_header_has_no_name_for_is_refused() -> None:
    stream = imagecodecs.jpegxl_encode(codes("uint8"), lossless=True)
    with pytest.raises(FileError, match="no name for the primaries romm"):
        relabelled(stream, Encoding("srgb", "romm"))
    with pytest.raises(FileError, match="no name for the transfer log"):
        relabelled(stream, Encoding("log"))


def test_numbers_of_64_bits_are_read_in_all_four_ways() -> None:
    def number(*fields: tuple[int, int]) -> int:
        write = BitWriter()
        for value, count in (*fields, (0, 60)):
            write.bits(value, count)
        return BitReader(write.bytes()).u64()

    assert number((0, 2)) == 0
    assert number((1, 2), (5, 4)) == 6
    assert number((2, 2), (200, 8)) == 217
    assert number((3, 2), (7, 12), (1, 1), (9, 8), (0, 1)) == 7 + (9 << 12)


def test_a_name_with_jxl_at_its_end_is_written_as_jpeg_xl_and_runs_apart() -> None:
    assert JPEG_XL.apart
    assert Depth(16, 5) == read_header(imagecodecs_stream("float16")).depth


def imagecodecs_stream(kind: str) -> bytes:
    data = imagecodecs.jpegxl_encode(codes(kind), lossless=True)
    return data[data.index(b"jxlc") + 4 :] if b"jxlc" in data else data[data.index(b"\xff\x0a") :]

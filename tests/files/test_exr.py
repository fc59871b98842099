"""OpenEXR against its own library: bits, windows, parts, colour and attributes; and headers that lie."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import torch
from PIL import Image

import luxgrad
from luxgrad.files.decode import read_photo
from luxgrad.files.errors import FileError
from luxgrad.files.exif import read_exif
from luxgrad.files.formats.exr import OPENEXR, decode, encode, header
from luxgrad.files.formats.format import Beside, Encoding, Saving

LINEAR = Encoding("linear")
COMPRESSIONS = ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "DWAA", "DWAB"]
LOSSLESS = ["NO", "RLE", "ZIPS", "ZIP", "PIZ"]


def light(kind: str = "float32", channels: int = 3) -> np.ndarray:
    chance = np.random.default_rng(8)
    values = chance.normal(1.0, 4.0, (37, 53, channels)).astype(kind)
    values[0, 0] = 60000.0
    return values


def write(path: Path, channels: dict[str, np.ndarray], **more) -> None:
    attributes = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **more}
    with OpenEXR.File(attributes, channels) as file:
        file.write(str(path))


def window(left: int, top: int, right: int, bottom: int):
    return np.array([left, top], np.int32), np.array([right, bottom], np.int32)


@pytest.mark.parametrize("kind", ["float16", "float32"])
@pytest.mark.parametrize("compression", LOSSLESS)
def test_every_lossless_compression_gives_the_same_bits(tmp_path: Path, compression: str, kind: str) -> None:
    written = light(kind)
    write(tmp_path / "a.exr", {"RGB": written}, compression=getattr(OpenEXR, compression + "_COMPRESSION"))
    read = decode(tmp_path / "a.exr")
    assert read.values.dtype == np.dtype(kind)
    assert np.ascontiguousarray(read.values).tobytes() == written.tobytes()
    assert (read.light, read.encoding, read.alpha) == ("scene", LINEAR, None)
    told = header(tmp_path / "a.exr")
    assert (told.width, told.height, told.channels, told.bits) == (53, 37, 3, 16 if kind == "float16" else 32)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_compression_is_read_as_the_library_reads_it(tmp_path: Path, compression: str) -> None:
    write(tmp_path / "a.exr", {"RGB": light("float16")}, compression=getattr(OpenEXR, compression + "_COMPRESSION"))
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        assert (decode(tmp_path / "a.exr").values == file.channels()["RGB"].pixels).all()


def test_tiles_are_read(tmp_path: Path) -> None:
    tiles = OpenEXR.TileDescription()
    tiles.xSize, tiles.ySize, tiles.mode = 16, 8, OpenEXR.ONE_LEVEL
    write(tmp_path / "a.exr", {"RGB": light()}, type=OpenEXR.tiledimage, tiles=tiles)
    assert (decode(tmp_path / "a.exr").values == light()).all()


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_what_is_written_is_read_by_the_library_bit_for_bit(tmp_path: Path, kind: str) -> None:
    encode(tmp_path / "a.exr", light(kind), Beside(b"", LINEAR), Saving())
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        assert file.channels()["RGB"].pixels.tobytes() == light(kind).tobytes()
        assert file.header()["compression"] == OpenEXR.ZIP_COMPRESSION
    assert decode(tmp_path / "a.exr").values.tobytes() == light(kind).tobytes()


def test_colour_is_multiplied_by_alpha_in_the_file_and_divided_by_it_when_read(tmp_path: Path) -> None:
    written = light(channels=4)
    written[..., 3] = np.linspace(0.25, 1.0, 53)
    encode(tmp_path / "a.exr", written, Beside(b"", LINEAR), Saving())
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        stored = file.channels()["RGBA"].pixels
    assert (stored[..., :3] == written[..., :3] * written[..., 3:]).all()
    read = decode(tmp_path / "a.exr")
    assert (read.alpha == written[..., 3]).all()
    np.testing.assert_allclose(read.values, written[..., :3], rtol=3e-7)


def test_light_where_alpha_is_nothing_stays(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", {"RGBA": np.dstack([light(), np.zeros((37, 53), np.float32)])})
    assert (decode(tmp_path / "a.exr").values == light()).all()


def test_luminance_alone_is_grey(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", {"Y": light()[..., 0].copy()})
    assert (decode(tmp_path / "a.exr").values == light()[..., :1]).all()


def test_a_layer_is_read_where_there_is_no_plain_colour(tmp_path: Path) -> None:
    planes = {
        f"{layer}.{name}": light()[..., i] * scale for layer, scale in (("a", 1), ("b", 2)) for i, name in enumerate("RGB")
    }
    write(tmp_path / "a.exr", {name: plane.copy() for name, plane in planes.items()} | {"Z": light()[..., 0].copy()})
    assert (decode(tmp_path / "a.exr").values == light()).all()


def test_of_several_parts_the_first_with_colour_is_read(tmp_path: Path) -> None:
    options = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    parts = [
        OpenEXR.Part(dict(options), {"Z": light()[..., 0].copy()}, "depth"),
        OpenEXR.Part(dict(options), {"RGB": light("float16")}, "beauty"),
        OpenEXR.Part(dict(options), {"RGB": light() * 2}, "other"),
    ]
    with OpenEXR.File(parts) as file:
        file.write(str(tmp_path / "a.exr"))
    assert (decode(tmp_path / "a.exr").values == light("float16")).all()
    assert header(tmp_path / "a.exr").frames == 3


def test_the_picture_is_the_display_window(tmp_path: Path) -> None:
    data = {"dataWindow": window(-5, -3, 47, 33)}
    write(tmp_path / "over.exr", {"RGB": light()}, **data, displayWindow=window(0, 0, 39, 29))
    over = decode(tmp_path / "over.exr")
    assert (over.values == light()[3:33, 5:45]).all()
    assert over.alpha is None
    write(tmp_path / "under.exr", {"RGB": light()}, **data, displayWindow=window(-10, -10, 59, 49))
    under = decode(tmp_path / "under.exr")
    assert (under.values[7:44, 5:58] == light()).all()
    assert (under.alpha[7:44, 5:58] == 1).all()
    assert under.alpha.sum() == 37 * 53
    assert (header(tmp_path / "under.exr").width, header(tmp_path / "under.exr").height) == (70, 60)


def test_chromaticities_are_read_to_the_matrix_of_their_space(tmp_path: Path) -> None:
    acescg = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
    write(tmp_path / "a.exr", {"RGB": light()}, chromaticities=acescg, whiteLuminance=100.0)
    read = decode(tmp_path / "a.exr")
    assert read.encoding == Encoding("linear", ((0.713, 0.293), (0.165, 0.83), (0.128, 0.044), (0.32168, 0.33767)))
    assert read.facts["WhiteLuminance"] == 100.0


@pytest.mark.parametrize(("primaries", "red"), [("srgb", 0.64), ("rec2020", 0.708), ("p3", 0.68), ("adobe", 0.64)])
def test_the_chromaticities_of_what_is_written_are_in_the_file(tmp_path: Path, primaries: str, red: float) -> None:
    encode(tmp_path / "a.exr", light(), Beside(b"", Encoding("linear", primaries)), Saving())
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        corners = file.header()["chromaticities"]
    assert corners[0] == pytest.approx(red)
    assert corners[6:] == pytest.approx((0.3127, 0.3290))


def test_what_exif_says_goes_into_standard_attributes_and_comes_back(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x8298] = "Maker", "Camera 1", "Somebody"
    exif[0x8769] = {0x829A: 0.004, 0x829D: 2.8, 0x8827: 640, 0x920A: 85.0, 0x9003: "2026:01:02 03:04:05", 0xA434: "Lens"}
    beside = Beside(b"", LINEAR, exif.tobytes(), b"<x:xmpmeta/>", {"workflow": '{"nodes": []}'})
    encode(tmp_path / "a.exr", light(), beside, Saving())
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        theirs = dict(file.header())
    assert (theirs["cameraMake"], theirs["cameraModel"], theirs["owner"]) == ("Maker", "Camera 1", "Somebody")
    assert theirs["capDate"] == "2026:01:02 03:04:05"
    assert (theirs["expTime"], theirs["aperture"], theirs["isoSpeed"]) == pytest.approx((0.004, 2.8, 640))
    assert theirs["workflow"] == '{"nodes": []}'
    read = decode(tmp_path / "a.exr")
    assert read.xmp == b"<x:xmpmeta/>"
    values, _ = read_exif(read.exif)
    assert (values["Make"], values["Model"], values["Copyright"], values["LensModel"]) == (
        "Maker",
        "Camera 1",
        "Somebody",
        "Lens",
    )
    assert (values["ExposureTime"], values["FNumber"], values["ISOSpeedRatings"]) == pytest.approx((0.004, 2.8, 640))


def test_scene_light_goes_out_and_in_without_a_changed_bit(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", {"RGB": light()})
    photo = luxgrad.load(tmp_path / "a.exr")
    assert photo.light == "scene"
    assert torch.equal(photo.raster.values, torch.from_numpy(light()))
    luxgrad.save(photo, tmp_path / "b.exr", depth="float")
    assert (luxgrad.load(tmp_path / "b.exr").pixels - photo.pixels).abs().max() < 2e-2  # of 60000


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_light_that_is_not_finite_is_refused_with_its_place(tmp_path: Path, value: float) -> None:
    written = light()
    written[3, 4, 1] = value
    write(tmp_path / "a.exr", {"RGB": written})
    with pytest.raises(FileError, match=r"a.exr: .*NaN or infinity, first at row 3, column 4"):
        read_photo(tmp_path / "a.exr")


def test_what_is_no_colour_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", {"Z": light()[..., 0].copy(), "N.X": light()[..., 1].copy()})
    with pytest.raises(FileError, match=r"a.exr: expected OpenEXR with channels R, G, B or Y; got N.X, Z"):
        read_photo(tmp_path / "a.exr")
    write(tmp_path / "b.exr", {"Y": light()[..., 0].copy(), "RY": light()[..., 0].copy(), "BY": light()[..., 0].copy()})
    with pytest.raises(FileError, match=r"luminance with chroma"):
        read_photo(tmp_path / "b.exr")
    write(tmp_path / "c.exr", {name: np.zeros((4, 4), np.uint32) for name in "RGB"})
    with pytest.raises(FileError, match=r"channel B of another kind|half or float at full size"):
        read_photo(tmp_path / "c.exr")


def patched(path: Path, name: bytes, values: tuple[int, ...]) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into(f"<{len(values)}i", data, data.index(name + b"\0box2i\0") + len(name) + 7 + 4, *values)
    path.write_bytes(data)


HOSTILE = {
    "huge display": (b"displayWindow", (0, 0, 2**31 - 2, 2**31 - 2), "expected 1 px to 200 MP; got 2147483647 x 2147483647"),
    "huge data": (b"dataWindow", (-(2**31), -(2**31), 2**31 - 1, 2**31 - 1), "expected 1 px to 200 MP; got 4294967296 x 42949"),
    "inside out": (b"dataWindow", (10, 10, 0, 0), "turned inside out"),
    "elsewhere": (b"dataWindow", (5000, 5000, 5052, 5036), "expected data within the display window"),
    "larger than its data": (b"dataWindow", (0, 0, 999, 999), "damaged"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_lying_windows_are_refused(tmp_path: Path, kind: str) -> None:
    name, values, words = HOSTILE[kind]
    write(tmp_path / "a.exr", {"RGB": light()})
    patched(tmp_path / "a.exr", name, values)
    with pytest.raises(FileError, match=f"a.exr: .*{words}"):
        read_photo(tmp_path / "a.exr")


def test_a_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", {"RGB": light()})
    data = (tmp_path / "a.exr").read_bytes()
    for length in (5, 30, 100, 250, len(data) // 2):
        (tmp_path / "a.exr").write_bytes(data[:length])
        with pytest.raises(FileError, match=r"a.exr: "):
            read_photo(tmp_path / "a.exr")


def test_more_channels_than_any_photo_has_are_refused_before_they_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a.exr", {"RGB": light()} | {f"m{i}.Z": light()[..., 0].copy() for i in range(20)})
    patched(tmp_path / "a.exr", b"dataWindow", (0, 0, 12_999, 12_999))
    patched(tmp_path / "a.exr", b"displayWindow", (0, 0, 12_999, 12_999))
    with pytest.raises(FileError, match=r"expected at most 2400000000 samples .*; got 3887000000"):
        header(tmp_path / "a.exr")


def test_it_is_decoded_apart() -> None:
    assert OPENEXR.apart

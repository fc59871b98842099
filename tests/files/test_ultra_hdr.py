"""Ultra HDR: light above white out and in, against libultrahdr; plain viewers see the plain picture; gain maps that lie."""

from __future__ import annotations

import io
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

import luxgrad
from luxgrad.files.decode import read_like_comfyui, read_photo
from luxgrad.files.encode import Canvas, write_photo
from luxgrad.files.errors import FileError
from luxgrad.files.formats.format import GainMap
from luxgrad.files.formats.gain_map import ISO, MPF, read_gain_map, segments
from luxgrad.files.hdr import brightened
from luxgrad.files.icc_write import build_profile
from luxgrad.light.encodings import SPACES
from luxgrad.light.photo import Photo
from luxgrad.light.primaries import REC2020_TO_SRGB, SRGB_TO_REC2020, mix
from luxgrad.light.rectangle import Region, Size

from .oracles import codecs_since, program

SIZE = Size(64, 96)


def scene() -> torch.Tensor:
    """Linear Rec.2020 light inside sRGB's colours, up to about five times white."""
    y, x = torch.meshgrid(torch.linspace(0, 1, SIZE.height), torch.linspace(0, 1, SIZE.width), indexing="ij")
    planes = 0.02 + 5.0 * x**3, 0.05 + 2.0 * y * x + 0.2 * y, 0.1 + 0.8 * x * y
    return torch.stack(mix(SRGB_TO_REC2020, *planes))[None]


def saved(
    path: Path, light: torch.Tensor | None = None, space: str = "sRGB", quality: int = 97, depth: str = "hdr", **more
) -> Path:
    light = scene() if light is None else light
    size = Size(*light.shape[-2:])
    canvas = Canvas(size, depth, dither=False, space=space)
    canvas.put(Region.whole(size), light)
    write_photo(path, canvas, more.pop("metadata", {}), quality=quality, **more)
    return path


def codes_of(path: Path) -> np.ndarray:
    with Image.open(path, formats=["JPEG"]) as image:
        return np.asarray(image)


@pytest.mark.parametrize("space", ["sRGB", "Display P3", "Rec.2020", "Adobe RGB"])
def test_light_above_white_goes_out_and_in(tmp_path: Path, space: str) -> None:
    again = read_photo(saved(tmp_path / "a.jpg", space=space))
    assert again.light == "display"
    error = (again.pixels - scene()).abs() / (scene().abs() + 0.1)
    assert again.pixels.max() > 3.0
    assert error.mean() < 0.01
    assert error.max() < 0.15


def test_without_compression_of_note_the_gain_is_true_to_half_a_code(tmp_path: Path) -> None:
    flat = torch.tensor([3.0, 0.5, 0.2]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    again = read_photo(saved(tmp_path / "a.jpg", torch.cat([flat, flat * 0.05], dim=2), quality=100))
    assert (again.pixels[..., :12, :] / flat[..., :12, :] - 1.0).abs().max() < 0.02


@pytest.mark.parametrize("space", ["sRGB", "Display P3"])
def test_libultrahdr_reads_the_same_light_from_what_is_written(tmp_path: Path, space: str) -> None:
    path = saved(tmp_path / "a.jpg", space=space)
    theirs = codecs_since("2025.3.30").ultrahdr_decode(path.read_bytes())[..., :3].astype(np.float32)
    ours = read_photo(path).raster.values.numpy()
    assert (np.abs(ours - theirs) / (ours + 0.1)).max() < 0.01
    assert theirs.max() > 3.0


@pytest.mark.parametrize("scale", [1, 4])
@pytest.mark.parametrize("gamut", [0, 2], ids=["BT.709", "BT.2100"])
def test_what_libultrahdr_writes_is_read_as_it_reads_it(tmp_path: Path, scale: int, gamut: int) -> None:
    planes = scene().split(1, dim=1)
    light = torch.cat(mix(REC2020_TO_SRGB, *planes) if gamut == 0 else planes, dim=1)[0].permute(1, 2, 0).numpy()
    half = np.dstack([light, np.ones(SIZE)]).astype(np.float16)
    (tmp_path / "a.jpg").write_bytes(codecs_since("2025.3.30").ultrahdr_encode(half, scale=scale, gamut=gamut))
    photo = read_photo(tmp_path / "a.jpg")
    error = (photo.pixels - scene()).abs() / (scene() + 0.1)
    assert error.mean() < (0.03 if scale == 1 else 0.06)
    assert photo.pixels.max() > 3.0


def test_a_coloured_gain_of_primaries_that_are_not_told_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    data = bytearray(path.read_bytes())
    data[data.rindex(ISO) + len(ISO) + 4] = 0
    path.write_bytes(data)
    with pytest.raises(
        FileError, match=r"a.jpg: expected a gain map in the colour space of the plain picture, or with its own"
    ):
        read_photo(path)


def test_plain_viewers_see_the_plain_picture_and_so_do_we_when_asked(tmp_path: Path) -> None:
    path, plain = saved(tmp_path / "a.jpg"), saved(tmp_path / "b.jpg", depth="8")
    assert (codes_of(path) == codes_of(plain)).all()
    assert torch.equal(read_photo(path, develop="embedded preview").pixels, read_photo(plain).pixels)
    assert torch.equal(read_like_comfyui(path).pixels, read_like_comfyui(plain).pixels)
    assert read_photo(path, develop="embedded preview").pixels.max() <= 1.0001


def test_profile_exif_and_xmp_are_kept_and_other_programs_read_both_pictures(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    Image.new("RGB", (8, 8)).save(tmp_path / "in.jpg", exif=exif)
    metadata = luxgrad.load(tmp_path / "in.jpg").metadata
    path = saved(tmp_path / "a.jpg", space="Display P3", metadata=metadata)
    assert read_photo(path).metadata["Make"] == "Maker"
    with Image.open(path, formats=["JPEG"]) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert ImageCms.getProfileDescription(profile).strip() == "Display P3"
    exiftool = program("exiftool")
    words = [exiftool, "-a", "-G1", "-s", str(path)]
    listed = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    assert "NumberOfImages                  : 2" in listed
    assert "Warning" not in listed
    length = int(next(line for line in listed.splitlines() if "DirectoryItemLength" in line).split(":")[1].split(",")[-1])
    assert path.read_bytes()[-length:][:3] == b"\xff\xd8\xff"
    second = subprocess.run([exiftool, "-b", "-MPImage2", str(path)], capture_output=True, check=True).stdout
    assert second == path.read_bytes()[-length:]


def test_a_photo_saved_again_as_a_plain_jpeg_no_longer_says_that_it_has_a_gain_map(tmp_path: Path) -> None:
    photo = luxgrad.load(saved(tmp_path / "a.jpg"))
    luxgrad.save(photo, tmp_path / "b.jpg", depth="8")
    assert b"hdrgm:Version" in (tmp_path / "a.jpg").read_bytes()
    assert b"hdrgm:Version" not in (tmp_path / "b.jpg").read_bytes()
    assert b"GainMap" not in (tmp_path / "b.jpg").read_bytes()
    assert read_gain_map(tmp_path / "b.jpg") is None


def only_xmp(data: bytes) -> bytes:
    """The file with its ISO segments made unknown: the gain is told by XMP alone, as in the first Ultra HDR files."""
    return data.replace(ISO, b"x" * len(ISO))


def test_a_gain_told_by_xmp_alone_is_the_same(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(only_xmp(path.read_bytes()))
    first, second = read_gain_map(path), read_gain_map(tmp_path / "b.jpg")
    assert (first.values == second.values).all()
    assert np.allclose((first.lowest, first.highest, first.gamma), (second.lowest, second.highest, second.gamma), atol=2e-6)


def test_an_upright_photo_has_its_gain_upright(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    data = path.read_bytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x06\0\0\0\0\0\0\0"
    segment = struct.pack(">BBH", 0xFF, 0xE1, len(exif) + 2) + exif
    (tmp_path / "b.jpg").write_bytes(data[:2] + segment + data[2:])
    upright, turned = read_photo(path).pixels, read_photo(tmp_path / "b.jpg").pixels
    assert torch.equal(turned, upright.transpose(2, 3).flip(3))


def test_a_smaller_map_of_one_channel_is_enlarged_in_straight_lines(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    whole, small = read_gain_map(path), read_photo(path)
    ramp = np.linspace(0, 255, 12).astype(np.uint8)[None, :, None].repeat(8, 0)
    plain = read_photo(path, develop="embedded preview").raster
    light = brightened(plain, GainMap(ramp, (0.0,) * 3, (2.0,) * 3, whole.gamma), lambda values: values).values
    base = plain.curves[0][plain.values[..., 0].long()]
    code = torch.nn.functional.interpolate(torch.from_numpy(ramp[None, None, ..., 0]).float(), (64, 96), mode="bilinear")[0, 0]
    assert (light[..., 0] - ((base + 1 / 64) * torch.exp2(code / 255 * 2) - 1 / 64)).abs().max() < 1e-4
    assert small.size == SIZE


def test_a_gain_of_other_primaries_is_that_of_their_channels(tmp_path: Path) -> None:
    plain = read_photo(saved(tmp_path / "a.jpg", space="Display P3"), develop="embedded preview").raster
    stops = (0.5, 1.0, 2.0)
    profile = build_profile(SPACES["Rec.2020"])
    gain_map = GainMap(np.full((4, 4, 3), 255, np.uint8), (0.0,) * 3, stops, profile=profile)
    light = brightened(plain, gain_map, lambda values: values)
    rec2020 = read_photo(tmp_path / "a.jpg", develop="embedded preview").pixels[0]
    expected = (rec2020 + 1 / 64) * torch.exp2(torch.tensor(stops)).view(3, 1, 1) - 1 / 64
    assert (Photo(light).pixels[0] - expected).abs().max() < 2e-3


def changed(data: bytes, name: str, text: str) -> bytes:
    at = data.index(f'hdrgm:{name}="'.encode(), data.rindex(b"\xff\xd8\xff")) + len(name) + 8
    end = data.index(b'"', at)
    return data[:at] + text.encode()[: end - at].ljust(end - at) + data[end:]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("GainMapMax", "nan", "make no light"),
        ("GainMapMax", "999999", "make no light"),
        ("GainMapMin", "9", "make no light"),
        ("GainMapMax", "red", "gain map is damaged"),
        ("Gamma", "0", "make no light"),
        ("BaseRenditionIsHDR", "true", "over the brighter picture"),
    ],
)
def test_a_gain_map_that_cannot_be_used_is_refused_by_name(tmp_path: Path, name: str, text: str, words: str) -> None:
    data = only_xmp(saved(tmp_path / "a.jpg").read_bytes())
    (tmp_path / "a.jpg").write_bytes(changed(data, name, text))
    with pytest.raises(FileError, match=f"a.jpg: .*{words}"):
        read_photo(tmp_path / "a.jpg")
    assert read_photo(tmp_path / "a.jpg", develop="embedded preview").size == SIZE


def test_numbers_of_iso_over_nothing_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    data = bytearray(path.read_bytes())
    at = data.rindex(ISO) + len(ISO) + 5
    struct.pack_into(">I", data, at + 4, 0)
    path.write_bytes(data)
    with pytest.raises(FileError, match=r"a.jpg: its gain map is damaged"):
        read_photo(path)


def test_a_giant_gain_map_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, 65500, 65500)
    path.write_bytes(data)
    with pytest.raises(FileError, match=r"a.jpg: .*(4290250000 pixels|65500 x 65500)"):
        read_photo(path)


@pytest.mark.parametrize("offset", [0, 5, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_index_that_points_elsewhere_gives_the_plain_picture_or_a_refusal(tmp_path: Path, offset: int) -> None:
    path = saved(tmp_path / "a.jpg")
    data = bytearray(path.read_bytes())
    place = next(at for marker, at, body in segments(bytes(data)) if body[:4] == MPF)
    entries = place + 4 + len(MPF) + 8 + 2 + 36 + 4
    struct.pack_into(">I", data, entries + 16 + 8, offset)
    path.write_bytes(data)
    assert read_photo(path).pixels.max() <= 1.0001


def test_other_formats_refuse_the_depth_hdr_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a.png: expected 8 or 16 bits for PNG; got hdr"):
        luxgrad.save(Photo(scene()), tmp_path / "a.png", depth="hdr")

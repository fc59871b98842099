"""Colour in and out of files: profiles against LittleCMS, encodings against colour-science, and every code that returns."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import colour
import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

import luxgrad
from luxgrad.files.colour import raster_of
from luxgrad.files.encode import Canvas, write_photo
from luxgrad.files.formats.format import Beside, Decoded, Encoding, Saving
from luxgrad.files.formats.png import PNG
from luxgrad.files.icc import LutProfile, MatrixProfile, read_profile
from luxgrad.files.icc_write import build_profile, profile_of
from luxgrad.light.encodings import SPACES
from luxgrad.light.photo import Codes, Photo
from luxgrad.light.rectangle import Region, Size

REC2020 = colour.RGB_COLOURSPACES["ITU-R BT.2020"].copy()
REC2020.use_derived_transformation_matrices(True)
CHANNELS = {1: "gray", 3: "rgb", 4: "cmyk"}


def light_of(values: np.ndarray, **beside) -> np.ndarray:
    """(H, W, 3) light as we read it."""
    decoded = Decoded(values, **beside)
    return Photo(raster_of(decoded, values)).pixels[0].permute(1, 2, 0).numpy()


def lcms_light(codes: np.ndarray, profile: bytes) -> np.ndarray:
    """(H, W, 3) light of codes in 0..1: CIE XYZ by LittleCMS in double floats, then Bradford by colour-science."""
    channels = codes.shape[2]
    codes = codes * 100.0 if channels == 4 else codes.astype(np.float64)
    xyz = imagecodecs.cms_transform(
        codes if channels > 1 else codes[..., 0],
        profile,
        imagecodecs.cms_profile("xyz"),
        colorspace=CHANNELS[channels],
        outcolorspace="xyz",
        outdtype=np.float64,
        intent=1,
        flags=256,
    )
    white = (0.9642 / 2.7891, 1.0 / 2.7891)
    return colour.XYZ_to_RGB(xyz, REC2020, illuminant=white, chromatic_adaptation_transform="Bradford")


def some_codes(channels: int, kind: type = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max + 1, (40, 50, channels), dtype=kind)


def old_table(channels: int, wide: bool) -> bytes:
    """A lut8Type or lut16Type with bent input tables, an uneven grid and bent output tables, made of seeded numbers."""
    generator = np.random.default_rng(channels)
    points, most, kind = 5 if channels < 4 else 4, 65535 if wide else 255, ">u2" if wide else "u1"
    entries = 64 if wide else 256
    inputs = np.linspace(0, 1, entries)[None] ** np.linspace(0.8, 1.6, channels)[:, None]
    axes = np.stack(np.meshgrid(*[np.linspace(0, 1, points)] * channels, indexing="ij"), axis=-1).reshape(-1, channels)
    ink = axes.mean(axis=1, keepdims=True) if channels < 4 else 1.0 - axes.max(axis=1, keepdims=True)
    grid = np.clip(0.15 + 0.6 * ink + generator.uniform(-0.12, 0.12, (len(axes), 3)), 0, 1)
    outputs = np.linspace(0, 1, entries)[None] ** np.array([[1.2], [1.0], [0.9]])
    numbers = np.concatenate([part.ravel() for part in (inputs, grid, outputs)])
    head = struct.pack(">4s4xBBBx9i", b"mft2" if wide else b"mft1", channels, 3, points, 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    sizes = struct.pack(">HH", entries, entries) if wide else b""
    return head + sizes + np.round(numbers * most).astype(kind).tobytes()


def curve(gamma: float) -> bytes:
    return struct.pack(">4s4xHxxi", b"para", 0, round(gamma * 65536))


def new_table(channels: int, with_grid: bool, with_matrix: bool) -> bytes:
    """A lutAToBType: B curves, and where wanted a matrix with M curves, and a grid of uneven sides with A curves."""
    body, places = b"", {}
    parts = {"B": b"".join(curve(g) for g in (1.0, 0.9, 1.1))}
    if with_matrix:
        rows = (0.4, 0.3, 0.1, 0.2, 0.5, 0.1, 0.05, 0.1, 0.6, 0.01, 0.0, 0.02)
        parts["matrix"] = struct.pack(">12i", *(round(number * 65536) for number in rows))
        parts["M"] = b"".join(curve(g) for g in (1.8, 2.0, 2.2))
    if with_grid:
        sides = (4, 3, 5, 3)[:channels]
        grid = np.random.default_rng(9).uniform(0.4, 0.6, 3 * int(np.prod(sides)))
        parts["grid"] = bytes((*sides, *(0,) * (16 - channels), 2, 0, 0, 0)) + np.round(grid * 65535).astype(">u2").tobytes()
        bent = struct.pack(">4s4xI4H", b"curv", 4, 0, 15000, 40000, 65535)
        parts["A"] = b"".join(bent if index == 0 else curve(1.0 + 0.2 * index) for index in range(channels))
    for name, part in parts.items():
        places[name] = 32 + len(body)
        body += part + b"\0" * (-len(part) % 4)
    offsets = [places.get(name, 0) for name in ("B", "matrix", "M", "grid", "A")]
    return struct.pack(">4s4xBBxx5I", b"mAB ", channels, 3, *offsets) + body


def lut_profile(table: bytes, channels: int, connection: bytes, tag: bytes = b"A2B0") -> bytes:
    kind, space = {1: (b"mntr", b"GRAY"), 3: (b"mntr", b"RGB "), 4: (b"prtr", b"CMYK")}[channels]
    text = "made here".encode("utf-16-be")
    words = struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(text), 28) + text
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    return profile_of({b"desc": words, b"cprt": words, b"wtpt": white, tag: table}, kind, space, connection)


LUTS = {
    "8-bit tables, RGB to Lab": (old_table(3, False), 3, b"Lab "),
    "16-bit tables, RGB to Lab": (old_table(3, True), 3, b"Lab "),
    "16-bit tables, RGB to XYZ": (old_table(3, True), 3, b"XYZ "),
    "8-bit tables, CMYK to Lab": (old_table(4, False), 4, b"Lab "),
    "16-bit tables, CMYK to Lab": (old_table(4, True), 4, b"Lab "),
    "16-bit tables, grey to Lab": (old_table(1, True), 1, b"Lab "),
    "curves, grid and matrix, RGB to XYZ": (new_table(3, True, True), 3, b"XYZ "),
    "curves and grid, RGB to Lab": (new_table(3, True, False), 3, b"Lab "),
    "curves and matrix, RGB to XYZ": (new_table(3, False, True), 3, b"XYZ "),
    "curves and grid, CMYK to Lab": (new_table(4, True, False), 4, b"Lab "),
}


@pytest.mark.parametrize("name", LUTS)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_table_profiles_give_the_light_that_littlecms_gives(name: str, kind: type) -> None:
    table, channels, connection = LUTS[name]
    profile = lut_profile(table, channels, connection)
    codes = some_codes(channels, kind)
    theirs = lcms_light(codes / np.iinfo(kind).max, profile)
    assert theirs.std() > 0.02
    np.testing.assert_allclose(light_of(codes, profile=profile), theirs, atol=1e-4, rtol=1e-4)  # its stages round to 16 bits


@pytest.mark.parametrize("space", SPACES)
def test_matrix_profiles_give_the_light_that_littlecms_gives(space: str) -> None:
    codes = some_codes(3, np.uint16)
    profile = build_profile(SPACES[space])
    np.testing.assert_allclose(light_of(codes, profile=profile), lcms_light(codes / 65535, profile), atol=1e-4)


@pytest.mark.parametrize("parameters", [(0, 2.3), (1, 2.2, 0.9, 0.1), (2, 2.0, 0.85, 0.1, 0.05),
                                        (3, 2.4, 0.9, 0.1, 0.08, 0.05), (4, 2.2, 0.9, 0.1, 0.2, 0.06, 0.01, 0.02)])  # fmt: skip
def test_every_kind_of_curve_bends_as_in_littlecms(parameters: tuple[float, ...]) -> None:
    kind, *numbers = parameters
    bent = struct.pack(f">4s4xHxx{len(numbers)}i", b"para", kind, *(round(number * 65536) for number in numbers))
    plain = build_profile(SPACES["Adobe RGB"])
    tags = {plain[132 + 12 * i :][:4]: struct.unpack_from(">II", plain, 136 + 12 * i) for i in range(10)}
    bodies = {tag: plain[start : start + length] for tag, (start, length) in tags.items()}
    profile = profile_of({**bodies, b"rTRC": bent, b"bTRC": bent}, b"mntr", b"RGB ", b"XYZ ")
    codes = some_codes(3)
    np.testing.assert_allclose(light_of(codes, profile=profile), lcms_light(codes / 255, profile), atol=1e-4)


@pytest.mark.parametrize("name", ["sRGB", "Adobe RGB", "tables"])
def test_8_bit_photos_become_the_srgb_codes_that_littlecms_makes(tmp_path: Path, name: str) -> None:
    data = lut_profile(*LUTS["curves and grid, RGB to Lab"]) if name == "tables" else build_profile(SPACES[name])
    codes = np.random.default_rng(1).integers(40, 200, (40, 40, 3), dtype=np.uint8)
    path = tmp_path / "wide.png"
    Image.fromarray(codes).save(path, icc_profile=data)
    profile, srgb = ImageCms.ImageCmsProfile(io.BytesIO(data)), ImageCms.createProfile("sRGB")
    theirs = np.asarray(
        ImageCms.profileToProfile(Image.fromarray(codes), profile, srgb, renderingIntent=1, flags=0x100)
    ).astype(int)
    luxgrad.save(luxgrad.load(path), tmp_path / "srgb.png", depth="8", dither=False)
    ours = imagecodecs.png_decode((tmp_path / "srgb.png").read_bytes()).astype(int)
    inside = ((theirs > 0) & (theirs < 255)).all(2)
    assert inside.mean() > 0.3
    assert np.abs(ours - theirs)[inside].max() <= 1


def test_a_profile_with_tables_and_a_matrix_is_read_by_its_tables() -> None:
    plain = build_profile()
    tags = {plain[132 + 12 * i :][:4]: struct.unpack_from(">II", plain, 136 + 12 * i) for i in range(10)}
    bodies = {tag: plain[start : start + length] for tag, (start, length) in tags.items()}
    profile = profile_of({**bodies, b"A2B0": old_table(3, True)}, b"mntr", b"RGB ", b"XYZ ")
    assert isinstance(read_profile(profile, 3), LutProfile)
    codes = some_codes(3)
    np.testing.assert_allclose(light_of(codes, profile=profile), lcms_light(codes / 255, profile), atol=1e-4, rtol=1e-4)


def test_a_v2_profile_with_a_sampled_curve_is_srgb_exactly() -> None:
    theirs = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = read_profile(theirs, 3)
    assert isinstance(profile, MatrixProfile)
    codes = torch.linspace(0, 1, 256, dtype=torch.float64)
    linear = torch.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    torch.testing.assert_close(profile.curves[0](codes), linear, atol=1e-12, rtol=0)
    assert profile.to_rec2020 == SPACES["sRGB"].to_rec2020


def test_a_cmyk_jpeg_is_read_through_its_profile_and_refused_without(tmp_path: Path) -> None:
    path = tmp_path / "ink.jpg"
    ink = Image.fromarray(np.linspace(0, 255, 64 * 48 * 4).reshape(48, 64, 4).astype(np.uint8), "CMYK")
    profile = lut_profile(*LUTS["16-bit tables, CMYK to Lab"])
    ink.save(path, quality=100, icc_profile=profile)
    with Image.open(path) as image:
        theirs = lcms_light(np.asarray(image) / 255.0, profile)
    photo = luxgrad.load(path)
    np.testing.assert_allclose(photo.pixels[0].permute(1, 2, 0).numpy(), theirs, atol=1e-4)
    assert photo.light == "display"
    ink.save(path)
    with pytest.raises(luxgrad.FileError, match=r"ink.jpg: expected RGB or grey, or CMYK with its colour profile; got CMYK"):
        luxgrad.load(path)


def test_a_profile_for_other_channels_or_another_purpose_is_refused_by_name() -> None:
    cmyk = lut_profile(*LUTS["16-bit tables, CMYK to Lab"])
    with pytest.raises(luxgrad.FileError, match="its colour profile 'made here' is for CMYK, the picture has 3 channels"):
        light_of(some_codes(3), profile=cmyk)
    with pytest.raises(luxgrad.FileError, match="'sRGB' is for RGB, the picture has 4 channels"):
        light_of(some_codes(4), profile=build_profile())
    link = bytearray(build_profile())
    link[12:16] = b"link"
    with pytest.raises(luxgrad.FileError, match=r"'sRGB' is not for photos \(link, RGB to XYZ\); expected one for grey"):
        light_of(some_codes(3), profile=bytes(link))


def test_damaged_profiles_are_refused_or_give_finite_light() -> None:
    generator = np.random.default_rng(3)
    for table, channels, connection in LUTS.values():
        whole, refused = lut_profile(table, channels, connection), 0
        for attempt in range(40):
            data = np.frombuffer(whole, np.uint8).copy()
            places = 128 + generator.integers(0, min(300, len(data) - 128), 1 + attempt % 3)
            data[places] = generator.integers(0, 256, len(places))
            cut = data[: generator.integers(100, len(data))] if attempt % 4 == 0 else data
            try:
                light = light_of(some_codes(channels)[:4], profile=cut.tobytes())
            except luxgrad.FileError as error:
                refused += "colour profile" in str(error)
            else:
                assert np.isfinite(light).all()
        assert refused > 5


REC709 = colour.models.oetf_inverse_BT2020
ORACLES = {
    "srgb": colour.models.eotf_sRGB,
    "linear": lambda codes: codes,
    "bt709": lambda codes: REC709(codes, is_12_bits_system=True),
    "gamma:1.8": lambda codes: codes**1.8,
    "pq": lambda codes: colour.models.eotf_ST2084(codes) / 203.0,
}


@pytest.mark.parametrize("transfer", ORACLES)
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_what_a_file_says_of_its_codes_is_believed_at_every_depth(transfer: str, bits: int) -> None:
    codes = np.arange(1 << bits, dtype=np.uint8 if bits == 8 else np.uint16).reshape(16, -1, 1).repeat(3, axis=2)
    ours = light_of(codes, encoding=Encoding(transfer), profile=build_profile(SPACES["Adobe RGB"]), bits=bits)
    theirs = ORACLES[transfer](codes / (2**bits - 1))
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=1e-6)


def test_hlg_is_shown_as_on_a_1000_nit_display() -> None:
    codes = np.random.default_rng(0).integers(0, 1024, (30, 30, 3), dtype=np.uint16)
    ours = light_of(codes, encoding=Encoding("hlg", "rec2020"), bits=10)
    theirs = colour.models.eotf_BT2100_HLG(codes / 1023.0, L_B=0, L_W=1000) / 203.0
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-4)
    grey = np.full((1, 1, 1), 767, np.uint16)
    assert light_of(grey, encoding=Encoding("hlg", "rec2020"), bits=10)[0, 0, 0] == pytest.approx(1.0, abs=5e-3)


def test_primaries_may_be_chromaticities_or_a_matrix() -> None:
    codes = some_codes(3)
    corners = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.3127, 0.329))
    named = light_of(codes, encoding=Encoding("srgb", "p3"))
    np.testing.assert_allclose(light_of(codes, encoding=Encoding("srgb", corners)), named, atol=1e-6)
    p3 = colour.RGB_COLOURSPACES["Display P3"].copy()
    p3.use_derived_transformation_matrices(True)
    rows = tuple(tuple(row) for row in p3.matrix_RGB_to_XYZ.tolist())
    np.testing.assert_allclose(light_of(codes, encoding=Encoding("srgb", rows)), named, atol=1e-6)
    for bad in (((0.3, 0.3),) * 4, ((0.3, 0.0), *corners[1:]), ((float("nan"),) * 3,) * 3, "nothing"):
        with pytest.raises(luxgrad.FileError, match="expected primaries"):
            light_of(codes, encoding=Encoding("srgb", bad))


def test_codes_beyond_their_bits_and_unknown_transfers_are_refused() -> None:
    with pytest.raises(luxgrad.FileError, match=r"expected codes of 10 bits; got 1024"):
        light_of(np.full((2, 2, 3), 1024, np.uint16), bits=10)
    with pytest.raises(luxgrad.FileError, match=r"expected a transfer function .*; got 'gamma:900'"):
        light_of(some_codes(3), encoding=Encoding("gamma:900"))


def test_float_codes_of_a_transfer_function_become_light_unbounded() -> None:
    codes = np.array([[[1.5, 0.5, -0.2]]], np.float32)
    ours = light_of(codes, encoding=Encoding("srgb", "rec2020"))
    expected = colour.models.eotf_sRGB(np.array([1.5, 0.5]))
    np.testing.assert_allclose(ours[0, 0, :2], expected, rtol=1e-5)
    assert ours[0, 0, 2] == pytest.approx(-colour.models.eotf_sRGB(0.2), rel=1e-4)


@pytest.mark.parametrize(("index", "space"), [("R03", "Adobe RGB"), ("R98", "sRGB")])
def test_a_camera_that_says_adobe_rgb_in_exif_is_believed(tmp_path: Path, index: str, space: str) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 0xFFFF, 0xA005: {1: index}}
    path = tmp_path / "camera.jpg"
    Image.fromarray(some_codes(3)).save(path, exif=exif)
    photo = luxgrad.load(path)
    assert isinstance(photo.raster, Codes)
    assert photo.raster.to_rec2020 == SPACES[space].to_rec2020
    half = SPACES[space].decode(torch.tensor(128 / 255, dtype=torch.float64)).item()
    assert photo.raster.curves[0, 128].item() == pytest.approx(half, abs=1e-6)


def png_with(chunks: list[tuple[bytes, bytes]]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(some_codes(3)).save(buffer, "PNG")
    data = buffer.getvalue()
    body = b"".join(struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    return data[:33] + body + data[33:]


CICP, GAMA = (b"cICP", bytes((9, 16, 0, 1))), (b"gAMA", struct.pack(">I", 55556))
ICCP = (b"iCCP", b"ICC\0\0" + zlib.compress(build_profile(SPACES["Adobe RGB"])))
SRGB_CHUNK = (b"sRGB", b"\0")
CHRM = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
CHUNKS = {
    "cICP wins over everything": ([CICP, ICCP, SRGB_CHUNK, GAMA, CHRM], Encoding("pq", "rec2020")),
    "iCCP wins over sRGB": ([ICCP, SRGB_CHUNK, GAMA], Encoding(SPACES["Adobe RGB"].transfer, "adobe")),
    "sRGB wins over gAMA": ([SRGB_CHUNK, GAMA, CHRM], Encoding()),
    "gAMA and cHRM are honoured": ([GAMA, CHRM], Encoding("gamma:1.8", "p3")),
    "gAMA of 1 is light": ([(b"gAMA", struct.pack(">I", 100000))], Encoding("linear")),
    "gAMA as beside sRGB is sRGB": ([(b"gAMA", struct.pack(">I", 45455))], Encoding()),
    "reserved code points are passed over": ([(b"cICP", bytes((9, 200, 0, 1))), GAMA], Encoding("gamma:1.8")),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_a_png_is_read_by_the_precedence_of_its_standard(tmp_path: Path, name: str) -> None:
    chunks, encoding = CHUNKS[name]
    path = tmp_path / "chunks.png"
    path.write_bytes(png_with(chunks))
    ours = luxgrad.load(path).pixels[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, light_of(some_codes(3), encoding=encoding), rtol=1e-4, atol=2e-5)


def test_a_narrow_range_png_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "video.png"
    path.write_bytes(png_with([(b"cICP", bytes((9, 16, 0, 0)))]))
    with pytest.raises(luxgrad.FileError, match="expected full-range codes; got a narrow range"):
        luxgrad.load(path)


def test_an_hdr_png_carries_code_points_beside_its_profile(tmp_path: Path) -> None:
    path = tmp_path / "hdr.png"
    assert PNG.encode is not None
    PNG.encode(path, some_codes(3, np.uint16), Beside(build_profile(), Encoding("pq", "rec2020")), Saving())
    data = path.read_bytes()
    place = data.index(b"cICP")
    assert data[place + 4 : place + 8] == bytes((9, 16, 0, 1))
    assert place < data.index(b"iCCP") < data.index(b"IDAT")
    assert luxgrad.load(path).pixels.max() > 40.0


def repainted(codes: np.ndarray, depth: str, space: str, dither: bool = True) -> np.ndarray:
    """Codes taken to light and back."""
    size = Size(*codes.shape[:2])
    before, after = Canvas(size, depth, space=space), Canvas(size, depth, dither, space=space)
    before.codes[:] = codes
    after.put(Region(0, 0, *size), before.photo().pixels)
    return after.codes


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("depth", ["8", "10", "12", "16"])
def test_untouched_codes_return_in_every_space(space: str, depth: str) -> None:
    """A plain power has no toe: beside a bright channel float light cannot tell its darkest codes apart above 8 bits."""
    levels, kind = 1 << int(depth), np.uint8 if depth == "8" else np.uint16
    least = round(0.006 * levels) if space == "Adobe RGB" and depth != "8" else 0
    generator = np.random.default_rng(0)
    colours = generator.integers(least, levels, (256, 256, 3), dtype=kind)
    edges = generator.choice(np.array([least, least + 1, least + 2, levels - 2, levels - 1], kind), (256, 64, 3))
    greys = np.resize(np.arange(levels, dtype=kind), (256, 256, 1)).repeat(3, axis=2)
    codes = np.concatenate([colours, edges, greys], axis=1)
    np.testing.assert_array_equal(repainted(codes, depth, space), codes)


def test_the_darkest_16_bit_adobe_codes_return_within_the_rounding_of_float_light() -> None:
    dark = np.random.default_rng(0).choice(np.array([0, 1, 2, 50, 300, 65535], np.uint16), (200, 200, 3))
    decode = SPACES["Adobe RGB"].decode
    before, after = (decode(torch.from_numpy(codes / 65535.0)) for codes in (dark, repainted(dark, "16", "Adobe RGB")))
    assert (before - after).abs().max() < 4e-7


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", ["out.jpg", "out.png", "out.tif"])
def test_files_carry_the_profile_of_their_space_and_littlecms_sees_the_same_light(
    tmp_path: Path, space: str, name: str
) -> None:
    light = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.2
    canvas = Canvas(Size(24, 24), "8" if name == "out.jpg" else "16", space=space)
    canvas.put(Region(0, 0, 24, 24), light)
    path = tmp_path / name
    write_photo(path, canvas, {}, quality=100)
    with Image.open(path) as image:
        data = image.info["icc_profile"]
    profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
    assert ImageCms.getProfileDescription(profile).strip() == space
    theirs = lcms_light(canvas.codes / canvas.levels, data)
    fitted = canvas.photo().pixels[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(fitted, theirs, atol=1e-4)
    if name != "out.jpg":
        again = luxgrad.load(path)
        assert isinstance(again.raster, Codes)
        assert again.raster.to_rec2020 == SPACES[space].to_rec2020
        np.testing.assert_array_equal(again.raster.values.numpy(), canvas.codes)


def test_a_wider_space_keeps_colours_that_srgb_cannot_show() -> None:
    green = torch.tensor([0.01, 0.8, 0.02]).view(1, 3, 1, 1)
    kept = {}
    for space in SPACES:
        canvas = Canvas(Size(1, 1), "16", space=space)
        canvas.put(Region(0, 0, 1, 1), green)
        kept[space] = (canvas.photo().pixels - green).abs().max().item()
    assert kept["Rec.2020"] < 1e-4
    assert kept["sRGB"] > kept["Display P3"] > 1e-3
    assert kept["sRGB"] > kept["Adobe RGB"]


@pytest.mark.parametrize("depth", ["half", "float"])
@pytest.mark.parametrize("space", SPACES)
def test_float_files_hold_unbounded_light_in_their_space(depth: str, space: str) -> None:
    light = torch.tensor([[-0.5, 3.0, 60.0], [20.0, 0.0, 0.1]]).T.view(1, 3, 1, 2)
    canvas = Canvas(Size(1, 2), depth, space=space)
    canvas.put(Region(0, 0, 1, 2), light)
    assert canvas.codes.dtype == (np.float16 if depth == "half" else np.float32)
    torch.testing.assert_close(canvas.photo().pixels, light, atol=0.08 if depth == "half" else 1e-5, rtol=0)


def test_a_half_float_file_refuses_light_that_it_cannot_hold() -> None:
    canvas = Canvas(Size(1, 1), "half")
    with pytest.raises(luxgrad.FileError, match="expected light up to 65504 for half floats; got 70000"):
        canvas.put(Region(0, 0, 1, 1), torch.full((1, 3, 1, 1), 70000.0))


def test_an_unknown_space_is_refused_by_name() -> None:
    with pytest.raises(luxgrad.FileError, match=r"expected a colour space \(sRGB, Display P3, .*\); got 'ProPhoto'"):
        Canvas(Size(1, 1), "8", space="ProPhoto")

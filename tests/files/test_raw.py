"""Camera raw: known light through small DNGs made here, LibRaw's own rendering as the oracle of colour."""

from __future__ import annotations

import dataclasses
import io
import struct
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rawpy
import torch
from PIL import ExifTags, Image

import luxgrad
from luxgrad.files.decode import header_of, read_like_comfyui
from luxgrad.files.formats.camera import Calibration, Camera, daylight, kelvin_and_tint, xy_of
from luxgrad.files.formats.format import Development
from luxgrad.files.formats.isobmff import make_box
from luxgrad.files.formats.mosaic import denoise
from luxgrad.files.formats.raw import develop
from luxgrad.files.formats.raw_tags import exif_of_raw, is_raw
from luxgrad.files.photo import as_photo
from luxgrad.graph.ports import DEVELOPING, PORTS
from luxgrad.light.difference import delta_e_2000
from luxgrad.light.photo import Photo
from luxgrad.light.primaries import REC2020_TO_SRGB, SRGB_TO_REC2020, mix
from luxgrad.light.rectangle import Size
from luxgrad.light.spaces import to_lab
from luxgrad.light.white import illuminant_xyz

from .raws import CANON, SHOT, WHITE, XYZ_TO_SRGB, counts, dng, middles, patches, ratios

BALANCES: dict[str, dict[str, Any]] = {
    "as shot": {},
    "auto": {"white_balance": "auto"},
    "daylight": {"white_balance": "daylight"},
    "tungsten": {"white_balance": "kelvin", "kelvin": 2700},
    "blue sky, tint": {"white_balance": "kelvin", "kelvin": 11000, "tint": 60},
}


def here(path: Path, **developing: Any) -> Photo:
    """A raw file developed in this process, which is faster than in one of its own."""
    return as_photo(develop(path, Development(**developing)))


def srgb(photo: Photo) -> np.ndarray:
    """(H, W, 3) linear sRGB light."""
    return torch.cat(mix(REC2020_TO_SRGB, *photo.pixels.double().split(1, dim=1)), dim=1)[0].permute(1, 2, 0).numpy()


def colours(seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).uniform(0.05, 0.45, (4, 6, 3))
    found[0, 0], found[0, 1] = 0.9, 0.18
    return found


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return dng(tmp_path / "chart.dng", counts(patches(colours())))


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    """Grey from 0 to 4 times white, left to right, in 600 columns."""
    grey = np.linspace(0.0, 4.0, 600)[None, :, None]
    return dng(tmp_path / "ramp.dng", counts(np.broadcast_to(grey, (32, 600, 3))))


def test_the_light_of_a_chart_comes_back_as_scene_light(chart: Path) -> None:
    photo = luxgrad.load(chart)
    assert photo.light == "scene"
    assert photo.size == Size(96, 144)
    np.testing.assert_allclose(middles(srgb(photo)), colours(), atol=2e-4)


def test_the_scale_does_not_follow_the_picture(tmp_path: Path) -> None:
    """The same grey beside black, beside white and under other multipliers."""
    for beside, neutral in ((0.0, SHOT), (3.0, SHOT), (0.2, (0.9, 1.0, 0.4))):
        light = patches(np.array([[[0.2] * 3, [beside] * 3]]))
        photo = here(dng(tmp_path / "grey.dng", counts(light, neutral), neutral))
        np.testing.assert_allclose(middles(srgb(photo))[0, 0], 0.2, atol=2e-4)


def test_counts_above_the_white_level_are_kept(tmp_path: Path) -> None:
    light = patches(np.array([[[0.2, 0.3, 0.4], [2.6, 0.2, 0.2]]]))
    photo = here(dng(tmp_path / "above.dng", counts(light, most=65535)))
    np.testing.assert_allclose(middles(srgb(photo))[0], [[0.2, 0.3, 0.4], [2.6, 0.2, 0.2]], atol=5e-4)


@pytest.mark.parametrize("highlights", ["neutral", "clip"])
@pytest.mark.parametrize("balance", BALANCES)
def test_clipped_white_has_no_cast_under_any_white_balance(ramp: Path, balance: str, highlights: str) -> None:
    full = srgb(here(ramp, highlights=highlights, **BALANCES[balance]))[:, 400:590]
    np.testing.assert_allclose(full / full.mean(), 1.0, atol=2e-3)
    assert full.min() > 0.5


@pytest.mark.parametrize("highlights", ["neutral", "reconstruct", "clip"])
def test_a_neutral_ramp_stays_neutral_and_rises_through_the_places_where_channels_clip(ramp: Path, highlights: str) -> None:
    light = srgb(here(ramp, highlights=highlights))[16, 4:590]
    np.testing.assert_allclose(light, light.mean(axis=1, keepdims=True) * np.ones(3), atol=8e-3)
    assert np.diff(light.mean(axis=1)).min() > -4e-3
    assert light.max() == pytest.approx(1.0 if highlights == "clip" else 2.0, abs=0.02)
    if highlights != "clip":
        wanted = np.linspace(0.0, 4.0, 600)[4:290]
        np.testing.assert_allclose(light[:286].mean(axis=1), wanted, atol=0.02)


def test_a_saturated_clipped_colour_stays_that_colour(tmp_path: Path) -> None:
    path = dng(tmp_path / "red.dng", counts(patches(np.array([[[3.0, 0.2, 0.1], [0.1, 0.1, 0.1]]]))))
    for highlights in ("neutral", "reconstruct"):
        red = middles(srgb(here(path, highlights=highlights)))[0, 0]
        assert red[0] == pytest.approx(2.0, abs=0.01)
        assert red[1:].max() < 0.25, highlights


def test_reconstruction_carries_the_colour_around_into_what_is_clipped(tmp_path: Path) -> None:
    """A warm light brightens to the right until all channels are full."""
    warm, rise = np.array([1.0, 0.75, 0.5]), np.linspace(0.1, 8.0, 400)[None, :, None]
    path = dng(tmp_path / "warm.dng", counts(np.broadcast_to(rise * warm, (64, 400, 3))))
    core = {h: srgb(here(path, highlights=h))[20:40, 330:390].mean(axis=(0, 1)) for h in ("neutral", "reconstruct")}
    np.testing.assert_allclose(core["neutral"] / core["neutral"].max(), 1.0, atol=2e-3)
    np.testing.assert_allclose(core["reconstruct"] / core["reconstruct"].max(), warm, atol=0.1)


def test_photosites_that_stop_short_of_the_white_level_are_clipped_there(tmp_path: Path) -> None:
    grey = np.broadcast_to(np.linspace(0.0, 4.0, 400)[None, :, None], (64, 400, 3))
    sites = np.minimum(counts(grey), round(0.9 * WHITE))
    full = srgb(here(dng(tmp_path / "short.dng", sites)))[:, 300:]
    np.testing.assert_allclose(full / full.mean(), 1.0, atol=2e-3)


@pytest.mark.parametrize("seed", range(2))
def test_colours_are_those_of_libraws_own_rendering(tmp_path: Path, seed: int) -> None:
    """A real camera's matrix; LibRaw converts by dcraw's rules to linear sRGB, with the same white balance."""
    neutral, light = (0.47, 1.0, 0.68), np.random.default_rng(seed).uniform(0.03, 0.5, (5, 6, 3))
    path = dng(tmp_path / "canon.dng", counts(patches(light), neutral), neutral, CANON)
    with rawpy.imread(str(path)) as raw:
        codes = raw.postprocess(
            gamma=(1, 1), no_auto_bright=True, adjust_maximum_thr=0.0, use_camera_wb=True, output_bps=16
        )  # fmt: skip
    ours, theirs = (middles(picture) for picture in (srgb(here(path)).clip(0.0, 1.0), codes / 65535.0))
    labs = []
    for picture in (ours, theirs):
        planes = torch.from_numpy(picture).permute(2, 0, 1)[None].split(1, dim=1)
        labs.append(to_lab(*mix(SRGB_TO_REC2020, *planes)))
    apart = delta_e_2000(*labs)
    assert apart.mean() < 0.3
    assert apart.max() < 1.0


def test_kelvin_and_tint_as_reported_develop_as_shot(tmp_path: Path) -> None:
    neutral = (0.47, 1.0, 0.68)
    path = dng(tmp_path / "canon.dng", counts(patches(colours()), neutral), neutral, CANON)
    shot = here(path)
    kelvin, tint = shot.metadata["AsShotKelvin"], shot.metadata["AsShotTint"]
    assert 4500 < kelvin < 6500
    again = here(path, white_balance="kelvin", kelvin=kelvin, tint=round(tint))
    np.testing.assert_allclose(middles(srgb(again)), middles(srgb(shot)), rtol=4e-3, atol=1e-3)
    cool = here(path, white_balance="kelvin", kelvin=3000)
    assert cool.metadata["DevelopedKelvin"] == 3000
    assert (middles(srgb(cool))[0, 0] * [1, 0, -1]).sum() < -0.3  # 3000 K undone: bluer


def test_auto_white_balance_finds_the_light_on_a_grey_scene_past_a_clipped_lamp(tmp_path: Path) -> None:
    grey = np.full((4, 6, 3), 0.2) * np.random.default_rng(0).uniform(0.3, 1.5, (4, 6, 1))
    grey[0, 0] = 9.0
    neutral = np.array(SHOT) * (1.25, 1.0, 0.75)  # lit warmer than the camera thought
    path = dng(tmp_path / "warm.dng", counts(patches(grey), neutral), SHOT)
    found = middles(srgb(here(path, white_balance="auto")))[1:]
    assert (found.max(axis=2) / found.min(axis=2)).max() < 1.05


@pytest.mark.parametrize(("kelvin", "tint"), [(2000, 0), (2850, -30), (5003, 10), (6504, 10), (14000, 100)])
def test_kelvin_and_tint_are_found_again_from_a_chromaticity(kelvin: float, tint: float) -> None:
    assert kelvin_and_tint(xy_of(illuminant_xyz(kelvin, tint))) == pytest.approx((kelvin, tint), rel=2e-3, abs=0.2)


def test_daylight_is_that_of_cie_15() -> None:
    assert daylight(6504.0) == (0.3127, 0.3290)
    assert daylight(5003.0) == pytest.approx((0.3457, 0.3585), abs=2e-4)
    assert daylight(7504.0) == pytest.approx((0.2990, 0.3149), abs=2e-4)


def test_two_calibrations_are_mixed_by_reciprocal_kelvin_and_white_stays_white() -> None:
    tungsten = CANON * [[1.1], [1.0], [0.8]]
    camera = Camera((Calibration(2856.0, tungsten), Calibration(6504.0, CANON)))
    for kelvin in (2500.0, 2856.0, 4000.0, 6504.0, 9000.0):
        neutral = camera.neutral(xy_of(illuminant_xyz(kelvin, 5.0)))
        white = camera.white(neutral)
        assert white is not None
        assert kelvin_and_tint(white) == pytest.approx((kelvin, 5.0), rel=1e-3, abs=0.1)
        np.testing.assert_allclose(camera.to_xyz(neutral).sum(axis=1), [0.95046, 1.0, 1.08906], atol=1e-4)
    middle = 1.0 / (0.5 / 2856.0 + 0.5 / 6504.0)
    wanted = 0.5 * (tungsten + CANON) @ np.array(illuminant_xyz(middle, 0.0))
    np.testing.assert_allclose(camera.neutral(xy_of(illuminant_xyz(middle, 0.0))), wanted / wanted[1], rtol=1e-4)


def test_a_forward_matrix_is_used_as_the_dng_specification_says(tmp_path: Path) -> None:
    """XYZ under D50 is ForwardMatrix times white-balanced light; here it says that the camera sees Rec.2020's primaries."""
    forward = np.array([[0.67348, 0.16567, 0.12505], [0.27903, 0.67534, 0.04563], [-0.00194, 0.02998, 0.79708]])
    path = tmp_path / "forward.dng"
    dng(path, counts(patches(colours())), tag_50964=("2i", 9, ratios(forward)))
    light = here(path).pixels[0].permute(1, 2, 0).double().numpy()
    np.testing.assert_allclose(middles(light), colours(), atol=2e-3)


def test_camera_calibration_and_analog_balance_belong_to_the_matrix(tmp_path: Path) -> None:
    gains = np.array([1.2, 1.0, 0.9])
    matrix = np.diag(1.0 / (gains * [1.1, 1.0, 1.0])) @ np.diag(SHOT) @ XYZ_TO_SRGB
    calibration = ("2i", 9, ratios(np.diag([1.1, 1.0, 1.0])))
    path = tmp_path / "gains.dng"
    dng(path, counts(patches(colours())), matrix=matrix, tag_50723=calibration, tag_50727=("2I", 3, ratios(gains)))
    np.testing.assert_allclose(middles(srgb(here(path))), colours(), atol=2e-4)


def test_the_makers_crop_the_orientation_and_the_header_agree(tmp_path: Path) -> None:
    light = patches(colours())
    crop = {"tag_50719": ("H", 2, (24, 24)), "tag_50720": ("H", 2, (120, 72))}
    path = dng(tmp_path / "turned.dng", counts(light), tag_274=("H", 1, 6), **crop)
    header = header_of(path)[1]
    assert (header.width, header.height) == (120, 72)
    turned = np.rot90(colours()[1:4, 1:6], -1)
    photo = here(path)
    assert photo.size == Size(120, 72)
    np.testing.assert_allclose(middles(srgb(photo)), turned, atol=2e-4)
    half = here(path, develop="half")
    assert half.size == Size(60, 36)
    np.testing.assert_allclose(middles(srgb(half), 12), turned, atol=2e-4)


def test_half_size_has_the_same_light(chart: Path) -> None:
    np.testing.assert_allclose(middles(srgb(luxgrad.load(chart, develop="half")), 12), colours(), atol=2e-4)


@pytest.mark.parametrize("demosaic", PORTS["luxgrad.load_photo"].param("demosaic").kind.options)
def test_every_demosaicing_keeps_flat_colours(chart: Path, demosaic: str) -> None:
    np.testing.assert_allclose(middles(srgb(here(chart, demosaic=demosaic))), colours(), atol=5e-3)


def test_noise_falls_by_threshold_and_by_fbdd(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0.2, 0.02, (96, 96, 3))
    path = dng(tmp_path / "noise.dng", counts(noise))
    plain = srgb(here(path)).std()
    quiet = srgb(here(path, noise_threshold=2000))
    assert quiet.std() < 0.7 * plain
    assert quiet.mean() == pytest.approx(srgb(here(path)).mean(), rel=5e-3)
    assert srgb(here(path, denoise="full")).std() < 0.95 * plain


def test_the_threshold_is_in_deviations_of_a_square_root_and_leaves_what_stands_out() -> None:
    noise = np.random.default_rng(0).normal(0.6, 0.01, (128, 128))  # 0.01 is 655 of 65536
    noise[64:, :] += 0.2
    counts_of = lambda rooted: np.round(rooted**2 * 15000 + 500).astype(np.uint16)  # noqa: E731
    quiet = counts_of(noise)
    denoise(quiet, (1, 1), 500.0, 15000.0, 655.0 * 3.0)
    rooted = np.sqrt((quiet - 500.0) / 15000.0)
    assert rooted[:60].std() < 0.25 * 0.01
    assert rooted[68:].mean() - rooted[:60].mean() == pytest.approx(0.2, abs=0.005)


def test_x_trans_is_developed(tmp_path: Path) -> None:
    pattern = np.array([[1, 1, 0, 1, 1, 2], [1, 1, 2, 1, 1, 0], [2, 0, 1, 0, 2, 1],
                        [1, 1, 2, 1, 1, 0], [1, 1, 0, 1, 1, 2], [0, 2, 1, 2, 0, 1]])  # fmt: skip
    wanted = np.random.default_rng(3).uniform(0.05, 0.45, (25, 25, 3))  # LibRaw takes no small X-Trans pictures
    camera = patches(wanted) * SHOT * (WHITE - 512) + 512
    sites = np.take_along_axis(camera, np.tile(pattern, (100, 100))[..., None], axis=2)[..., 0].round().astype(np.uint16)
    path = tmp_path / "xtrans.dng"
    dng(path, sites, tag_33421=("H", 2, (6, 6)), tag_33422=("B", 36, tuple(pattern.ravel().tolist())))
    np.testing.assert_allclose(middles(srgb(here(path))), wanted, atol=4e-3)
    np.testing.assert_allclose(middles(srgb(here(path, develop="half")), 12), wanted, atol=4e-3)
    with pytest.raises(luxgrad.FileError, match="expected denoise off for a sensor that is no Bayer mosaic"):
        here(path, denoise="light")


def with_preview(path: Path, orientation: int = 8) -> Path:
    """A DNG with a JPEG in front of it, as cameras write them: the raw picture lies in a directory inside the first."""
    data = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(data, "JPEG")
    jpeg = data.getvalue() + b"\0" * (len(data.getvalue()) % 2)
    sites = counts(patches(colours()))
    kinds = {"B": 1, "H": 3, "I": 4, "2I": 5, "2i": 10, "s": 2}
    shared = [(254, "I", 1), (256, "I", 64), (257, "I", 48), (258, "H", 8), (259, "H", 7), (262, "H", 6), (273, "I", 8),
              (274, "H", orientation), (277, "H", 3), (278, "I", 48), (279, "I", len(jpeg)), (330, "I", None),
              (50706, "B", (1, 4, 0, 0)), (50708, "s", b"Oracle One\0"), (50721, "2i", ratios(np.diag(SHOT) @ XYZ_TO_SRGB)),
              (50728, "2I", ratios(SHOT)), (50778, "H", 21)]  # fmt: skip
    raw = [(254, "I", 0), (256, "I", 144), (257, "I", 96), (258, "H", 16), (259, "H", 1), (262, "H", 32803),
           (273, "I", 8 + len(jpeg)), (277, "H", 1), (278, "I", 96), (279, "I", sites.nbytes), (33421, "H", (2, 2)),
           (33422, "B", (0, 1, 1, 2)), (50714, "H", 512), (50717, "H", WHITE)]  # fmt: skip
    body = jpeg + sites.tobytes()

    def directory(entries: list[Any], place: int) -> bytes:
        table, extra = struct.pack("<H", len(entries)), b""
        for code, kind, value in entries:
            values = value if isinstance(value, tuple) else (value,)
            packed = value if kind == "s" else struct.pack(f"<{len(values)}{kind[-1]}", *values)
            count = len(packed) if kind == "s" else len(values) // (2 if kind[0] == "2" else 1)
            start = place + 6 + 12 * len(entries) + len(extra)
            table += struct.pack("<HHI", code, kinds[kind], count)
            table += packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", start)
            extra += b"" if len(packed) <= 4 else packed + b"\0" * (len(packed) % 2)
        return table + b"\0\0\0\0" + extra

    inside = 8 + len(body)
    second = directory(raw, inside)
    first = inside + len(second)
    entries = [(code, kind, inside if value is None else value) for code, kind, value in shared]
    path.write_bytes(b"II*\0" + struct.pack("<I", first) + body + second + directory(entries, first))
    return path


def test_the_embedded_preview_is_display_light_and_turned_like_the_photo(tmp_path: Path) -> None:
    path = with_preview(tmp_path / "both.dng")
    preview = luxgrad.load(path, develop="embedded preview")
    assert (preview.light, preview.size) == ("display", Size(64, 48))
    assert preview.pixels[0, 0].mean() > 3 * preview.pixels[0, 1].mean()
    developed = here(path)
    assert (developed.light, developed.size) == ("scene", Size(144, 96))
    np.testing.assert_allclose(middles(srgb(developed)), np.rot90(colours()), atol=2e-4)


def test_a_raw_file_is_told_by_what_it_holds(tmp_path: Path, chart: Path) -> None:
    for name in ("chart.tif", "chart.jpg", "chart"):
        assert luxgrad.load(chart.rename(tmp_path / name)).light == "scene"
        chart = tmp_path / name
    told = partial(is_raw, path=tmp_path / "x", endings=(".nef",))
    for start in (
        b"FUJIFILMCCD-RAW 0201",
        b"\0\0\0\x18ftypcrx \0\0\0\1",
        b"IIU\0\x08\0\0\0",
        b"IIRO\x08\0\0\0",
        b"II*\0\x10\0\0\0CR\2\0",
    ):
        assert told(start)
    assert is_raw(b"MM\0*\0\0\0\x08", tmp_path / "damaged.nef", (".nef",))
    luxgrad.save(Photo(torch.full((1, 3, 8, 8), 0.2)), tmp_path / "plain.tif", depth="float")
    assert not is_raw((tmp_path / "plain.tif").read_bytes()[:64], tmp_path / "plain.tif", (".nef",))


def test_what_cannot_be_developed_is_refused_in_one_line(tmp_path: Path, chart: Path) -> None:
    cut = tmp_path / "cut.dng"
    cut.write_bytes(chart.read_bytes()[:9000])
    with pytest.raises(luxgrad.FileError, match=r"cut.dng: damaged, or cut short"):
        luxgrad.load(cut)
    with pytest.raises(luxgrad.FileError, match=r"chart.dng: expected an embedded preview; the file has none"):
        luxgrad.load(chart, develop="embedded preview")
    strange = tmp_path / "strange.nef"
    strange.write_bytes(b"II*\0\x08\0\0\0" + b"\0" * 500)
    with pytest.raises(luxgrad.FileError, match=r"strange.nef: expected a kind of camera raw that LibRaw can decode"):
        luxgrad.load(strange)
    with pytest.raises(luxgrad.FileError, match=r"highlights: expected one of neutral, reconstruct, clip; got 'magenta'"):
        luxgrad.load(chart, highlights="magenta")
    with pytest.raises(luxgrad.FileError, match=r"expected one of develop, .*; got 'sharpness'"):
        luxgrad.load(chart, sharpness=3)


def test_loadimage_does_not_develop(chart: Path) -> None:
    with pytest.raises(luxgrad.FileError, match="expected a rendered picture, as LoadImage reads; got scene light"):
        read_like_comfyui(chart)


def test_a_camera_without_known_colours_is_refused(tmp_path: Path) -> None:
    path = dng(tmp_path / "unknown.dng", counts(patches(colours())), matrix=np.zeros((3, 3)))
    with pytest.raises(luxgrad.FileError, match="expected a camera whose colours LibRaw knows"):
        here(path)


def test_load_photo_and_a_development_have_the_same_defaults_and_other_files_ignore_them(tmp_path: Path) -> None:
    spec = PORTS["luxgrad.load_photo"]
    assert dataclasses.asdict(Development()) == {name: spec.param(name).default for name in DEVELOPING}
    luxgrad.save(Photo(torch.full((1, 3, 4, 4), 0.2)), tmp_path / "a.png")
    assert luxgrad.load(tmp_path / "a.png", white_balance="auto").light == "display"


def test_a_workflow_develops_as_its_step_says(chart: Path) -> None:
    data = {
        "photo": {"class_type": "luxgrad.load_photo", "inputs": {"file": "chart.dng", "develop": "half", "highlights": "clip"}},
        "out": {"class_type": "luxgrad.save_photo", "inputs": {"image": ["photo", 0]}},
    }
    import json

    workflow = chart.with_name("flow.json")
    workflow.write_text(json.dumps(data))
    assert luxgrad.open(workflow)({}).size == Size(48, 72)


def exif(model: str) -> Image.Exif:
    block = Image.Exif()
    block[0x010F], block[0x0110] = "Maker", model
    block[int(ExifTags.IFD.Exif)] = {0x8827: 800, 0x829A: 0.005, 0x920A: 35.0, 0x927C: b"secret notes", 0xA434: "Lens 35"}
    block[int(ExifTags.IFD.GPSInfo)] = {1: "N", 2: (52.0, 30.0, 0.0)}
    return block


def raf(model: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "JPEG", exif=exif(model))
    return b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 92, len(data.getvalue())) + data.getvalue()


def cr3(model: str) -> bytes:
    whole = exif(model)
    first, own, place = Image.Exif(), Image.Exif(), Image.Exif()
    first[0x010F], first[0x0110] = whole[0x010F], whole[0x0110]
    for part, pointer in ((own, ExifTags.IFD.Exif), (place, ExifTags.IFD.GPSInfo)):
        for tag, value in whole[int(pointer)].items():
            part[tag] = value
    parts = zip((b"CMT1", b"CMT2", b"CMT4"), (first, own, place))
    inner = b"".join(make_box(kind, part.tobytes().removeprefix(b"Exif\0\0")) for kind, part in parts)
    uuid = make_box(b"uuid", bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + inner)
    return make_box(b"ftyp", b"crx \0\0\0\1") + make_box(b"moov", uuid)


def olympus(model: str) -> bytes:
    block = exif(model).tobytes().removeprefix(b"Exif\0\0")
    return block[:2] + b"OR" + block[4:]


@pytest.mark.parametrize("container", [raf, cr3, olympus])
def test_exif_is_read_from_containers_that_are_no_tiff(tmp_path: Path, container: Any) -> None:
    path = tmp_path / "photo"
    path.write_bytes(container("Model X"))
    block = exif_of_raw(path)
    assert block is not None
    assert b"secret" not in block
    read = Image.Exif()
    read.load(block)
    assert read[0x0110] == "Model X"
    own = read.get_ifd(ExifTags.IFD.Exif)
    assert (own[0x8827], float(own[0x829A]), own[0xA434]) == (800, 0.005, "Lens 35")
    assert read.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"

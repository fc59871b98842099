"""A user's pairs: any photos of equal size, kept small, seen as Local retouch sees them; what is wrong is one line."""

from __future__ import annotations

import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import luxgrad
from luxgrad.files.errors import FileError
from luxgrad.light.transfer import srgb_encode
from luxgrad.training.abpn import pairs as module
from luxgrad.training.abpn.pairs import Pairs


def save(path: Path, height: int = 80, width: int = 96, value: float = 0.5) -> None:
    path.parent.mkdir(exist_ok=True)
    luxgrad.save(luxgrad.Photo(torch.full((1, 3, height, width), value)), path, force=True)


def test_pairs_are_found_by_name_or_folder(tmp_path: Path) -> None:
    save(tmp_path / "one" / "a_before.png")
    save(tmp_path / "one" / "a_after.png", value=0.2)
    example = Pairs(tmp_path / "one", 64).draw(0)
    assert example.flawed.shape == (3, 64, 64)
    assert example.masks.min().item() == 1.0
    assert not example.known.any()
    for name in ("before", "after"):
        (tmp_path / "two").mkdir(exist_ok=True)
        save(tmp_path / "two" / name / "b.png")
    assert Pairs(tmp_path / "two", 64).draw(3).masks.max().item() == 0.0


def test_bad_folders_of_pairs_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="expected a folder of pairs"):
        Pairs(tmp_path / "none", 64)
    with pytest.raises(FileError, match="expected NAME_before and NAME_after photos"):
        Pairs(tmp_path, 64)
    save(tmp_path / "a_before.png")
    with pytest.raises(FileError, match=r"a_before.png: expected its partner after; there is none"):
        Pairs(tmp_path, 64)
    save(tmp_path / "a_after.png", width=100)
    with pytest.raises(FileError, match=r"expected the size of a_before.png, 96 x 80 px; got 100 x 80 px"):
        Pairs(tmp_path, 64)
    save(tmp_path / "a_after.tif")
    with pytest.raises(FileError, match=r"a_after.tif: expected one photo of this name; there is a_after.png too"):
        Pairs(tmp_path, 64)


@pytest.mark.parametrize(("height", "width"), [(63, 200), (400, 7000)])
def test_photos_without_64_px_to_look_at_are_refused(height: int, width: int, tmp_path: Path) -> None:
    for name in ("before", "after"):
        save(tmp_path / f"a_{name}.png", height, width)
    with pytest.raises(
        FileError, match=rf"a_before.png: expected edges of at least 64 px where .* 1024; got {width} x {height} px"
    ):
        Pairs(tmp_path, 64)


def test_a_photo_that_cannot_be_read_or_is_no_number_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a_before.png")
    save(tmp_path / "a_after.png")
    good = (tmp_path / "a_after.png").read_bytes()
    for wrong in (b"", b"no photo", good[: len(good) // 2]):
        (tmp_path / "a_after.png").write_bytes(wrong)
        with pytest.raises(FileError, match=r"a_after.png: ") as caught:
            Pairs(tmp_path, 64)
        assert "\n" not in str(caught.value)
    (tmp_path / "a_after.png").unlink()
    pixels = np.full((80, 96, 3), 0.5, dtype=np.float32)
    pixels[40, 40] = np.nan
    import tifffile

    tifffile.imwrite(tmp_path / "a_after.tif", pixels, photometric="rgb")
    with pytest.raises(FileError, match=r"a_after.tif: expected finite light; got NaN or infinity, first at row 40"):
        Pairs(tmp_path, 64)


def test_large_photos_are_kept_small_and_small_ones_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref[torch.Tensor]] = []
    original = module.read_photo

    def read(path: Path) -> luxgrad.Photo:
        assert not any(pixels() is not None for pixels in held), "one decoded photo at a time"
        photo = original(path)
        held.append(weakref.ref(photo.raster.values))
        return photo

    monkeypatch.setattr(module, "read_photo", read)
    for name in ("before", "after"):
        save(tmp_path / f"large_{name}.jpg", 1400, 2100)
        save(tmp_path / f"small_{name}.jpg", 70, 130)
    pairs = Pairs(tmp_path, 64)
    assert [tuple(pair.shape) for pair in pairs.pairs] == [(6, 683, 1024), (6, 70, 130)]
    assert {pair.dtype for pair in pairs.pairs} == {torch.uint8}
    assert len(held) == 4


def test_crops_stay_pairs_are_mirrored_and_continued_where_the_photo_ends(tmp_path: Path, photos: Path) -> None:
    before = luxgrad.load(photos / "portrait.jpg").reduced(luxgrad.load(photos / "portrait.jpg").size.scaled(0.15))
    luxgrad.save(before, tmp_path / "a_before.png", force=True)
    pixels = before.pixels.clone()
    pixels[:, :, 20:40, 30:60] *= 0.5
    luxgrad.save(luxgrad.Photo(pixels), tmp_path / "a_after.png", force=True)
    pairs = Pairs(tmp_path, 256)
    assert max(before.size) < 256
    codes = pairs.pairs[0][:3] / 255.0
    seen = set()
    for number in range(12):
        example = pairs.draw(number)
        assert example.flawed.shape == example.clean.shape == (3, 256, 256)
        same = (example.flawed - example.clean).abs().amax(0) < 1e-6
        assert same[~example.masks[0].bool()].all()
        plain = torch.nn.functional.pad(codes, (0, 256 - codes.shape[2], 0, 256 - codes.shape[1]), mode="replicate")
        mirrored = torch.nn.functional.pad(codes.flip(2), (0, 256 - codes.shape[2], 0, 256 - codes.shape[1]), mode="replicate")
        distances = [(example.flawed - wanted).abs().max() for wanted in (plain, mirrored, plain.flip(2))]
        seen.add(min(range(3), key=distances.__getitem__))
        assert min(distances) < 1e-5
    assert len(seen) == 2


def test_a_photo_of_1024_px_is_seen_at_any_scale_down_to_half(tmp_path: Path) -> None:
    """Local retouch halves a photo until it has at most 1024 px: it sees some at 1024, others at little more than 512."""
    x = torch.arange(1024).expand(1, 3, 700, 1024) / 1024.0
    for name in ("before", "after"):
        luxgrad.save(luxgrad.Photo(x), tmp_path / f"a_{name}.png", force=True)
    pairs = Pairs(tmp_path, 128)
    from luxgrad.light.transfer import srgb_decode

    slopes = [srgb_decode(pairs.draw(number).flawed)[1, 64].diff().abs().mean().item() * 1024 for number in range(40)]
    assert 0.95 < min(slopes) < 1.15
    assert 1.85 < max(slopes) < 2.05


def test_turned_16_bit_and_grey_photos_of_different_formats_are_pairs(tmp_path: Path, photos: Path) -> None:
    photo = luxgrad.load(photos / "portrait.jpg")
    small = photo.reduced(photo.size.scaled(0.3))
    codes = (srgb_encode(small.pixels[0]).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(codes).rotate(90, expand=True).save(tmp_path / "a_before.jpg", exif=exif, quality=98)
    Image.fromarray(codes).save(tmp_path / "a_after.png")
    (tmp_path / "grey").mkdir()
    luxgrad.save(small, tmp_path / "grey" / "b_before.tif", force=True)
    Image.fromarray(codes).convert("L").save(tmp_path / "grey" / "b_after.png")
    upright = Pairs(tmp_path, 64).pairs[0].float()
    assert (upright[:3] - upright[3:]).abs().mean() < 2.0
    assert luxgrad.load(tmp_path / "grey" / "b_before.tif").raster.values.dtype == torch.uint16
    before, after = Pairs(tmp_path / "grey", 64).pairs[0].split(3)
    assert torch.equal(after[0], after[2])
    assert before.shape == after.shape


def test_one_pair_of_five_is_held_out_by_name(tmp_path: Path) -> None:
    for number in range(6):
        for name in ("before", "after"):
            save(tmp_path / f"{number}_{name}.png", value=0.1 * (number + 1))
    held, seen = Pairs(tmp_path, 64).split(5)
    assert held is not None
    assert (len(held), len(seen)) == (2, 4)
    values = [{pair[0, 0, 0].item() for pair in half.pairs} for half in (held, seen)]
    assert not values[0] & values[1]
    assert Pairs(tmp_path, 64).split(7)[0] is None

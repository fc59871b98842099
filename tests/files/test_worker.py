"""Decoding in a process that may die alone, and limits that hold before anything is decoded."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import luxgrad
from luxgrad.files import worker
from luxgrad.files.decode import decode
from luxgrad.files.formats.png import PNG


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 4), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0110] = "Camera"
    picture.save(path, exif=exif, icc_profile=b"profile")
    return path


def test_a_picture_decoded_in_its_own_process_is_the_picture_decoded_here(photo: Path) -> None:
    here, apart = PNG.decode(photo), worker.decode_apart(PNG, photo)
    for part in dataclasses.fields(here):
        one, two = getattr(here, part.name), getattr(apart, part.name)
        assert type(one) is type(two), part.name
        assert np.array_equal(one, two), part.name
    assert worker.header_apart(PNG, photo) == PNG.header(photo)


def test_a_decoder_that_dies_is_one_line_and_the_next_picture_is_read(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(worker, "_START", "import os; os.abort()")
        with pytest.raises(luxgrad.FileError, match=r"damaged: its decoder died \(SIGABRT\)"):
            worker.decode_apart(PNG, photo)
    assert worker.decode_apart(PNG, photo).values.shape == (20, 30, 3)


def test_a_decoder_that_hangs_is_ended(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_START", "import time; time.sleep(60)")
    monkeypatch.setattr(worker, "_SECONDS", 0.2)
    with pytest.raises(luxgrad.FileError, match="its decoder did not end within"):
        worker.decode_apart(PNG, photo)


def test_what_is_wrong_with_a_file_is_said_from_the_other_process(photo: Path) -> None:
    photo.write_bytes(photo.read_bytes()[:40])
    with pytest.raises(luxgrad.FileError, match="damaged"):
        worker.decode_apart(PNG, photo)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LUXGRAD_MOST_MEGAPIXELS", "0.0001", "expected 1 px to 0.0001 MP; got 30 x 20 px"),
        ("LUXGRAD_MOST_GIGABYTES", "0.0000001", "expected at most 1e-07 GB"),
        ("LUXGRAD_MOST_GIGABYTES", "much", "LUXGRAD_MOST_GIGABYTES: expected a number above 0; got 'much'"),
        ("LUXGRAD_MOST_MEGAPIXELS", "nan", "LUXGRAD_MOST_MEGAPIXELS: expected a number above 0; got 'nan'"),
    ],
)
def test_limits_are_set_by_the_environment(
    photo: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(luxgrad.FileError, match=expected):
        decode(photo)

"""What killed processes leave is removed by the next, and nothing else: not of live ones, of others, or behind links."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from luxgrad.files import leftovers
from luxgrad.files.atomic import whole_file, whole_folder
from luxgrad.files.leftovers import owner, scratch

HOLD = """
import pathlib, sys, time
from luxgrad.files.atomic import whole_folder
from luxgrad.files.leftovers import scratch
with scratch() as folder, whole_folder(pathlib.Path(sys.argv[-1])) as part:
    (folder / "arrays").write_text("half")
    (part / "inputs").mkdir()
    (part / "inputs" / "photo.png").write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files, of this test alone."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(leftovers.tempfile, "tempdir", str(folder))
    leftovers._clear_once.cache_clear()
    return folder


def dead() -> str:
    """The tag of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", "from luxgrad.files.leftovers import owner; print(owner())"],
                             stdout=subprocess.PIPE, text=True)  # fmt: skip
    return child.communicate()[0].strip()


def test_folders_of_a_killed_process_are_removed_by_the_next_run_and_of_a_live_one_left(tmp_path: Path, place: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "fit")], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"writing\n"
    with scratch(), whole_folder(tmp_path / "fit"):
        assert len(list(place.iterdir())) == 2
        assert len(list(tmp_path.glob(".fit.*.part"))) == 2
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    leftovers._clear_once.cache_clear()
    assert len(list(place.iterdir())) == len(list(tmp_path.glob(".fit.*.part"))) == 1
    with scratch() as folder, whole_folder(tmp_path / "fit") as part:
        (part / "report.json").write_text("whole")
        assert list(place.iterdir()) == [folder]
        assert list(tmp_path.glob(".fit.*.part")) == [part]
    assert list(place.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit", "tmp"]


ENDED = f"""
import sys
from luxgrad.cli import commands, main
commands.check = lambda options: exec({HOLD!r})
main.entry()
"""


def test_a_command_that_is_ended_by_sigterm_cleans_up_and_exits_143(tmp_path: Path, place: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", ENDED, "check", str(tmp_path / "fit")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "writing\n"
    assert list(tmp_path.glob(".fit.*.part"))
    child.terminate()
    _, errors = child.communicate()
    assert (child.returncode, errors) == (143, "luxgrad: ended; what was unfinished is removed\n")
    assert sorted(tmp_path.rglob("*")) == [place]


def test_a_process_number_that_is_used_again_does_not_keep_what_its_first_process_left(place: Path) -> None:
    machine, process, start = owner().split("-")
    (place / f"luxgrad_{machine}-{process}-{int(start) - 1}.x").mkdir()
    (place / f"luxgrad_{owner()}.y").mkdir()
    with scratch() as folder:
        assert sorted(place.iterdir()) == sorted([folder, place / f"luxgrad_{owner()}.y"])


@pytest.mark.parametrize(
    "name",
    ["luxgrad_", "luxgrad_x", "luxgrad_mine.json", "luxgrad_0badcafe-1-1.x", "luxgrad_{machine}-0-0.x",
     "luxgrad_{machine}--1-0.x", "luxgrad_{machine}-{process}.x", "other_{dead}.x",
     "luxgrad_{machine}-\N{ARABIC-INDIC DIGIT THREE}-1.x"],
)  # fmt: skip
def test_names_that_are_not_those_of_a_process_here_that_has_ended_are_left(place: Path, name: str) -> None:
    machine, process, _ = owner().split("-")
    kept = place / name.format(machine=machine, process=process, dead=dead())
    kept.mkdir()
    with scratch():
        assert kept.is_dir()


def test_links_are_not_followed_and_files_of_others_not_touched(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.raw").write_text("kept")
    gone = dead()
    (place / f"luxgrad_{gone}.link").symlink_to(tmp_path / "mine")
    inside = place / f"luxgrad_{gone}.folder"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "mine")
    with monkeypatch.context() as patch:
        patch.setattr(leftovers.os, "geteuid", lambda: os.getuid() + 1)
        with scratch():
            assert inside.is_dir()
    leftovers._clear_once.cache_clear()
    with scratch():
        assert not inside.exists()
        assert (place / f"luxgrad_{gone}.link").is_symlink()
    assert (tmp_path / "mine" / "photo.raw").read_text() == "kept"


def test_the_longest_name_that_a_file_can_have_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("\N{CAMERA WITH FLASH}" * 62 + ".tif")
    with whole_file(path) as part:
        part.write_text("whole")
    assert path.read_text() == "whole"

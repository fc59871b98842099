"""Decoding in a process that may die alone, and limits that hold before anything is decoded."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import luxgrad
from luxgrad import environment
from luxgrad.files import apart, decode as decoding, limits, patience, worker
from luxgrad.files.decode import decode, read_photo
from luxgrad.files.formats.png import PNG
from luxgrad.files.spawn import Spawned

WAYS = {"as the plugin": Spawned, "as a terminal": environment.Child}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 4), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0110] = "Camera"
    picture.save(path, exif=exif, icc_profile=b"profile")
    return path


@pytest.fixture(autouse=True)
def _folders_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever happens to a decoder, its folder goes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert not list(tmp_path.glob("luxgrad_*"))


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started in each of the two ways."""
    monkeypatch.setattr(apart, "_start", WAYS[request.param])


@pytest.fixture
def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Some lines that the other process runs instead of ours."""

    def put(lines: str) -> Path:
        path = tmp_path / "boot.py"
        path.write_text(lines)
        monkeypatch.setattr(apart, "_BOOT", path)
        return path

    return put


WITH_A_HEADER_THAT = """
import dataclasses, time
from pathlib import Path
from luxgrad.files import patience, worker
from luxgrad.files.formats.png import PNG
patience._SECONDS, patience._OTHERS = {seconds}, {others}
def slow(path):
    {does}
worker.FORMATS = (dataclasses.replace(PNG, header=slow),)
worker.serve(Path(FOLDER))
"""


def test_a_picture_decoded_in_its_own_process_is_the_picture_decoded_here(way: None, photo: Path) -> None:
    here, there = PNG.decode(photo), apart.decode_apart(PNG, photo)
    for part in dataclasses.fields(here):
        one, two = getattr(here, part.name), getattr(there, part.name)
        assert type(one) is type(two), part.name
        assert np.array_equal(one, two), part.name
    assert apart.header_apart(PNG, photo) == PNG.header(photo)


def test_a_decoder_that_dies_is_one_line_and_the_next_picture_is_read(
    way: None, photo: Path, instead: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(apart, "_BOOT", instead("import os; os.abort()"))
        with pytest.raises(luxgrad.FileError, match=r"damaged: its decoder died \(SIGABRT\)"):
            apart.decode_apart(PNG, photo)
    monkeypatch.setattr(apart, "_BOOT", Path(apart.__file__).with_name("boot.py"))
    assert apart.decode_apart(PNG, photo).values.shape == (20, 30, 3)


@pytest.mark.parametrize("answer", ["", "{", "[]"])
def test_a_decoder_that_ends_without_a_word_is_one_line(
    way: None, photo: Path, instead: Callable[[str], Path], answer: str
) -> None:
    instead(f"from pathlib import Path; (Path(FOLDER) / 'answer.json').write_text({answer!r}); import os; os._exit(0)")
    with pytest.raises(luxgrad.FileError, match=r"damaged: its decoder died \(exit 0\)"):
        apart.decode_apart(PNG, photo)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"values": 3},
        {"values": {"array": ["<u1", [1 << 40, 3]]}},
        {"values": {"array": ["<u1", [1 << 80]]}},
        {"values": {"array": ["O", [1]]}},
        {"values": {"array": ["none", [1]]}},
        {"values": {"bytes": "many"}},
        {"other": {"plain": 1}},
    ],
)
def test_an_answer_that_makes_no_sense_is_one_line(photo: Path, instead: Callable[[str], Path], answer: dict[str, Any]) -> None:
    instead(
        "from pathlib import Path; (Path(FOLDER) / 'arrays').write_bytes(bytes(8)); "
        f"(Path(FOLDER) / 'answer.json').write_text({json.dumps(answer)!r}); import os; os._exit(0)"
    )
    with pytest.raises(luxgrad.FileError, match="damaged: what its decoder made of it cannot be read"):
        apart.decode_apart(PNG, photo)


def test_a_decoder_that_hangs_is_ended(
    way: None, photo: Path, instead: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    instead("import time; time.sleep(60)")
    monkeypatch.setattr(patience, "_SECONDS", 0.05)
    monkeypatch.setattr(decoding, "format_of", lambda _: dataclasses.replace(PNG, apart=True))
    with pytest.raises(luxgrad.FileError, match=re.escape(f"{photo}: damaged: its decoder did not end within 0 s")):
        read_photo(photo)


def test_a_decoder_that_computes_on_is_ended_by_the_system(photo: Path, instead: Callable[[str], Path]) -> None:
    instead(WITH_A_HEADER_THAT.format(seconds=0.01, others=10_000, does="while True: pass"))
    with pytest.raises(luxgrad.FileError, match="damaged: its decoder did not end within 10 s of the processor"):
        apart.decode_apart(PNG, photo)


def test_a_decoder_whose_other_process_is_gone_ends_by_itself(
    tmp_path: Path, photo: Path, instead: Callable[[str], Path]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    request = {"format": "PNG", "path": str(photo), "decode": True, "development": {}, "limits": limits.limits()}
    (folder / worker.REQUEST).write_text(json.dumps(request))
    child = environment.Child(instead(WITH_A_HEADER_THAT.format(seconds=0.02, others=4, does="time.sleep(60)")), folder)
    assert child.wait(20) == -signal.SIGALRM


def test_a_larger_picture_gets_more_time() -> None:
    assert patience.processor_seconds(0) < patience.processor_seconds(24_000_000) < patience.processor_seconds(100_000_000)
    assert patience.seconds(24_000_000, 0) > patience.processor_seconds(24_000_000), "another program may use the machine too"


def test_a_decoder_gets_the_time_of_what_its_file_declares(tmp_path: Path) -> None:
    waited = []

    class Slow:
        def wait(self, seconds: float) -> int | None:
            waited.append(seconds)
            (tmp_path / worker.DECLARED).write_text("12000000")
            return None if len(waited) == 1 else 0

        def end(self) -> None: ...

    assert apart._ended(Slow(), tmp_path, 0) == 0
    assert sum(waited) == pytest.approx(patience.seconds(12_000_000, 0))


def test_a_file_cannot_ask_for_more_time_than_the_largest_picture_gets(tmp_path: Path) -> None:
    (tmp_path / worker.DECLARED).write_text("9" * 30)
    assert apart._declared(tmp_path) == 200_000_000


def test_what_is_wrong_with_a_file_is_said_from_the_other_process(way: None, photo: Path) -> None:
    photo.write_bytes(photo.read_bytes()[:40])
    with pytest.raises(luxgrad.FileError, match="damaged"):
        apart.decode_apart(PNG, photo)


def test_where_no_folder_can_be_made_it_is_said(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(photo))
    with pytest.raises(luxgrad.FileError, match="no temporary folder could be made: Not a directory"):
        apart.header_apart(PNG, photo)


def test_where_no_process_can_be_started_it_is_said(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing.current_process(), "_config", {"daemon": True, "authkey": b""})
    monkeypatch.setattr(apart, "_start", Spawned)
    with pytest.raises(luxgrad.FileError, match="no process could be started to decode it: daemonic processes"):
        apart.decode_apart(PNG, photo)


def test_four_at_once_are_read_and_the_main_module_is_itself_again(way: None, photo: Path) -> None:
    spec = sys.modules["__main__"].__spec__
    with ThreadPoolExecutor(4) as pool:
        shapes = list(pool.map(lambda _: apart.decode_apart(PNG, photo).values.shape, range(4)))
    assert shapes == [(20, 30, 3)] * 4
    assert sys.modules["__main__"].__spec__ is spec


READS = r"""
print("once", flush=True)
import sys
from pathlib import Path
from luxgrad import environment
from luxgrad.files import apart
from luxgrad.files.formats.png import PNG
def read(*_):
    sys.stdout.write(f"{{apart.decode_apart(PNG, Path({photo!r})).values.shape}}\n")
    sys.stdout.flush()
"""
PLACES = {
    "a script without a guard": (["script.py"], "read()"),
    "a folder that is run": (["app"], "read()"),
    "a module": (["-m", "app.inner"], "read()"),
    "one line": (["-c", None], "read()"),
    "standard input": (["-"], "read()"),
    "threads": (["script.py"], "import threading\nfor t in [threading.Thread(target=read) for _ in range(4)]: t.start()"),
    "where nobody is told how a process ended": (
        ["script.py"],
        "import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nread()",
    ),
    "a daemonic process": (
        ["script.py"],
        "environment.use()\nimport multiprocessing\np = multiprocessing.get_context('fork').Process(target=read, daemon=True)\n"
        "p.start()\np.join()",
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_picture_is_read_from_wherever_python_runs(place: str, photo: Path, tmp_path: Path) -> None:
    """And the main module, which may be anybody's, does not run again."""
    (arguments, does), home = PLACES[place], tmp_path / "home"
    text = READS.format(photo=str(photo)) + does + "\n"
    (home / "app").mkdir(parents=True)
    for name in ("script.py", "app/__main__.py", "app/inner.py", "app/__init__.py"):
        (home / name).write_text("" if name.endswith("__init__.py") else text)
    command = [sys.executable, *(text if argument is None else argument for argument in arguments)]
    done = subprocess.run(command, input=text if arguments == ["-"] else "", cwd=home, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["once"] + ["(20, 30, 3)"] * (4 if place == "threads" else 1)


def test_a_script_imports_nothing_from_the_folder_it_is_started_in(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    for name in ("runpy", "json", "signal", "multiprocessing", "numpy"):
        (tmp_path / "downloads" / f"{name}.py").write_text(f"open('imported', 'w').write({name!r})")
    script = tmp_path / "script.py"
    script.write_text(READS.format(photo=str(photo)) + "environment.use()\nread()\n")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path / "downloads", capture_output=True, text=True)
    assert done.stdout.splitlines() == ["once", "(20, 30, 3)"], done.stderr
    assert not (tmp_path / "downloads" / "imported").exists()


def test_a_folder_that_a_killed_process_leaves_says_whose_it_was(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "boot.py").write_text("import time; time.sleep(3)")
    script = READS.format(photo=str(photo)) + f"apart._BOOT = Path({str(tmp_path / 'boot.py')!r})\nread()\n"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(temporary)}
    )
    while not (found := list(temporary.glob("luxgrad_*"))):
        assert child.poll() is None
        time.sleep(0.01)
    child.kill()
    child.wait()
    whose = re.fullmatch(r"luxgrad_[0-9a-f]{8}-(\d+)-\d+\.\w+", found[0].name)
    assert whose is not None
    assert int(whose[1]) == child.pid


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LUXGRAD_MOST_MEGAPIXELS", "0.0001", r"expected 1 px to 0.0001 MP; got 30 x 20 px \(LUXGRAD_MOST_MEGAPIXELS sets"),
        ("LUXGRAD_MOST_GIGABYTES", "0.0000001", r"expected at most 1e-07 GB; got 0.0 GB \(LUXGRAD_MOST_GIGABYTES sets"),
        ("LUXGRAD_MOST_GIGABYTES", "much", "LUXGRAD_MOST_GIGABYTES: expected a number above 0; got 'much'"),
        ("LUXGRAD_MOST_MEGAPIXELS", "nan", "LUXGRAD_MOST_MEGAPIXELS: expected a number above 0; got 'nan'"),
    ],
)
def test_limits_are_set_by_the_environment(
    photo: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    environment.use()
    monkeypatch.setenv(name, value)
    with pytest.raises(luxgrad.FileError, match=expected):
        decode(photo)


def test_limits_hold_in_the_other_process_too(way: None, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_source", lambda limit: (1e-4 if limit == "megapixels" else None, "the setting"))
    with pytest.raises(luxgrad.FileError, match=r"expected 1 px to 0.0001 MP; got 30 x 20 px \(the setting sets the limit\)"):
        apart.decode_apart(PNG, photo)

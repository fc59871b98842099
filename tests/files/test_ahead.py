"""Photos read ahead."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from luxgrad.files.ahead import read_ahead
from luxgrad.files.errors import FileError


def test_the_next_photo_is_being_read_while_one_is_worked_on() -> None:
    started = {name: threading.Event() for name in "abc"}

    def read(path: Path) -> str:
        started[path.name].set()
        return path.name.upper()

    seen = []
    for path, result in read_ahead([Path(name) for name in "abc"], read):
        seen.append(result())
        following = {"a": "b", "b": "c"}.get(path.name)
        assert following is None or started[following].wait(5)
    assert seen == ["A", "B", "C"]


def test_one_bad_photo_does_not_stop_the_others() -> None:
    def read(path: Path) -> str:
        if path.name == "b":
            raise FileError("b: damaged")
        return path.name

    results = read_ahead([Path(name) for name in "abc"], read)
    assert next(results)[1]() == "a"
    with pytest.raises(FileError, match="b: damaged"):
        next(results)[1]()
    assert next(results)[1]() == "c"
    assert list(results) == []

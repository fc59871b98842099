"""The next photo is decoded while the one before it is worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def read_ahead(paths: Iterable[Path], read: Callable[[Path], T]) -> Iterator[tuple[Path, Callable[[], T]]]:
    """Each path with a call that gives what was read of it, or raises what reading raised.

    One file is read ahead in a thread, so that at most two photos are held. Leaving early waits for no more than that one.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="luxgrad-read") as pool:
        waiting: tuple[Path, Future[T]] | None = None
        for path in paths:
            started = path, pool.submit(read, path)
            if waiting is not None:
                yield waiting[0], waiting[1].result
            waiting = started
        if waiting is not None:
            yield waiting[0], waiting[1].result

"""The next photo is decoded while the one before it is worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Name = TypeVar("Name")
Read = TypeVar("Read")


def read_ahead(names: Iterable[Name], read: Callable[[Name], Read]) -> Iterator[tuple[Name, Callable[[], Read]]]:
    """Each name with a call that gives what was read of it, or raises what reading raised.

    One file is read ahead in a thread, so that at most two photos are held. Leaving early waits for no more than that one.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="luxgrad-read") as pool:
        waiting: tuple[Name, Future[Read]] | None = None
        for name in names:
            started = name, pool.submit(read, name)
            if waiting is not None:
                yield waiting[0], waiting[1].result
            waiting = started
        if waiting is not None:
            yield waiting[0], waiting[1].result

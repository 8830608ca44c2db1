"""One writer a run: a lock on its folder, which the system takes back when its holder dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

LOCK_NAME = ".lock"


@contextlib.contextmanager
def sole_writer(folder: Path) -> Iterator[bool]:
    """Hold the run's folder for as long as the context lasts; False where another process does.

    The lock is the system's own on an open file, so there is no stale one to break.
    """
    lock = FileLock(folder / LOCK_NAME)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether a process is at work on the run."""
    if not folder.is_dir():
        return False
    with sole_writer(folder) as free:
        return not free

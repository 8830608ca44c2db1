"""One writer a run: a lock on its folder, which the system takes back when its holder dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

LOCK_NAME = ".lock"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold a lock for as long as the context lasts; False where another process does.

    The lock is the system's own on an open file, so there is no stale one to break.
    """
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def sole_writer(folder: Path) -> contextlib.AbstractContextManager[bool]:
    """Hold the run's folder; False where another process is at work on the run."""
    return locked(folder / LOCK_NAME)


def is_held(folder: Path) -> bool:
    """Whether a process is at work on the run."""
    if not folder.is_dir():
        return False
    with sole_writer(folder) as free:
        return not free

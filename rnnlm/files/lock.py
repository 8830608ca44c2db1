"""One writer a run: a lock on its folder, which the system takes back when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from filelock import lock_descriptor

from rnnlm.files.run_files import LOCK

# A link is not followed, and a pipe in the file's place is not waited for.
_FLAGS = (
    os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
# The file is another user's, or its file system has no locks.
_CANNOT_LOCK = {
    errno.EACCES,
    errno.EPERM,
    errno.ENOLCK,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
    errno.EINVAL,
    errno.EBADF,
}

log = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold a lock for as long as the context lasts; False where another process does.

    The lock is the system's own on an open file, so there is no stale one to break.

    Raises:
        OSError: the file cannot be opened, it is a link, or its file system has no locks.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | _FLAGS, 0o666)
    except PermissionError:
        # To lock another user's file it is enough that it can be read.
        descriptor = os.open(path, os.O_RDONLY | _FLAGS & ~os.O_CREAT)
    try:
        # Closing the file gives the lock back.
        yield lock_descriptor(descriptor, blocking=False)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def sole_writer(folder: Path) -> Iterator[bool]:
    """Hold the run's folder; False where another process is at work on the run.

    Where the folder cannot be locked, a line in the log says so, and it counts as held.
    """
    path = folder / LOCK
    remove_unless_file(path)
    with contextlib.ExitStack() as lock:
        try:
            is_ours = lock.enter_context(locked(path))
        except OSError as error:
            if error.errno not in _CANNOT_LOCK:
                raise
            log.warning(
                "%s cannot be locked (%s): two sweeps that train this run at once would damage it",
                path,
                error.strerror,
            )
            is_ours = True
        yield is_ours


def is_held(folder: Path) -> bool:
    """Whether a process is at work on the run."""
    if not folder.is_dir():
        return False
    with sole_writer(folder) as free:
        return not free


def remove_unless_file(path: Path) -> None:
    """Remove the folder, link or pipe that is in the place of a file of ours, and say so."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if stat.S_ISREG(mode):
        return
    log.warning("%s was no file and has been removed", path)
    if stat.S_ISDIR(mode):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

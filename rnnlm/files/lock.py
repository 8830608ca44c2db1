"""Locks on files, which the system releases when their process dies; a run's folder has one."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from filelock import lock_descriptor

from rnnlm.files.atomic_write import discard
from rnnlm.files.run_files import LOCK

# Do not follow a link, and do not wait for a pipe in the file's place.
_FLAGS = (
    os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
# The file belongs to another user, or its file system has no locks.
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
    """Hold a lock while the context lasts; gives False if another process holds it.

    It is the system's own lock on an open file: none is left behind by a process that died.

    Raises:
        OSError: the file cannot be opened, it is a link, or its file system has no locks.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | _FLAGS, 0o666)
    except PermissionError:
        # Another user's file can be locked if it can be read.
        descriptor = os.open(path, os.O_RDONLY | _FLAGS & ~os.O_CREAT)
    try:
        # Closing the file releases the lock.
        yield lock_descriptor(descriptor, blocking=False)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def lock_run_folder(folder: Path) -> Iterator[bool]:
    """Lock a run's folder while the context lasts; gives False if another process has locked it.

    If the file system has no locks, it gives True, and a line in the log says so.
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
    """Return True if a process is carrying out the run of this folder."""
    if not folder.is_dir():
        return False
    with lock_run_folder(folder) as is_ours:
        return not is_ours


def remove_unless_file(path: Path) -> None:
    """Remove a folder, link or pipe that stands in the place of a file of ours, and log it."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if stat.S_ISREG(mode):
        return
    log.warning("%s was no file and has been removed", path)
    discard(path)

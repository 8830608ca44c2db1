"""Atomic writing: whenever the process dies, the file is the whole new one or the old one."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST_NAME = 255  # bytes, in most file systems
_HOST = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40] or "-"
_TEMPORARY = re.compile(
    r"\..*\.(?P<host>[A-Za-z0-9-]+)\.(?P<pid>\d{1,10})\.[0-9a-f]{16}", re.DOTALL
)
# Temporary names of earlier versions of this project, such as `.last.ckpt.1234`.
_EARLIER = re.compile(
    r"\.(last\.ckpt|best\.ckpt|scalars\.csv|samples\.txt|progress\.json|result\.json|results\.csv"
    r"|results\.md)\.(?P<pid>\d{1,10})"
)


@contextlib.contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[Path]:
    """Give a temporary file beside the path, which replaces the path once it is written.

    Its name cannot be guessed, so that nobody can have put a link there. It has the permissions of
    any new file.

    Args:
        durable: wait until it is on the disk, so that it survives if the machine goes down.

    Raises:
        OSError: it cannot be written; the error names the path.
    """
    temporary = temporary_beside(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        os.close(os.open(temporary, flags, 0o666))
        yield temporary
        if durable:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary)):
            # An error of writing names no file, and the temporary name would tell nothing.
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all; a link stays a link, and a pipe a pipe.

    Raises:
        OSError: it cannot be written; an earlier file is unchanged.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def discard(path: Path) -> None:
    """Remove a file, a link or a folder with its content, if there is one.

    Raises:
        OSError: it cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path, include_live_processes: bool = False) -> None:
    """Remove the temporary files and folders of ended processes from a folder.

    Those of another machine stay, since their process may still be writing.

    Args:
        include_live_processes: also remove those of live processes and of other machines; only the
            sole writer may ask for this.
    """
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            found = _TEMPORARY.fullmatch(path.name) or _EARLIER.fullmatch(path.name)
            if found is None:
                continue
            host = found.groupdict().get("host", _HOST)
            if include_live_processes or (host == _HOST and not _is_alive(int(found["pid"]))):
                discard(path)


def temporary_beside(path: Path) -> Path:
    """Return a new path that names its process: `.NAME.HOST.PID.RANDOM`."""
    owner = f".{_HOST}.{os.getpid()}.{secrets.token_hex(8)}"
    beginning = os.fsencode(path.name)[: LONGEST_NAME - 1 - len(owner)]
    return path.with_name(f".{beginning.decode('utf-8', 'ignore')}{owner}")


def _sync_folder(folder: Path) -> None:
    """Make a renaming survive if the machine goes down."""
    if sys.platform == "win32":
        return
    # Some file systems cannot do this for a folder.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_alive(pid: int) -> bool:
    """Tell whether a process of this number is alive on this machine."""
    if sys.platform == "win32":
        return True  # asking would end it
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return True

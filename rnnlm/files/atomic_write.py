"""Writing a file so that it is whole, the new one or the one before, whenever the process dies."""

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
# The names that earlier versions of this project wrote by way of: `.last.ckpt.1234`.
_EARLIER = re.compile(
    r"\.(last\.ckpt|best\.ckpt|scalars\.csv|samples\.txt|progress\.json|result\.json|results\.csv"
    r"|results\.md)\.(?P<pid>\d{1,10})"
)


@contextlib.contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[Path]:
    """Give an empty temporary file beside the path, which takes its place once it is written.

    Its name cannot be guessed, so nobody can have put a link there; it may be read by whoever may
    read a file that is made in the usual way.

    Args:
        durable: wait until it is on the disk, so that it survives when the machine goes down too.

    Raises:
        OSError: it cannot be written, such as on a full disk; the error names the path.
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
            # Writing to a file does not say to which, and nobody knows a temporary name.
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all; a link stays one, and a pipe is written to.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def discard(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it, if there is one.

    Raises:
        OSError: it cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path, of_the_living: bool = False) -> None:
    """Remove the temporary files and folders that killed processes have left in a folder.

    A process of another machine may still be writing: what it has made is left alone.

    Args:
        of_the_living: remove those of every process, as whoever is the folder's only writer may.
    """
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            found = _TEMPORARY.fullmatch(path.name) or _EARLIER.fullmatch(path.name)
            if found is None:
                continue
            host = found.groupdict().get("host", _HOST)
            if of_the_living or (host == _HOST and not _is_alive(int(found["pid"]))):
                discard(path)


def temporary_beside(path: Path) -> Path:
    """A path for a temporary file or folder, which says whose it is: `.NAME.HOST.PID.RANDOM`."""
    owner = f".{_HOST}.{os.getpid()}.{secrets.token_hex(8)}"
    beginning = os.fsencode(path.name)[: LONGEST_NAME - 1 - len(owner)]
    return path.with_name(f".{beginning.decode('utf-8', 'ignore')}{owner}")


def _sync_folder(folder: Path) -> None:
    """See that a renamed file is found under its new name after the machine went down."""
    if sys.platform == "win32":
        return
    # Some file systems know no such thing of a folder.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_alive(pid: int) -> bool:
    """Whether there is a process of this number on this machine."""
    if sys.platform == "win32":
        return True  # to ask would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    except OverflowError:
        return False
    return True

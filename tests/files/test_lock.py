"""rnnlm/files/lock.py."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlm.files import lock
from rnnlm.files.lock import is_held, lock_run_folder, locked
from rnnlm.files.run_files import LOCK

HOLD = """
import sys, time
from pathlib import Path
from rnnlm.files.lock import lock_run_folder
with lock_run_folder(Path(sys.argv[1])) as is_ours:
    print(is_ours, flush=True)
    time.sleep(600)
"""


def test_a_run_has_one_writer_and_the_lock_of_a_dead_one_is_taken_over(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert is_held(tmp_path)
        with lock_run_folder(tmp_path) as is_ours:
            assert not is_ours
        other.kill()
        other.wait()
    with lock_run_folder(tmp_path) as is_ours:
        assert is_ours
    assert not is_held(tmp_path)


def test_a_folder_that_is_not_there_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "no")


@pytest.mark.parametrize("what", ["folder", "link", "dangling link", "pipe"])
def test_what_is_in_the_place_of_the_lock_is_removed(
    what: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, other = tmp_path / LOCK, tmp_path / "other"
    if what == "folder":
        (path / "sub").mkdir(parents=True)
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(other)
        if what == "link":
            other.write_text("mine")
    with lock_run_folder(tmp_path) as is_ours:
        assert is_ours
        assert is_held(tmp_path)
    assert path.is_file()
    assert not path.is_symlink()
    assert caplog.messages == [f"{path} was no file and has been removed"]
    assert (what == "link") == (other.exists() and other.read_text() == "mine")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path, other = tmp_path / "lock", tmp_path / "other"
    path.symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"), locked(path):
        pass
    assert not other.exists()


def test_a_file_that_can_only_be_read_is_lock_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / LOCK).touch()
    original = os.open

    def refusing(path: Path, flags: int, *mode: int) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return original(path, flags, *mode)

    monkeypatch.setattr(os, "open", refusing)
    with lock_run_folder(tmp_path) as is_ours:
        assert is_ours
        assert is_held(tmp_path)


def test_where_there_are_no_locks_a_line_says_so_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def without_locks(*_: object, **__: object) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "lock_descriptor", without_locks)
    with lock_run_folder(tmp_path) as is_ours:
        assert is_ours
    (message,) = caplog.messages
    assert message.startswith(f"{tmp_path / LOCK} cannot be locked (No locks available)")

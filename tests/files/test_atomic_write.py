"""rnnlm/files/atomic_write.py"""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlm.files.atomic_write import remove_leftovers, replacing, write_text

FULL = Path("/dev/full")  # every write to it fails


def test_the_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("after")
        assert (tmp_path / "file").read_text() == "before"
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "after")]


def test_what_fails_half_way_leaves_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")

    def fail() -> None:
        with replacing(tmp_path / "file") as temporary:
            temporary.write_text("aft")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "before")]


def test_a_link_stays_one_and_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("before")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_text(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "after"
    write_text(Path("/dev/null"), "text")
    assert not Path("/dev/null").is_file()


def test_the_temporary_name_cannot_be_guessed_and_is_no_longer_than_names_may_be(
    tmp_path: Path,
) -> None:
    for name in ("file", "长" * 80, "x" * 250):
        names = []
        for _ in range(2):
            with replacing(tmp_path / name) as temporary:
                assert temporary.parent == tmp_path
                names.append(temporary.name)
        assert len(set(names)) == 2
        assert (tmp_path / name).exists()


def test_a_file_may_be_read_by_whoever_may_read_one_that_is_made_in_the_usual_way(
    tmp_path: Path,
) -> None:
    before = os.umask(0o027)
    try:
        (tmp_path / "usual").touch()
        write_text(tmp_path / "file", "text")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "file")}
    assert modes == {0o640}


@pytest.mark.skipif(not FULL.exists(), reason="there is no disk that is always full")
def test_an_error_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    def fill() -> None:
        with replacing(tmp_path / "file") as temporary:
            temporary.unlink()
            temporary.symlink_to(FULL)
            temporary.write_text("text")

    with pytest.raises(OSError, match="file") as error:
        fill()
    assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(tmp_path / "file"))
    with pytest.raises(FileNotFoundError) as missing:
        write_text(tmp_path / "no folder" / "file", "text")
    assert missing.value.filename == str(tmp_path / "no folder" / "file")
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_has_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from rnnlm.files.atomic_write import replacing\n"
    )
    program += "with replacing(Path(sys.argv[1])) as temporary: print(os.getpid(), flush=True); "
    program += "os._exit(1)"
    dead = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "file"], stdout=subprocess.PIPE, check=False
    )
    number = dead.stdout.decode().strip()
    (left,) = tmp_path.iterdir()
    assert number in left.name
    kept = [f".notes.{number}", ".hidden", f"last.ckpt.{number}", ".last.ckpt.x"]
    kept.append(left.name.replace(f".{socket.gethostname()}.", ".elsewhere."))
    for name in (*kept, f".last.ckpt.{number}", f".scalars.csv.{number}"):
        (tmp_path / name).touch()
    with replacing(tmp_path / "file") as temporary:
        remove_leftovers(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {*kept, temporary.name}
    remove_leftovers(tmp_path, include_live_processes=True)
    assert {path.name for path in tmp_path.iterdir()} == {*kept[:-1], "file"}
    remove_leftovers(tmp_path / "no folder")

"""rnnlm/atomic_write.py"""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnlm.atomic_write import replacing, write_text


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

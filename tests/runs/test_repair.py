"""rnnlm/runs/repair.py"""

from __future__ import annotations

from pathlib import Path

from rnnlm.files.atomic_write import discard
from rnnlm.runs.repair import FILES, FOLDERS, repair
from tests.trained_runs import TrainedRuns


def test_every_file_of_a_run_is_known(trained_runs: TrainedRuns) -> None:
    kept = {path.name for path in trained_runs("prose").iterdir()}
    assert {name for name in kept if not name.startswith("events.")} <= {*FILES, *FOLDERS}


def test_what_stands_in_the_way_is_removed_and_said(tmp_path: Path) -> None:
    (tmp_path / "result.json").mkdir()
    (tmp_path / "result.json" / "a").touch()
    (tmp_path / "checkpoints").touch()
    (tmp_path / "run.log").symlink_to(tmp_path / "nowhere")
    (tmp_path / "scalars.csv").write_text("kept")
    (tmp_path / "notes").mkdir()
    assert sorted(repair(tmp_path)) == [
        f"{tmp_path}/checkpoints is removed: a folder belongs there",
        f"{tmp_path}/result.json is removed: a file belongs there",
        f"{tmp_path}/run.log is removed: a file belongs there",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"notes", "scalars.csv"}
    assert repair(tmp_path) == []
    assert repair(tmp_path / "no folder") == []


def test_what_its_owner_may_not_use_becomes_usable(tmp_path: Path) -> None:
    (tmp_path / "run.log").touch(mode=0o400)
    (tmp_path / "checkpoints").mkdir(mode=0o500)
    repair(tmp_path)
    (tmp_path / "run.log").write_text("")
    (tmp_path / "checkpoints" / "last.ckpt").touch()


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    discard(tmp_path / "link")
    discard(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]

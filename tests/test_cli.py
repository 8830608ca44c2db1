"""rnnlm/cli.py"""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnlm.cli import main
from tests.results.test_record import record


def test_a_table_of_several_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(seed=1).write(tmp_path / "a" / "run")
    record(seed=2).write(tmp_path / "b" / "run")
    assert main(["results", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert capsys.readouterr().out.count("time_machine sample lstm") == 2
    assert not (tmp_path / "a" / "results.csv").exists()


def test_a_broken_record_is_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record().write(tmp_path / "whole")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "result.json").write_text("{")
    assert main(["results", str(tmp_path)]) == 0
    output = capsys.readouterr()
    assert output.out.count("time_machine sample lstm") == 1
    assert output.err.startswith(f"left out: {tmp_path}/broken/result.json is not a record")


@pytest.mark.parametrize(
    ("folder", "message"), [("nope", "no folder nope"), (".", "no finished run below .")]
)
def test_nothing_to_show_is_said_in_one_line(
    folder: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["results", folder]) == 2
    assert capsys.readouterr().err.startswith(f"rnnlm: {message}")


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "COMMAND" in capsys.readouterr().err

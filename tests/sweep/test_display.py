"""rnnlm/sweep/display.py."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlm.results.record import FAILED
from rnnlm.sweep import display
from rnnlm.sweep.display import SweepProgress
from rnnlm.training.progress import Progress
from tests.conftest import ROOT, TINY
from tests.support.records import record


def test_lines_tell_of_each_run_and_of_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(display, "SECONDS_BETWEEN_LINES", -1.0)
    monkeypatch.setattr(display, "SECONDS_BETWEEN_UPDATES", 60.0)
    runs = [(title, tmp_path / title) for title in ("first", "second", "third")]
    for _, folder in runs:
        folder.mkdir()
    # The record of an earlier attempt is no news.
    record(status=FAILED, error="before").write(tmp_path / "third")
    with SweepProgress(runs, shown=True) as progress:
        Progress("epoch 1/2", 0.5, 30.0).write(tmp_path / "second")
        progress.ended(tmp_path / "first", None)
        progress.ended(tmp_path / "second", None)
        assert not (tmp_path / "second" / "progress.json").exists()
        progress.ended(tmp_path / "third", "it died")
    output = capsys.readouterr()
    assert output.out.splitlines() == [
        "first  completed in 0:00:00",
        "second  epoch 1/2  0:00:30 left",
        "sweep: 1 completed, 1 running, 0 failed, 1 waiting  0:01:00 left",
        "second  epoch 1/2  completed in 0:00:00",
        "sweep: 2 completed, 0 running, 0 failed, 1 waiting  0:00:00 left",
    ]
    assert output.err == "third failed: it died\n"


def test_only_failures_are_shown_where_nothing_else_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SweepProgress([("a", tmp_path / "a"), ("b", tmp_path / "b")], shown=False) as progress:
        progress.ended(tmp_path / "a", None)
        progress.ended(tmp_path / "b", "it died")
        progress.ended(tmp_path / "b", "it died")
    assert capsys.readouterr() == ("", "b failed: it died\n")


def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    terminal, process_side = pty.openpty()
    command = [sys.executable, str(ROOT / "run.py"), *TINY[:-1], "trainer.max_epochs=4"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=process_side,
        stderr=process_side,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "160"},
    )
    os.close(process_side)
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        shown += piece
        if not piece:
            break
    os.close(terminal)
    assert process.wait() == 0
    assert "━".encode() in shown
    assert b"epoch 4/4" in shown

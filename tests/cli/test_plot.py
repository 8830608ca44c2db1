"""rnnlm/cli/plot.py"""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnlm.cli import main
from tests.plots.sweep import baseline, sweep


def test_the_plots_asked_for_are_written_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(tmp_path / "runs", seeds=1, cells=["gru-embed", "lstm-embed"])
    arguments = ["-o", str(tmp_path / "plots"), "--x", "epoch,tokens", "--y", "ppl"]
    assert main(["plot", str(tmp_path / "runs"), *arguments, "--format", "svg"]) == 0
    written = capsys.readouterr().out.splitlines()
    assert sorted(written) == sorted(map(str, (tmp_path / "plots").iterdir()))
    names = [Path(path).name for path in written]
    assert names[:2] == ["time_machine-curves-ppl-epoch.svg", "time_machine-curves-ppl-tokens.svg"]
    assert "time_machine-grid-test_ppl.svg" in names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--x", "hours"], "--x: 'hours' is not one of epoch, step, tokens, seconds"),
        (["--y", "ppl,"], "--y: '' is not one of loss, ppl"),
        (["--format", "pdf"], "--format: 'pdf' is not one of svg, png"),
        ([], "there is nothing to draw: no run has curves"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline(tmp_path, "unigram", 3.0)
    assert main(["plot", str(tmp_path), "-o", str(tmp_path / "plots"), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"rnnlm plot: {message}")
    assert error.count("\n") == 1
    assert not (tmp_path / "plots").exists()

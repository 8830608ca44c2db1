"""experiments/generation/: the benchmark runs and prints a row of ratios for each cell."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT


def test_every_cell_is_timed_against_the_bare_loop() -> None:
    script = ROOT / "experiments" / "generation" / "run.py"
    output = subprocess.run(
        [sys.executable, str(script), "--rounds=1", "--length=10", "--vocabularies", "50"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    _, _, *rows = output.splitlines()
    assert [row.split("|")[2].strip() for row in rows] == ["rnn", "lstm", "gru"]
    for row in rows:
        assert all(float(cell.replace(",", "")) > 0 for cell in row.split("|")[3:6])

"""experiments/baselines/: the benchmark runs and prints every column of its tables."""

from __future__ import annotations

import subprocess
import sys

from rnnlm.baselines import baselines
from tests.conftest import ROOT


def test_every_baseline_is_measured_on_every_corpus() -> None:
    command = [sys.executable, str(ROOT / "experiments" / "baselines" / "run.py")]
    output = subprocess.run(
        [*command, "--source=sample", "--characters=9000"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    first, second = (part.splitlines() for part in output.rstrip().split("\n\n"))
    names = [cell.strip() for cell in first[0].split("|")[1:-1]]
    rows = [
        dict(zip(names, (cell.strip() for cell in row.split("|")[1:-1]), strict=True))
        for row in first[2:]
    ]
    assert {row["corpus"] for row in rows} == {"time_machine", "tang", "stand-in"}
    assert {row["baseline"].split()[0] for row in rows} == set(baselines())
    # Kneser-Ney has two rows: one discount, and three.
    assert len(rows) == 3 * (len(baselines()) + 1)
    for row in rows:
        assert int(row["characters"].replace(",", "")) > 4000
        assert float(row["seconds"]) >= 0
        assert (row["test bits/char"] == "") == (row["corpus"] == "stand-in")
    assert len(second) == 2 + 2 * 2 * 2
